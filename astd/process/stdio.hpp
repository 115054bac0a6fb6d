// What a child's standard input, output or error is to be.
//
//   process::command("sort").standard_input(process::stdio::piped()).standard_error(process::stdio::null())
#pragma once

#include <astd/io/native_handle.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace astd::process {
namespace detail {
class launch;

template <class T>
concept gives_native_handle = !std::is_lvalue_reference_v<T> && requires(T&& t) {
  { std::move(t).into_native_handle() } -> std::convertible_to<os::native_handle>;
};

}  // namespace detail

/// Copies of one stand for the same open file.
class stdio {
 public:
  /// What this process has.
  [[nodiscard]] static stdio inherit() noexcept { return stdio(kind::inherit); }
  /// Nothing: reads are at the end, what is written is gone.
  [[nodiscard]] static stdio null() noexcept { return stdio(kind::null); }
  /// A pipe, whose other end the child's handle has.
  [[nodiscard]] static stdio piped() noexcept { return stdio(kind::piped); }
  /// What `handle` stands for. A duplicate is made; the handle stays the caller's. Throws system_error if the system
  /// refuses.
  [[nodiscard]] static stdio from(os::native_handle handle);
  /// A file, a socket, the end of a pipe (of another child, for one): taken over, set to blocking mode as programs
  /// expect it, and closed here when the last command that holds it has gone.
  template <detail::gives_native_handle T>
  [[nodiscard]] static stdio from(T&& thing) {
    const os::native_handle handle = std::move(thing).into_native_handle();
    io::detail::set_blocking(handle, true);
    return take_over(handle);
  }

 private:
  friend class detail::launch;
  enum class kind : unsigned char { inherit, null, piped, handle };
  explicit stdio(kind what) noexcept : what_(what) {}
  [[nodiscard]] static stdio take_over(os::native_handle handle);
  kind what_;
  std::shared_ptr<const io::detail::owned_handle> handle_;
};

}  // namespace astd::process
