#include <astd/channel/broadcast.hpp>
#include <astd/channel/test_message.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/dump.hpp>
#include <astd/coro/select.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/slice.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <array>
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
using test::counted;
using test::ending;
using test::manual_executor;
using test::many;
using test::test_run;

ASTD_TEST(broadcast, reaches_everyone) {
  auto [tx, rx] = broadcast_channel<std::string>(4);
  auto other = tx.subscribe();
  EXPECT_EQ(tx.receiver_count(), 2u);
  EXPECT_EQ(tx.send("one"), 2u);
  auto late = other.resubscribe();
  EXPECT_EQ(tx.send("two"), 3u);
  EXPECT_EQ(rx.size(), 2u);
  EXPECT_EQ(late.size(), 1u);
  for (auto* r : {&rx, &other}) {
    auto first = co_await r->recv();
    auto second = co_await r->next();
    EXPECT_EQ(first, "one");
    EXPECT_EQ(second, "two");
    EXPECT_EQ(r->try_recv().error(), channel_errc::empty);
  }
  EXPECT_EQ(late.try_recv(), "two");
  EXPECT_THROW((void)broadcast_channel<int>(0), std::invalid_argument);
}

// Small ones lie in the channel, others in memory of their own.
ASTD_TEST(broadcast, takes_messages_of_any_size_and_kind) {
  struct unassignable {
    const int value;
  };
  const auto passes = [](auto message, auto same) -> task<> {
    auto [tx, rx] = broadcast_channel<decltype(message)>(1);
    auto other = tx.subscribe();
    tx.send(message);
    tx.send(message);
    const auto missed = co_await as_result(rx.recv());
    EXPECT_EQ(missed.error(), channel_errc::lagged);
    const auto received = co_await rx.recv();
    EXPECT_TRUE(same(*received, message));
    EXPECT_EQ(other.try_recv().error(), channel_errc::lagged);
    EXPECT_TRUE(same(*other.try_recv(), message));
  };
  const std::array<char, 1> tiny = {'x'};
  const std::array<char, 64> small = {'x', 'y'};
  const std::array<char, 65> large = {'x', 'y'};
  const std::vector<int> outside = {1, 2};
  const unassignable fixed = {7};
  co_await passes(tiny, std::equal_to<>());
  co_await passes(small, std::equal_to<>());
  co_await passes(large, std::equal_to<>());
  co_await passes(outside, std::equal_to<>());
  co_await passes(fixed, [](const unassignable& x, const unassignable& y) { return x.value == y.value; });
}

TEST(broadcast, a_handle_that_was_moved_from_gives_nothing) {
  auto ends = broadcast_channel<int>(1);
  auto weak = ends.first.downgrade();
  const auto other = std::move(weak);
  EXPECT_FALSE(weak.upgrade());  // NOLINT: that is what it is about
  EXPECT_TRUE(other.upgrade());
}

// Goes on with what is woken on the spot: a lock that the waker still held would be taken a second time.
TEST(broadcast, wakes_without_a_lock) {
  struct on_the_spot final : detail::executor {
    void schedule(detail::resumable& r, detail::urgency) noexcept override { detail::run(r); }
  } here;
  auto ends = broadcast_channel<int>(1);
  std::optional<broadcast_receiver<int>> rx(std::move(ends.second));
  auto subscribe_at_the_end = [](broadcast_sender<int>& tx) -> task<std::size_t> {
    co_await tx.closed();
    const auto again = tx.subscribe();
    co_return tx.send(1);
  };
  test_run run(here, subscribe_at_the_end(ends.first));
  run.start();
  rx.reset();
  ASSERT_TRUE(run.has_ended());
  EXPECT_EQ(run.value(), 1u);
}

