// What reads and writes take: views of memory as bytes, made on the spot from anything contiguous of bytes or chars.
//
//   std::array<char, 4096> buffer;
//   auto n = co_await stream.read(buffer);
//   co_await io::write_all(stream, std::string_view(buffer.data(), n));
//   co_await io::write_all(stream, "bye\n");   // 4 bytes
#pragma once

#include <cstddef>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>

namespace astd::io {
namespace detail {

template <class T>
inline constexpr bool is_byte =
    std::is_same_v<T, std::byte> || std::is_same_v<T, char> || std::is_same_v<T, unsigned char> ||
    std::is_same_v<T, signed char> || std::is_same_v<T, char8_t>;

template <class R>
concept byte_range = requires(R& range) {
  std::size(range);
  requires is_byte<std::remove_cv_t<std::remove_pointer_t<decltype(std::data(range))>>>;
};

// Bytes that can be written to and that are not about to vanish: a temporary string is of no use to a reader.
template <class R>
concept writable_bytes =
    byte_range<R> && !std::is_const_v<std::remove_pointer_t<decltype(std::data(std::declval<R&>()))>> &&
    (std::is_lvalue_reference_v<R> || std::ranges::enable_borrowed_range<std::remove_cvref_t<R>>);

}  // namespace detail

/// Memory to read into; owns nothing. From an array, std::array, std::vector, std::string or std::span of bytes or
/// chars, whose whole size it takes.
class mutable_bytes {
 public:
  mutable_bytes() noexcept = default;
  mutable_bytes(void* data, std::size_t size) noexcept : data_(static_cast<std::byte*>(data)), size_(size) {}
  template <class R>
    requires(!std::is_same_v<std::remove_cvref_t<R>, mutable_bytes> && detail::writable_bytes<R>)
  mutable_bytes(R&& range) noexcept : mutable_bytes(std::data(range), std::size(range)) {}

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::byte* begin() const noexcept { return data_; }
  [[nodiscard]] std::byte* end() const noexcept { return data_ + size_; }
  /// Without the first `n` bytes; n <= size().
  [[nodiscard]] mutable_bytes drop(std::size_t n) const noexcept { return {data_ + n, size_ - n}; }
  /// The first `n` bytes, or all if there are no more.
  [[nodiscard]] mutable_bytes take(std::size_t n) const noexcept { return {data_, n < size_ ? n : size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Memory to write from; owns nothing. From whatever mutable_bytes takes, const or not, and from string literals: an
/// array of const char counts without the zero at its end, if there is one.
class const_bytes {
 public:
  const_bytes() noexcept = default;
  const_bytes(const void* data, std::size_t size) noexcept
      : data_(static_cast<const std::byte*>(data)), size_(size) {}
  template <class R>
    requires(!std::is_same_v<std::remove_cvref_t<R>, const_bytes> && detail::byte_range<R>)
  const_bytes(R&& range) noexcept : const_bytes(std::data(range), std::size(range)) {}
  template <std::size_t N>
  const_bytes(const char (&text)[N]) noexcept : const_bytes(text, text[N - 1] == '\0' ? N - 1 : N) {}

  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] const std::byte* begin() const noexcept { return data_; }
  [[nodiscard]] const std::byte* end() const noexcept { return data_ + size_; }
  /// Without the first `n` bytes; n <= size().
  [[nodiscard]] const_bytes drop(std::size_t n) const noexcept { return {data_ + n, size_ - n}; }
  /// The first `n` bytes, or all if there are no more.
  [[nodiscard]] const_bytes take(std::size_t n) const noexcept { return {data_, n < size_ ? n : size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

namespace detail {

/// Copies as much of `from` as fits into `to`; the number of bytes.
std::size_t copy_bytes(const_bytes from, mutable_bytes to) noexcept;

}  // namespace detail
}  // namespace astd::io

template <>
inline constexpr bool std::ranges::enable_borrowed_range<astd::io::mutable_bytes> = true;
template <>
inline constexpr bool std::ranges::enable_borrowed_range<astd::io::const_bytes> = true;
