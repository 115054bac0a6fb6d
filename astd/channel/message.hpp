// How a message lies in a channel: as it is, if its moves cannot fail, so that it may be moved under a lock and into
// somebody else's frame; else in a box.
#pragma once

#include <astd/base/config.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace astd::detail {

/// What compilers align a coroutine's frame to, whatever lies in it. So nothing that is aligned to more is handed over by
/// value: it would lie in the frame of who awaits it.
template <class T>
inline constexpr bool fits_a_frame = alignof(T) <= 16;
template <class T>
  requires(std::is_void_v<T> || std::is_reference_v<T>)
inline constexpr bool fits_a_frame<T> = true;

/// What a channel<T> can be made for.
template <class T>
concept message_type = std::is_object_v<T> && !std::is_const_v<T> && std::is_move_constructible_v<T>;

template <class T>
inline constexpr bool is_boxed_message = !std::is_nothrow_move_constructible_v<T>;

template <class T>
using message_of = std::conditional_t<is_boxed_message<T>, std::unique_ptr<T>, T>;

/// The T in a message.
template <class T>
T&& unpacked(message_of<T>& m) noexcept {
  if constexpr (is_boxed_message<T>)
    return std::move(*m);
  else
    return std::move(m);
}

/// A T that is to be sent: moved from when it is. One whose moves may fail is copied into its box if it can be, else
/// moved, and moved back if it was not sent.
template <class T, bool Boxed = is_boxed_message<T>>
class packed {
 public:
  explicit packed(T& from) noexcept : from_(from) {}
  packed(const packed&) = delete;
  T& message() noexcept { return from_; }

 private:
  T& from_;
};

template <class T>
class packed<T, true> {
 public:
  explicit packed(T& from) : from_(from), box_(std::make_unique<T>(std::move_if_noexcept(from))) {}
  packed(const packed&) = delete;
  ~packed() {
    if constexpr (!std::is_copy_constructible_v<T> && std::is_move_assignable_v<T>) {
      if (!box_) return;
#if ASTD_HAS_EXCEPTIONS
      try {
        from_ = std::move(*box_);
      } catch (...) {  // NOLINT: there is nobody to tell
      }
#else
      from_ = std::move(*box_);
#endif
    }
  }
  std::unique_ptr<T>& message() noexcept { return box_; }

 private:
  T& from_;
  std::unique_ptr<T> box_;
};

}  // namespace astd::detail