ASTD_TEST(broadcast, says_how_many_were_missed) {
  auto [tx, rx] = broadcast_channel<int>(3);
  for (int i = 0; i < 10; ++i) tx.send(i);
  EXPECT_EQ(rx.size(), 10u);
  auto behind = co_await as_result(rx.recv());
  EXPECT_EQ(behind.error(), channel_errc::lagged);
  EXPECT_EQ(rx.missed(), 7u);
  auto next = co_await rx.recv();
  EXPECT_EQ(next, 7);
  for (int i = 10; i < 13; ++i) tx.send(i);
  EXPECT_EQ(rx.try_recv().error(), channel_errc::lagged);
  EXPECT_EQ(rx.missed(), 2u);
  EXPECT_EQ(rx.try_recv(), 10);
  EXPECT_EQ(rx.try_recv(), 11);
  EXPECT_EQ(rx.try_recv(), 12);
  EXPECT_TRUE(rx.is_empty());
}

ASTD_TEST(broadcast, ends_with_its_last_sender_when_all_is_received) {
  auto ends = broadcast_channel<int>(4);
  auto tx = std::optional(std::move(ends.first));
  auto other = std::optional(*tx);
  const auto weak = tx->downgrade();
  tx->send(1);
  tx.reset();
  EXPECT_TRUE(weak.upgrade());
  other->send(2);
  EXPECT_FALSE(ends.second.is_closed());
  other.reset();
  EXPECT_FALSE(weak.upgrade());
  EXPECT_TRUE(ends.second.is_closed());
  auto a = co_await ends.second.recv();
  auto b = co_await ends.second.recv();
  auto c = co_await ends.second.recv();
  EXPECT_EQ(*a + *b, 3);
  EXPECT_FALSE(c);
  EXPECT_EQ(ends.second.try_recv().error(), channel_errc::closed);
}

ASTD_TEST(broadcast, its_sender_learns_that_nobody_listens) {
  auto ends = broadcast_channel<int>(4);
  auto waiting = spawn([](broadcast_sender<int> tx) -> task<> { co_await tx.closed(); }, ends.first);
  co_await this_task::yield();
  {
    const auto gone = std::move(ends.second);
  }
  co_await waiting;
  EXPECT_TRUE(ends.first.is_closed());
  EXPECT_EQ(ends.first.send(1), 0u);
  auto again = ends.first.subscribe();
  EXPECT_FALSE(ends.first.is_closed());
  EXPECT_TRUE(again.is_empty());
  ends.first.send(2);
  EXPECT_EQ(again.try_recv(), 2);
}

TEST(broadcast, keeps_a_message_only_as_long_as_somebody_is_to_receive_it) {
  const long before = counted::live();
  auto ends = broadcast_channel<counted>(4);
  auto other = std::optional(ends.first.subscribe());
  for (int i = 0; i < 3; ++i) ends.first.send(counted());
  EXPECT_EQ(counted::live(), before + 3);
  (void)ends.second.try_recv();
  EXPECT_EQ(counted::live(), before + 3);
  (void)other->try_recv();
  EXPECT_EQ(counted::live(), before + 2);
  other.reset();
  EXPECT_EQ(counted::live(), before + 2);
  for (int i = 0; i < 20; ++i) ends.first.send(counted());
  EXPECT_EQ(counted::live(), before + 4);
  auto third = ends.first.subscribe();
  {
    const auto gone = std::move(ends.second);
  }
  EXPECT_EQ(counted::live(), before);
  ends.first.send(counted());
  {
    const auto gone = std::move(third);
  }
  EXPECT_EQ(counted::live(), before);
}

// It has something to receive, but no time left in its turn; others wait in line who have received all.
ASTD_TEST(broadcast, does_not_wait_behind_those_who_are_ahead) {
  auto ends = broadcast_channel<int>(4);
  ends.first.send(1);
  auto waiting = spawn(
      [](broadcast_receiver<int> rx) -> task<std::optional<int>> {
        auto got = co_await rx.recv();
        co_return got;
      },
      ends.first.subscribe());
  for (int i = 0; i < 3; ++i) co_await this_task::yield();
  while (detail::spend_slice()) {
  }
  auto got = co_await as_result(timeout(10s, ends.second.recv()));
  EXPECT_TRUE(got && *got == 1);
  {
    const auto gone = std::move(ends.first);
  }
  const auto none = co_await waiting;
  EXPECT_FALSE(none);
}

