#include <astd/channel.hpp>
#include <astd/channel/test_message.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/dump.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/select.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::ending;
using test::manual_executor;

using test::parcel_of_one;
using test::sums;
using test::test_run;

static_assert(std::is_copy_constructible_v<sender<std::unique_ptr<int>>> &&
              std::is_nothrow_move_constructible_v<receiver<std::unique_ptr<int>>>);

ASTD_TEST(channel, gives_what_was_sent_in_order) {
  auto [tx, rx] = channel<std::string>(4);
  const std::string kept = "kept";
  std::string moved = "a text that is too long to lie in a string's own bytes";
  co_await tx.send(kept);
  co_await tx.send(std::move(moved));
  co_await tx.send("made on the way");
  EXPECT_EQ(kept, "kept");
  EXPECT_TRUE(moved.empty());  // NOLINT: it was sent
  auto a = co_await rx.recv();
  auto b = co_await rx.next();
  auto c = co_await rx.recv();
  EXPECT_EQ(a, "kept");
  EXPECT_EQ(b, "a text that is too long to lie in a string's own bytes");
  EXPECT_EQ(c, "made on the way");
}

ASTD_TEST(channel, says_how_it_stands_through_fill_and_drain) {
  for (std::size_t n = 1; n < 10; ++n) {
    auto [tx, rx] = channel<int>(n);
    EXPECT_EQ(tx.capacity(), n);
    EXPECT_EQ(rx.capacity(), n);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_EQ(tx.size(), i);
      EXPECT_EQ(tx.is_empty(), i == 0);
      EXPECT_FALSE(rx.is_full());
      EXPECT_TRUE(tx.try_send(static_cast<int>(i)));
    }
    EXPECT_TRUE(tx.is_full() && !rx.is_empty());
    const auto full = tx.try_send(0);
    EXPECT_EQ(full.error(), channel_errc::full);
    EXPECT_EQ(full.error(), std::errc::resource_unavailable_try_again);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_EQ(rx.size(), n - i);
      EXPECT_EQ(rx.try_recv(), static_cast<int>(i));
    }
    EXPECT_TRUE(rx.is_empty());
    EXPECT_EQ(rx.try_recv().error(), channel_errc::empty);
  }
  auto [tx, rx] = unbounded_channel<int>();
  EXPECT_EQ(tx.capacity(), std::nullopt);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(tx.try_send(i));
  EXPECT_FALSE(tx.is_full());
  EXPECT_EQ(rx.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(rx.try_recv(), i);
  co_return;
}

TEST(channel, has_a_place_at_least) {
  EXPECT_THROW((void)channel<int>(0), std::invalid_argument);
  EXPECT_THROW((void)channel<int>(std::size_t(1) << 60), std::bad_alloc);
  auto [tx, rx] = channel<int>(2);
  EXPECT_THROW((void)tx.reserve_many(3), std::invalid_argument);
}

// Without memory for each message: blocks are used again, and none is left.
TEST(channel, without_a_limit_goes_on_for_long) {
  auto [tx, rx] = unbounded_channel<parcel_of_one>();
  long sent = 0, received = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(tx.try_send(parcel_of_one(sent++)));
    for (int i = 0; i < 280 + round; ++i) {
      auto m = rx.try_recv();
      if (!m) break;
      EXPECT_EQ(m->value(), received++);
    }
  }
  EXPECT_EQ(rx.size(), static_cast<std::size_t>(sent - received));
}

ASTD_TEST(channel, a_message_that_was_not_sent_is_still_the_callers) {
  auto [tx, rx] = channel<parcel_of_one>(1);
  co_await tx.send(parcel_of_one(1));
  parcel_of_one mine(2);
  EXPECT_EQ(tx.try_send(std::move(mine)).error(), channel_errc::full);
  EXPECT_EQ(mine.value(), 2);
  auto late = co_await as_result(timeout(1ms, tx.send(std::move(mine))));
  EXPECT_EQ(late.error(), std::errc::timed_out);
  EXPECT_EQ(mine.value(), 2);
  auto both = co_await select(tx.send(std::move(mine)), this_task::yield());
  EXPECT_FALSE(std::get<0>(both));
  EXPECT_EQ(mine.value(), 2);
  rx.close();
  EXPECT_EQ(tx.try_send(std::move(mine)).error(), channel_errc::closed);
  auto refused = co_await as_result(tx.send(std::move(mine)));
  EXPECT_EQ(refused.error(), channel_errc::closed);
  EXPECT_EQ(refused.error(), std::errc::broken_pipe);
  EXPECT_EQ(mine.value(), 2);
  try {
    co_await tx.send(std::move(mine));
    ADD_FAILURE() << "sent into a closed channel";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), channel_errc::closed);
  }
  EXPECT_EQ(mine.value(), 2);
}

