// One io_uring: set up with the best flags that the kernel takes, and its two queues.
#pragma once

#include <liburing.h>

#include <bitset>
#include <cstdint>
#include <string>

namespace astd::driver {

/// Which kernel to behave as on: the tests pretend to have an old one.
enum class kernel : std::uint8_t { present, oldest_supported };

/// Why there is no ring: errno, and the same in words with what failed ("io_uring_setup: Operation not permitted").
struct refusal {
  int error = 0;  // 0: there is one
  std::string reason;
};

/// The submission side belongs to whoever holds the loop's lock; only enter() makes system calls. The owner may
/// enter() without the lock with what publish() told it.
class ring {
 public:
  ring() = default;
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;
  ~ring();

  [[nodiscard]] refusal open(bool shared, bool one_owner = true, kernel age = kernel::present);

  /// Whether the kernel knows the operation.
  [[nodiscard]] bool knows(unsigned operation) const noexcept { return known_[operation]; }
  /// Whether one accept can be told to go on (5.19).
  [[nodiscard]] bool accepts_many() const noexcept {
    return setup_flags_ & (IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN);
  }
  /// What was got, for people: "256 entries, deferred task work".
  [[nodiscard]] std::string description() const;

  /// A free entry, or null if the queue is full. It goes to the kernel at the next publish() and enter().
  [[nodiscard]] io_uring_sqe* next_entry() noexcept;
  /// Entries written and not yet consumed by the kernel.
  [[nodiscard]] unsigned unsubmitted() const noexcept {
    return tail_ - io_uring_smp_load_acquire(ring_.sq.khead);  // the kernel's release: it has read those entries
  }
  [[nodiscard]] bool is_full() const noexcept { return unsubmitted() >= entries_; }
  /// Whether an entry that the kernel has not consumed speaks of `fd`.
  [[nodiscard]] bool unsubmitted_for(int fd) const noexcept;

  /// Lets the kernel see all entries; returns their number.
  unsigned publish() noexcept {
    io_uring_smp_store_release(ring_.sq.ktail, tail_);  // the kernel's acquire
    return unsubmitted();
  }
  /// io_uring_enter. Owner only. `timeout`: null for none, used only where `least` > 0. The kernel's answer.
  int enter(unsigned submit, unsigned least, const __kernel_timespec* timeout) noexcept;

  /// Whether the kernel has something to do for us at the next enter() (task work, completions that found no room).
  [[nodiscard]] bool wants_entry() const noexcept {
    return IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
  }
  [[nodiscard]] bool has_completions() const noexcept {
    // Relaxed head: under the lock it is ours; without it this is a hint.
    return IO_URING_READ_ONCE(*ring_.cq.khead) != io_uring_smp_load_acquire(ring_.cq.ktail);
  }

  /// Calls `each(completion)` for what lies in the completion queue and takes it out, save one for which it returned
  /// false (the last such): that one stays.
  template <class Each>
  void reap(Each each) noexcept {
    unsigned head = *ring_.cq.khead;
    const unsigned tail = io_uring_smp_load_acquire(ring_.cq.ktail);  // the kernel's release
    if (head == tail) return;
    io_uring_cqe kept;
    bool keep = false;
    for (; head != tail; ++head) {
      const io_uring_cqe& entry = ring_.cq.cqes[head & mask_];
      if (each(entry)) continue;
      kept = entry;
      keep = true;
    }
    // In the last place: the queue has no holes. The kernel does not look at entries, only at their number.
    if (keep) ring_.cq.cqes[--head & mask_] = kept;
    io_uring_smp_store_release(ring_.cq.khead, head);
  }

 private:
  [[nodiscard]] refusal probe(kernel age);

  io_uring ring_{};
  bool opened_ = false;
  unsigned setup_flags_ = 0;
  unsigned entries_ = 0;
  unsigned mask_ = 0;  // of the completion queue
  unsigned tail_ = 0;  // ours, ahead of the kernel's until publish()
  std::bitset<256> known_;
};

}  // namespace astd::driver
