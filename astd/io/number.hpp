// Integers and floating-point numbers, in the byte order of your choice.
//
//   auto length = co_await io::read_u32_be(in);
//   auto scale = co_await io::read_f64_le(in);
//   co_await io::write_u16_be(out, 443);
//   auto any = co_await io::read_number<std::int64_t>(in, std::endian::little);
#pragma once

#include <astd/io/attempt.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace astd::io {
namespace detail {

template <class T>
concept number = (std::integral<T> || std::floating_point<T>) && sizeof(T) <= 8;

template <number T>
T number_of(std::array<std::byte, sizeof(T)> bytes, std::endian order) noexcept {
  if (order != std::endian::native) std::ranges::reverse(bytes);
  return std::bit_cast<T>(bytes);
}
template <number T>
std::array<std::byte, sizeof(T)> bytes_of(T value, std::endian order) noexcept {
  auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  if (order != std::endian::native) std::ranges::reverse(bytes);
  return bytes;
}

template <class R>
concept fills_to = buffered_reader<R> && requires(R& r) {
  { r.fill(std::size_t{8}) } -> gives<const_bytes>;
};

template <class R, number T>
struct read_number_op {
  using value_type = T;
  read_number_op(R& r, std::endian o) noexcept : from(&r), order(o) {}
  R* from;
  std::endian order;

  static T taken(R& from, std::endian order) noexcept {
    std::array<std::byte, sizeof(T)> bytes;
    std::memcpy(bytes.data(), from.buffered().data(), sizeof(T));
    from.consume(sizeof(T));
    return number_of<T>(bytes, order);
  }
  bool now(astd::detail::outcome<T>& done) noexcept {
    if constexpr (buffered_reader<R>) {
      if (from->buffered().size() < sizeof(T)) return false;
      done.set_value(taken(*from, order));
      return true;
    } else {
      return false;
    }
  }
  task<T> later() { return run(*from, order); }
  static task<T> run(R& from, std::endian order) {
    if constexpr (fills_to<R>) {
      const const_bytes held = co_await or_return(from.fill(sizeof(T)));
      if (held.size() < sizeof(T)) co_await fail({make_error_code(errc::unexpected_end), "read a number"});
      co_return taken(from, order);
    } else {
      std::array<std::byte, sizeof(T)> bytes;
      for (mutable_bytes rest = bytes; !rest.empty();) {
        const std::size_t n = co_await or_return(from.read(rest));
        if (n == 0) co_await fail({make_error_code(errc::unexpected_end), "read a number"});
        rest = rest.drop(n);
      }
      co_return number_of<T>(bytes, order);
    }
  }
};

template <class W, number T>
task<> write_number(W& to, T value, std::endian order) {
  const auto bytes = bytes_of(value, order);
  for (const_bytes rest = bytes; !rest.empty();) {
    const std::size_t n = co_await or_return(to.write(rest));
    if (n == 0) co_await fail(make_error_code(errc::nothing_written));
    rest = rest.drop(n);
  }
}

}  // namespace detail

/// The next sizeof(T) bytes as a T. Fails as the reader does, or with errc::unexpected_end if there are fewer. From a
/// buf_reader it takes all of them or none, however it ends, and neither suspends nor allocates if they are buffered; from
/// another reader, what came before it failed or was cancelled is gone.
template <class T, reader R>
  requires detail::number<T>
[[nodiscard]] auto read_number(R&& from, std::endian order) {
  return detail::attempt<detail::read_number_op<std::remove_reference_t<R>, T>>(std::in_place, from, order);
}
template <std::integral T, reader R>
[[nodiscard]] auto read_int(R&& from, std::endian order = std::endian::big) {
  return io::read_number<T>(from, order);
}
template <std::floating_point T, reader R>
[[nodiscard]] auto read_float(R&& from, std::endian order = std::endian::big) {
  return io::read_number<T>(from, order);
}

/// Writes the bytes of `value`, as write_all() does.
template <class T, writer W>
  requires detail::number<T>
