// Keeps SIGPIPE from the process while this thread writes to a pipe, without touching the process's disposition.
#pragma once

#include <signal.h>

namespace astd::driver {

/// Blocks SIGPIPE in this thread for its lifetime.
class sigpipe_guard {
 public:
  sigpipe_guard() noexcept {
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~sigpipe_guard() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  sigpipe_guard(const sigpipe_guard&) = delete;
  sigpipe_guard& operator=(const sigpipe_guard&) = delete;

  /// The write said EPIPE: takes its signal away, unless one was pending before that is not ours.
  void consume() noexcept {
    if (was_pending_) return;
    const timespec none{};
    ::sigtimedwait(&set_, nullptr, &none);
  }

 private:
  sigset_t set_, before_;
  bool was_pending_;
};

}  // namespace astd::driver
