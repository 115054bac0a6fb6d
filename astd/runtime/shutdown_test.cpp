// The end of a runtime, and of a program.
#include <astd/base/test_descriptors.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/shield.hpp>
#include <astd/runtime/io_operation.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/task_group.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <unistd.h>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::flag;
using test::for_ever;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Waits until a descriptor can be read from.
class readable_awaiter final : public detail::io_awaiter<readable_awaiter, void> {
 public:
  explicit readable_awaiter(int descriptor) noexcept : io_awaiter(driver::opcode::poll, descriptor) {
    args.value = POLLIN;
  }
  detail::outcome<void> take() noexcept {
    resumed();
    detail::outcome<void> o;
    failed() ? o.set_failure(error()) : o.set_value();
    return o;
  }
};
class readable {
 public:
  explicit readable(int descriptor) noexcept : descriptor_(descriptor) {}
  auto operator co_await() const noexcept { return readable_awaiter(descriptor_); }

 private:
  int descriptor_;
};

struct quiet_pipe {
  quiet_pipe() {
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
  }
  ~quiet_pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  quiet_pipe(const quiet_pipe&) = delete;
  quiet_pipe& operator=(const quiet_pipe&) = delete;
  int ends[2];
};

task<> sleeps() {
  const counted local;
  co_await this_task::sleep_for(1h);
}
task<> has_a_timer() {
  const counted local;
  co_await timeout(1h, for_ever());
}
task<> waits_for_the_world(int descriptor) {
  const counted local;
  co_await readable(descriptor);
}
task<> in_a_group() {
  const counted local;
  auto body = [](task_group& g) -> task<> {
    g.spawn(for_ever());
    co_await sleeps();
  };
  co_await task_group::run(body);
}
task<> cleans_up(std::atomic<int>& cleaned) {
  auto cleanup = [&cleaned]() -> task<> {
    co_await this_task::sleep_for(1ms);
    ++cleaned;
  };
  co_await finally(for_ever(), cleanup);
}

TEST(shutdown, ends_whatever_tasks_wait_for) {
  for (const unsigned workers : {0u, 1u, 3u}) {
    const quiet_pipe quiet;
    std::atomic<int> cleaned = 0;
    runtime rt({.workers = workers, .name = "ending"});
    auto body = [&]() -> task<> {
      for (int i = 0; i < 50; ++i) {
        spawn(sleeps()).detach();
        spawn(has_a_timer()).detach();
        spawn(waits_for_the_world(quiet.ends[0])).detach();
        spawn(in_a_group()).detach();
        spawn(cleans_up(cleaned)).detach();
        auto h = spawn(for_ever());
        auto joins = [](join_handle<> other) -> task<> { co_await other; };
        spawn(joins, std::move(h)).detach();
      }
      co_await this_task::sleep_for(1ms);
    };
    rt.block_on(body());
    const shutdown_report report = rt.shutdown(60s);
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(report.remaining, 0u);
    EXPECT_EQ(report.text, "");
    EXPECT_EQ(counted::live(), 0) << "destructors have run";
    EXPECT_EQ(rt.metrics().tasks_alive, 0u);
  }
}

// Arguments and callables are part of what has ended.
TEST(shutdown, has_destroyed_callables_and_arguments) {
  for (int i = 0; i < 300; ++i) {
    runtime rt({.workers = 2, .name = "ending"});
    auto body = [c = counted()](const counted&) -> task<> { co_await pending(); };
    auto ends = [c = counted()](const counted&) -> task<> { co_return; };
    rt.spawn(body, counted()).detach();
    for (int n = 0; n < 10; ++n) rt.spawn(ends, counted()).detach();
    EXPECT_TRUE(rt.shutdown(60s).complete);
    EXPECT_EQ(counted::live(), 2) << "the closures here";
  }
}

TEST(shutdown, can_be_asked_for_again) {
  runtime rt({.workers = 2, .name = "ending"});
  rt.spawn(for_ever()).detach();
  EXPECT_TRUE(rt.shutdown(60s).complete);
  EXPECT_TRUE(rt.shutdown(0s).complete);
  EXPECT_TRUE(rt.shutdown(-1h).complete);
  EXPECT_TRUE(rt.shutdown(std::chrono::nanoseconds::max()).complete);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&rt] { EXPECT_TRUE(rt.shutdown(60s).complete); });
  for (std::thread& t : threads) t.join();
}

TEST(shutdown, what_is_spawned_afterwards_ends_before_it_begins) {
  runtime rt({.workers = 2, .name = "ended"});
  EXPECT_TRUE(rt.shutdown(60s).complete);
  std::atomic<int> began = 0;
  auto counts = [](std::atomic<int>& n, counted) -> task<> {
    ++n;
    co_return;
  };
  for (int i = 0; i < 20; ++i) {
    auto h = rt.spawn(counts, std::ref(began), counted());
    EXPECT_TRUE(block_on(test::ends_with<task_cancelled>(std::move(h))));
  }
  EXPECT_EQ(began, 0);
  EXPECT_EQ(counted::live(), 0);
}

