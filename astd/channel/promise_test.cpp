#include <astd/channel/promise.hpp>
#include <astd/channel/shared.hpp>
#include <astd/channel/test_message.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/dump.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/select.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using astd::as_result;
using astd::future;
using astd::promise;
using astd::shared_future;
using astd::spawn;
using astd::task;
using astd::test::ending;
using astd::test::manual_executor;
using astd::test::many;
using astd::test::parcel_of_one;
using astd::test::test_run;

static_assert(!std::is_copy_constructible_v<promise<int>> && std::is_nothrow_move_constructible_v<future<int>>);
static_assert(std::is_copy_constructible_v<shared_future<std::unique_ptr<int>>>);
static_assert(std::is_same_v<astd::await_result_t<future<int>&>, int>);
static_assert(std::is_same_v<astd::await_result_t<shared_future<int>&>, const int&>);

ASTD_TEST(promise, hands_over_its_value_before_and_behind_the_await) {
  for (const bool before : {true, false}) {
    promise<std::unique_ptr<int>> p;
    auto f = p.get_future();
    EXPECT_TRUE(f.valid());
    auto waiting = spawn(
        [](future<std::unique_ptr<int>> from) -> task<int> {
          auto v = co_await from;
          EXPECT_FALSE(from.valid());
          co_return *v;
        },
        std::move(f));
    if (!before)
      for (int i = 0; i < 3; ++i) co_await astd::this_task::yield();
    p.set_value(std::make_unique<int>(42));
    const auto value = co_await waiting;
    EXPECT_EQ(value, 42);
  }
}

ASTD_TEST(promise, of_references_and_of_nothing) {
  int object = 1;
  promise<int&> p;
  auto f = p.get_future();
  p.set_value(object);
  int& got = co_await f;
  EXPECT_EQ(&got, &object);
  promise<void> q;
  auto g = q.get_future();
  EXPECT_FALSE(g.is_ready());
  q.set_value();
  EXPECT_TRUE(g.is_ready());
  co_await g.wait();
  co_await g.get();
  promise<int&> r;
  auto all = r.get_future().share();
  r.set_value(object);
  const int& same = co_await all;
  EXPECT_EQ(&same, &object);
}

ASTD_TEST(promise, gives_errors_as_the_awaiter_likes) {
  promise<int> p, q, r;
  auto f = p.get_future();
  p.set_exception(std::make_exception_ptr(std::runtime_error("no")));
  try {
    (void)(co_await f);
    ADD_FAILURE();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "no");
  }
  auto g = q.get_future();
  q.set_error(std::errc::io_error);
  auto failed = co_await as_result(g);
  EXPECT_EQ(failed.error(), std::errc::io_error);
  auto h = r.get_future();
  {
    const auto gone = std::move(r);
  }
  auto broken = co_await as_result(h);
  EXPECT_EQ(broken.error(), std::future_errc::broken_promise);
}

TEST(promise, says_when_it_is_misused) {
  const auto code_of = [](auto f) {
    try {
      f();
    } catch (const std::future_error& e) {
      return e.code();
    }
    return std::error_code();
  };
  promise<int> p;
  auto f = p.get_future();
  EXPECT_EQ(code_of([&] { (void)p.get_future(); }), std::future_errc::future_already_retrieved);
  p.set_value(1);
  EXPECT_EQ(code_of([&] { p.set_value(2); }), std::future_errc::promise_already_satisfied);
  EXPECT_EQ(code_of([&] { p.set_error(std::errc::io_error); }), std::future_errc::promise_already_satisfied);
  auto other = std::move(p);
  EXPECT_EQ(code_of([&] { p.set_value(2); }), std::future_errc::no_state);  // NOLINT: moved from
  EXPECT_EQ(f.get_blocking(), 1);
  EXPECT_EQ(code_of([&] { (void)f.get_blocking(); }), std::future_errc::no_state);
  EXPECT_EQ(code_of([] { (void)future<int>().wait(); }), std::future_errc::no_state);
}

struct cannot_be_made {
  explicit cannot_be_made(bool fails) {
    if (fails) throw std::logic_error("made badly");
  }
};

TEST(promise, whose_value_could_not_be_made_can_be_given_another) {
  promise<cannot_be_made> p;
  auto f = p.get_future();
  EXPECT_THROW(p.set_value(true), std::logic_error);
  EXPECT_FALSE(f.is_ready());
  p.set_value(false);
  EXPECT_TRUE(f.is_ready());
}

