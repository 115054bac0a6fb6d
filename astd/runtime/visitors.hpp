// Threads that are inside something that may be about to end: who hands a task over wakes its new owner afterwards, and
// by then the owner may have run it, returned, and be destroying what the wake goes to.
//
//   visitors::visit here(inside_);    // the visitor, before the hand-over
//   inside_.wait_until_gone();        // the owner, in the destructor
#pragma once

#include <astd/base/atomic.hpp>

#include <thread>

namespace astd::detail {

class visitors {
 public:
  class visit {
   public:
    // relaxed: the hand-over that follows publishes it.
    explicit visit(visitors& v) noexcept : visitors_(v) { v.inside_.fetch_add(1, std::memory_order_relaxed); }
    // release: pairs with the acquire below.
    ~visit() { visitors_.inside_.fetch_sub(1, std::memory_order_release); }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

   private:
    visitors& visitors_;
  };

  /// For an owner that has taken over all that was handed to it.
  void wait_until_gone() noexcept {
    while (inside_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  }

 private:
  atomic<unsigned> inside_{0};
};

}  // namespace astd::detail
