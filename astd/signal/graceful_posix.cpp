#include <astd/signal/graceful.hpp>

#include <atomic>
#include <csignal>

#include <unistd.h>

namespace astd::signal {

class graceful_shutdown::state final : public detail::listener {
 public:
  void arrived(int signal) noexcept override {
    if (!asked.exchange(true, std::memory_order_relaxed)) {
      source.request_cancel();
      return;
    }
    // On the thread that tells of signals: whatever the workers do. Who simulates a process sees to its end.
    if (!place()) ::_exit(128 + signal);
    ends.store(true, std::memory_order_relaxed);
  }
  [[nodiscard]] bool ends_process() const noexcept override { return ends.load(std::memory_order_relaxed); }
  std::atomic<bool> asked{false};
  std::atomic<bool> ends{false};  // simulated only
  cancel_source source;
};

graceful_shutdown::graceful_shutdown() : graceful_shutdown({SIGINT, SIGTERM}) {}

// By another constructor: the destructor runs when a signal is refused, and forgets those before it.
graceful_shutdown::graceful_shutdown(std::initializer_list<int> signals)
    : graceful_shutdown(std::make_shared<state>()) {
  for (const int signal : signals) detail::listen(signal, state_);
}

graceful_shutdown::~graceful_shutdown() {
  if (state_) detail::forget(*state_);
}

cancel_token graceful_shutdown::token() const noexcept { return state_->source.token(); }

task<> graceful_shutdown::requested() const {
  const cancel_token stop = token();
  co_await stop.cancelled();
}

void graceful_shutdown::request() noexcept {
  if (!state_->asked.exchange(true, std::memory_order_relaxed)) state_->source.request_cancel();
}

}  // namespace astd::signal
