#include <astd/channel/test_message.hpp>
#include <astd/channel/watch.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/dump.hpp>
#include <astd/coro/select.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/slice.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::ending;
using test::manual_executor;
using test::many;
using test::parcel_of_one;
using test::test_run;

ASTD_TEST(watch, gives_the_latest) {
  auto [tx, rx] = watch_channel<std::string>("first");
  EXPECT_EQ(*rx.borrow(), "first");
  EXPECT_FALSE(rx.has_changed()) << "what it began with counts as seen";
  tx.send("second");
  tx.send("third");
  EXPECT_TRUE(rx.has_changed());
  EXPECT_EQ(*rx.borrow(), "third");
  EXPECT_TRUE(rx.has_changed()) << "a look is not enough";
  const bool changed = co_await rx.changed();
  EXPECT_TRUE(changed);
  EXPECT_FALSE(rx.has_changed());
  EXPECT_EQ(rx.get(), "third");
  const auto held = rx.borrow();
  tx.send("fourth");
  EXPECT_EQ(*held, "third") << "it stays what it was";
  EXPECT_EQ(*rx.borrow_and_update(), "fourth");
  EXPECT_FALSE(rx.has_changed());
}

ASTD_TEST(watch, a_last_value_comes_before_the_end) {
  auto ends = watch_channel<int>(1);
  auto rx = std::move(ends.second);
  {
    auto tx = std::move(ends.first);
    auto other = tx;
    EXPECT_EQ(tx.sender_count(), 2u);
    other.send(2);
  }
  EXPECT_TRUE(rx.is_closed());
  auto last = co_await rx.next();
  EXPECT_EQ(last, 2);
  auto none = co_await rx.next();
  EXPECT_FALSE(none);
  const bool more = co_await rx.changed();
  EXPECT_FALSE(more);
  EXPECT_EQ(rx.get(), 2) << "it can still be looked at";
}

// What a value's destructor sends is sent.
struct says_goodbye {
  watch_sender<says_goodbye>* to = nullptr;
  int n = 0;
  ~says_goodbye() {
    if (to && n == 1) to->send({});
  }
  says_goodbye() = default;
  says_goodbye(watch_sender<says_goodbye>* s, int i) : to(s), n(i) {}
  says_goodbye(says_goodbye&& other) noexcept : to(std::exchange(other.to, nullptr)), n(other.n) {}
};

ASTD_TEST(watch, a_value_that_goes_may_use_its_channel) {
  auto [tx, rx] = watch_channel<says_goodbye>();
  tx.send({&tx, 1});
  tx.send({&tx, 2});
  EXPECT_EQ(rx.borrow()->n, 0) << "what the first one sent when it went";
  co_return;
}

ASTD_TEST(watch, changes_in_place) {
  auto [tx, rx] = watch_channel<std::vector<int>>(std::vector<int>{1});
  tx.send_modify([](std::vector<int>& v) { v.push_back(2); });
  EXPECT_EQ(rx.get(), (std::vector<int>{1, 2}));
  EXPECT_FALSE(tx.send_if_modified([](std::vector<int>&) { return false; }));
  EXPECT_FALSE(rx.has_changed());
  EXPECT_TRUE(tx.send_if_modified([](std::vector<int>& v) {
    v.clear();
    return true;
  }));
  EXPECT_THROW(tx.send_modify([](std::vector<int>& v) {
    v.push_back(9);
    throw std::runtime_error("half-way");
  }),
               std::runtime_error);
  EXPECT_TRUE(tx.borrow()->empty());
  EXPECT_TRUE(rx.get().empty());
  auto unique = watch_channel<std::unique_ptr<int>>(nullptr);
  unique.first.send(std::make_unique<int>(3));
  EXPECT_EQ(**unique.second.borrow(), 3);
  co_return;
}

ASTD_TEST(watch, waits_for_what_is_wanted) {
  auto ends = watch_channel<int>(0);
  auto waiting = spawn(
      [](watch_receiver<int> rx) -> task<int> {
        auto is_large = [](int n) { return n >= 3; };
        auto found = co_await rx.wait_for(is_large);
        if (!found) co_return -1;
        auto none = co_await rx.wait_for([](int n) { return n < 0; });
        EXPECT_FALSE(none);
        co_return *found;
      },
      ends.second);
  for (int i = 1; i < 6; ++i) {
    ends.first.send(i);
    co_await this_task::yield();
  }
  {
    const auto gone = std::move(ends.first);
  }
  const int found = co_await waiting;
  EXPECT_GE(found, 3);
  auto at_once = co_await ends.second.wait_for([](int n) { return n == 5; });
  EXPECT_EQ(*at_once, 5);
}

