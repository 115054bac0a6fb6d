#include <astd/coro/executor.hpp>

#include <atomic>

namespace astd::detail {
namespace {

class inline_executor final : public executor {
 public:
  void schedule(resumable& r, urgency) noexcept override { run(r); }
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
