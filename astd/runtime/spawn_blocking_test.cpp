// spawn_blocking: calls that may block, on threads of their own.
#include <astd/coro/as_result.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/spawn_blocking.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::flag;

int plus(int a, int b) { return a + b; }

struct counter {
  int value = 0;
  int add(int n) { return value += n; }
};

ASTD_TEST(spawn_blocking, gives_the_value) {
  auto h = spawn_blocking(plus, 1, 2);
  const auto three = co_await h;
  EXPECT_EQ(three, 3);
  auto nothing = spawn_blocking([] {});
  co_await nothing;
  auto owner = spawn_blocking([] { return std::make_unique<int>(4); });
  const auto four = co_await owner;
  EXPECT_EQ(*four, 4);
  int place = 0;
  auto reference = spawn_blocking([&place]() -> int& { return place; });
  auto& same = co_await reference;
  EXPECT_EQ(&same, &place);
  counter c;
  auto member = spawn_blocking(&counter::add, &c, 5);
  const auto five = co_await member;
  EXPECT_EQ(five, 5);
}

ASTD_TEST(spawn_blocking, keeps_callable_and_arguments) {
  {
    const counted caught;
    auto body = [caught](const std::string& text, std::unique_ptr<int> n) {
      return text + std::to_string(*n) + (counted::live() > 1 ? "" : " too late");
    };
    auto h = spawn_blocking(std::move(body), std::string("a text too long to be kept inside of the string "),
                            std::make_unique<int>(1));
    const auto text = co_await h;
    EXPECT_EQ(text, "a text too long to be kept inside of the string 1");
  }
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(spawn_blocking, gives_the_exception) {
  auto h = spawn_blocking([]() -> int { throw std::runtime_error("from the pool"); });
  const auto how = co_await test::how_it_ends(std::move(h));
  EXPECT_EQ(how, "from the pool");
}

ASTD_TEST(spawn_blocking, runs_on_no_worker_and_the_awaiter_goes_on_on_one) {
  runtime* const ours = &runtime::current();
  auto inside = [ours] { return std::pair(std::this_thread::get_id(), &runtime::current() == ours); };
  for (int i = 0; i < 50; ++i) {
    auto h = spawn_blocking(inside);
    const auto there = co_await h;
    EXPECT_TRUE(there.second) << "it belongs to the runtime that it came from";
    EXPECT_NE(there.first, std::this_thread::get_id());
  }
}

// They all wait for each other: each has a thread.
ASTD_TEST(spawn_blocking, twenty_at_once) {
  std::latch all(20);
  std::vector<join_handle<int>> handles;
  for (int i = 0; i < 20; ++i)
    handles.push_back(spawn_blocking([&all, i] {
      all.arrive_and_wait();
      return i;
    }));
  int sum = 0;
  for (auto& h : handles) {
    const auto n = co_await h;
    sum += n;
  }
  EXPECT_EQ(sum, 190);
}

ASTD_TEST(spawn_blocking, knows_its_task) {
  auto h = task_builder()
               .name("slow one")
               .blocking([](int n) { return std::to_string(n) + std::string(this_task::name()); }, 1);
  const task_id id = h.id();
  EXPECT_EQ(h.name(), "slow one");
  const auto text = co_await h;
  EXPECT_EQ(text, "1slow one");
  auto asks = spawn_blocking([] { return this_task::get_id(); });
  const task_id expected = asks.id();
  const auto own = co_await asks;
  EXPECT_EQ(own, expected);
  EXPECT_NE(own, id);
}

TEST(spawn_blocking, a_call_that_waits_can_be_cancelled_and_one_that_runs_cannot) {
  runtime rt({.workers = 1, .name = "one", .max_blocking_threads = 1});
  flag running, go;
  std::atomic<int> ran = 0;
  auto body = [&]() -> task<> {
    auto first = spawn_blocking([&] {
      running.set();
      go.block();
      return this_task::is_cancelled();
    });
    co_await running.wait();
    // The only thread is taken.
    auto never = spawn_blocking([&ran, c = counted()] { return ++ran; });
    auto later = spawn_blocking([&ran] { return ++ran; });
    EXPECT_EQ(counted::live(), 1);
    const auto none = co_await never.cancel();
    EXPECT_EQ(none, std::nullopt);
    EXPECT_EQ(counted::live(), 0);
    EXPECT_EQ(ran, 0);
    first.request_cancel();
    go.set();
    const auto knew = co_await first.cancel();
    EXPECT_EQ(knew, true) << "it runs to its end and gives its value, but it can ask";
    const auto one = co_await later;
    EXPECT_EQ(one, 1);
  };
  rt.block_on(body());
}

TEST(spawn_blocking, in_order_when_there_are_no_threads_left) {
  runtime rt({.workers = 1, .name = "one", .max_blocking_threads = 1});
  std::vector<int> order;
  auto body = [&]() -> task<> {
    std::vector<join_handle<>> handles;
    for (int i = 0; i < 100; ++i) handles.push_back(spawn_blocking([&order, i] { order.push_back(i); }));
    for (auto& h : handles) co_await h;
  };
  rt.block_on(body());
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(spawn_blocking, beyond_the_queues_limit_it_is_refused) {
  flag running, go;
  runtime rt({.workers = 1, .name = "one", .max_blocking_threads = 1, .max_blocking_queue = 2});
  auto body = [&]() -> task<> {
    auto first = spawn_blocking([&] {
      running.set();
      go.block();
    });
    co_await running.wait();
    auto second = spawn_blocking(plus, 1, 1);
    auto third = spawn_blocking(plus, 1, 2);
    auto refused = spawn_blocking([c = counted()] { return 4; });
    const auto result = co_await as_result(refused);
    EXPECT_EQ(result.error(), std::errc::resource_unavailable_try_again);
    auto again = spawn_blocking(plus, 1, 3);
    const auto text = co_await test::how_it_ends(std::move(again));
    EXPECT_NE(text.find("max_blocking_queue"), std::string::npos) << text;
    EXPECT_EQ(counted::live(), 0);
    go.set();
    const auto two = co_await second;
    const auto three = co_await third;
    EXPECT_EQ(two + three, 5);
    auto room = spawn_blocking(plus, 2, 2);
    const auto four = co_await room;
    EXPECT_EQ(four, 4);
  };
  rt.block_on(body());
}

TEST(spawn_blocking, outlives_the_block_on_that_called_it) {
  flag running, go, ended;
  runtime rt({.workers = 1, .name = "one"});
  auto body = [&]() -> task<> {
    spawn_local(test::for_ever()).detach();  // is cancelled at the end of block_on, and nothing else
    spawn_blocking([&] {
      running.set();
      go.block();
      EXPECT_FALSE(this_task::is_cancelled());
      ended.set();
    }).detach();
    co_await running.wait();
  };
  rt.block_on(body());
  go.set();
  ended.block();
}

ASTD_TEST(spawn_blocking, may_use_block_on_and_spawn) {
  auto twice = [](int n) -> task<int> {
    co_await this_task::sleep_for(100us);
    co_return 2 * n;
  };
  auto h = spawn_blocking([&] {
    auto on_a_worker = spawn(twice, 3);
    const int here = block_on(twice(2));
    return here + block_on(on_a_worker);
  });
  const auto ten = co_await h;
  EXPECT_EQ(ten, 10);
}

TEST(spawn_blocking, works_on_a_plain_thread) {
  std::thread([] { EXPECT_EQ(block_on(spawn_blocking(plus, 20, 1)), 21); }).join();
}

TEST(spawn_blocking, a_detached_call_is_waited_for_by_the_shutdown) {
  flag running, go;
  std::atomic<bool> ended = false;
  runtime rt({.workers = 1, .name = "pool"});
  auto slow = [&] {
    running.set();
    go.block();
    ended = true;
  };
  auto starter = [&]() -> task<> {
    spawn_blocking(slow).detach();
    co_return;
  };
  rt.block_on(starter());
  running.block();
  const auto early = rt.shutdown(1ms);
  EXPECT_FALSE(early.complete);
  EXPECT_EQ(early.remaining, 1u);
  go.set();
  EXPECT_TRUE(rt.shutdown(60s).complete);
  EXPECT_TRUE(ended);
}

}  // namespace
