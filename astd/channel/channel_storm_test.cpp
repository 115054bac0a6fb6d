// Channels between many tasks and threads, that are raced, cancelled and closed: nothing is lost, and nothing comes twice.
#include <astd/channel.hpp>
#include <astd/channel/test_message.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/select.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::many;
using test::parcel_of_one;
using test::sums;

// ---- many tasks

ASTD_TEST(channel, keeps_the_order_over_few_places) {
  for (const std::size_t capacity : {std::size_t(1), std::size_t(3), std::size_t(1000)}) {
    auto [tx, rx] = channel<long>(capacity);
    const long n = many(100'000);
    auto sending = spawn(
        [](sender<long> to, long count) -> task<> {
          for (long i = 0; i < count; ++i) co_await to.send(i);
        },
        std::move(tx), n);
    long next = 0;
    for (;;) {
      const auto size = rx.size();
      EXPECT_LE(size, capacity);
      auto m = co_await rx.recv();
      if (!m) break;
      EXPECT_EQ(*m, next);
      ++next;
    }
    EXPECT_EQ(next, n);
    co_await sending;
  }
}

struct counts {
  explicit counts(std::size_t n) : seen(n) {}
  std::vector<std::atomic<int>> seen;
};

task<> send_all(sender<long> to, long count) {
  for (long i = 0; i < count; ++i) co_await to.send(i);
}
task<> receive_all(receiver<long> from, counts& c) {
  for (;;) {
    auto m = co_await from.recv();
    if (!m) break;
    ++c.seen[static_cast<std::size_t>(*m)];
  }
}

ASTD_TEST(channel, four_to_four_sees_each_message_once) {
  for (const std::size_t capacity : {std::size_t(1), std::size_t(3), std::size_t(100), std::size_t(0)}) {
    auto ends = capacity ? channel<long>(capacity) : unbounded_channel<long>();
    const long n = many(25'000);
    counts c(static_cast<std::size_t>(n));
    std::vector<join_handle<>> all;
    for (int i = 0; i < 4; ++i) {
      all.push_back(spawn(send_all, ends.first, n));
      all.push_back(spawn(receive_all, ends.second, std::ref(c)));
    }
    {
      const auto gone = std::move(ends);
    }
    for (auto& h : all) co_await h;
    int wrong = 0;
    for (auto& seen : c.seen) wrong += seen != 4;
    EXPECT_EQ(wrong, 0) << "of capacity " << capacity;
  }
}

ASTD_TEST(channel, ten_thousand_pairs_for_one_message_each) {
  for (int i = 0; i < 10'000; ++i) {
    auto ends = channel<int>(1);
    auto sending =
        spawn([](sender<int> to, int what) -> task<> { co_await to.send(what); }, std::move(ends.first), i);
    auto got = co_await ends.second.recv();
    EXPECT_EQ(got, i);
    auto none = co_await ends.second.recv();
    EXPECT_FALSE(none);
    co_await sending;
  }
}

// Ends that go at random moments, with messages of all sorts on their way: each is destroyed once.
ASTD_TEST(channel, destroys_every_message_once) {
  const long before = parcel_of_one::live();
  for (unsigned round = 0; round < 100; ++round) {
    auto ends = round % 3 ? channel<parcel_of_one>(1 + round % 7) : unbounded_channel<parcel_of_one>();
    std::vector<join_handle<>> all;
    for (unsigned i = 0; i < 3; ++i) {
      all.push_back(spawn(
          [](sender<parcel_of_one> to, long count) -> task<> {
            for (long n = 0; n < count; ++n) {
              parcel_of_one mine(n);
              auto how = co_await as_result(to.send(std::move(mine)));
              if (!how) {
                EXPECT_EQ(mine.value(), n);
                co_return;
              }
            }
          },
          ends.first, long(round * 7 + i)));
      all.push_back(spawn(
          [](receiver<parcel_of_one> from, unsigned count) -> task<> {
            for (unsigned n = 0; n < count; ++n) {
              auto m = co_await from.recv();
              if (!m) co_return;
            }
          },
          ends.second, round * 5 + i));
    }
    if (round % 4 == 1) ends.first.close();
    {
      const auto gone = std::move(ends);
    }
    if (round % 4 == 2) {
      co_await this_task::yield();
      for (auto& h : all) h.request_cancel();
    }
    for (auto& h : all) co_await as_result(h);
  }
  EXPECT_EQ(parcel_of_one::live(), before);
}

// ---- losing nothing

// Each send and each receive has a rival, and is taken up again until it has gone through.
task<> send_against_yield(sender<parcel_of_one> to, long count, sums& s) {
  for (long i = 1; i <= count; ++i) {
    parcel_of_one mine(i);
    for (;;) {
      ++s.tries;
      auto first = co_await select(to.send(std::move(mine)), this_task::yield());
      if (std::get<0>(first)) break;
      EXPECT_EQ(mine.value(), i);
    }
    s.sent += i;
  }
}
task<> receive_against_yield(receiver<parcel_of_one> from, sums& s) {
  for (;;) {
    ++s.tries;
    auto first = co_await select(this_task::yield(), from.recv());
    if (!std::get<1>(first)) continue;
    auto& m = *std::get<1>(first);
    if (!m) break;
    s.received += m->value();
  }
}
task<> send_in_time(sender<parcel_of_one> to, long count, sums& s) {
  for (long i = 1; i <= count; ++i) {
    parcel_of_one mine(i);
    for (;;) {
      ++s.tries;
      auto how = co_await as_result(timeout(i % 4 * 1us, to.send(std::move(mine))));
      if (how) break;
      EXPECT_EQ(mine.value(), i);
    }
    s.sent += i;
  }
}
task<> receive_in_time(receiver<parcel_of_one> from, sums& s) {
  for (;;) {
    ++s.tries;
    auto how = co_await as_result(timeout(2us, from.recv()));
    if (!how) continue;
    if (!*how) break;
    s.received += (*how)->value();
  }
}

ASTD_TEST(channel, loses_nothing_in_a_select) {
  for (const std::size_t capacity : {std::size_t(1), std::size_t(4)}) {
    const long each =
        many(capacity == 1 ? 250'000 : 60'000);  // of two who send: a million races and more over one place
    auto ends = channel<parcel_of_one>(capacity);
    sums s;
    std::vector<join_handle<>> all;
    for (int i = 0; i < 2; ++i) {
      all.push_back(spawn(send_against_yield, ends.first, each, std::ref(s)));
      all.push_back(spawn(receive_against_yield, ends.second, std::ref(s)));
    }
    {
      const auto gone = std::move(ends);
    }
    for (auto& h : all) co_await h;
    EXPECT_EQ(s.sent, s.received);
    EXPECT_GE(s.tries, 4 * each);
  }
}

ASTD_TEST(channel, loses_nothing_in_a_timeout) {
  auto ends = channel<parcel_of_one>(1);
  sums s;
  std::vector<join_handle<>> all;
  for (int i = 0; i < 2; ++i) {
    all.push_back(spawn(send_in_time, ends.first, many(60'000), std::ref(s)));
    all.push_back(spawn(receive_in_time, ends.second, std::ref(s)));
  }
  {
    const auto gone = std::move(ends);
  }
  for (auto& h : all) co_await h;
  EXPECT_EQ(s.sent, s.received);
  EXPECT_GE(s.tries, many(240'000));
}

// Tasks that are cancelled in the middle: what they have sent was received, and the reverse.
ASTD_TEST(channel, loses_nothing_when_tasks_are_cancelled) {
  sums s;
  const long before = parcel_of_one::live();
  for (int round = 0; round < 300; ++round) {
    auto ends = channel<parcel_of_one>(1 + static_cast<std::size_t>(round) % 3);
    auto sending = [](sender<parcel_of_one> to, sums& sum) -> task<> {
      for (long i = 1;; ++i) {
        parcel_of_one mine(i);
        co_await to.send(std::move(mine));
        sum.sent += i;
      }
    };
    auto receiving = [](receiver<parcel_of_one> from, sums& sum) -> task<> {
      for (;;) {
        auto m = co_await from.recv();
        if (!m) break;
        sum.received += m->value();
      }
    };
    std::vector<join_handle<>> tasks;
    for (int i = 0; i < 3; ++i) {
      tasks.push_back(spawn(sending, ends.first, std::ref(s)));
      tasks.push_back(spawn(receiving, ends.second, std::ref(s)));
    }
    for (int i = 0; i < round % 20; ++i) co_await this_task::yield();
    for (auto& h : tasks) h.request_cancel();
    for (auto& h : tasks) co_await as_result(h);
    for (;;) {
      auto m = ends.second.try_recv();
      if (!m) break;
      s.received += m->value();
    }
    EXPECT_EQ(ends.second.size(), 0u);
  }
  EXPECT_EQ(s.sent, s.received);
  EXPECT_EQ(parcel_of_one::live(), before);
}

// ---- threads

TEST(channel, serves_plain_threads) {
  auto ends = channel<long>(3);
  const long n = many(20'000);
  std::thread sending([&, tx = std::move(ends.first)] {
    for (long i = 0; i < n; ++i) tx.send_blocking(i);
  });
  long sum = 0;
  while (auto m = ends.second.recv_blocking()) sum += *m;
  sending.join();
  EXPECT_EQ(sum, n * (n - 1) / 2);
  auto other = channel<long>(1);
  other.second.close();
  EXPECT_THROW(other.first.send_blocking(1), std::system_error);
}

TEST(channel, joins_threads_and_tasks) {
  auto there = channel<long>(2);
  auto back = channel<long>(2);
  auto echo = spawn(
      [](receiver<long> from, sender<long> to) -> task<> {
        for (;;) {
          auto m = co_await from.recv();
          if (!m) co_return;
          co_await to.send(*m + 1);
        }
      },
      std::move(there.second), std::move(back.first));
  for (long i = 0; i < many(5'000); ++i) {
    there.first.send_blocking(i);
    EXPECT_EQ(back.second.recv_blocking(), i + 1);
  }
  {
    const auto gone = std::move(there.first);
  }
  EXPECT_EQ(back.second.recv_blocking(), std::nullopt);
  block_on(echo);
}

TEST(channel, many_threads_and_its_end) {
  for (int round = 0; round < many(400); ++round) {
    auto ends = channel<long>(2);
    std::atomic<long> sent{0}, received{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&sent, tx = ends.first] {
        for (long n = 1; n < 1000; ++n)
          if (const auto how = block_on(as_result(tx.send(n))); how)
            sent += n;
          else
            break;
      });
      threads.emplace_back([&received, rx = ends.second] {
        while (auto m = rx.recv_blocking()) received += *m;
      });
    }
    if (round % 2) std::this_thread::yield();
    ends.second.close();
    for (auto& t : threads) t.join();
    EXPECT_EQ(sent, received);
  }
}

}  // namespace
