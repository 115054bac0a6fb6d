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
    // On the thread that tells of signals: whatever the workers do. A simulated process goes on; its scenario can crash it.
    if (!place()) ::_exit(128 + signal);
  }
  std::atomic<bool> asked{false};
  cancel_source source;
};

graceful_shutdown::graceful_shutdown() : graceful_shutdown({SIGINT, SIGTERM}) {}

graceful_shutdown::graceful_shutdown(std::initializer_list<int> signals) : state_(std::make_shared<state>()) {
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
