// delay_queue: everything comes out once, in its time, whoever takes it.
#include <astd/coro/as_result.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/select.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/spawn_blocking.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/delay_queue.hpp>
#include <astd/time/timeout.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::virtual_time;
using moment = steady_clock::time_point;

ASTD_TEST_WITH(delay_queue, gives_all_in_their_time, virtual_time()) {
  const moment begin = steady_clock::now();
  delay_queue<std::string, int> q;
  EXPECT_TRUE(q.empty());
  EXPECT_TRUE(q.insert("c", 3, 3s));
  EXPECT_TRUE(q.insert("a", 1, 1s));
  EXPECT_TRUE(q.insert_at("b", 2, begin + 2s));
  EXPECT_TRUE(q.insert_at("b2", 22, system_clock::now() + 2s));
  EXPECT_FALSE(q.insert("a", 7, 0s)) << "it is there";
  EXPECT_EQ(q.size(), 4u);
  EXPECT_TRUE(q.contains("b"));
  std::string order;
  for (int i = 0; i < 4; ++i) {
    auto e = co_await q.next();
    EXPECT_TRUE(e.has_value());
    if (!e) co_return;
    EXPECT_EQ(e->deadline, steady_clock::now());
    order += e->key + std::to_string(e->value) + " ";
  }
  EXPECT_EQ(order, "a1 b2 b222 c3 ");
  EXPECT_EQ(steady_clock::now() - begin, 3s);
  EXPECT_TRUE(q.empty());
}

ASTD_TEST_WITH(delay_queue, an_earlier_one_overtakes_while_it_is_waited_for, virtual_time()) {
  const moment begin = steady_clock::now();
  delay_queue<int, int> q;
  auto take = [](delay_queue<int, int>& from) -> task<int> {
    auto e = co_await from.next();
    co_return e ? e->key : -1;
  };
  auto first = spawn(take, std::ref(q));
  co_await this_task::sleep_for(1s);
  q.insert(1, 0, 10s);
  q.insert(2, 0, 5s);
  q.insert(3, 0, 20s);
  co_await this_task::sleep_for(1s);
  q.reset(3, 1s);
  const auto key = co_await first;
  EXPECT_EQ(key, 3);
  EXPECT_EQ(steady_clock::now() - begin, 3s);
  // Put off: the waiter is not given it early.
  auto second = spawn(take, std::ref(q));
  co_await this_task::sleep_for(1s);
  EXPECT_TRUE(q.reset(2, 100s));
  EXPECT_FALSE(q.reset(3, 1s));
  const auto next = co_await second;
  EXPECT_EQ(next, 1);
  EXPECT_EQ(steady_clock::now() - begin, 11s);
  // Removed.
  auto third = spawn(take, std::ref(q));
  co_await this_task::sleep_for(1s);
  EXPECT_EQ(q.remove(2), 0);
  EXPECT_EQ(q.remove(2), std::nullopt);
  co_await this_task::sleep_for(1h);
  EXPECT_FALSE(third.is_finished());
  q.insert(4, 0, -1s);
  const auto last = co_await third;
  EXPECT_EQ(last, 4);
  EXPECT_EQ(q.size(), 0u);
}

ASTD_TEST_WITH(delay_queue, closing_gives_what_is_left_and_then_nothing, virtual_time()) {
  delay_queue<int, std::unique_ptr<int>> q;
  q.insert(1, std::make_unique<int>(11), 1s);
  q.close();
  EXPECT_TRUE(q.is_closed());
  EXPECT_FALSE(q.insert(2, nullptr, 0s));
  auto one = co_await q.next();
  EXPECT_EQ(one ? **&one->value : 0, 11);
  auto none = co_await q.next();
  EXPECT_FALSE(none.has_value());
  // Who waits is told, by close(), and by what empties a closed queue.
  for (const bool by_clear : {true, false}) {
    delay_queue<int, int> empty, drained;
    auto waits = [](delay_queue<int, int>& from) -> task<bool> {
      auto e = co_await from.next();
      co_return e.has_value();
    };
    drained.insert(1, 1, 1h);
    drained.close();
    auto a = spawn(waits, std::ref(empty));
    auto b = spawn(waits, std::ref(empty));
    auto c = spawn(waits, std::ref(drained));
    co_await this_task::sleep_for(1s);
    empty.close();
    by_clear ? drained.clear() : void(drained.remove(1));
    const auto first = co_await a;
    const auto second = co_await b;
    const auto third = co_await c;
    EXPECT_FALSE(first || second || third);
  }
}

ASTD_TEST_WITH(delay_queue, cancelling_takes_nothing_out, virtual_time()) {
  delay_queue<int, int> q;
  for (int i = 0; i < 10; ++i) q.insert(i, i, std::chrono::seconds(i + 1));
  int got = 0;
  // At the very moment at which one is due, select gives both.
  for (int i = 0; got < 10 && i < 40; ++i) {
    auto both = co_await select(q.next(), this_task::sleep_for(500ms));
    if (auto& e = std::get<0>(both); e && *e) EXPECT_EQ((*e)->key, got++);
  }
  EXPECT_EQ(got, 10);
  EXPECT_TRUE(q.empty());
}

