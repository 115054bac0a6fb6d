// A worker that stays in one task: it delays nobody, and it is told of.
#include <astd/coro/race.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::flag;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Whatever was waiting on the worker, or was ready there, goes on although its worker computes until it has. If it did
// not, the test would not end.
TEST(stuck_worker, delays_no_ready_task_no_timer_and_no_connection) {
  for (int round = 0; round < 20; ++round) {
    runtime rt({.workers = 2, .name = "stuck"});
    auto body = []() -> task<> {
      auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
      auto client = co_await net::tcp_stream::connect(listener.local_address());
      auto accepted = co_await listener.accept();
      std::atomic<int> done = 0;
      flag reading;

      auto sleeps = [](std::atomic<int>& n) -> task<> {
        co_await this_task::sleep_for(500us);
        ++n;
      };
      auto reads = [](net::tcp_stream& from, flag& begun, std::atomic<int>& n) -> task<> {
        std::array<char, 1> byte;
        begun.set();
        co_await io::read_exact(from, byte);
        ++n;
      };
      auto is_ready = [](std::atomic<int>& n) -> task<> {
        ++n;
        co_return;
      };
      std::vector<join_handle<>> handles;
      for (int i = 0; i < 20; ++i) handles.push_back(spawn(sleeps, std::ref(done)));
      handles.push_back(spawn(reads, std::ref(client), std::ref(reading), std::ref(done)));
      // Both workers have had a share of them when all are waiting.
      co_await reading.wait();
      for (int i = 0; i < 20; ++i) handles.push_back(spawn(is_ready, std::ref(done)));
      co_await io::write_all(accepted.first, std::string_view("x"));
      test::hold_until([&done] { return done == 41; });
      for (auto& h : handles) co_await h;
    };
    rt.block_on(rt.spawn(body));
  }
}

// ---- reports

std::mutex reports_lock;
std::vector<std::string> reports;

void keep_report(const stall& s) noexcept {
  std::lock_guard guard(reports_lock);
  reports.push_back(std::string(s.runtime) + "|" + std::to_string(s.worker) + "|" +
                    (s.since >= 20ms ? "long" : "short") + "|" + std::to_string(s.task) + "|" +
                    std::string(s.where));
}
// How many begin and end like this.
std::ptrdiff_t reported(const std::string& beginning, const std::string& end) {
  std::lock_guard guard(reports_lock);
  return std::ranges::count_if(reports,
                               [&](const std::string& r) { return r.starts_with(beginning) && r.ends_with(end); });
}

TEST(stall_report, names_the_task_and_where_it_was_last_seen) {
  for (const bool stealing : {true, false}) {
    reports.clear();
    runtime rt({.workers = 1, .name = "slow", .stealing = stealing, .stall_limit = 20ms, .on_stall = keep_report});
    // On a busy machine what goes before line A may seem stuck, too.
    constexpr unsigned line_a = __LINE__ + 5;
    const std::string at_line_a = "monitor_test.cpp:" + std::to_string(line_a);
    std::string begins;
    auto computes = [&]() -> task<> {
      begins = "slow|0|long|" + std::to_string(this_task::get_id()) + "|";
      co_await this_task::yield();  // line A
      test::hold_until([&] { return reported(begins, at_line_a) != 0; });
      const auto longer = std::chrono::steady_clock::now() + 10ms;
      test::hold_until([longer] { return std::chrono::steady_clock::now() > longer; });
    };
    rt.block_on(rt.spawn(computes));
    EXPECT_GE(rt.metrics().stalls, 1u);
    EXPECT_EQ(reported(begins, at_line_a), 1) << "one for each stall";
  }
}

TEST(stall_report, says_where_a_task_was_spawned_that_was_never_suspended) {
  reports.clear();
  runtime rt({.workers = 1, .name = "slow", .stall_limit = 20ms, .on_stall = keep_report});
  std::string begins;
  const std::string here = "monitor_test.cpp:" + std::to_string(__LINE__ + 6);
  auto computes = [](std::string& text, const std::string& place) -> task<> {
    text = "slow|0|long|" + std::to_string(this_task::get_id()) + "|";
    test::hold_until([&] { return reported(text, place) != 0; });
    co_return;
  };
  rt.block_on(rt.spawn(computes(begins, here)));
  EXPECT_EQ(reported(begins, here), 1);
}

TEST(stall_report, of_a_branch_that_was_never_suspended_makes_up_no_place) {
  reports.clear();
  runtime rt({.workers = 1, .name = "slow", .stall_limit = 20ms, .on_stall = keep_report});
  std::string begins;
  auto computes = [&]() -> task<> {
    begins = "slow|0|long|" + std::to_string(this_task::get_id()) + "|";
    test::hold_until([&] { return reported(begins, "") != 0; });
    co_return;
  };
  auto races = [&]() -> task<> { co_await race(computes(), computes()); };
  rt.block_on(rt.spawn(races()));
  EXPECT_EQ(reported(begins, "|"), 1);
}

TEST(stall_report, goes_to_standard_error_if_nobody_takes_it) {
  testing::internal::CaptureStderr();
  {
    runtime rt({.workers = 1, .name = "slow", .stall_limit = 10ms});
    // A report is printed before the same thread counts the next stall.
    auto computes = [&rt](std::uint64_t stalls) -> task<> {
      test::hold_until([&] { return rt.metrics().stalls == stalls; });
      co_return;
    };
    rt.block_on(rt.spawn(computes, 1));
    rt.block_on(rt.spawn(computes, 2));
    rt.block_on(rt.spawn(computes, 3));
    auto races = [](task<> branch) -> task<> { co_await race(std::move(branch)); };
    rt.block_on(rt.spawn(races, computes(4)));
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(has(text, "astd: runtime 'slow': worker 0 has been in task ")) << text;
  EXPECT_TRUE(has(text, " ms (last seen at ")) << text;
  EXPECT_TRUE(has(text, " ms (never suspended so far)")) << text;
}

TEST(stall_report, comes_for_none_that_ends_its_turns) {
  reports.clear();
  runtime rt({.workers = 1, .name = "quick", .stall_limit = 1h, .on_stall = keep_report});
  auto works = []() -> task<> {
    for (int i = 0; i < 1000; ++i) co_await this_task::yield();
  };
  rt.block_on(rt.spawn(works));
  EXPECT_EQ(reported("", ""), 0);
}

}  // namespace
