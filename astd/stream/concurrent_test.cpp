// merge, buffered, for_each_concurrent; and time. On the virtual clock.
#include <astd/channel/channel.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/runtime/block_on.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/stream/collect.hpp>
#include <astd/stream/compare.hpp>
#include <astd/stream/concurrent.hpp>
#include <astd/stream/filter.hpp>
#include <astd/stream/sources.hpp>
#include <astd/stream/test_streams.hpp>
#include <astd/stream/timing.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counting;
using test::every;
using test::ints;
using test::virtual_time;

const auto gathered = stream::to<std::vector>();

// When each element comes, in milliseconds since the beginning.
template <class S>
task<std::vector<long>> times(S s) {
  std::vector<long> out;
  const auto begin = steady_clock::now();
  for (;;) {
    auto x = co_await s.next();
    out.push_back((steady_clock::now() - begin) / 1ms);
    if (!x) break;
  }
  co_return out;
}

ASTD_TEST_WITH(stream_merge, gives_elements_as_they_come, virtual_time()) {
  auto m = co_await (stream::merge(every(10ms, 0, 3), every(16ms, 10, 3)) | gathered);
  EXPECT_EQ(m, (ints{0, 10, 1, 2, 11, 12}));
  const ints none;
  auto three = co_await (none | stream::merge(every(1ms, 0, 2)) | gathered);
  EXPECT_EQ(three, (ints{0, 1}));
}

// async-std: with an empty stream, a message still comes 500 ms late; both orders.
ASTD_TEST_WITH(stream_merge, with_an_empty_stream_goes_on, virtual_time()) {
  auto late = co_await (stream::merge(stream::empty<int>(), every(500ms, 7, 1)) | gathered);
  EXPECT_EQ(late, (ints{7}));
  auto other = co_await (stream::merge(every(500ms, 7, 1), stream::empty<int>()) | gathered);
  EXPECT_EQ(other, (ints{7}));
}

ASTD_TEST(stream_merge, takes_turns) {
  auto m = stream::merge(stream::repeat(0), stream::repeat(1), stream::repeat(2));
  ints given(3);
  for (int i = 0; i < 300; ++i) {
    auto x = co_await m.next();
    ++given.at(static_cast<std::size_t>(*x));
  }
  EXPECT_EQ(given, (ints{100, 100, 100}));
}

ASTD_TEST(stream_merge, asks_no_ended_stream_again) {
  test::own_stream a({1, 2}), b({});
  auto all = co_await (stream::merge(a, b) | stream::sum());
  EXPECT_EQ(all, 3);
  EXPECT_EQ(a.ends, 1);
  EXPECT_EQ(b.ends, 1);
}

ASTD_TEST(stream_merge, of_channels_loses_nothing) {
  auto [tx1, rx1] = channel<int>(2);
  auto [tx2, rx2] = channel<int>(2);
  auto feed = [](sender<int> to, int n) -> task<> {
    for (int i = 1; i <= n; ++i) co_await to.send(i);
  };
  auto a = spawn(feed, std::move(tx1), 300);
  auto b = spawn(feed, std::move(tx2), 200);
  auto sum = co_await (stream::merge(rx1, rx2) | stream::sum());
  EXPECT_EQ(sum, 300 * 301 / 2 + 200 * 201 / 2);
  co_await std::move(a);
  co_await std::move(b);
}

// Counts who is in, and how many were at most.
struct crowd {
  std::atomic<int> now{0}, most{0}, begun{0};
};
class inside {
 public:
  explicit inside(crowd& c) : crowd_(c) {
    ++c.begun;
    const int n = ++c.now;
    int most = c.most;
    while (n > most && !c.most.compare_exchange_weak(most, n)) {
    }
  }
  inside(const inside&) = delete;
  ~inside() { --crowd_.now; }

 private:
  crowd& crowd_;
};
task<int> works(crowd& c, int ms) {
  inside here(c);
  co_await this_task::sleep_for(std::chrono::milliseconds(ms));
  if (ms == 13) throw std::runtime_error("thirteen");
  co_return ms;
}

