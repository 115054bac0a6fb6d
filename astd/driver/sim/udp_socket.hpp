// A simulated UDP socket.
#pragma once

#include <astd/driver/sim/socket.hpp>

#include <optional>

namespace astd::driver::sim {

class udp_socket final : public socket {
 public:
  udp_socket(network_stack& stack, int family) noexcept : socket(stack, family) {}
  ~udp_socket() override;

  /// For the stack. How well what comes from `remote` to `local` fits: 0 not at all; the highest gets it.
  [[nodiscard]] int fits(const place& local, const place& remote) const noexcept;
  /// Takes `p`, or drops it where there is no room.
  void arrived(packet& p) noexcept;
  void failed(int error) noexcept;
  [[nodiscard]] const std::optional<place>& connected_to() const noexcept { return peer_; }

 private:
  [[nodiscard]] std::int32_t connect(operation& op, bool again) noexcept override;
  [[nodiscard]] std::int32_t receive(const message& m) noexcept override;
  [[nodiscard]] std::int32_t send(const message& m) noexcept override;
  [[nodiscard]] std::int32_t bind(const place& at) noexcept override;
  [[nodiscard]] std::int32_t shutdown(int how) noexcept override;
  [[nodiscard]] const place* peer_place(bool past) const noexcept override;
  [[nodiscard]] int holds() const noexcept override;
  [[nodiscard]] bool is_stream() const noexcept override { return false; }
  void vanish() noexcept override;

  [[nodiscard]] std::int32_t bind_if_unbound() noexcept;
  void drop_all() noexcept;

  std::optional<place> peer_;
  bool bound_by_name_ = false;  // its address, not only its port
  detail::intrusive_list<packet> received_;
  std::uint64_t held_ = 0;  // bytes in received_, with what the kernel counts besides
};

}  // namespace astd::driver::sim
