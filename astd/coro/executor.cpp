#include <astd/coro/executor.hpp>

#include <atomic>

namespace astd::detail {
namespace {

class inline_executor final : public executor {
 public:
  // When whoever asks for it comes back to run(), if that is where it is called from: two chains that wake each other
  // would use up the stack.
  void schedule(resumable& r, urgency) noexcept override { is_inside_run() ? defer(r) : run(r); }
};

executor& on_the_spot() noexcept {
  static constinit inline_executor instance;
  return instance;
}

constinit std::atomic<executor_source> source{&on_the_spot};

}  // namespace

executor& default_executor() noexcept { return source.load(std::memory_order_relaxed)(); }
executor_source set_default_executor_source(executor_source s) noexcept {
  return source.exchange(s, std::memory_order_relaxed);
}

}  // namespace astd::detail