TEST(shutdown, tasks_may_spawn_while_it_goes_on) {
  struct spawns_at_its_end {
    std::atomic<int>* began;
    ~spawns_at_its_end() {
      auto counts = [](std::atomic<int>& n) -> task<> {
        ++n;
        co_return;
      };
      spawn(counts, std::ref(*began)).detach();
      spawn_local(counts, std::ref(*began)).detach();
      spawn_blocking([n = began] { ++*n; }).detach();
    }
  };
  std::atomic<int> began = 0;
  runtime rt({.workers = 2, .name = "ending"});
  auto stubborn = [](std::atomic<int>& n) -> task<> {
    const spawns_at_its_end local{&n};
    co_await pending();
  };
  auto body = [&]() -> task<> {
    for (int i = 0; i < 20; ++i) spawn(stubborn, std::ref(began)).detach();
    co_await this_task::sleep_for(1ms);
  };
  rt.block_on(body());
  EXPECT_TRUE(rt.shutdown(60s).complete);
  EXPECT_EQ(began, 0);
}

// ---- tasks that do not end

TEST(shutdown, cancels_what_threads_in_block_on_have_spawned_locally) {
  runtime rt({.workers = 1, .name = "visited"});
  flag begun, ended;
  std::thread visitor([&] {
    auto body = [&]() -> task<> {
      auto h = spawn_local(test::for_ever(&begun));
      const auto none = co_await as_result(h);
      EXPECT_EQ(none.error(), std::errc::operation_canceled);
      auto late = spawn_local(test::for_ever());
      const auto never_begun = co_await as_result(late);
      EXPECT_EQ(never_begun.error(), std::errc::operation_canceled);
      co_await ended.wait();  // our own chain is not the runtime's to end
    };
    rt.block_on(body());
  });
  begun.block();
  EXPECT_TRUE(rt.shutdown(60s).complete);
  EXPECT_EQ(counted::live(), 0);
  ended.set();
  visitor.join();
}

TEST(shutdown, names_what_ignores_it_and_succeeds_later) {
  runtime rt({.workers = 2, .name = "ending"});
  flag shielded, go;
  auto ignores = [](flag& s, flag& g) -> task<> {
    s.set();
    co_await shield(g.wait());
  };
  rt.block_on([&]() -> task<> {
    task_builder().name("deaf").spawn(ignores, std::ref(shielded), std::ref(go)).detach();
    co_await shielded.wait();
  }());
  const shutdown_report report = rt.shutdown(5ms);
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.remaining, 1u);
  EXPECT_TRUE(has(report.text, "deaf")) << report.text;
  EXPECT_TRUE(has(report.text, "shield")) << report.text;
  go.set();
  EXPECT_TRUE(rt.shutdown(60s).complete);
}

TEST(shutdown, names_a_task_that_computes_and_succeeds_later) {
  runtime rt({.workers = 2, .name = "ending"});
  flag begun;
  std::atomic<bool> go = false;
  auto computes = [](flag& b, std::atomic<bool>& g) -> task<> {
    b.set();
    test::hold_until([&g] { return g.load(); });
    co_return;
  };
  rt.block_on([&]() -> task<> {
    task_builder().name("busy").spawn(computes, std::ref(begun), std::ref(go)).detach();
    co_return;
  }());
  begun.block();
  const shutdown_report report = rt.shutdown(5ms);
  EXPECT_FALSE(report.complete);
  EXPECT_TRUE(has(report.text, "busy")) << report.text;
  EXPECT_TRUE(has(report.text, "running")) << report.text;
  go = true;
  EXPECT_TRUE(rt.shutdown(60s).complete);
}

// ---- where it cannot be

TEST(shutdown, inside_a_task_is_refused) {
  runtime rt({.workers = 2, .name = "mine"});
  auto tries = [&rt]() -> task<std::string> {
    co_await this_task::yield();
    try {
      rt.shutdown(1s);
    } catch (const std::logic_error& e) {
      co_return e.what();
    }
    co_return "allowed";
  };
  EXPECT_TRUE(has(rt.block_on(rt.spawn(tries)), "mine"));
  EXPECT_TRUE(has(rt.block_on(tries()), "mine"));
  // In another runtime's it is allowed: it only holds that one's worker.
  runtime other({.workers = 1, .name = "other"});
  auto from_outside = [&rt]() -> task<bool> { co_return rt.shutdown(60s).complete; };
  EXPECT_TRUE(other.block_on(other.spawn(from_outside)));
}

// Nobody was in block_on, so nobody has made its driver.
TEST(shutdown, of_a_runtime_without_workers_ends_what_never_ran) {
  runtime rt({.workers = 0, .name = "unused"});
  for (int i = 0; i < 200; ++i) rt.spawn(sleeps()).detach();
  EXPECT_TRUE(rt.shutdown(60s).complete);
  EXPECT_EQ(counted::live(), 0);
}

