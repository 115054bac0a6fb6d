// runtime: its options, several of them, and what is refused.
#include <astd/base/test_descriptors.hpp>
#include <astd/driver/driver.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::flag;

std::string name_of_this_thread() {
  char text[32] = {};
  pthread_getname_np(pthread_self(), text, sizeof text);
  return text;
}
task<std::string> on_which_thread() { co_return name_of_this_thread(); }
task<runtime*> on_which_runtime() {
  co_await this_task::yield();
  co_return &runtime::current();
}
task<int> tree(int depth) {
  if (depth == 0) co_return 1;
  auto left = spawn(tree(depth - 1));
  auto right = co_await tree(depth - 1);
  auto l = co_await left;
  co_return l + right;
}

// ---- shapes

TEST(runtime, works_in_every_shape) {
  for (const unsigned workers : {0u, 1u, 2u, 3u, 8u})
    for (const bool stealing : {true, false})
      for (const bool pin : {false, true}) {
        runtime rt({.workers = workers, .name = "shape", .stealing = stealing, .pin = pin});
        EXPECT_EQ(rt.block_on(tree(8)), 256);
        EXPECT_EQ(rt.block_on(rt.spawn(tree(8))), 256);
        EXPECT_EQ(rt.metrics().workers.size(), workers ? workers : 1u);
        EXPECT_TRUE(rt.shutdown(60s).complete);
      }
}

TEST(runtime, threads_are_named_and_numbered) {
  runtime rt({.workers = 2, .name = "web"});
  std::set<std::string> names;
  while (names.size() < 2) names.insert(rt.block_on(rt.spawn(on_which_thread())));
  EXPECT_EQ(names, (std::set<std::string>{"web-0", "web-1"}));
  EXPECT_EQ(rt.metrics().name, "web");
}

TEST(runtime, without_workers_tasks_run_in_block_on_only) {
  runtime rt({.workers = 0, .name = "calling"});
  std::atomic<int> ran = 0;
  auto counts = [&ran]() -> task<std::thread::id> {
    ++ran;
    co_return std::this_thread::get_id();
  };
  auto h = rt.spawn(counts);
  std::this_thread::sleep_for(2ms);
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(rt.block_on(h), std::this_thread::get_id());
  // From another thread while we are in there.
  flag spawned_there;
  std::thread other([&] {
    rt.spawn(
          [](flag& f) -> task<> {
            f.set();
            co_return;
          },
          std::ref(spawned_there))
        .detach();
  });
  rt.block_on(spawned_there.wait());
  other.join();
}

TEST(runtime, the_driver_can_be_chosen) {
  runtime epoll({.workers = 1, .name = "e", .driver = driver::choice::epoll});
  EXPECT_EQ(epoll.metrics().driver, "epoll");
  EXPECT_EQ(epoll.block_on(epoll.spawn(tree(4))), 16);
  if (std::getenv("ASTD_URING_IS_DEADLY")) return;  // confined.SIGSYS
  if (const driver::selected here = driver::make_driver({.want = driver::choice::uring}); here.value) {
    runtime uring({.workers = 1, .name = "u", .driver = driver::choice::uring});
    EXPECT_EQ(uring.metrics().driver, "uring");
    EXPECT_EQ(uring.block_on(uring.spawn(tree(4))), 16);
  } else {
    // What is chosen is not replaced: the error is the kernel's, with its name for the step that failed.
    try {
      const runtime uring({.workers = 1, .name = "u", .driver = driver::choice::uring});
      FAIL() << "a ring where there is none: " << here.reason;
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), here.error);
      EXPECT_NE(std::string_view(e.what()).find(here.reason), std::string_view::npos) << e.what();
    }
  }
}

TEST(runtime, without_descriptors_says_so) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const test::no_more_descriptors now;
        try {
          const runtime rt({.workers = 1, .driver = driver::choice::epoll});
        } catch (const std::system_error& e) {
          std::fprintf(stderr, "%s", e.what());
          std::_Exit(e.code() == std::errc::too_many_files_open ? 0 : 1);
        }
        std::_Exit(2);
      },
      testing::ExitedWithCode(0), "^driver: epoll_create1: Too many open files$");
}