ASTD_TEST(channel, closed_by_either_side_gives_what_lies_there) {
  for (const bool by_sender : {true, false}) {
    auto [tx, rx] = channel<int>(4);
    co_await tx.send(1);
    co_await tx.send(2);
    EXPECT_FALSE(rx.is_closed());
    EXPECT_TRUE(by_sender ? tx.close() : rx.close());
    EXPECT_FALSE(tx.close() || rx.close()) << "only once";
    EXPECT_TRUE(tx.is_closed() && rx.is_closed());
    co_await tx.closed();
    auto first = co_await rx.recv();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(rx.try_recv(), 2);
    EXPECT_EQ(rx.try_recv().error(), channel_errc::closed);
    for (int i = 0; i < 2; ++i) {
      auto none = co_await rx.recv();
      EXPECT_FALSE(none);
    }
  }
}

ASTD_TEST(channel, the_last_sender_closes_it) {
  auto ends = channel<int>(4);
  auto tx = std::optional(std::move(ends.first));
  receiver<int> rx = std::move(ends.second);
  auto other = std::optional(*tx);
  EXPECT_EQ(rx.sender_count(), 2u);
  co_await other->send(7);
  tx.reset();
  EXPECT_FALSE(rx.is_closed());
  other.reset();
  EXPECT_TRUE(rx.is_closed());
  auto last = co_await rx.recv();
  EXPECT_EQ(last, 7);
  auto none = co_await rx.recv();
  EXPECT_FALSE(none);
}

ASTD_TEST(channel, the_last_receiver_closes_it_and_destroys_what_lies_there) {
  const long before = parcel_of_one::live();
  auto ends = channel<parcel_of_one>(4);
  sender<parcel_of_one> tx = std::move(ends.first);
  auto rx = std::optional(std::move(ends.second));
  auto other = std::optional(*rx);
  EXPECT_EQ(tx.receiver_count(), 2u);
  co_await tx.send(parcel_of_one(1));
  rx.reset();
  co_await tx.send(parcel_of_one(2));
  EXPECT_EQ(parcel_of_one::live(), before + 2);
  auto closed = spawn([](sender<parcel_of_one> s) -> task<> { co_await s.closed(); }, tx);
  other.reset();
  co_await closed;
  EXPECT_EQ(parcel_of_one::live(), before);
  auto refused = co_await as_result(tx.send(parcel_of_one(3)));
  EXPECT_EQ(refused.error(), channel_errc::closed);
}

// A message that holds the channel's own end: destroyed with no lock held.
TEST(channel, may_carry_its_own_handles) {
  struct letter {
    std::optional<sender<std::shared_ptr<letter>>> back;
  };
  auto alive = std::make_shared<int>();
  {
    auto [tx, rx] = channel<std::shared_ptr<letter>>(4);
    auto mail = std::make_shared<letter>();
    mail->back = tx;
    EXPECT_TRUE(tx.try_send(std::move(mail)));
    EXPECT_EQ(tx.sender_count(), 2u);
  }
}

ASTD_TEST(channel, who_waits_is_told_of_the_end) {
  for (int how = 0; how < 3; ++how) {
    auto ends = channel<int>(1);
    auto tx = std::optional(std::move(ends.first));
    auto waiting = [](receiver<int> rx) -> task<int> {
      int sum = 0;
      for (;;) {
        auto m = co_await rx.recv();
        if (!m) co_return sum;
        sum += *m;
      }
    };
    auto first = spawn(waiting, ends.second);
    auto second = spawn(waiting, ends.second);
    for (int i = 0; i < 3; ++i) co_await this_task::yield();
    co_await tx->send(5);
    if (how == 0)
      tx->close();
    else if (how == 1)
      ends.second.close();
    else
      tx.reset();
    const auto a = co_await first;
    const auto b = co_await second;
    EXPECT_EQ(a + b, 5);
  }
}

