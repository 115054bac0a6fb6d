// What all simulated sockets have in common: who waits at them, their options, and the way from an operation to what it
// does. A socket's own part says what one attempt gives and what holds.
#pragma once

#include <astd/driver/sim/binding.hpp>
#include <astd/driver/sim/network_stack.hpp>
#include <astd/driver/sim/open_file.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <sys/uio.h>

namespace astd::driver::sim {

/// The buffers of a transfer, whichever form the operation has.
class message {
 public:
  explicit message(const operation& op) noexcept;
  message(const message&) = delete;
  message& operator=(const message&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] int flags() const noexcept { return flags_; }
  [[nodiscard]] msghdr* header() const noexcept { return header_; }
  /// f(data, size) for each piece of the first `most` bytes.
  template <class F>
  void each(std::size_t most, F f) const {
    for (std::size_t i = 0; i < count_ && most > 0; ++i) {
      const std::size_t size = vectors_[i].iov_len < most ? vectors_[i].iov_len : most;
      if (size > 0) f(vectors_[i].iov_base, size);
      most -= size;
    }
  }

 private:
  const iovec* vectors_;
  std::size_t count_, size_ = 0;
  int flags_ = 0;
  msghdr* header_ = nullptr;
  iovec single_{};
};

class socket : public open_file, public socket_in_stack {
 public:
  socket(network_stack& stack, int family) noexcept;
  ~socket() override;

  [[nodiscard]] std::int32_t start(operation& op) noexcept final;
  void cancel(operation& op) noexcept final;
  [[nodiscard]] std::int32_t next_connection(operation& op) noexcept final;
  void crash() noexcept final;
  /// Its stack is gone.
  void orphan() noexcept { stack_ = nullptr; }

 protected:
  /// An attempt that finds nothing to do says `pending`.
  [[nodiscard]] virtual std::int32_t connect(operation& op, bool again) noexcept = 0;
  [[nodiscard]] virtual std::int32_t receive(const message& m) noexcept = 0;
  [[nodiscard]] virtual std::int32_t send(const message& m) noexcept = 0;
  [[nodiscard]] virtual std::int32_t accept() noexcept { return -EOPNOTSUPP; }
  [[nodiscard]] virtual bool may_accept(std::int32_t& error) noexcept {
    error = -EOPNOTSUPP;
    return false;
  }
  [[nodiscard]] virtual std::int32_t bind(const place& at) noexcept = 0;
  [[nodiscard]] virtual std::int32_t listen(int) noexcept { return -EOPNOTSUPP; }
  [[nodiscard]] virtual std::int32_t shutdown(int how) noexcept = 0;
  /// Whom it is connected to; `past`: or was. Null: nobody.
  [[nodiscard]] virtual const place* peer_place(bool past) const noexcept = 0;
  [[nodiscard]] virtual place local_place() const noexcept { return binding_.at; }
  /// POLLIN...
  [[nodiscard]] virtual int holds() const noexcept = 0;
  [[nodiscard]] virtual bool is_stream() const noexcept = 0;
  [[nodiscard]] virtual bool is_listening() const noexcept { return false; }
  virtual void options_changed() noexcept {}
  virtual void vanish() noexcept = 0;

  /// Something has happened that those who wait may be waiting for.
  void wake_readers() noexcept;
  void wake_writers() noexcept;
  void wake_all() noexcept {
    wake_readers();
    wake_writers();
  }
  [[nodiscard]] int take_error() noexcept {
    const int e = error_;
    error_ = 0;
    return -e;
  }
  /// Reads the address of a connect or a datagram, for this family.
  [[nodiscard]] std::int32_t read_target(const sockaddr* address, unsigned length, place& to) const noexcept;
  [[nodiscard]] bool bound() const noexcept { return binding_.by_port.back != nullptr; }
  [[nodiscard]] const machine* where() const noexcept;
  /// For a transfer of `size` bytes of a stream: less, if that fault strikes.
  [[nodiscard]] std::size_t perhaps_less(std::size_t size) noexcept;

  enum : unsigned { shut_receive = 1, shut_send = 2, shut_both = 3 };

  network_stack* stack_;
  const int family_;
  bool dead_ = false;  // its machine has crashed
  unsigned shut_ = 0;
  int error_ = 0;
  binding binding_;
  tcp_options options_;
  bool linger_ = false;
  int linger_seconds_ = 0;
  bool broadcast_ = false;
  int hops_ = 64, hops_v6_ = 64, tos_ = 0, traffic_class_ = 0;  // kept; no packet shows them
  bool quick_ack_ = true;
  int send_room_ = 0, receive_room_ = 0;  // as set; 0: not
  completions readers_, writers_, pollers_;

 private:
  void wait_for_connections(operation& op) noexcept;
  void tell_of_connections(operation& op) noexcept;
  [[nodiscard]] std::int32_t attempt(operation& op, bool again) noexcept;
  [[nodiscard]] std::int32_t transfer_many(operation& op) noexcept;
  void serve(completions& waiting) noexcept;
  void serve_pollers() noexcept;
  [[nodiscard]] std::int32_t bind_to(operation& op) noexcept;
  [[nodiscard]] std::int32_t set_option(const option_arguments& o) noexcept;
  [[nodiscard]] std::int32_t get_option(const option_arguments& o) noexcept;
  [[nodiscard]] std::int32_t name(operation& op, bool of_peer) noexcept;
  [[nodiscard]] std::int32_t poll(const operation& op) noexcept;
};

}  // namespace astd::driver::sim
