// A loop for the tests of this floor: what runs, when, on which thread and how it ends is the test's decision.
//
//   manual_executor loop;
//   test_run run(loop, program());        // any awaitable, as the root of a chain
//   run.start();
//   run.request_cancel();
//   loop.run_until_idle();
//   EXPECT_EQ(run.how(), ending::stopped);
#pragma once

#include <astd/base/config.hpp>
#include <astd/base/error.hpp>
#include <astd/coro/own_awaiter.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace astd::test {

/// Holds what is ready until the test resumes it. Anything may be scheduled from any thread; one thread resumes.
class manual_executor final : public detail::executor {
 public:
  manual_executor() = default;
  /// Takes any of what is ready instead of the first.
  explicit manual_executor(std::uint64_t seed) : random_(std::in_place, seed) {}

  void schedule(detail::resumable& r, detail::urgency how) noexcept override {
    std::lock_guard guard(mutex_);
    if (how == detail::urgency::next)
      ready_.push_front(&r);
    else
      ready_.push_back(&r);
  }
  /// Resumes one; false if nothing is ready.
  bool step() {
    detail::resumable* r = nullptr;
    {
      std::lock_guard guard(mutex_);
      if (ready_.empty()) return false;
      auto at = ready_.begin();
      if (random_) at += static_cast<std::ptrdiff_t>((*random_)() % ready_.size());
      r = *at;
      ready_.erase(at);
    }
    ++steps_;
    detail::run(*r);
    return true;
  }
  /// The number of steps it took.
  std::size_t run_until_idle() {
    std::size_t n = 0;
    while (step()) ++n;
    return n;
  }
  [[nodiscard]] std::size_t ready() const {
    std::lock_guard guard(mutex_);
    return ready_.size();
  }
  [[nodiscard]] std::size_t steps() const noexcept { return steps_; }

 private:
  mutable std::mutex mutex_;
  std::deque<detail::resumable*> ready_;
  std::optional<std::mt19937_64> random_;
  std::size_t steps_ = 0;
};

/// Resumes on threads of its own. Its destructor runs what is ready and ends them.
class threads_executor final : public detail::executor {
 public:
  explicit threads_executor(unsigned threads) {
    for (unsigned i = 0; i != threads; ++i) threads_.emplace_back([this] { work(); });
  }
  threads_executor(const threads_executor&) = delete;
  ~threads_executor() {
    {
      std::lock_guard guard(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (std::thread& t : threads_) t.join();
  }
  void schedule(detail::resumable& r, detail::urgency) noexcept override {
    std::lock_guard guard(mutex_);
    ready_.push_back(&r);
    changed_.notify_one();  // under the lock: we may be gone as soon as `r` has run
  }

 private:
  void work() {
    std::unique_lock guard(mutex_);
    for (;;) {
      changed_.wait(guard, [this] { return ending_ || !ready_.empty(); });
      if (ready_.empty()) return;
      detail::resumable* r = ready_.front();
      ready_.pop_front();
      guard.unlock();
      detail::run(*r);
      guard.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<detail::resumable*> ready_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

enum class ending { none_yet, value, failure, exception, stopped };

/// The root of a chain that awaits `aw`.
template <awaitable A>
class test_run : private detail::chain {
 public:
  using value_type = typename detail::own_awaiter<A>::value_type;

  test_run(detail::executor& on, A&& aw) : chain(&ended, on, false), awaiter_(static_cast<A&&>(aw)) {}
  ~test_run() {
    // A chain that is left in the middle would be resumed in freed memory.
    if (started_ && !has_ended()) detail::assertion_failed("a test ended before its test_run");
  }

  /// Runs its first stretch here and now.
  void start() {
    started_ = true;
    detail::resumable* first = awaiter_->await_ready() ? &end() : awaiter_->start({&end(), this, nullptr});
    if (first) detail::run(*first);
  }
  using chain::request_cancel;
  [[nodiscard]] const detail::chain& as_chain() const noexcept { return *this; }

  [[nodiscard]] ending how() const noexcept { return ending_.load(std::memory_order_acquire); }
  [[nodiscard]] bool has_ended() const noexcept { return how() != ending::none_yet; }
  /// After the end: the value; throws what else there is.
  value_type value() { return std::move(outcome_).get(); }
  /// If it ended with a failure.
  [[nodiscard]] const failure& error() noexcept { return outcome_.error(); }
  /// If it ended with an exception.
  [[nodiscard]] const std::exception_ptr& exception() noexcept { return outcome_.exception(); }

  /// On an executor with threads.
  void wait() const noexcept {
    while (!has_ended()) std::this_thread::yield();
  }

 private:
  static void ended(detail::resumable* r) {
    auto& self = static_cast<test_run&>(chain::from_end(r));
    ending how = ending::stopped;
    if (!self.stopped()) {
      self.awaiter_.take_into(self.outcome_);
      using kind = typename detail::outcome<value_type>::kind;
      switch (self.outcome_.what()) {
        case kind::none: break;
        case kind::value: how = ending::value; break;
        case kind::failed: how = ending::failure; break;
        case kind::thrown: how = ending::exception; break;
      }
    }
    self.ending_.store(how, std::memory_order_release);
  }

  detail::own_awaiter<A> awaiter_;
  detail::outcome<value_type> outcome_;
  std::atomic<ending> ending_{ending::none_yet};
  bool started_ = false;
};
template <class A>
test_run(detail::executor&, A&&) -> test_run<A>;

/// Runs `aw` on a loop of its own until nothing is ready; its value, or what it threw. Ends the program if it then has
/// not ended, or was stopped.
template <awaitable A>
typename test_run<A>::value_type run_to_end(A&& aw) {
  manual_executor loop;
  test_run<A> run(loop, static_cast<A&&>(aw));
  run.start();
  loop.run_until_idle();
  if (run.how() == ending::stopped) detail::assertion_failed("run_to_end: was stopped");
  return run.value();
}

/// Counts those of its kind that are alive: as a local or parameter it tells whether frames were destroyed.
class counted {
 public:
  counted() noexcept { ++live_; }
  counted(const counted&) noexcept : counted() {}
  counted& operator=(const counted&) noexcept = default;
  ~counted() { --live_; }
  static long live() noexcept { return live_; }

 private:
  static inline std::atomic<long> live_{0};
};

/// How far apart the stack frames of the calls of mark() lay.
class stack_probe {
 public:
  ASTD_NOINLINE void mark() noexcept {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    if (here < lowest_) lowest_ = here;
    if (here > highest_) highest_ = here;
    ++marks_;
  }
  [[nodiscard]] std::size_t spread() const noexcept { return marks_ ? highest_ - lowest_ : 0; }
  [[nodiscard]] long marks() const noexcept { return marks_; }

 private:
  std::uintptr_t lowest_ = UINTPTR_MAX;
  std::uintptr_t highest_ = 0;
  long marks_ = 0;
};

}  // namespace astd::test