ASTD_TEST(watch, its_sender_learns_that_nobody_looks) {
  auto ends = watch_channel<int>(0);
  auto rx = std::optional(std::move(ends.second));
  auto copy = std::optional(*rx);
  EXPECT_EQ(ends.first.receiver_count(), 2u);
  EXPECT_TRUE(copy->same_channel(*rx));
  rx.reset();
  EXPECT_FALSE(ends.first.is_closed());
  auto waiting = spawn([](watch_sender<int> tx) -> task<> { co_await tx.closed(); }, ends.first);
  co_await this_task::yield();
  copy.reset();
  co_await waiting;
  EXPECT_TRUE(ends.first.is_closed());
  ends.first.send(4);
  auto again = ends.first.subscribe();
  EXPECT_FALSE(ends.first.is_closed());
  EXPECT_FALSE(again.has_changed());
  EXPECT_EQ(again.get(), 4);
}

// It has something to see, but no time left in its turn; others wait in line who have seen it.
ASTD_TEST(watch, does_not_wait_behind_those_who_have_seen_more) {
  auto ends = watch_channel<int>(0);
  auto other = ends.second;
  ends.first.send(1);
  auto waiting = spawn(
      [](watch_receiver<int> rx) -> task<bool> {
        (void)rx.get();
        const bool more = co_await rx.changed();
        co_return more;
      },
      std::move(other));
  for (int i = 0; i < 3; ++i) co_await this_task::yield();
  while (detail::spend_slice()) {
  }
  auto seen = co_await as_result(timeout(10s, ends.second.changed()));
  EXPECT_TRUE(seen && *seen);
  {
    const auto gone = std::move(ends.first);
  }
  const bool more = co_await waiting;
  EXPECT_FALSE(more);
}

// Values that only grow, looked at by many: each sees them grow, and the last.
ASTD_TEST(watch, nobody_misses_the_last_value) {
  const long n = many(50'000);
  auto ends = watch_channel<long>(0);
  std::vector<join_handle<long>> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(spawn(
        [](watch_receiver<long> rx, int how) -> task<long> {
          long last = 0;
          for (;;) {
            if (how % 2) {
              auto first = co_await select(rx.changed(), this_task::yield());
              if (!std::get<0>(first)) continue;
              if (!*std::get<0>(first)) co_return last;
            } else {
              const bool more = co_await rx.changed();
              if (!more) co_return last;
            }
            const long now = *rx.borrow();
            EXPECT_GE(now, last);
            last = now;
          }
        },
        ends.second, i));
  auto sending = spawn(
      [](watch_sender<long> tx, long count) -> task<> {
        for (long i = 1; i <= count; ++i) {
          tx.send(i);
          if (i % 100 == 0) co_await this_task::yield();
        }
      },
      std::move(ends.first), n);
  co_await sending;
  for (auto& h : all) {
    const long last = co_await h;
    EXPECT_EQ(last, n);
  }
}

ASTD_TEST(watch, adds_up_what_many_change) {
  auto ends = watch_channel<long>(0);
  const long n = many(10'000);
  std::vector<join_handle<>> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(spawn(
        [](watch_sender<long> tx, long count) -> task<> {
          for (long k = 0; k < count; ++k) tx.send_modify([](long& v) { ++v; });
          co_return;
        },
        ends.first, n));
  for (auto& h : all) co_await h;
  EXPECT_EQ(ends.second.get(), 4 * n);
}

TEST(watch, destroys_every_value_once) {
  const long before = parcel_of_one::live();
  {
    auto ends = watch_channel<parcel_of_one>(1);
    auto held = ends.second.borrow();
    for (long i = 2; i < 100; ++i) ends.first.send(parcel_of_one(i));
    EXPECT_EQ(parcel_of_one::live(), before + 2);
    held.reset();
    EXPECT_EQ(parcel_of_one::live(), before + 1);
  }
  EXPECT_EQ(parcel_of_one::live(), before);
}

TEST(watch, is_cancelled_at_each_moment) {
  for (int at = 0; at < 4; ++at) {
    manual_executor loop;
    auto ends = watch_channel<int>(0);
    auto& rx = ends.second;
    test_run run(loop, rx.changed());
    if (at == 0) run.request_cancel();
    run.start();
    if (at == 1) {
      std::string text;
      detail::describe_chain(run.as_chain(), text, 0);
      EXPECT_NE(text.find("a change of a watched value"), std::string::npos) << text;
      run.request_cancel();
    }
    loop.run_until_idle();
    ends.first.send(1);
    if (at == 2) run.request_cancel();
    loop.run_until_idle();
    if (at == 3) run.request_cancel();
    ASSERT_TRUE(run.has_ended());
    EXPECT_EQ(run.how() == ending::value, at >= 2);
    EXPECT_EQ(rx.has_changed(), at < 2) << "who was cancelled has seen nothing";
  }
}

TEST(watch, serves_plain_threads) {
  auto ends = watch_channel<long>(0);
  std::thread sending([tx = std::move(ends.first)] {
    for (long i = 1; i < 1000; ++i) tx.send(i);
  });
  long last = 0;
  while (ends.second.changed_blocking()) last = ends.second.get();
  sending.join();
  EXPECT_EQ(last, 999);
}

}  // namespace
