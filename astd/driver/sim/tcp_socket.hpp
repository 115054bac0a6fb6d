// A simulated TCP socket: fresh, listening, connecting or connected. Which errno comes when is Linux's way.
#pragma once

#include <astd/driver/sim/socket.hpp>

#include <memory>

namespace astd::driver::sim {

class tcp_socket final : public socket {
 public:
  tcp_socket(network_stack& stack, int family) noexcept : socket(stack, family) {}
  ~tcp_socket() override;

  // ---- for its side
  /// It is closed or waits out its time; `error`: what the socket says, once.
  void side_has_ended(int error) noexcept;
  void is_connected() noexcept { wake_all(); }
  void has_received() noexcept { wake_readers(); }
  void has_sent() noexcept;
  // ---- for its listener
  void has_connection() noexcept { wake_readers(); }
  [[nodiscard]] const tcp_options& options() const noexcept { return options_; }
  [[nodiscard]] const binding& bound_to() const noexcept { return binding_; }

 private:
  enum class stage : std::uint8_t { unconnected, connecting, connected };
  [[nodiscard]] std::int32_t connect(operation& op, bool again) noexcept override;
  [[nodiscard]] std::int32_t receive(const message& m) noexcept override;
  [[nodiscard]] std::int32_t send(const message& m) noexcept override;
  [[nodiscard]] std::int32_t accept() noexcept override;
  [[nodiscard]] bool may_accept(std::int32_t& error) noexcept override;
  [[nodiscard]] std::int32_t bind(const place& at) noexcept override;
  [[nodiscard]] std::int32_t listen(int backlog) noexcept override;
  [[nodiscard]] std::int32_t shutdown(int how) noexcept override;
  [[nodiscard]] const place* peer_place(bool past) const noexcept override;
  [[nodiscard]] place local_place() const noexcept override;
  [[nodiscard]] int holds() const noexcept override;
  [[nodiscard]] bool is_stream() const noexcept override { return true; }
  [[nodiscard]] bool is_listening() const noexcept override { return listener_ != nullptr; }
  void options_changed() noexcept override;
  void vanish() noexcept override;

  [[nodiscard]] std::int32_t begin_connect(operation& op) noexcept;
  [[nodiscard]] tcp_state state() const noexcept;
  [[nodiscard]] bool ended() const noexcept { return side_ && side_->ended; }
  void adopt(tcp_side& side) noexcept;
  void let_go() noexcept;  // of the side: it may be no more
  void stop_listening() noexcept;

  stage stage_ = stage::unconnected;
  tcp_side* side_ = nullptr;  // while it has one, with a reference to its connection
  std::unique_ptr<tcp_listener> listener_;
};

}  // namespace astd::driver::sim
