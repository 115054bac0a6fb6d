// Memory that fails on demand: operator new, coroutine frames, and what the library gets from malloc, calloc and realloc.
#include <astd/base/config.hpp>
#include <astd/base/frame_pool.hpp>

#include <tests/faults/injection.hpp>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* block, std::size_t size);
void* __wrap_malloc(std::size_t size);
void* __wrap_calloc(std::size_t count, std::size_t size);
void* __wrap_realloc(void* block, std::size_t size);
}

namespace astd::faults {
namespace {

constinit std::atomic<long> countdown{0};  // allocations to the one that fails, itself included; 0: none will
constinit std::atomic<bool> goes_on{false};
constinit std::atomic<bool> failed{false};
constinit std::atomic<long> live{0};
constinit thread_local int exemptions = 0;

bool fails() noexcept {
  if (exemptions != 0) return false;
  for (long left = countdown.load(std::memory_order_relaxed); left > 0;) {
    if (left == 1 && goes_on.load(std::memory_order_relaxed)) {
      failed = true;
      return true;
    }
    if (!countdown.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) continue;
    if (left == 1) failed = true;
    return left == 1;
  }
  return false;
}

#if ASTD_OWN_OPERATOR_NEW

void* allocate(std::size_t size, std::size_t alignment) {
  if (fails()) throw std::bad_alloc();
  void* p = nullptr;
  if (alignment <= alignof(std::max_align_t))
    p = __real_malloc(size ? size : 1);
  else if (::posix_memalign(&p, alignment, size ? size : 1) != 0)
    p = nullptr;
  if (!p) throw std::bad_alloc();
  live.fetch_add(1, std::memory_order_relaxed);
  return p;
}

void release(void* p) noexcept {
  if (!p) return;
  live.fetch_sub(1, std::memory_order_relaxed);
  std::free(p);
}

#endif

}  // namespace

void fail_allocation(long n, bool for_good) noexcept {
  countdown = 0;
  goes_on = for_good;
  failed = false;
  countdown = n;
}
bool allocation_failed() noexcept { return failed; }
long live_blocks() noexcept { return live; }

exempt::exempt() noexcept { ++exemptions; }
exempt::~exempt() { --exemptions; }

}  // namespace astd::faults

extern "C" {

void* __wrap_malloc(std::size_t size) {
  if (!astd::faults::fails()) return __real_malloc(size);
  errno = ENOMEM;
  return nullptr;
}
void* __wrap_calloc(std::size_t count, std::size_t size) {
  if (!astd::faults::fails()) return __real_calloc(count, size);
  errno = ENOMEM;
  return nullptr;
}
void* __wrap_realloc(void* block, std::size_t size) {
  if (!astd::faults::fails()) return __real_realloc(block, size);
  errno = ENOMEM;
  return nullptr;
}
}

#if ASTD_OWN_OPERATOR_NEW

// All forms: where some are left to others, they are the sanitizers' own.
void* operator new(std::size_t size) { return astd::faults::allocate(size, 0); }
void* operator new[](std::size_t size) { return astd::faults::allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return astd::faults::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return astd::faults::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return astd::faults::allocate(size, 0);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return ::operator new(size, std::nothrow);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  try {
    return astd::faults::allocate(size, static_cast<std::size_t>(alignment));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return ::operator new(size, alignment, std::nothrow);
}
void operator delete(void* p) noexcept { astd::faults::release(p); }
void operator delete[](void* p) noexcept { astd::faults::release(p); }
void operator delete(void* p, std::size_t) noexcept { astd::faults::release(p); }
void operator delete[](void* p, std::size_t) noexcept { astd::faults::release(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { astd::faults::release(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { astd::faults::release(p); }
void operator delete(void* p, std::align_val_t) noexcept { astd::faults::release(p); }
void operator delete[](void* p, std::align_val_t) noexcept { astd::faults::release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { astd::faults::release(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { astd::faults::release(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { astd::faults::release(p); }
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { astd::faults::release(p); }

#endif

// In place of the library's own: there a frame is rarely an allocation, here always.
namespace astd::detail {

extern const bool frames_are_pooled;
const bool frames_are_pooled = false;
void* allocate_frame(std::size_t size) { return ::operator new(size); }
void free_frame(void* frame, std::size_t) noexcept { ::operator delete(frame); }
frame_pool_stats frame_pool_usage() noexcept { return {}; }

}  // namespace astd::detail