TEST(runtime, a_thread_that_gets_no_loop_is_told_and_may_come_again) {
  runtime rt({.workers = 1, .driver = driver::choice::epoll});
  std::thread([&] {
    {
      const test::no_more_descriptors now;
      try {
        rt.block_on(rt.spawn(tree(4)));
        ADD_FAILURE() << "a loop without a descriptor";
      } catch (const std::system_error& e) {
        EXPECT_EQ(e.code(), std::errc::too_many_files_open);
        EXPECT_STREQ(e.what(), "driver: epoll_create1: Too many open files");
      }
    }
    EXPECT_EQ(rt.block_on(rt.spawn(tree(4))), 16);
  }).join();
}

// ---- several

TEST(runtime, several_at_once) {
  runtime a({.workers = 2, .name = "a"}), b({.workers = 1, .name = "b"});
  EXPECT_EQ(a.block_on(on_which_runtime()), &a);
  EXPECT_EQ(b.block_on(on_which_runtime()), &b);
  EXPECT_EQ(block_on(a.spawn(on_which_runtime())), &a);
  EXPECT_EQ(a.block_on(b.spawn(on_which_runtime())), &b);
  // Each task comes back to its own after it has awaited one of the other's.
  auto crosses = [&](int n) -> task<int> {
    for (int i = 0; i < n; ++i) {
      auto h = b.spawn(on_which_runtime());
      const auto there = co_await h;
      if (there != &b || &runtime::current() != &a) co_return i;
      auto back = [&]() -> task<runtime*> {
        auto inner = a.spawn(on_which_runtime());
        auto r = co_await inner;
        co_return &runtime::current() == &b ? r : nullptr;
      };
      auto round = b.spawn(back);
      const auto r = co_await round;
      if (r != &a) co_return i;
    }
    co_return n;
  };
  std::vector<join_handle<int>> handles;
  for (int i = 0; i < 10; ++i) handles.push_back(a.spawn(crosses, 50));
  for (auto& h : handles) EXPECT_EQ(block_on(h), 50);
}

ASTD_TEST(runtime, nested) {
  // Made, used and ended inside a task of another.
  const task_id me = this_task::get_id();
  for (int i = 0; i < 5; ++i) {
    runtime inner({.workers = 2, .name = "inner"});
    EXPECT_EQ(inner.block_on(on_which_runtime()), &inner);
    auto h = inner.spawn(tree(5));
    const auto leaves = co_await h;
    EXPECT_EQ(leaves, 32);
    auto spawns_locally = []() -> task<> {
      spawn_local(test::for_ever()).detach();
      co_await this_task::yield();
    };
    inner.block_on(spawns_locally());
    EXPECT_EQ(this_task::get_id(), me);
    inner.spawn(test::for_ever()).detach();
  }
  EXPECT_EQ(counted::live(), 0);
  EXPECT_NE(this_task::get_id(), 0u);
}

TEST(runtime, many_one_after_another) {
  for (int i = 0; i < 50; ++i) {
    runtime rt({.workers = 1 + static_cast<unsigned>(i) % 3, .name = "short"});
    if (i % 2) rt.spawn(test::for_ever()).detach();
    if (i % 3) EXPECT_EQ(rt.block_on(tree(3)), 8);
  }
  EXPECT_EQ(counted::live(), 0);
}

// ---- what is refused

std::string refused(runtime_options options) {
  try {
    const runtime rt(std::move(options));
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::invalid_argument);
    return e.what();
  }
  return "nothing";
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(runtime, bad_options_are_named_with_their_value) {
  const std::string workers = refused({.workers = 513});
  EXPECT_TRUE(has(workers, "workers") && has(workers, "513") && has(workers, "512")) << workers;
  const std::string few = refused({.workers = 1, .max_blocking_threads = 0});
  EXPECT_TRUE(has(few, "max_blocking_threads") && has(few, "= 0")) << few;
  const std::string many = refused({.workers = 1, .max_blocking_threads = 65537});
  EXPECT_TRUE(has(many, "max_blocking_threads") && has(many, "65537")) << many;
  const std::string name = refused({.workers = 1, .name = ""});
  EXPECT_TRUE(has(name, "name")) << name;
  const std::string signal = refused({.workers = 1, .dump_signal = 9});
  EXPECT_TRUE(has(signal, "dump_signal") && has(signal, "9")) << signal;
  const std::string queue = refused({.workers = 1, .max_blocking_queue = 0});
  EXPECT_TRUE(has(queue, "runtime_options: max_blocking_queue = 0")) << queue;
  const std::string limit = refused({.workers = 1, .stall_limit = -1s});
  EXPECT_TRUE(has(limit, "stall_limit = -1000000000 ns")) << limit;
  const std::string driver = refused({.workers = 1, .driver = static_cast<driver::choice>(99)});
  EXPECT_TRUE(has(driver, "driver = 99")) << driver;
}