ASTD_TEST(channel, who_waits_to_send_is_told_of_the_end_and_keeps_his_message) {
  auto [tx, rx] = channel<parcel_of_one>(1);
  co_await tx.send(parcel_of_one(0));
  auto waiting = [](sender<parcel_of_one> to) -> task<long> {
    parcel_of_one mine(9);
    auto how = co_await as_result(to.send(std::move(mine)));
    EXPECT_EQ(how.error(), channel_errc::closed);
    co_return mine.value();
  };
  auto first = spawn(waiting, tx);
  auto second = spawn(waiting, tx);
  for (int i = 0; i < 3; ++i) co_await this_task::yield();
  rx.close();
  const auto a = co_await first;
  const auto b = co_await second;
  EXPECT_EQ(a, 9);
  EXPECT_EQ(b, 9);
  EXPECT_EQ(rx.try_recv()->value(), 0);
}

TEST(channel, weak_handles_do_not_keep_it_open) {
  auto ends = channel<int>(1);
  auto tx = std::optional(std::move(ends.first));
  auto rx = std::optional(std::move(ends.second));
  const weak_sender<int> weak_tx = tx->downgrade();
  weak_receiver<int> weak_rx = rx->downgrade();
  {
    auto more = weak_tx.upgrade();
    EXPECT_TRUE(more && more->same_channel(*rx));
    EXPECT_EQ(rx->sender_count(), 2u);
    auto again = weak_rx.upgrade();
    EXPECT_TRUE(again);
    EXPECT_EQ(tx->receiver_count(), 2u);
  }
  EXPECT_EQ(rx->sender_count(), 1u);
  EXPECT_FALSE(channel<int>(1).first.same_channel(*rx));
  tx.reset();
  EXPECT_TRUE(rx->is_closed());
  EXPECT_FALSE(weak_tx.upgrade());
  EXPECT_FALSE(weak_rx.upgrade());
  rx.reset();
  weak_receiver<int> copy = weak_rx;
  EXPECT_FALSE(copy.upgrade());
}

// What need not wait can be stopped all the same: a channel that is always ready holds nobody.
ASTD_TEST(channel, a_task_in_a_channel_that_is_always_ready_can_be_cancelled) {
  auto [tx, rx] = unbounded_channel<int>();
  auto receives = [](sender<int> to, receiver<int> from) -> task<> {
    for (;;) {
      EXPECT_TRUE(to.try_send(1));
      const auto m = co_await from.recv();
      EXPECT_TRUE(m);
    }
  };
  auto receives_many = [](sender<int> to, receiver<int> from) -> task<> {
    for (std::vector<int> all;; all.clear()) {
      EXPECT_TRUE(to.try_send(1));
      const auto n = co_await from.recv_many(all, 10);
      EXPECT_NE(n, 0u);
    }
  };
  auto sends = [](sender<int> to, receiver<int> from) -> task<> {
    for (;;) {
      co_await to.send(1);
      static_cast<void>(from.try_recv());
    }
  };
  auto sends_many = [](sender<int> to, receiver<int> from) -> task<> {
    for (;;) {
      int one[] = {1};
      std::span<int> left(one);
      co_await to.send_many(left);
      static_cast<void>(from.try_recv());
    }
  };
  auto reserves = [](sender<int> to, receiver<int>) -> task<> {
    for (;;) {
      auto place = co_await to.reserve();
      EXPECT_TRUE(place);
    }
  };
  std::vector<join_handle<>> all;
  all.push_back(spawn(receives, tx, rx));
  all.push_back(spawn(receives_many, tx, rx));
  all.push_back(spawn(sends, tx, rx));
  all.push_back(spawn(sends_many, tx, rx));
  all.push_back(spawn(reserves, tx, rx));
  co_await this_task::sleep_for(5ms);
  for (auto& h : all) {
    const bool ended_by_itself = (co_await h.cancel()).has_value();
    EXPECT_FALSE(ended_by_itself);
  }
}

// Nor does a closed one, to whoever does not look at what it says.
ASTD_TEST(channel, a_task_in_a_closed_channel_can_be_cancelled) {
  auto [tx, rx] = channel<int>(4);
  EXPECT_TRUE(tx.try_send(1));
  rx.close();
  EXPECT_TRUE(rx.try_recv());
  auto receives = [](receiver<int> from) -> task<> {
    for (;;) co_await from.recv();
  };
  auto sends = [](sender<int> to) -> task<> {
    for (;;) co_await as_result(to.send(1));
  };
  auto first = spawn(receives, rx);
  auto second = spawn(sends, tx);
  co_await this_task::sleep_for(5ms);
  for (auto* h : {&first, &second}) {
    const bool ended_by_itself = (co_await h->cancel()).has_value();
    EXPECT_FALSE(ended_by_itself);
  }
}

