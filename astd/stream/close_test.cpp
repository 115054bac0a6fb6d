// Streams that have something running, closed before their end: nothing runs any more, and what was taken is given.
#include <astd/channel/channel.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/stream/collect.hpp>
#include <astd/stream/concurrent.hpp>
#include <astd/stream/ends.hpp>
#include <astd/stream/filter.hpp>
#include <astd/stream/sources.hpp>
#include <astd/stream/test_streams.hpp>
#include <astd/stream/timing.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::ints;
using test::virtual_time;

class inside {
 public:
  explicit inside(std::atomic<int>& n) : n_(n) { ++n; }
  inside(const inside&) = delete;
  ~inside() { --n_; }

 private:
  std::atomic<int>& n_;
};
generator<int> ticks(std::atomic<int>& running, std::chrono::milliseconds d, int first) {
  const inside here(running);
  for (int i = first;; ++i) {
    co_await this_task::sleep_for(d);
    co_yield i;
  }
}
template <class S>
task<ints> rest_of(S& s) {
  ints all;
  for (;;) {
    auto x = co_await s.next();
    if (!x) break;
    all.push_back(*x);
  }
  co_return all;
}

ASTD_TEST_WITH(stream_close, of_merged_gives_what_was_taken, virtual_time()) {
  std::atomic<int> running = 0;
  {
    auto m = stream::merge(ticks(running, 1ms, 0), ticks(running, 2ms, 10), ticks(running, 1h, 20));
    auto first = co_await m.next();
    EXPECT_EQ(first, 0);
    co_await this_task::sleep_for(5ms);  // the second has one by then, the first was not asked again
    EXPECT_EQ(running, 3);
    co_await m.close();
    EXPECT_EQ(running, 2);  // those that stand at an element
    auto rest = co_await rest_of(m);
    EXPECT_EQ(rest, ints{10});
    co_await m.close();  // again: nothing to do
    auto none = co_await m.next();
    EXPECT_FALSE(none);
  }
  EXPECT_EQ(running, 0);
}

ASTD_TEST_WITH(stream_close, before_anything_was_asked_is_the_end, virtual_time()) {
  std::atomic<int> running = 0;
  auto m = stream::merge(ticks(running, 1ms, 0), stream::repeat(1)) | stream::timeout(1ms);
  co_await m.close();
  auto none = co_await m.next();
  EXPECT_FALSE(none);
  EXPECT_EQ(running, 0);
}

// An end of an lvalue takes what it wants and leaves the rest to whoever uses it behind that.
ASTD_TEST_WITH(stream_close, behind_an_end_that_was_early, virtual_time()) {
  std::atomic<int> running = 0;
  {
    auto m =
        stream::merge(ticks(running, 2ms, 0), ticks(running, 3ms, 10)) | stream::filter([](int) { return true; });
    auto two = co_await (m | stream::take(2) | stream::to<std::vector>());
    EXPECT_EQ(two, (ints{0, 10}));
    co_await this_task::sleep_for(10ms);
    co_await m.close();
    auto rest = co_await rest_of(m);
    EXPECT_EQ(rest, ints{1});
  }
  EXPECT_EQ(running, 0);
}

ASTD_TEST_WITH(stream_close, of_chunks_gives_the_last_one, virtual_time()) {
  std::atomic<int> running = 0;
  auto c = ticks(running, 2ms, 0) | stream::chunks_timeout(3, 3ms);
  auto first = co_await c.next();
  EXPECT_EQ(first, (ints{0, 1}));
  co_await c.close();
  EXPECT_EQ(running, 0);
  auto none = co_await c.next();
  EXPECT_FALSE(none);
}

ASTD_TEST_WITH(stream_close, of_buffered_cancels_calls_and_gives_results, virtual_time()) {
  std::atomic<int> running = 0;
  const ints v{5, 1, 3, 50, 2};
  auto work = [&](int ms) -> task<int> {
    const inside here(running);
    co_await this_task::sleep_for(std::chrono::milliseconds(ms));
    co_return ms;
  };
  auto b = v | stream::transform(work) | stream::buffered_unordered(4);
  auto first = co_await b.next();
  EXPECT_EQ(first, 1);
  co_await this_task::sleep_for(10ms);
  EXPECT_EQ(running, 1);
  co_await b.close();
  EXPECT_EQ(running, 0);
  auto rest = co_await rest_of(b);
  EXPECT_EQ(rest, (ints{3, 5}));
  auto in_order = v | stream::transform(work) | stream::buffered(4);
  auto one = co_await in_order.next();
  EXPECT_EQ(one, 5);
  co_await in_order.close();
  EXPECT_EQ(running, 0);
  auto others = co_await rest_of(in_order);
  EXPECT_EQ(others, (ints{1, 3}));
}

// What is not asked for is not taken: a receiver that is used again behind a stream that was left has missed nothing.
template <class Left>
task<> leave_again_and_again(Left left) {
  constexpr int each = 300;
  auto [tx1, rx1] = channel<int>(3);
  auto [tx2, rx2] = channel<int>(3);
  auto feed = [](sender<int> to) -> task<> {
    for (int i = 1; i <= each; ++i) {
      co_await to.send(i);
      if (i % 7 == 0) co_await this_task::yield();
    }
  };
  auto a = spawn(feed, std::move(tx1));
  auto b = spawn(feed, std::move(tx2));
  int sum = 0;
  for (int n = 0;; n = (n + 1) % 5) {
    auto part = co_await (left(rx1, rx2) | stream::take(static_cast<std::size_t>(n)) | stream::to<std::vector>());
    for (int x : part) sum += x;
    if (part.empty() && n != 0) break;
  }
  EXPECT_EQ(sum, each * (each + 1));
  co_await std::move(a);
  co_await std::move(b);
}
ASTD_TEST(stream_close, of_merged_channels_loses_nothing) {
  co_await leave_again_and_again([](auto& a, auto& b) { return stream::merge(a, b); });
}
ASTD_TEST(stream_close, of_what_goes_before_loses_nothing) {
  co_await leave_again_and_again([](auto& a, auto& b) {
    auto all = [](int) { return true; };
    return stream::merge(a | stream::filter(all), b | stream::transform([](int x) { return x; }));
  });
}
ASTD_TEST(stream_close, of_a_limit_of_time_loses_nothing) {
  co_await leave_again_and_again([](auto& a, auto& b) {
    return stream::merge(a, b) | stream::timeout(1h) | stream::transform([](const auto& x) { return *x; });
  });
}

}  // namespace