TEST(runtime, signals_that_no_program_may_choose_are_refused) {
  for (const int signal : {-1, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, 32,
                           SIGRTMAX + 1, 1 << 20}) {
    const std::string text = refused({.workers = 0, .dump_signal = signal});
    EXPECT_TRUE(has(text, "runtime_options: dump_signal = " + std::to_string(signal) + ", but")) << text;
  }
}

// The default runtime is made once for each process, so each value is tried in one of its own.
void try_default_with(const char* variable, const char* value) {
  ::setenv(variable, value, 1);
  try {
    std::fprintf(stderr, "%s\n", block_on(spawn(on_which_thread())).c_str());
    std::fprintf(stderr, "%zu workers\n", runtime::default_runtime().metrics().workers.size());
    std::exit(0);
  } catch (const std::system_error& e) {
    std::fprintf(stderr, "refused: %s\n", e.what());
    std::exit(e.code() == std::errc::invalid_argument ? 3 : 4);
  }
}

class environment : public testing::Test {
 protected:
  environment() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(environment, bad_values_are_named) {
  for (const char* bad : {"0", "513", "-1", "four", "3x", "", " 2", "99999999999999999999"})
    EXPECT_EXIT(try_default_with("ASTD_THREAD_COUNT", bad), testing::ExitedWithCode(3),
                std::string("ASTD_THREAD_COUNT.*'") + bad + "'.*1 to 512");
  EXPECT_EXIT(try_default_with("ASTD_THREAD_NAME", ""), testing::ExitedWithCode(3), "ASTD_THREAD_NAME.*''");
  EXPECT_EXIT(try_default_with("ASTD_DRIVER", "kqueue"), testing::ExitedWithCode(3),
              "ASTD_DRIVER.*'kqueue'.*uring");
}

TEST_F(environment, good_values_are_taken) {
  EXPECT_EXIT(try_default_with("ASTD_THREAD_COUNT", "2"), testing::ExitedWithCode(0), "2 workers");
  EXPECT_EXIT(try_default_with("ASTD_THREAD_NAME", "mine"), testing::ExitedWithCode(0), "mine-0|mine-1|mine-2");
  EXPECT_EXIT(try_default_with("ASTD_DRIVER", "epoll"), testing::ExitedWithCode(0), "workers");
}

#if !ASTD_SANITIZED  // whose own threads and shadows need the room

// Makes runtimes of four workers in ever more room: sooner or later each of their threads is the one that is refused.
[[noreturn]] void start_in_little_room() {
  long pages = 0;
  if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%ld", &pages) != 1) pages = 0;
    std::fclose(f);
  }
  const rlim_t now = static_cast<rlim_t>(pages) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
  rlimit limit;
  ::getrlimit(RLIMIT_AS, &limit);
  int refused = 0, started = 0;
  for (rlim_t megabytes = 8; started < 3 && megabytes < 2048; megabytes += 3) {
    limit.rlim_cur = now + (megabytes << 20);
    ::setrlimit(RLIMIT_AS, &limit);
    try {
      runtime rt({.workers = 4, .name = "cramped"});
      ++started;
    } catch (const std::system_error& e) {
      const std::string text = e.what();
      const bool named =
          text.find("start a thread") != std::string::npos && text.find("cramped") != std::string::npos;
      refused += named;
      if (!named) std::fprintf(stderr, "%s\n", text.c_str());
    } catch (const std::bad_alloc&) {
    }
  }
  std::fprintf(stderr, "%s, %s\n", refused > 0 ? "refused" : "not once refused",
               started > 0 ? "started" : "never started");
  std::exit(refused > 0 && started > 0 ? 0 : 1);
}

TEST_F(environment, threads_that_the_system_refuses_are_an_error_with_a_name) {
  EXPECT_EXIT(start_in_little_room(), testing::ExitedWithCode(0), "refused, started");
}

#endif

}  // namespace