ASTD_TEST(promise, learns_that_nobody_waits) {
  promise<parcel_of_one> p;
  EXPECT_FALSE(p.is_closed()) << "there may come a future";
  auto f = std::optional(p.get_future());
  auto told = astd::timeout(1ms, p.closed());
  auto still_there = co_await as_result(std::move(told));
  EXPECT_FALSE(still_there);
  auto waiting = spawn([](promise<parcel_of_one>& of) -> task<> { co_await of.closed(); }, std::ref(p));
  co_await astd::this_task::yield();
  f.reset();
  co_await waiting;
  EXPECT_TRUE(p.is_closed());
  p.set_value(1);
}

ASTD_TEST(promise, a_future_that_ran_out_of_time_can_be_awaited_again) {
  promise<int> p;
  auto f = p.get_future();
  auto late = co_await as_result(astd::timeout(1ms, f));
  EXPECT_EQ(late.error(), std::errc::timed_out);
  auto first = co_await astd::select(f, astd::this_task::yield());
  EXPECT_FALSE(std::get<0>(first));
  p.set_value(8);
  auto value = co_await f;
  EXPECT_EQ(value, 8);
}

ASTD_TEST(shared_future, gives_its_value_to_many) {
  promise<std::string> p;
  shared_future<std::string> f = p.get_future();
  std::vector<astd::join_handle<std::size_t>> all;
  for (int i = 0; i < 10; ++i)
    all.push_back(spawn(
        [](shared_future<std::string> from) -> task<std::size_t> {
          const std::string& text = co_await from;
          co_return text.size();
        },
        f));
  co_await astd::this_task::yield();
  p.set_value("four");
  for (auto& h : all) {
    auto size = co_await h;
    EXPECT_EQ(size, 4u);
  }
  const std::string& again = co_await f;
  EXPECT_EQ(again, "four");
  EXPECT_EQ(&f.get_blocking(), &again);

  promise<int> q;
  shared_future<int> g = q.get_future();
  q.set_exception(std::make_exception_ptr(std::runtime_error("twice")));
  for (int i = 0; i < 2; ++i) {
    bool thrown = false;
    try {
      (void)(co_await g);
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
  }
}

// Value, end of the promise, end of the future and a request to stop, all at once, on many threads.
ASTD_TEST(promise, hands_over_or_ends_whatever_comes_first) {
  const long before = parcel_of_one::live();
  for (long i = 0; i < many(20'000); ++i) {
    promise<parcel_of_one> p;
    auto f = p.get_future();
    auto giving = spawn(
        [](promise<parcel_of_one> to, long n) -> task<> {
          if (n % 3) to.set_value(n);
          co_return;
        },
        std::move(p), i);
    auto taking = spawn(
        [](future<parcel_of_one> from, long n) -> task<bool> {
          auto got = co_await as_result(from);
          if (got) EXPECT_EQ(got->value(), n);
          if (!got) EXPECT_EQ(got.error(), std::future_errc::broken_promise);
          co_return got.has_value();
        },
        std::move(f), i);
    if (i % 5 == 0) taking.request_cancel();
    auto had = co_await as_result(taking);
    if (had) EXPECT_EQ(*had, i % 3 != 0);
    if (!had) EXPECT_EQ(i % 5, 0);
    co_await giving;
  }
  EXPECT_EQ(parcel_of_one::live(), before);
}

TEST(promise, is_cancelled_at_each_moment) {
  for (int at = 0; at < 4; ++at) {
    manual_executor loop;
    promise<int> p("answer");
    auto f = p.get_future();
    test_run run(loop, f);
    if (at == 0) run.request_cancel();
    run.start();
    if (at == 1) {
      std::string text;
      astd::detail::describe_chain(run.as_chain(), text, 0);
      EXPECT_NE(text.find("future 'answer'"), std::string::npos) << text;
      run.request_cancel();
    }
    loop.run_until_idle();
    EXPECT_EQ(run.has_ended(), at < 2);
    p.set_value(3);
    if (at == 2) run.request_cancel();
    loop.run_until_idle();
    if (at == 3) run.request_cancel();
    ASSERT_TRUE(run.has_ended());
    EXPECT_EQ(run.how() == ending::value, at >= 2);
    EXPECT_EQ(f.valid(), at < 2) << "what was not taken is still there";
  }
}

TEST(promise, joins_threads) {
  promise<int> p;
  auto f = p.get_future();
  std::thread thread([q = std::move(p)]() mutable { q.set_value(5); });
  EXPECT_EQ(f.get_blocking(), 5);
  thread.join();
}

// ---- waiting for a while

ASTD_TEST_WITH(future, is_waited_for_for_a_while, astd::test::virtual_time()) {
  using astd::future_status;
  promise<int> p;
  auto f = p.get_future();
  const auto began = astd::steady_clock::now();
  auto status = co_await f.wait_for(10ms);
  EXPECT_EQ(status, future_status::timeout);
  EXPECT_EQ(astd::steady_clock::now() - began, 10ms);
  status = co_await f.wait_until(began + 30ms);
  EXPECT_EQ(status, future_status::timeout);
  auto setting = spawn(
      [](promise<int> to) -> task<> {
        co_await astd::this_task::sleep_for(1s);
        to.set_value(7);
      },
      std::move(p));
  status = co_await f.wait_for(1h);
  EXPECT_EQ(status, future_status::ready);
  EXPECT_EQ(astd::steady_clock::now() - began, 1030ms);
  status = co_await f.wait_for(0s);  // what is there beats the deadline
  EXPECT_EQ(status, future_status::ready);
  co_await setting;
  auto both = f.share();
  status = co_await both.wait_until(began);
  EXPECT_EQ(status, future_status::ready);
  const int value = co_await both;
  EXPECT_EQ(value, 7);
  EXPECT_THROW((void)f.wait_for(1s).operator co_await(), std::future_error);
}

TEST(future, is_waited_for_by_threads) {
  using astd::future_status;
  promise<void> p;
  const auto f = p.get_future();
  EXPECT_EQ(f.wait_for_blocking(2ms), future_status::timeout);
  EXPECT_EQ(f.wait_until_blocking(std::chrono::system_clock::now() - 1s), future_status::timeout);
  std::thread setting([&p] { p.set_value(); });
  EXPECT_EQ(f.wait_for_blocking(1h), future_status::ready);
  f.wait_blocking();
  setting.join();
}

// ---- shared(aw)

// An error stays one, with what it says; nothing is thrown on the way.
TEST(shared, of_what_fails) {
  auto refused = []() -> astd::task<int> {
    co_await astd::fail({std::make_error_code(std::errc::connection_refused), "connect", "a host"});
    co_return 1;
  };
  auto one = astd::shared(refused());
  manual_executor loop;
  test_run run(loop, one);
  run.start();
  while (!run.has_ended())
    if (!loop.step()) std::this_thread::yield();
  ASSERT_EQ(run.how(), ending::failure);
  EXPECT_EQ(run.error().code(), std::errc::connection_refused);
  EXPECT_EQ(run.error().subject(), "connect a host");
}

ASTD_TEST(shared, runs_once_for_all) {
  int runs = 0;
  auto work = [](int& n) -> task<std::string> {
    ++n;
    co_await astd::this_task::sleep_for(1ms);
    co_return "done";
  };
  auto one = astd::shared(work(runs));
  auto other = one;
  co_await astd::this_task::yield();
  EXPECT_EQ(runs, 0) << "nothing starts before it is awaited";
  auto both = co_await astd::join(one, other);
  EXPECT_EQ(std::get<0>(both) + std::get<1>(both), "donedone");
  auto again = co_await one;
  EXPECT_EQ(again, "done");
  EXPECT_EQ(runs, 1);
}

ASTD_TEST(shared, fails_for_all) {
  auto work = []() -> task<int> {
    co_await astd::fail(std::errc::io_error);
    co_return 1;
  };
  auto one = astd::shared(work());
  for (int i = 0; i < 2; ++i) {
    auto how = co_await as_result(one);
    EXPECT_EQ(how.error(), std::errc::io_error);
  }
  auto nothing = astd::shared(astd::this_task::yield());
  co_await nothing;
}

struct says_when_it_goes {
  explicit says_when_it_goes(std::atomic<bool>& f) : flag(f) {}
  ~says_when_it_goes() { flag = true; }
  std::atomic<bool>& flag;
};

ASTD_TEST(shared, is_cancelled_when_nobody_is_left) {
  std::atomic<bool> gone = false;
  {
    auto work = [](std::atomic<bool>& flag) -> task<int> {
      const says_when_it_goes here(flag);
      co_await astd::pending();
      co_return 1;
    };
    auto one = astd::shared(work(gone));
    auto late = co_await as_result(astd::timeout(1ms, one));
    EXPECT_EQ(late.error(), std::errc::timed_out);
    EXPECT_FALSE(gone);
  }
  while (!gone) co_await astd::this_task::sleep_for(1ms);
}

}  // namespace
