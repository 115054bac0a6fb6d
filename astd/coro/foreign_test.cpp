// A task among strangers: awaited from coroutines that are not astd's, and awaiting what is not astd's.
#include <astd/base/config.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/chain.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>

#include <gtest/gtest.h>

#include <array>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::counted;
using test::ending;
using test::manual_executor;
using test::run_to_end;
using test::stack_probe;
using test::test_run;

// A coroutine as others write them: starts at once, keeps its frame until it is dropped, knows nothing of astd. Its
// promise begins with a value of its own, where one of astd's has a link.
class eager {
 public:
  struct promise_type {
    std::array<std::uint64_t, 2> canary{0x5afe5afe5afe5afe, 0xbeefbeefbeefbeef};
    bool done = false;
    std::exception_ptr exception;
    eager get_return_object() { return eager(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept { done = true; }
    void unhandled_exception() noexcept { exception = std::current_exception(); }
  };
  explicit eager(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  eager(eager&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  ~eager() {
    if (frame_) frame_.destroy();
  }
  [[nodiscard]] bool done() const { return frame_.promise().done; }
  [[nodiscard]] bool unharmed() const {
    return frame_.promise().canary == std::array<std::uint64_t, 2>{0x5afe5afe5afe5afe, 0xbeefbeefbeefbeef};
  }
  [[nodiscard]] bool threw() const { return frame_.promise().exception != nullptr; }

 private:
  std::coroutine_handle<promise_type> frame_;
};

// The loop on which chains run that were started outside of any.
class own_default_executor {
 public:
  own_default_executor() {
    current_ = &loop;
    before_ = detail::set_default_executor_source([]() noexcept -> detail::executor& { return *current_; });
  }
  ~own_default_executor() { detail::set_default_executor_source(before_); }
  manual_executor loop;

 private:
  static inline manual_executor* current_ = nullptr;
  detail::executor_source before_;
};

task<int> one() { co_return 1; }

task<int> deep(int n) {
  if (n == 0) co_return 0;
  auto v = co_await deep(n - 1);
  co_return v + 1;
}

// Somebody wakes it later.
class bell {
 public:
  auto rung() {
    return poll_fn([this](const waker& w) {
      waker_ = w;
      return rung_;
    });
  }
  void ring() {
    rung_ = true;
    if (waker_) waker_->wake();
  }

 private:
  std::optional<waker> waker_;
  bool rung_ = false;
};

task<int> waits(bell& b, counted = {}) {
  co_await b.rung();
  co_return 1;
}

TEST(foreign_coroutine, awaits_a_task_that_ends_at_once) {
  int got = 0;
  eager e = [](int& g) -> eager {
    auto v = co_await deep(10);
    g = v;
  }(got);
  EXPECT_TRUE(e.done());
  EXPECT_TRUE(e.unharmed());
  EXPECT_EQ(got, 10);
}

TEST(foreign_coroutine, awaits_a_task_that_suspends) {
  own_default_executor own;
  bell b;
  int got = 0;
  eager e = [](bell& x, int& g) -> eager {
    auto v = co_await waits(x);
    g = v;
  }(b, got);
  EXPECT_FALSE(e.done());
  EXPECT_GT(counted::live(), 0);
  b.ring();
  EXPECT_FALSE(e.done());
  own.loop.run_until_idle();
  EXPECT_TRUE(e.done());
  EXPECT_TRUE(e.unharmed()) << "something was written into a promise that is not ours";
  EXPECT_EQ(got, 1);
  EXPECT_EQ(counted::live(), 0);
}

TEST(foreign_coroutine, awaits_everything_there_is) {
  own_default_executor own;
  bell b;
  std::string log;
  eager e = [](bell& x, std::string& l) -> eager {
    auto r = co_await ready(std::string("ready "));
    l += r;
    auto j = co_await join(waits(x), one());
    l += "join " + std::to_string(std::get<0>(j) + std::get<1>(j));
    auto a = co_await as_result([]() -> task<> { co_await fail(std::errc::timed_out); }());
    l += a ? " ?" : " timed out";
    auto w = co_await race(pending<int>(), waits(x));
    l += " race " + std::to_string(w);
  }(b, log);
  EXPECT_EQ(log, "ready ");
  b.ring();
  own.loop.run_until_idle();
  EXPECT_TRUE(e.done());
  EXPECT_TRUE(e.unharmed());
  EXPECT_EQ(log, "ready join 2 timed out race 1");
}

TEST(foreign_coroutine, gets_exceptions_and_failures_as_exceptions) {
  eager e = []() -> eager {
    co_await [](bool b) -> task<> {
      if (b) throw 42;
      co_return;
    }(true);
  }();
  EXPECT_TRUE(e.threw());
  EXPECT_TRUE(e.unharmed());
  std::error_code got;
  eager f = [](std::error_code& g) -> eager {
    try {
      co_await []() -> task<> { co_await fail(std::errc::timed_out); }();
    } catch (const std::system_error& s) {
      g = s.code();
    }
  }(got);
  EXPECT_TRUE(f.done());
  EXPECT_EQ(got, std::errc::timed_out);
}

TEST(foreign_coroutine, gets_an_exception_from_a_task_that_stopped_itself) {
  own_default_executor own;
  auto gives_up = [](counted) -> task<int> {
    detail::current_chain()->request_cancel();
    co_await pending();
    co_return 1;
  };
  std::error_code got;
  eager e = [](auto& g, std::error_code& c) -> eager {
    try {
      auto v = co_await g(counted());
      c = std::error_code(v, std::generic_category());
    } catch (const std::system_error& s) {
      c = s.code();
    }
  }(gives_up, got);
  own.loop.run_until_idle();
  EXPECT_TRUE(e.done());
  EXPECT_EQ(got, std::errc::operation_canceled);
  EXPECT_EQ(counted::live(), 0);

  // A race of a range, all of whose branches stopped, has no outcome either.
  got = {};
  eager f = [](auto& g, std::error_code& c) -> eager {
    try {
      std::vector<task<int>> many;
      many.push_back(g(counted()));
      many.push_back(g(counted()));
      auto v = co_await race(std::move(many));
      c = std::error_code(v, std::generic_category());
    } catch (const std::system_error& s) {
      c = s.code();
    }
  }(gives_up, got);
  own.loop.run_until_idle();
  EXPECT_TRUE(f.done());
  EXPECT_EQ(got, std::errc::operation_canceled);
  EXPECT_EQ(counted::live(), 0);
}

TEST(foreign_coroutine, awaits_a_million_tasks_without_using_up_the_stack) {
  constexpr long many = 1'000'000;
  stack_probe probe;
  long sum = 0;
  eager e = [](stack_probe& p, long& s) -> eager {
    for (long i = 0; i != many; ++i) {
      auto v = co_await one();
      s += v;
      p.mark();
    }
  }(probe, sum);
  EXPECT_TRUE(e.done());
  EXPECT_EQ(sum, many);
  EXPECT_LE(probe.spread(), 64u * 1024);
}

TEST(foreign_coroutine, is_resumed_a_million_times_without_using_up_the_stack) {
  constexpr long many = ASTD_SANITIZED ? 100'000 : 1'000'000;
  own_default_executor own;
  stack_probe probe;
  // Not done at the first poll: each await suspends the stranger.
  auto later = []() -> task<int> {
    bool asked = false;
    co_await poll_fn([&](const waker& w) {
      if (std::exchange(asked, true)) return true;
      w.wake();
      return false;
    });
    co_return 1;
  };
  long sum = 0;
  eager e = [](auto& l, stack_probe& p, long& s) -> eager {
    for (long i = 0; i != many; ++i) {
      auto v = co_await l();
      s += v;
      p.mark();
    }
  }(later, probe, sum);
  own.loop.run_until_idle();
  EXPECT_TRUE(e.done());
  EXPECT_EQ(sum, many);
  EXPECT_LE(probe.spread(), 64u * 1024);
}

TEST(foreign_coroutine, is_not_in_a_chain) {
  own_default_executor own;
  detail::set_current_chain(nullptr);
  bell b;
  std::vector<bool> in_chain;
  eager e = [](bell& x, std::vector<bool>& in) -> eager {
    in.push_back(detail::current_chain() != nullptr);
    co_await one();
    in.push_back(detail::current_chain() != nullptr);
    co_await waits(x);
    in.push_back(detail::current_chain() != nullptr);
    co_await ready();
    in.push_back(detail::current_chain() != nullptr);
    co_await join(one(), waits(x));
    in.push_back(detail::current_chain() != nullptr);
    bool asked = false;
    co_await as_result(poll_fn([&](const waker& w) {
      w.wake();
      return std::exchange(asked, true);
    }));
    in.push_back(detail::current_chain() != nullptr);
  }(b, in_chain);
  b.ring();
  own.loop.run_until_idle();
  EXPECT_TRUE(e.done());
  EXPECT_EQ(in_chain, std::vector<bool>(6, false)) << "the chain that stood in for it is gone by then";
}

TEST(foreign_coroutine, within_a_task_leaves_its_chain_alone) {
  own_default_executor own;
  bell b;
  std::optional<eager> e;
  auto program = [&]() -> task<bool> {
    auto* const before = detail::current_chain();
    e.emplace([](bell& x) -> eager { co_await waits(x); }(b));
    co_return detail::current_chain() == before&& before != nullptr;
  };
  EXPECT_TRUE(run_to_end(program()));
  b.ring();
  own.loop.run_until_idle();
  EXPECT_TRUE(e->done());
}

}  // namespace
