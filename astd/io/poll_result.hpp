// poll_result<T>: how an attempt that never waits went: ready with a value, not ready, or an error.
//
//   for (;;) {
//     auto got = stream.try_read(buffer);                       // poll_result<std::size_t>
//     if (got.is_ready()) use(buffer, got.value());
//     if (got.is_error()) ...got.error().message()...
//     if (got.is_not_ready()) co_await stream.readable();
//   }
//
// astd/io/concepts.hpp has the rules of such attempts.
#pragma once

#include <astd/base/assert.hpp>

#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace astd::io {

struct not_ready_t {
  explicit not_ready_t() = default;
};
/// What an attempt returns that would have to wait.
inline constexpr not_ready_t not_ready{};

/// A value, like any other: whoever makes it returns a T, `io::not_ready`, or a std::error_code that is one.
template <class T>
class [[nodiscard]] poll_result {
 public:
  using value_type = T;

  template <class U = T>
    requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::remove_cvref_t<U>, poll_result> &&
             !std::is_same_v<std::remove_cvref_t<U>, std::error_code>)
  poll_result(U&& value)
      : value_(std::in_place, std::forward<U>(value)) {}         // NOLINT: as a value converts to an optional
  poll_result(not_ready_t) noexcept {}                           // NOLINT
  poll_result(std::error_code error) noexcept : error_(error) {  // NOLINT
    ASTD_ASSERT(error, "poll_result: an error code that says 'no error' is none");
  }

  [[nodiscard]] bool is_ready() const noexcept { return value_.has_value(); }
  [[nodiscard]] bool is_not_ready() const noexcept { return !value_ && !error_; }
  [[nodiscard]] bool is_error() const noexcept { return static_cast<bool>(error_); }
  /// The same as is_ready().
  explicit operator bool() const noexcept { return is_ready(); }

  /// Only if is_ready().
  [[nodiscard]] T& value() & {
    ASTD_ASSERT(value_, "poll_result::value() of an attempt that was not ready, or failed");
    return *value_;
  }
  [[nodiscard]] const T& value() const& { return const_cast<poll_result&>(*this).value(); }
  [[nodiscard]] T&& value() && { return std::move(this->value()); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
  /// Without an error: the code that says so.
  [[nodiscard]] std::error_code error() const noexcept { return error_; }

  friend bool operator==(const poll_result& a, const poll_result& b) {
    return a.value_ == b.value_ && a.error_ == b.error_;
  }

 private:
  std::optional<T> value_;
  std::error_code error_;
};

}  // namespace astd::io
