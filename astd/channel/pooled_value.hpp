// A value that many hold, in memory of the frame pool: made and gone in some nanoseconds, whoever is last.
#pragma once

#include <astd/base/frame_pool.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace astd::detail {

template <class T>
struct pool_allocator {
  using value_type = T;
  pool_allocator() noexcept = default;
  template <class U>
  pool_allocator(const pool_allocator<U>&) noexcept {}  // NOLINT: as allocators do
  T* allocate(std::size_t n) {
    if constexpr (alignof(T) > 16)
      return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(alignof(T))));
    else
      return static_cast<T*>(allocate_frame(n * sizeof(T)));
  }
  void deallocate(T* p, std::size_t n) noexcept {
    if constexpr (alignof(T) > 16)
      ::operator delete(p, std::align_val_t(alignof(T)));
    else
      free_frame(p, n * sizeof(T));
  }
  template <class U>
  bool operator==(const pool_allocator<U>&) const noexcept {
    return true;
  }
};

template <class T, class... Args>
std::shared_ptr<T> make_pooled(Args&&... args) {
  return std::allocate_shared<T>(pool_allocator<T>(), std::forward<Args>(args)...);
}

}  // namespace astd::detail
