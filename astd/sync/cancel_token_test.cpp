// Tokens: everybody who holds one is told, once, wherever it is; and whoever was not interested any more is left alone.
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/spawn_blocking.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/stop_token.hpp>
#include <astd/sync/cancel_token.hpp>
#include <astd/sync/with_cancel.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::flag;
using test::for_ever;
using test::virtual_time;

task<> waits(cancel_token t) {
  const counted local;
  co_await t.cancelled();
}

TEST(cancel_token, says_whether_it_is_cancelled) {
  const cancel_token none;
  EXPECT_FALSE(none.can_be_cancelled());
  EXPECT_FALSE(none.is_cancelled());
  const cancel_source s;
  const cancel_token t = s.token(), copy = t;
  EXPECT_TRUE(t.can_be_cancelled());
  EXPECT_FALSE(t.is_cancelled());
  EXPECT_TRUE(s.request_cancel());
  EXPECT_FALSE(s.request_cancel());
  EXPECT_TRUE(t.is_cancelled());
  EXPECT_TRUE(copy.is_cancelled());
  EXPECT_TRUE(s.is_cancelled());
  EXPECT_EQ(t, copy);
  EXPECT_NE(t, none);
  EXPECT_EQ(cancel_token(), none);
}

TEST(cancel_token, outlives_its_source) {
  cancel_token t, cancelled;
  {
    const cancel_source s, other;
    t = s.token();
    cancelled = other.token();
    other.request_cancel();
  }
  EXPECT_FALSE(t.is_cancelled());
  EXPECT_TRUE(cancelled.is_cancelled());
}

TEST(cancel_token, makes_a_tree) {
  const cancel_source root;
  const cancel_source left = root.child(), right(root.token()), leaf = left.token().child();
  EXPECT_TRUE(left.request_cancel());
  EXPECT_TRUE(leaf.is_cancelled());
  EXPECT_FALSE(root.is_cancelled());
  EXPECT_FALSE(right.is_cancelled());
  EXPECT_TRUE(root.request_cancel());
  EXPECT_TRUE(right.is_cancelled());
  EXPECT_TRUE(root.child().is_cancelled()) << "born after the request";
  EXPECT_FALSE(leaf.request_cancel());
  // A child of a token that is never cancelled is a source like any other.
  const cancel_source own{cancel_token()};
  EXPECT_FALSE(own.is_cancelled());
  EXPECT_TRUE(own.request_cancel());
}