ASTD_TEST_WITH(delay_queue, serves_those_who_wait_in_their_order, virtual_time()) {
  delay_queue<int, int> q;
  std::vector<std::pair<int, int>> served;  // who, what
  std::mutex lock;
  auto taker = [&](int who) -> task<> {
    auto e = co_await q.next();
    const std::lock_guard guard(lock);
    served.emplace_back(who, e ? e->key : -1);
  };
  std::vector<join_handle<>> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(spawn(taker, i));
    co_await this_task::sleep_for(1ns);
  }
  all[0].request_cancel();
  all[3].request_cancel();
  co_await this_task::sleep_for(1ns);
  for (int i = 0; i < 4; ++i) q.insert(i, 0, std::chrono::seconds(i));
  for (const unsigned i : {1u, 2u, 4u, 5u}) co_await all[i];
  std::ranges::sort(served, {}, &std::pair<int, int>::second);
  EXPECT_EQ(served, (std::vector<std::pair<int, int>>{{1, 0}, {2, 1}, {4, 2}, {5, 3}}));
}

ASTD_TEST_WITH(delay_queue, orders_a_thousand_at_random, virtual_time()) {
  delay_queue<int, int> q;
  std::minstd_rand random(7);
  std::multimap<moment, int> expected;
  std::map<int, moment> due;
  const moment begin = steady_clock::now();
  for (int i = 0; i < 1000; ++i) due[i] = begin + std::chrono::nanoseconds(random() % 5000);
  for (const auto& [key, when] : due) q.insert_at(key, key, when);
  for (int i = 0; i < 1000; ++i) {
    const int key = static_cast<int>(random() % 1000);
    if (i % 3 == 0) {
      const bool was = due.erase(key) == 1;
      EXPECT_EQ(q.remove(key).has_value(), was);
    } else if (const auto at = due.find(key); at != due.end()) {
      at->second = begin + std::chrono::nanoseconds(random() % 5000);
      EXPECT_TRUE(q.reset_at(key, at->second));
    }
  }
  EXPECT_EQ(q.size(), due.size());
  q.close();
  moment last = begin;
  std::size_t count = 0;
  for (;;) {
    auto e = co_await q.next();
    if (!e) break;
    EXPECT_EQ(e->deadline, due.at(e->key));
    EXPECT_EQ(steady_clock::now(), e->deadline);
    EXPECT_GE(e->deadline, last);
    last = e->deadline;
    ++count;
  }
  EXPECT_EQ(count, due.size());
}

TEST(delay_queue, destroys_what_is_left) {
  {
    delay_queue<int, counted> q;
    for (int i = 0; i < 10; ++i) q.insert(i, counted(), 1h);
    EXPECT_EQ(counted::live(), 10);
    q.remove(3);
    EXPECT_EQ(counted::live(), 9);
    q.clear();
    EXPECT_EQ(counted::live(), 0);
    EXPECT_EQ(q.size(), 0u);
    q.insert(1, counted(), 1h);
  }
  EXPECT_EQ(counted::live(), 0);
}

// On the machine's clock, from all sides: what is inserted comes out exactly once, by next() or by remove().
ASTD_TEST(delay_queue, loses_nothing_under_load) {
  struct world {
    delay_queue<int, int> q;
    std::atomic<int> taken = 0, removed = 0;
  } w;
  constexpr int each = 2000, inserters = 3;
  auto inserter = [](world& in, int from) -> task<> {
    std::minstd_rand random(static_cast<unsigned>(from) + 1);
    for (int i = from; i < from + each; ++i) {
      in.q.insert(i, i, std::chrono::nanoseconds(random() % 200'000));
      if (random() % 8 == 0) in.q.reset(i, std::chrono::nanoseconds(random() % 100'000));
      if (random() % 8 == 0 && in.q.remove(from + static_cast<int>(random() % each))) ++in.removed;
      if (random() % 16 == 0) co_await this_task::yield();
    }
  };
  auto taker = [](world& in) -> task<> {
    for (;;) {
      auto e = co_await in.q.next();
      if (!e) co_return;
      ++in.taken;
    }
  };
  // Takes with a limit that strikes often; what exists is given.
  auto impatient = [](world& in) -> task<> {
    for (;;) {
      auto both = co_await select(in.q.next(), this_task::sleep_for(5us));
      auto& e = std::get<0>(both);
      if (e && !*e) co_return;
      if (e) ++in.taken;
    }
  };
  std::vector<join_handle<>> takers, others;
  for (int i = 0; i < 2; ++i) takers.push_back(spawn(taker, std::ref(w)));
  for (int i = 0; i < 2; ++i) takers.push_back(spawn(impatient, std::ref(w)));
  for (int i = 0; i < inserters; ++i) others.push_back(spawn(inserter, std::ref(w), i * each));
  auto cancelled = [](world& in) -> task<> {
    auto e = co_await in.q.next();
    if (e) ++in.taken;
  };
  for (int i = 0; i < 300; ++i) {
    auto h = spawn(cancelled, std::ref(w));
    co_await this_task::sleep_for(std::chrono::microseconds(i % 20));
    co_await h.cancel();
  }
  for (auto& h : others) co_await h;
  w.q.close();
  for (auto& h : takers) co_await h;
  EXPECT_EQ(w.taken + w.removed, each * inserters);
  EXPECT_TRUE(w.q.empty());
}

}  // namespace