[[nodiscard]] ASTD_CORO_WRAPPER task<> write_number(W&& to, T value, std::endian order) {
  return detail::write_number(to, value, order);
}
template <std::integral T, writer W>
[[nodiscard]] ASTD_CORO_WRAPPER task<> write_int(W&& to, T value, std::endian order = std::endian::big) {
  return detail::write_number(to, value, order);
}
template <std::floating_point T, writer W>
[[nodiscard]] ASTD_CORO_WRAPPER task<> write_float(W&& to, T value, std::endian order = std::endian::big) {
  return detail::write_number(to, value, order);
}

namespace detail {

template <number T, std::endian Order>
struct reads {
  template <reader R>
  [[nodiscard]] auto operator()(R&& from) const {
    return io::read_number<T>(from, Order);
  }
};
template <number T, std::endian Order>
struct writes {
  template <writer W>
  [[nodiscard]] ASTD_CORO_WRAPPER task<> operator()(W&& to, T value) const {
    return detail::write_number(to, value, Order);
  }
};

}  // namespace detail

/// By name: read_number and write_number of the type and the order that they name.
inline constexpr detail::reads<std::uint8_t, std::endian::big> read_u8{};
inline constexpr detail::reads<std::int8_t, std::endian::big> read_i8{};
inline constexpr detail::reads<std::uint16_t, std::endian::big> read_u16_be{};
inline constexpr detail::reads<std::uint16_t, std::endian::little> read_u16_le{};
inline constexpr detail::reads<std::int16_t, std::endian::big> read_i16_be{};
inline constexpr detail::reads<std::int16_t, std::endian::little> read_i16_le{};
inline constexpr detail::reads<std::uint32_t, std::endian::big> read_u32_be{};
inline constexpr detail::reads<std::uint32_t, std::endian::little> read_u32_le{};
inline constexpr detail::reads<std::int32_t, std::endian::big> read_i32_be{};
inline constexpr detail::reads<std::int32_t, std::endian::little> read_i32_le{};
inline constexpr detail::reads<std::uint64_t, std::endian::big> read_u64_be{};
inline constexpr detail::reads<std::uint64_t, std::endian::little> read_u64_le{};
inline constexpr detail::reads<std::int64_t, std::endian::big> read_i64_be{};
inline constexpr detail::reads<std::int64_t, std::endian::little> read_i64_le{};
inline constexpr detail::reads<float, std::endian::big> read_f32_be{};
inline constexpr detail::reads<float, std::endian::little> read_f32_le{};
inline constexpr detail::reads<double, std::endian::big> read_f64_be{};
inline constexpr detail::reads<double, std::endian::little> read_f64_le{};

inline constexpr detail::writes<std::uint8_t, std::endian::big> write_u8{};
inline constexpr detail::writes<std::int8_t, std::endian::big> write_i8{};
inline constexpr detail::writes<std::uint16_t, std::endian::big> write_u16_be{};
inline constexpr detail::writes<std::uint16_t, std::endian::little> write_u16_le{};
inline constexpr detail::writes<std::int16_t, std::endian::big> write_i16_be{};
inline constexpr detail::writes<std::int16_t, std::endian::little> write_i16_le{};
inline constexpr detail::writes<std::uint32_t, std::endian::big> write_u32_be{};
inline constexpr detail::writes<std::uint32_t, std::endian::little> write_u32_le{};
inline constexpr detail::writes<std::int32_t, std::endian::big> write_i32_be{};
inline constexpr detail::writes<std::int32_t, std::endian::little> write_i32_le{};
inline constexpr detail::writes<std::uint64_t, std::endian::big> write_u64_be{};
inline constexpr detail::writes<std::uint64_t, std::endian::little> write_u64_le{};
inline constexpr detail::writes<std::int64_t, std::endian::big> write_i64_be{};
inline constexpr detail::writes<std::int64_t, std::endian::little> write_i64_le{};
inline constexpr detail::writes<float, std::endian::big> write_f32_be{};
inline constexpr detail::writes<float, std::endian::little> write_f32_le{};
inline constexpr detail::writes<double, std::endian::big> write_f64_be{};
inline constexpr detail::writes<double, std::endian::little> write_f64_le{};

}  // namespace astd::io