// ---- what is moved

// Its moves throw when they are told to.
struct touchy {
  explicit touchy(int v) : value(v) {}
  touchy(touchy&& other) noexcept(false) : value(other.value) { look(); }
  touchy(const touchy& other) : value(other.value) { look(); }
  touchy& operator=(touchy&&) = default;
  static void look() {
    if (countdown > 0 && --countdown == 0) throw std::runtime_error("touched");
  }
  int value;
  static inline int countdown = 0;
};
struct touchy_and_unique {
  explicit touchy_and_unique(int v) : value(std::make_unique<int>(v)) {}
  touchy_and_unique(touchy_and_unique&& other) noexcept(false) : value(std::move(other.value)) {}
  touchy_and_unique& operator=(touchy_and_unique&&) noexcept = default;
  std::unique_ptr<int> value;
};

ASTD_TEST(channel, of_messages_whose_moves_throw) {
  auto [tx, rx] = channel<touchy>(1);
  touchy mine(4);
  touchy::countdown = 1;
  EXPECT_THROW((void)tx.try_send(std::move(mine)), std::runtime_error);
  EXPECT_TRUE(rx.is_empty());
  co_await tx.send(std::move(mine));
  EXPECT_EQ(mine.value, 4);  // NOLINT: copied, since a move may fail
  auto got = co_await rx.recv();
  EXPECT_EQ(got->value, 4);
  std::vector<touchy> all;
  co_await tx.send(touchy(5));
  auto n = co_await rx.recv_many(all, 7);
  EXPECT_EQ(n, 1u);

  auto unique = channel<touchy_and_unique>(1);
  touchy_and_unique only(6);
  co_await unique.first.send(touchy_and_unique(0));
  EXPECT_FALSE(unique.first.try_send(std::move(only)));
  EXPECT_TRUE(only.value) << "moved back";
  auto late = co_await as_result(timeout(1ms, unique.first.send(std::move(only))));
  EXPECT_FALSE(late);
  EXPECT_EQ(*only.value, 6);
}

ASTD_TEST(channel, of_large_messages) {
  auto [tx, rx] = unbounded_channel<std::array<long, 200>>();
  for (long i = 0; i < 50; ++i) co_await tx.send(std::array<long, 200>{i});
  for (long i = 0; i < 50; ++i) EXPECT_EQ(rx.try_recv()->at(0), i);
}

// ---- step by step, on a loop by hand

TEST(channel, is_cancelled_at_each_moment) {
  // Two who send and two who receive over one place; one of the four is asked to stop before the nth step.
  for (unsigned who = 0; who < 4; ++who)
    for (std::uint64_t seed = 1; seed < 20; ++seed)
      for (int at = 0; at < 30; ++at) {
        const long before = parcel_of_one::live();
        sums s;
        {
          manual_executor loop(seed);
          auto ends = channel<parcel_of_one>(1);
          auto sending = [](const sender<parcel_of_one>& to, sums& sum) -> task<> {
            for (long i = 1; i < 6; ++i) {
              co_await to.send(parcel_of_one(i));
              sum.sent += i;
            }
          };
          auto receiving = [](const receiver<parcel_of_one>& from, sums& sum) -> task<> {
            for (;;) {
              auto m = co_await from.recv();
              if (!m) break;
              sum.received += m->value();
            }
          };
          test_run a(loop, sending(ends.first, s));
          test_run b(loop, receiving(ends.second, s));
          test_run c(loop, sending(ends.first, s));
          test_run d(loop, receiving(ends.second, s));
          const auto cancel = [&] {
            switch (who) {
              case 0: a.request_cancel(); break;
              case 1: b.request_cancel(); break;
              case 2: c.request_cancel(); break;
              default: d.request_cancel();
            }
          };
          int step = 0;
          const auto count = [&] {
            if (step++ == at) cancel();
          };
          a.start(), count();
          b.start(), count();
          c.start(), count();
          d.start(), count();
          while (loop.step()) count();
          if (step <= at) cancel();
          loop.run_until_idle();
          EXPECT_TRUE(a.has_ended() && c.has_ended()) << "somebody can still receive";
          ends.first.close();
          loop.run_until_idle();
          EXPECT_TRUE(b.has_ended() && d.has_ended());
          EXPECT_TRUE(ends.second.is_empty());
        }
        ASSERT_EQ(s.sent, s.received) << who << ", " << seed << ", " << at;
        ASSERT_EQ(parcel_of_one::live(), before);
      }
}

