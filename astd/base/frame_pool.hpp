// Memory for coroutine frames: a few nanoseconds where malloc takes ten, on whichever thread the frame is freed.
//
//   static void* operator new(std::size_t size) { return detail::allocate_frame(size); }
//   static void operator delete(void* frame, std::size_t size) noexcept { detail::free_frame(frame, size); }
//
// Each thread keeps lists of free blocks by size class. What it has too much of goes to a depot that all threads
// share, in batches, and it takes from there in batches: threads that only allocate and threads that only free live
// side by side without a lock for each frame and without hoarding. Fresh memory is cut from the thread's own chunk
// of 64 KiB when it is needed, not before. Chunks are never given back: what the pool holds is bounded by the sum
// over the size classes of the most that was ever in use at a time, plus what the threads' lists hold (see below).
//
// Under AddressSanitizer every frame comes from operator new, so that a frame used after its end is found.
#pragma once

#include <astd/base/config.hpp>

#include <cstddef>

namespace astd::detail {

/// `size` bytes aligned to 16, throws std::bad_alloc. Frames above largest_pooled_frame come from operator new.
/// Any thread, also while thread-locals and statics are destroyed.
[[nodiscard]] ASTD_NOINLINE void* allocate_frame(std::size_t size);

/// Gives back what allocate_frame(size) returned, with the same size; any thread.
ASTD_NOINLINE void free_frame(void* frame, std::size_t size) noexcept;

/// Whether frames are pooled at all in this build.
extern const bool frames_are_pooled;

inline constexpr std::size_t largest_pooled_frame = 4096;

/// What one thread keeps to itself at most, over all size classes. In practice far less: two batches (16 KiB) for
/// each size that it frees more often than it allocates.
inline constexpr std::size_t most_cached_by_a_thread = 768 * 1024;

/// Bytes, each block counted with its class's size. Sums over all threads, exact while none of them works.
struct frame_pool_stats {
  std::size_t reserved = 0;     // taken from operator new for chunks; never shrinks
  std::size_t in_use = 0;       // of it, in frames
  std::size_t in_threads = 0;   // of it, free in the threads' lists
  std::size_t in_depot = 0;     // of it, free in the depot
  std::size_t cached_here = 0;  // of in_threads, the calling thread's
};
[[nodiscard]] frame_pool_stats frame_pool_usage() noexcept;

}  // namespace astd::detail