// Each receiver sees an ascending row; what it received and what it missed are all that was sent.
ASTD_TEST(broadcast, counts_add_up) {
  const long n = many(50'000);
  auto ends = broadcast_channel<long>(64);
  std::vector<join_handle<>> all;
  auto receive = [](broadcast_receiver<long> rx, long count, bool in_select) -> task<> {
    long got = 0, missed = 0, last = -1;
    for (;;) {
      std::optional<long> message;
      if (in_select) {
        auto first = co_await select(as_result(rx.recv()), this_task::yield());
        if (!std::get<0>(first)) continue;
        auto& how = *std::get<0>(first);
        if (!how) {
          missed += static_cast<long>(rx.missed());
          continue;
        }
        message = *how;
      } else {
        auto how = co_await as_result(rx.recv());
        if (!how) {
          EXPECT_EQ(how.error(), channel_errc::lagged);
          missed += static_cast<long>(rx.missed());
          continue;
        }
        message = *how;
      }
      if (!message) break;
      EXPECT_GT(*message, last);
      last = *message;
      ++got;
    }
    EXPECT_EQ(got + missed, count);
    EXPECT_EQ(last, count - 1);
  };
  for (int i = 0; i < 4; ++i) all.push_back(spawn(receive, ends.first.subscribe(), n, i % 2 == 0));
  {
    const auto gone = std::move(ends.second);
  }
  auto sending = spawn(
      [](broadcast_sender<long> tx, long count) -> task<> {
        for (long i = 0; i < count; ++i) {
          tx.send(i);
          if (i % 50 == 0) co_await this_task::yield();
        }
      },
      std::move(ends.first), n);
  co_await sending;
  for (auto& h : all) co_await h;
}

// Receivers that come and go while messages fly: each message is destroyed.
ASTD_TEST(broadcast, receivers_come_and_go) {
  const long before = counted::live();
  {
    auto ends = broadcast_channel<counted>(3);
    std::vector<join_handle<>> all;
    for (int i = 0; i < 3; ++i)
      all.push_back(spawn(
          [](broadcast_sender<counted> tx, int kind) -> task<> {
            for (int k = 0; k < many(4'000); ++k) {
              if (kind == 0) {
                tx.send(counted());
              } else {
                auto rx = tx.subscribe();
                for (int n = 0; n < k % 4; ++n) (void)rx.try_recv();
              }
              if (k % 16 == 0) co_await this_task::yield();
            }
          },
          ends.first, i));
    for (auto& h : all) co_await h;
    EXPECT_EQ(ends.first.receiver_count(), 1u);
  }
  EXPECT_EQ(counted::live(), before);
}

TEST(broadcast, is_cancelled_at_each_moment) {
  for (int at = 0; at < 4; ++at) {
    manual_executor loop;
    auto ends = broadcast_channel<int>(2, "news");
    auto& rx = ends.second;
    test_run run(loop, rx.recv());
    if (at == 0) run.request_cancel();
    run.start();
    if (at == 1) {
      std::string text;
      detail::describe_chain(run.as_chain(), text, 0);
      EXPECT_NE(text.find("recv of broadcast channel 'news'"), std::string::npos) << text;
      run.request_cancel();
    }
    loop.run_until_idle();
    ends.first.send(1);
    if (at == 2) run.request_cancel();
    loop.run_until_idle();
    if (at == 3) run.request_cancel();
    ASSERT_TRUE(run.has_ended());
    EXPECT_EQ(run.how() == ending::value, at >= 2);
    EXPECT_EQ(rx.size(), at < 2 ? 1u : 0u) << "who was cancelled has taken nothing";
  }
}

TEST(broadcast, serves_plain_threads) {
  auto ends = broadcast_channel<long>(1000);
  std::thread sending([tx = std::move(ends.first)] {
    for (long i = 1; i < 1000; ++i) tx.send(i);
  });
  long sum = 0;
  while (auto m = ends.second.recv_blocking()) sum += *m;
  sending.join();
  EXPECT_EQ(sum, 999 * 500);
}

}  // namespace
