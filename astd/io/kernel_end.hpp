// Internal: what io::copy() has to know of a reader and a writer to let the kernel move the bytes between them.
#pragma once

#include <astd/base/error.hpp>

#include <concepts>
#include <type_traits>

namespace astd::io::detail {

enum class kernel_kind : unsigned char { stream_socket, file };

/// One end of a copy: no bytes of it lie in our memory.
struct kernel_end {
  int descriptor;
  kernel_kind kind;
  const char* name;                                                                        // of a file
  failure (*refused)(std::error_code error, const char* action, int descriptor) noexcept;  // of a socket
  /// "read" and "write" of this end, when they fail.
  [[nodiscard]] failure fails(int error, const char* action) const noexcept {
    const std::error_code code(error, std::system_category());
    return refused ? refused(code, action, descriptor) : failure(code, action, name);
  }
};

/// The end of a `T`. A class that is derived from T has it too, and perhaps a read() or write() of its own, which must not
/// be passed by: so it says whose it is.
template <class T>
struct kernel_end_of : kernel_end {};

template <class R>
concept kernel_reader = requires(R& r) {
  { r.kernel_source() } -> std::same_as<kernel_end_of<std::remove_cvref_t<R>>>;
};
template <class W>
concept kernel_writer = requires(W& w) {
  { w.kernel_sink() } -> std::same_as<kernel_end_of<std::remove_cvref_t<W>>>;
};

}  // namespace astd::io::detail