ASTD_TEST_WITH(stream_buffered, awaits_some_at_once, virtual_time()) {
  crowd c;
  const ints v{5, 3, 1, 4};
  auto work = [&](int ms) { return works(c, ms); };
  const auto begin = steady_clock::now();
  auto in_order = co_await (v | stream::transform(work) | stream::buffered(2) | gathered);
  EXPECT_EQ(in_order, v);
  EXPECT_EQ(c.most, 2);
  EXPECT_EQ((steady_clock::now() - begin) / 1ms, 9);
  auto as_ready = co_await (v | stream::transform(work) | stream::buffered_unordered(4) | gathered);
  EXPECT_EQ(as_ready, (ints{1, 3, 4, 5}));
  auto from_slow = co_await (every(2ms, 1, 3) | stream::transform(work) | stream::buffered(2) | gathered);
  EXPECT_EQ(from_slow, (ints{1, 2, 3}));
  std::vector<task<int>> tasks;
  for (int ms : v) tasks.push_back(works(c, ms));
  auto of_tasks = co_await (std::move(tasks) | stream::buffered(3) | stream::sum());
  EXPECT_EQ(of_tasks, 13);
  EXPECT_EQ(c.now, 0);
}

// An exception ends it; what runs is cancelled, and has ended.
ASTD_TEST_WITH(stream_buffered, ends_with_the_first_exception, virtual_time()) {
  crowd c;
  const ints v{1000, 13, 1000, 1000, 1000};
  auto work = [&](int ms) -> task<> {
    auto done = co_await works(c, ms);
    static_cast<void>(done);
  };
  const auto begin = steady_clock::now();
  std::string what;
  try {
    co_await (v | stream::for_each_concurrent(3, work));
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  EXPECT_EQ(what, "thirteen");
  EXPECT_EQ(c.now, 0);
  EXPECT_EQ(c.begun, 3);
  EXPECT_EQ((steady_clock::now() - begin) / 1ms, 13);
}

ASTD_TEST_WITH(stream_buffered, is_cancelled_with_all_that_runs, virtual_time()) {
  crowd c;
  const ints v{1000, 1000, 1000};
  auto work = [&](int ms) -> task<> {
    auto done = co_await works(c, ms);
    static_cast<void>(done);
  };
  auto late = co_await as_result(timeout(1ms, v | stream::for_each_concurrent(2, work)));
  EXPECT_EQ(late.error(), std::errc::timed_out);
  EXPECT_EQ(c.now, 0);
  EXPECT_EQ(c.begun, 2);
  auto gen = [](crowd& in) -> generator<int> {
    inside here(in);
    co_await this_task::sleep_for(1h);
    co_yield 1;
  };
  auto merged = co_await as_result(timeout(1ms, stream::merge(gen(c), gen(c)) | stream::count()));
  EXPECT_EQ(merged.error(), std::errc::timed_out);
  EXPECT_EQ(c.now, 0);
  auto folded = stream::fold(0, [](int a, int) -> task<int> { co_return a; });
  auto fold = co_await as_result(timeout(1ms, stream::merge(gen(c), gen(c)) | folded));
  EXPECT_EQ(fold.error(), std::errc::timed_out);
  EXPECT_EQ(c.now, 0);
}

// An end that has what it wants stops the rest as well.
ASTD_TEST_WITH(stream_merge, ends_early, virtual_time()) {
  crowd c;
  auto gen = [](crowd& in, std::chrono::milliseconds d) -> generator<int> {
    inside here(in);
    co_await this_task::sleep_for(d);
    co_yield 1;
    co_await this_task::sleep_for(1h);
  };
  auto one = co_await (stream::merge(gen(c, 1ms), gen(c, 1h)) | stream::nth(0));
  EXPECT_EQ(one, 1);
  EXPECT_EQ(c.now, 0);
  {
    auto m = stream::merge(gen(c, 1ms), gen(c, 1h));
    auto first = co_await m.next();
    EXPECT_EQ(first, 1);
  }
  while (c.now != 0) co_await this_task::yield();  // asked to stop, and not waited for
}

// A helper that has said that it ended may be on its way out still, on another thread: it keeps nothing of the user's.
task<> leave_nothing_behind() {
  std::atomic<int> alive = 0;
  struct one_more {
    explicit one_more(std::atomic<int>& n) : of(n) { ++of; }
    one_more(const one_more&) = delete;
    ~one_more() { --of; }
    std::atomic<int>& of;
  };
  const auto source = [&](int n) -> generator<int> {
    one_more here(alive);
    for (int i = 0; i < n; ++i) {
      if (i % 3 == 0) co_await this_task::sleep_for(std::chrono::microseconds(20));
      co_yield i;
    }
  };
  for (int i = 0; i < 80; ++i) {
    const auto limit = std::chrono::microseconds(9 * i);
    co_await as_result(timeout(limit, source(30) | stream::timeout(1h) | stream::count()));
    EXPECT_EQ(alive, 0);
    co_await as_result(
        timeout(limit, stream::merge(source(30), source(30)) | stream::chunks_timeout(2, 1h) | stream::count()));
    EXPECT_EQ(alive, 0);
  }
}
// On a thread of its own, so that helpers and who waits for them are on two.
TEST(stream_merge, leaves_nothing_behind) { block_on(leave_nothing_behind()); }

ASTD_TEST_WITH(stream_time, throttle_and_delay, virtual_time()) {
  const ints three{1, 2, 3};
  auto throttled = co_await times(three | stream::throttle(10ms));
  EXPECT_EQ(throttled, (std::vector<long>{0, 10, 20, 30}));  // the end, too
  auto slower = co_await times(every(15ms, 0, 2) | stream::throttle(10ms));
  EXPECT_EQ(slower, (std::vector<long>{15, 40, 50}));
  auto delayed = co_await times(every(1ms, 0, 2) | stream::delay(10ms));
  EXPECT_EQ(delayed, (std::vector<long>{11, 12, 12}));
  auto ticks = co_await times(stream::interval(5ms) | stream::take(3));
  EXPECT_EQ(ticks, (std::vector<long>{5, 10, 15, 15}));
}

// An error for each period in which nothing came; the source goes on, and is not cancelled.
ASTD_TEST_WITH(stream_time, timeout_of_each_element, virtual_time()) {
  auto values = [](const auto& e) { return e ? *e : e.error() == std::errc::timed_out ? -1 : -2; };
  auto t = co_await (every(10ms, 0, 2) | stream::timeout(4ms) | stream::transform(values) | gathered);
  EXPECT_EQ(t, (ints{-1, -1, 0, -1, -1, 1}));
  auto in_time = co_await (every(10ms, 0, 2) | stream::timeout(11ms) | stream::transform(values) | gathered);
  EXPECT_EQ(in_time, (ints{0, 1}));
  const ints two{1, 2};
  auto at_once = co_await (two | stream::timeout(0ms) | stream::transform(values) | gathered);
  EXPECT_EQ(at_once, (ints{1, 2}));
}

ASTD_TEST(stream_time, limits_a_source_that_is_busy_and_gives_nothing) {
  const auto nothing = [] { return stream::repeat(std::vector<int>()) | stream::join(); };
  auto late = co_await (nothing() | stream::timeout(1ms) | stream::take(2) | stream::to<std::vector>());
  EXPECT_EQ(late.size(), 2u);
  EXPECT_FALSE(late[0]);
  auto chunk = stream::once(1) | stream::chain(nothing()) | stream::chunks_timeout(2, 1ms);
  auto first = co_await chunk.next();
  EXPECT_EQ(first, std::vector<int>{1});
}

ASTD_TEST_WITH(stream, never_comes, virtual_time()) {
  auto never = stream::pending<int>();
  auto late = co_await as_result(timeout(1h, never.next()));
  EXPECT_EQ(late.error(), std::errc::timed_out);
}

ASTD_TEST_WITH(stream_time, chunks_are_given_in_time, virtual_time()) {
  auto chunks = co_await (every(10ms, 0, 5) | stream::chunks_timeout(3, 15ms) | gathered);
  const std::vector<ints> two_each{{0, 1}, {2, 3}, {4}};
  EXPECT_EQ(chunks, two_each);
  auto full = co_await (every(1ms, 0, 5) | stream::chunks_timeout(3, 15ms) | gathered);
  const std::vector<ints> three_each{{0, 1, 2}, {3, 4}};
  EXPECT_EQ(full, three_each);
}

}  // namespace
