// What a thread does between two looks at a word that others change.
#pragma once

#include <thread>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

namespace astd::detail {

/// Leaves the processor's other thread, and the line that is watched, alone for a moment: on x86 10 to 50 ns (45 on Intel
/// since Skylake).
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // a yield is nothing on most; this takes some ten cycles
#elif defined(_M_X64)
  _mm_pause();
#elif defined(_M_ARM64)
  __isb(_ARM64_BARRIER_SY);
#endif
}

/// The pauses of one who found a lock taken: longer and longer. Who looks all the time takes the line from the holder at
/// each look; left alone, the holder does dozens of operations meanwhile at what they cost a single thread. Two threads
/// at one channel: 48 ns for a message by looking all the time, 31 by this (docs/design/channels.md has more).
class backoff {
 public:
  void wait() noexcept {
    constexpr int most = 64, before_giving_way = 256;
    for (int i = 0; i < pauses_; ++i) relax();
    done_ += pauses_;
    if (pauses_ < most) pauses_ *= 2;
    if (done_ < before_giving_way) return;
    // The holder may have been put aside by the system.
    std::this_thread::yield();
    done_ = 0;
  }

 private:
  int pauses_ = 8;
  int done_ = 0;
};

}  // namespace astd::detail