// A waiter that is cancelled lets those behind it through: they may want less.
TEST(channel, a_cancelled_waiter_does_not_hold_up_the_others) {
  manual_executor loop;
  auto [tx, rx] = channel<int>(4);
  ASSERT_TRUE(tx.try_send(1));
  test_run many_places(loop, tx.reserve_many(4));
  test_run one(loop, tx.send(2));
  many_places.start();
  one.start();
  loop.run_until_idle();
  EXPECT_FALSE(one.has_ended()) << "it overtook";
  EXPECT_FALSE(tx.try_send(3)) << "it overtook";
  many_places.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(many_places.how(), ending::stopped);
  EXPECT_EQ(one.how(), ending::value);
  EXPECT_EQ(rx.size(), 2u);
}

TEST(channel, waiters_have_their_turn_in_order) {
  manual_executor loop;
  auto [tx, rx] = channel<int>(1);
  test_run first(loop, rx.recv());
  test_run second(loop, rx.recv());
  first.start();
  second.start();
  EXPECT_TRUE(tx.try_send(1));
  EXPECT_TRUE(tx.try_send(2));
  EXPECT_TRUE(tx.try_send(3));
  test_run fourth(loop, tx.send(4));
  test_run fifth(loop, tx.send(5));
  fourth.start();
  fifth.start();
  loop.run_until_idle();
  EXPECT_EQ(first.value(), 1);
  EXPECT_EQ(second.value(), 2);
  EXPECT_EQ(rx.try_recv(), 3);
  loop.run_until_idle();
  EXPECT_TRUE(fourth.has_ended());
  EXPECT_FALSE(fifth.has_ended());
  EXPECT_EQ(rx.try_recv(), 4);
  EXPECT_EQ(rx.try_recv(), 5);
  loop.run_until_idle();
  EXPECT_TRUE(fifth.has_ended());
}

// What was handed over has arrived, though the request to stop came first.
TEST(channel, what_was_handed_over_is_given_though_it_is_cancelled) {
  manual_executor loop;
  auto [tx, rx] = channel<int>(1);
  test_run receiving(loop, rx.recv());
  receiving.start();
  EXPECT_TRUE(tx.try_send(1));
  receiving.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(receiving.how(), ending::value);
  EXPECT_EQ(receiving.value(), 1);
}

TEST(channel, a_dump_says_what_is_waited_for) {
  manual_executor loop;
  auto [tx, rx] = channel<int>(2, "letters");
  const auto told = [&](auto&& aw) {
    test_run run(loop, std::forward<decltype(aw)>(aw));
    run.start();
    loop.run_until_idle();
    std::string text;
    detail::describe_chain(run.as_chain(), text, 0);
    run.request_cancel();
    loop.run_until_idle();
    return text;
  };
  EXPECT_NE(told(rx.recv()).find("recv of channel 'letters'"), std::string::npos);
  EXPECT_NE(told(tx.closed()).find("the end of channel 'letters'"), std::string::npos);
  EXPECT_TRUE(tx.try_send(1));
  EXPECT_NE(told(tx.reserve_many(2)).find("reserve in channel 'letters', 2 places"), std::string::npos);
  EXPECT_TRUE(tx.try_send(1));
  EXPECT_NE(told(tx.send(1)).find("send to channel 'letters'"), std::string::npos);
  std::array<int, 3> more{};
  std::span<int> left(more);
  EXPECT_NE(told(tx.send_many(left)).find("send to channel 'letters', of 3 messages"), std::string::npos);
}

// ---- neighbours

TEST(channel, that_is_always_ready_lets_others_run) {
  runtime rt({.workers = 1, .name = "one"});
  std::atomic<bool> stop{false};
  auto busy = rt.spawn(
      [](std::atomic<bool>& over) -> task<long> {
        auto [tx, rx] = channel<int>(1);
        long n = 0;
        while (!over) {
          co_await tx.send(1);
          auto m = co_await rx.recv();
          n += *m;
        }
        co_return n;
      },
      std::ref(stop));
  auto other = rt.spawn(
      [](std::atomic<bool>& over) -> task<> {
        for (int i = 0; i < 10; ++i) co_await this_task::yield();
        over = true;
      },
      std::ref(stop));
  rt.block_on(other);
  EXPECT_GT(rt.block_on(busy), 0);
}

}  // namespace