// Neither the request nor the end of it nests.
TEST(cancel_token, of_a_very_deep_tree) {
  const cancel_source root;
  std::optional<cancel_source> last = root;
  for (int i = 0; i < 200'000; ++i) last = last->child();
  const cancel_token leaf = last->token();
  EXPECT_FALSE(leaf.is_cancelled());
  root.request_cancel();
  EXPECT_TRUE(leaf.is_cancelled());
}

TEST(cancel_token, a_child_that_goes_leaves_its_parent) {
  const cancel_source root;
  for (int i = 0; i < 1000; ++i) {
    const auto a = root.child();
    const auto b = a.child();
    if (i % 3 == 0) a.request_cancel();
  }
  const auto stays = root.child();
  root.request_cancel();
  EXPECT_TRUE(stays.is_cancelled());
}

ASTD_TEST_WITH(cancel_token, wakes_all_who_wait, virtual_time()) {
  const cancel_source s;
  const cancel_source child = s.child();
  std::vector<join_handle<>> all;
  for (int i = 0; i < 50; ++i) all.push_back(spawn(waits(i % 2 ? s.token() : child.token())));
  co_await this_task::sleep_for(1s);
  for (auto& h : all) EXPECT_FALSE(h.is_finished());
  EXPECT_NE(dump_tasks().find("cancel_token"), std::string::npos);
  s.request_cancel();
  for (auto& h : all) co_await h;
  co_await s.token().cancelled();  // at once
  EXPECT_EQ(counted::live(), 0);
  // One that nobody can cancel: only the task itself.
  auto never = spawn(waits(cancel_token()));
  co_await this_task::sleep_for(1s);
  EXPECT_FALSE(never.is_finished());
  co_await never.cancel();
}

TEST(cancel_token, callbacks) {
  const cancel_source s;
  std::string order;
  {
    cancel_callback first(s.token(), [&order] { order += '1'; });
    {
      cancel_callback gone(s.token(), [&order] { order += 'x'; });
    }
    auto child = s.child();
    cancel_callback below(child.token(), [&order] { order += '2'; });
    cancel_callback never(cancel_token(), [&order] { order += 'y'; });
    EXPECT_EQ(order, "");
    s.request_cancel();
    EXPECT_EQ(order.size(), 2u);
    EXPECT_NE(order.find('1'), std::string::npos);
    EXPECT_NE(order.find('2'), std::string::npos);
  }
  cancel_callback late(s.token(), [&order] { order += '3'; });
  EXPECT_EQ(order.substr(2), "3");
  // One that destroys itself, and everything that holds the source.
  auto own = std::make_unique<cancel_source>();
  using any_callback = cancel_callback<std::function<void()>>;
  std::unique_ptr<any_callback> self;
  self = std::make_unique<any_callback>(own->token(), [&] {
    auto& source = own;  // the captures go with the callback
    self.reset();
    source.reset();
  });
  own->request_cancel();
  EXPECT_FALSE(own);
}

TEST(cancel_token, a_callback_that_runs_is_waited_for) {
  for (int i = 0; i < 200; ++i) {
    const cancel_source s;
    std::atomic<bool> inside = false, left = false;
    std::thread requests;
    {
      cancel_callback slow(s.token(), [&] {
        inside = true;
        std::this_thread::yield();
        left = true;
      });
      requests = std::thread([&s] { s.request_cancel(); });
      if (i % 2) test::wait_until([&] { return inside.load(); });
    }
    EXPECT_EQ(inside, left);
    requests.join();
    EXPECT_EQ(inside, left);
  }
}

TEST(cancel_token, guards_a_scope) {
  const cancel_source a, b;
  {
    const cancel_guard guard(a);
    cancel_guard other(b);
    other.dismiss();
    EXPECT_FALSE(a.is_cancelled());
  }
  EXPECT_TRUE(a.is_cancelled());
  EXPECT_FALSE(b.is_cancelled());
}

// ---- with_cancel

ASTD_TEST_WITH(with_cancel, ends_what_it_is_given, virtual_time()) {
  const auto begin = steady_clock::now();
  const cancel_source s;
  auto later = spawn(
      [](cancel_source to) -> task<> {
        co_await this_task::sleep_for(1h);
        to.request_cancel();
      },
      s);
  const auto ended = co_await as_result(with_cancel(s.token(), for_ever()));
  EXPECT_FALSE(ended.has_value());
  if (!ended) EXPECT_EQ(ended.error(), std::errc::operation_canceled);
  EXPECT_EQ(steady_clock::now() - begin, 1h);
  EXPECT_EQ(counted::live(), 0) << "it has ended";
  co_await later;
  std::string what;
  try {
    co_await with_cancel(s.token(), for_ever());
  } catch (const std::system_error& e) {
    what = e.code() == std::errc::operation_canceled ? "cancelled" : "?";
  }
  EXPECT_EQ(what, "cancelled");
}

ASTD_TEST_WITH(with_cancel, a_value_beats_the_request, virtual_time()) {
  const cancel_source s;
  const auto in_time = co_await with_cancel(s.token(), ready(1));
  EXPECT_EQ(in_time, 1);
  s.request_cancel();
  const auto there = co_await with_cancel(s.token(), ready(std::make_unique<int>(2)));
  EXPECT_EQ(*there, 2);
  auto throws = []() -> task<int> {
    co_await this_task::yield();
    throw std::runtime_error("from inside");
  };
  const cancel_source other;
  const auto how = co_await test::how_it_ends(with_cancel(other.token(), throws()));
  EXPECT_EQ(how, "from inside");
  co_await with_cancel(cancel_token(), this_task::sleep_for(1h));
  const auto nested = co_await with_cancel(other.token(), with_cancel(cancel_token(), ready(3)));
  EXPECT_EQ(nested, 3);
}

// Requests and cancellations meet at every moment: nobody hangs, nobody is told twice, nothing is left.
ASTD_TEST(cancel_token, requests_and_cancellations_meet) {
  for (int i = 0; i < 500; ++i) {
    const cancel_source s;
    const cancel_source child = s.child();
    std::atomic<int> calls = 0;
    std::vector<join_handle<>> waiters;
    auto body = [](cancel_token t) -> task<> {
      const counted local;
      auto first = as_result(race(with_cancel(t, for_ever()), t.cancelled()));
      co_await std::move(first);
      co_await t.cancelled();
    };
    for (int n = 0; n < 4; ++n) waiters.push_back(spawn(body, n % 2 ? s.token() : child.token()));
    auto call = spawn_blocking([&calls, &s, i] {
      cancel_callback counts(s.token(), [&calls] { ++calls; });
      for (int spin = 0; spin < i; ++spin) std::this_thread::yield();
    });
    auto asks = spawn_blocking([&s] { s.request_cancel(); });
    auto asks_too = spawn_blocking([&child] { child.request_cancel(); });
    for (int n = 0; n < 2; ++n) waiters[static_cast<unsigned>(n)].request_cancel();
    for (auto& h : waiters) co_await as_result(std::move(h));
    co_await asks;
    co_await asks_too;
    co_await call;
    EXPECT_LE(calls, 1);
    EXPECT_EQ(counted::live(), 0);
  }
}

// ---- std's

ASTD_TEST_WITH(stop_token, cancels_a_token, virtual_time()) {
  std::stop_source from;
  {
    cancel_on_stop link(from.get_token());
    EXPECT_FALSE(link.token().is_cancelled());
    auto waiter = spawn(waits(link.token()));
    co_await this_task::sleep_for(1s);
    from.request_stop();
    co_await waiter;
    EXPECT_TRUE(link.token().is_cancelled());
  }
  const cancel_on_stop late(from.get_token());
  EXPECT_TRUE(late.token().is_cancelled());
  const cancel_on_stop never{std::stop_token()};
  EXPECT_FALSE(never.token().is_cancelled());
}

ASTD_TEST_WITH(stop_token, with_cancel_takes_one, virtual_time()) {
  std::stop_source from;
  auto waits_long = [](std::stop_token stop) -> task<bool> {
    const auto r = co_await as_result(with_cancel(stop, this_task::sleep_for(1h)));
    co_return r.has_value() || r.error() != std::errc::operation_canceled;
  };
  auto waiter = spawn(waits_long, from.get_token());
  co_await this_task::sleep_for(1s);
  from.request_stop();
  const bool went_on = co_await waiter;
  EXPECT_FALSE(went_on);
  // What is ready beats the request, and a token without a source asks for nothing.
  const auto ready_already = co_await with_cancel(from.get_token(), ready(1));
  EXPECT_EQ(ready_already, 1);
  co_await with_cancel(std::stop_token(), this_task::sleep_for(1s));
}

TEST(stop_token, is_stopped_by_a_token) {
  const cancel_source from;
  {
    stop_on_cancel link(from.token());
    bool called = false;
    std::stop_callback notes(link.get_token(), [&called] { called = true; });
    EXPECT_FALSE(link.get_token().stop_requested());
    from.request_cancel();
    EXPECT_TRUE(link.get_token().stop_requested());
    EXPECT_TRUE(called);
  }
  EXPECT_TRUE(stop_on_cancel(from.token()).get_token().stop_requested());
  EXPECT_FALSE(stop_on_cancel(cancel_token()).get_token().stop_requested());
}

}  // namespace
