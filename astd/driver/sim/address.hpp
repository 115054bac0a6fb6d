// Addresses as the simulated network knows them: IPv4 ones are kept in their IPv6 form (::ffff:a.b.c.d).
#pragma once

#include <cstdint>
#include <optional>

struct sockaddr;

namespace astd::driver::sim {

struct ip {
  std::uint64_t high = 0, low = 0;  // the first eight bytes and the last

  [[nodiscard]] static constexpr ip v4(std::uint32_t address) noexcept { return {0, v4_prefix << 32 | address}; }
  [[nodiscard]] static constexpr ip v4_any() noexcept { return v4(0); }
  [[nodiscard]] static constexpr ip v6_any() noexcept { return {}; }
  [[nodiscard]] static constexpr ip v4_loopback() noexcept { return v4(0x7f000001); }
  [[nodiscard]] static constexpr ip v6_loopback() noexcept { return {0, 1}; }

  [[nodiscard]] constexpr bool is_v4() const noexcept { return high == 0 && low >> 32 == v4_prefix; }
  [[nodiscard]] constexpr std::uint32_t as_v4() const noexcept { return static_cast<std::uint32_t>(low); }
  [[nodiscard]] constexpr bool is_any() const noexcept { return *this == v4_any() || *this == v6_any(); }
  [[nodiscard]] constexpr bool is_loopback() const noexcept {
    return is_v4() ? as_v4() >> 24 == 127 : *this == v6_loopback();
  }
  friend constexpr bool operator==(const ip&, const ip&) noexcept = default;

 private:
  static constexpr std::uint64_t v4_prefix = 0xffff;
};

/// The machine with this number (0, 1...) has these two: 10.0.0.1, 10.0.0.2... and fd00::1, fd00::2...
[[nodiscard]] constexpr ip v4_of(std::uint32_t number) noexcept { return ip::v4(0x0a000001 + number); }
[[nodiscard]] constexpr ip v6_of(std::uint32_t number) noexcept {
  return {0xfd00ull << 48, std::uint64_t(number) + 1};
}
/// Whose address this may be: the number, if it is in 10.0.0.0/8 or fd00::/64 at all (no machine need have it).
[[nodiscard]] constexpr std::optional<std::uint64_t> number_of(const ip& address) noexcept {
  if (address.is_v4() && address.as_v4() >> 24 == 10) return (address.as_v4() & 0xffffff) - std::uint64_t(1);
  if (!address.is_v4() && address.high == 0xfd00ull << 48) return address.low - 1;
  return std::nullopt;
}

/// An address and a port.
struct place {
  ip address;
  std::uint16_t port = 0;
  friend constexpr bool operator==(const place&, const place&) noexcept = default;
};

/// Reads what a program passed to a socket of `family`: 0, or a negated errno as the kernel's. `wrong_family` is what it
/// answers to an address of another family (bind: EAFNOSUPPORT or EINVAL, by length).
[[nodiscard]] std::int32_t read_place(const sockaddr* from, unsigned length, int family, place& to) noexcept;
/// Writes it for a socket of `family`; `length` is the room, and then what the whole takes.
void write_place(const place& from, int family, void* to, unsigned& length) noexcept;

}  // namespace astd::driver::sim