// And where none can be made, they end all the same.
TEST(shutdown, of_a_runtime_without_workers_that_gets_no_driver_ends_what_never_ran) {
  for (const bool stealing : {true, false}) {
    std::atomic<int> spawned_at_end = 0;
    struct spawns_at_end {
      explicit spawns_at_end(std::atomic<int>& n) noexcept : count(&n) {}
      spawns_at_end(spawns_at_end&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
      ~spawns_at_end() {
        if (!count) return;
        spawn(sleeps()).detach();
        ++*count;
      }
      std::atomic<int>* count;
    };
    auto with_parameter = [](spawns_at_end) -> task<> { co_await sleeps(); };
    runtime other({.workers = 1, .name = "other"});
    {
      runtime rt({.workers = 0, .name = "unused", .stealing = stealing});
      for (int i = 0; i < 200; ++i) rt.spawn(sleeps()).detach();
      rt.spawn(with_parameter(spawns_at_end(spawned_at_end))).detach();
      auto joined = rt.spawn(sleeps());
      auto joins = [](join_handle<>& h) -> task<std::error_code> {
        const auto end = co_await as_result(h);
        co_return end ? std::error_code() : end.error();
      };
      auto joiner = other.spawn(joins, std::ref(joined));
      {
        const test::no_more_descriptors now;
        EXPECT_TRUE(rt.shutdown(60s).complete);
      }
      EXPECT_EQ(other.block_on(joiner), std::errc::operation_canceled);
      EXPECT_EQ(rt.metrics().tasks_alive, 0u);
    }
    EXPECT_EQ(spawned_at_end, 1);
    EXPECT_EQ(counted::live(), 0);
  }
}

// ---- the end of a program

// Statics are destroyed in the reverse order: this one after the default runtime.
struct last_words {
  ~last_words() {
    std::fprintf(stderr, "alive at the end: %ld\n", counted::live());
    if (counted::live() != 0) std::_Exit(9);
  }
};

template <class F>
[[noreturn]] void program(F body) {
  static const last_words at_the_end;
  body();
  std::exit(0);  // as a return from main
}

class program_end : public testing::Test {
 protected:
  program_end() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

constexpr const char* nothing_left = "alive at the end: 0";

TEST_F(program_end, while_a_thousand_tasks_sleep_and_wait) {
  EXPECT_EXIT(program([] {
                static const quiet_pipe quiet;  // outlives the runtime
                static std::atomic<int> cleaned = 0;
                block_on([]() -> task<> {
                  for (int i = 0; i < 250; ++i) {
                    spawn(sleeps()).detach();
                    spawn(has_a_timer()).detach();
                    spawn(waits_for_the_world(quiet.ends[0])).detach();
                    spawn(cleans_up(cleaned)).detach();
                  }
                  co_await this_task::sleep_for(1ms);
                }());
              }),
              testing::ExitedWithCode(0), nothing_left);
}

TEST_F(program_end, before_any_task_has_begun) {
  EXPECT_EXIT(program([] {
                for (int i = 0; i < 1000; ++i) spawn(sleeps()).detach();
              }),
              testing::ExitedWithCode(0), nothing_left);
}

TEST_F(program_end, while_tasks_spawn_tasks) {
  EXPECT_EXIT(program([] {
                struct line {
                  static task<> grows() {
                    const counted local;
                    for (;;) {
                      spawn(sleeps()).detach();
                      co_await this_task::yield();
                    }
                  }
                };
                for (int i = 0; i < 4; ++i) spawn(line::grows()).detach();
                std::this_thread::sleep_for(5ms);
              }),
              testing::ExitedWithCode(0), nothing_left);
}

TEST_F(program_end, while_a_blocking_call_runs) {
  EXPECT_EXIT(program([] {
                flag begun;
                spawn_blocking([&begun] {
                  const counted local;
                  begun.set();
                  std::this_thread::sleep_for(20ms);
                }).detach();
                begun.block();
              }),
              testing::ExitedWithCode(0), nothing_left);
}

TEST_F(program_end, by_exit_inside_a_task) {
  EXPECT_EXIT(block_on(spawn([]() -> task<> {
                co_await this_task::yield();
                std::fprintf(stderr, "leaving\n");
                std::exit(5);
              })),
              testing::ExitedWithCode(5), "leaving");
}

struct spawns_in_its_destructor {
  ~spawns_in_its_destructor() {
    try {
      block_on(spawn(test::for_ever()));
    } catch (const std::logic_error& e) {
      std::fprintf(stderr, "%s\n", e.what());
      std::_Exit(6);
    }
  }
};

TEST_F(program_end, tasks_in_the_destructor_of_a_static_older_than_the_runtime_are_refused) {
  EXPECT_EXIT(
      {
        static const spawns_in_its_destructor older;
        block_on(spawn([]() -> task<> { co_return; }));
        std::exit(0);
      },
      testing::ExitedWithCode(6), "the default runtime has ended");
}

TEST_F(program_end, by_exit_inside_a_blocking_call) {
  EXPECT_EXIT(block_on(spawn_blocking([] {
                std::fprintf(stderr, "leaving\n");
                std::exit(5);
              })),
              testing::ExitedWithCode(5), "leaving");
}

TEST_F(program_end, without_any_runtime) {
  EXPECT_EXIT(program([] {}), testing::ExitedWithCode(0), nothing_left);
}

}  // namespace
