// dump_tasks: every task with its chain of awaits, without disturbing one.
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/shield.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::flag;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// The part of a dump that speaks of one task.
std::string about(const std::string& dump, std::string_view name) {
  const auto at = dump.find(name);
  if (at == std::string::npos) return "nothing about it in: " + dump;
  const auto begin = dump.rfind("\ntask ", at);
  const auto end = dump.find("\ntask ", at);
  return dump.substr(begin + 1, end == std::string::npos ? end : end - begin);
}

task<> innermost_wait(flag& begun) {
  begun.set();
  co_await this_task::sleep_for(1h);  // line A
}
constexpr unsigned line_a = __LINE__ - 2;
task<> middle(flag& begun) {
  co_await innermost_wait(begun);  // line B
}
constexpr unsigned line_b = __LINE__ - 2;

std::string at(unsigned line) { return "dump_test.cpp:" + std::to_string(line); }

/// The dump in which `part` is told; it will be, soon.
std::string dump_with(runtime& rt, std::string_view part) {
  std::string dump;
  test::wait_until([&] {
    dump = rt.dump_tasks();
    return has(dump, part);
  });
  return dump;
}

TEST(dump_tasks, tells_names_and_chains_with_their_lines) {
  flag begun;
  task_id id = 0;
  runtime rt({.workers = 2, .name = "shown"});
  auto starts = [&]() -> task<> {
    auto h = task_builder().name("the sleeper").spawn(middle(begun));
    id = h.id();
    h.detach();
    co_return;
  };
  rt.block_on(starts());
  const std::string dump = dump_with(rt, "innermost_wait");
  EXPECT_TRUE(has(dump, "runtime 'shown'")) << dump;
  const std::string text = about(dump, "the sleeper");
  EXPECT_TRUE(has(text, "task " + std::to_string(id))) << text;
  EXPECT_TRUE(has(text, "sleep")) << text;
  EXPECT_TRUE(has(text, at(line_a))) << text;
  EXPECT_TRUE(has(text, "middle") && has(text, at(line_b))) << text;
  EXPECT_LT(text.find("innermost_wait"), text.find("middle")) << "innermost first";
}

task<> left_branch() { co_await this_task::sleep_for(1h); }
task<> right_branch(flag& go) { co_await timeout(1h, shield(go.wait())); }
task<> two_branches(flag& go) { co_await race(left_branch(), right_branch(go)); }

TEST(dump_tasks, tells_the_branches_of_a_race) {
  flag go, never;
  runtime rt({.workers = 1, .name = "shown"});
  auto starts = [&]() -> task<> {
    task_builder().name("the racer").spawn(two_branches(go)).detach();
    auto joined = task_builder().name("the joined").spawn(never.wait());
    auto joins = [](join_handle<> h) -> task<> { co_await h; };
    task_builder().name("the joiner").spawn(joins, std::move(joined)).detach();
    co_return;
  };
  rt.block_on(starts());
  const std::string dump = dump_with(rt, "join of");
  const std::string race = about(dump, "the racer");
  EXPECT_TRUE(has(race, "race")) << race;
  EXPECT_TRUE(has(race, "left_branch") && has(race, "sleep")) << race;
  EXPECT_TRUE(has(race, "right_branch") && has(race, "timeout") && has(race, "shield") && has(race, "poll_fn"))
      << race;
  EXPECT_TRUE(has(race, "two_branches")) << race;
  EXPECT_TRUE(has(about(dump, "the joiner"), "join of task 'the joined'")) << dump;
  go.set();
}

TEST(dump_tasks, tells_of_a_blocking_call_that_waits_for_a_thread) {
  flag begun, go;
  runtime rt({.workers = 1, .name = "shown", .max_blocking_threads = 1});
  auto starts = [&]() -> task<> {
    spawn_blocking([&] {
      begun.set();
      go.block();
    }).detach();
    co_await begun.wait();
    task_builder().name("the queued").blocking([] {}).detach();
  };
  rt.block_on(starts());
  const std::string dump = rt.dump_tasks();
  EXPECT_TRUE(has(about(dump, "the queued"), "blocking pool")) << dump;
  go.set();
}

TEST(dump_tasks, marks_a_running_task_and_leaves_it_alone) {
  flag begun;
  std::atomic<bool> go = false;
  runtime rt({.workers = 2, .name = "shown"});
  auto computes = [&]() -> task<> {
    begun.set();
    test::hold_until([&go] { return go.load(); });
    co_return;
  };
  auto starts = [&]() -> task<> {
    task_builder().name("the busy").spawn(computes).detach();
    co_return;
  };
  rt.block_on(starts());
  begun.block();
  const std::string text = about(rt.dump_tasks(), "the busy");
  EXPECT_TRUE(has(text, "running")) << text;
  go = true;
}

// It goes on as soon as the other has ended, without a look at who wants it to pause.
TEST(dump_tasks, leaves_a_task_alone_that_waits_for_one_it_has_joined_in_the_same_turn) {
  flag begun;
  std::atomic<bool> go = false;
  runtime rt({.workers = 2, .name = "shown"});
  auto computes = [&]() -> task<> {
    begun.set();
    test::hold_until([&go] { return go.load(); });
    co_return;
  };
  auto joins = [&]() -> task<> {
    auto h = spawn(computes);
    co_await std::move(h);
  };
  auto starts = [&]() -> task<> {
    task_builder().name("the joiner").spawn(joins).detach();
    co_return;
  };
  rt.block_on(starts());
  begun.block();
  const std::string text = about(rt.dump_tasks(), "the joiner");
  // The latter if something came between its spawn and its join.
  EXPECT_TRUE(has(text, "running") || has(text, "join of task")) << text;
  go = true;
}

TEST(dump_tasks, works_inside_a_task_and_on_every_thread) {
  runtime rt({.workers = 2, .name = "shown"});
  auto looks = [&rt]() -> task<std::string> {
    co_await this_task::yield();
    co_return rt.dump_tasks();
  };
  auto named = [&]() -> task<std::string> {
    auto h = task_builder().name("the looker").spawn(looks);
    auto text = co_await h;
    co_return text;
  };
  const std::string own = rt.block_on(named());
  EXPECT_TRUE(has(about(own, "the looker"), "running")) << own;
  auto in_the_pool = [&]() -> task<std::string> {
    auto h = spawn_blocking([] { return dump_tasks(); });
    auto text = co_await h;
    co_return text;
  };
  EXPECT_TRUE(has(rt.block_on(in_the_pool()), "runtime 'shown'"));
  EXPECT_TRUE(has(rt.block_on(looks()), "runtime 'shown'"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&rt] {
      for (int n = 0; n < 20; ++n) EXPECT_TRUE(has(rt.dump_tasks(), "shown"));
    });
  for (std::thread& t : threads) t.join();
}

// ---- while everything moves

task<> deep(int depth, std::mt19937& random) {
  if (depth > 0) {
    co_await deep(depth - 1, random);
    co_return;
  }
  switch (random() % 5) {
    case 0: co_await this_task::yield(); break;
    case 1: co_await this_task::sleep_for(std::chrono::microseconds(random() % 200)); break;
    case 2: {
      auto h = spawn(left_branch());
      co_await this_task::yield();
      const auto none = co_await h.cancel();
      EXPECT_FALSE(none.has_value());
      break;
    }
    case 3: co_await race(left_branch(), this_task::sleep_for(10us), pending()); break;
    default: {
      auto h = spawn_blocking([] {});
      co_await h;
    }
  }
}

task<> deep_alone(unsigned seed) {
  std::mt19937 random(seed);
  co_await deep(3, random);
}

task<> churns(unsigned seed, std::atomic<bool>& stop) {
  std::mt19937 random(seed);
  while (!stop) {
    co_await deep(static_cast<int>(random() % 6), random);
    if (random() % 4 == 0) {
      auto h = spawn(deep_alone, static_cast<unsigned>(random()));
      co_await h;
    }
  }
}

TEST(dump_tasks, while_tasks_churn_on_all_workers) {
  for (const unsigned workers : {1u, 3u}) {
    runtime rt({.workers = workers, .name = "churn"});
    std::atomic<bool> stop = false;
    std::vector<join_handle<>> handles;
    for (unsigned i = 0; i < 30; ++i) handles.push_back(rt.spawn(churns, i, std::ref(stop)));
    // Threads in block_on come and go as well, with local tasks of their own.
    std::thread guests([&] {
      auto visits = []() -> task<> {
        auto h = spawn_local(left_branch());
        co_await this_task::yield();
        co_await race(left_branch(), this_task::sleep_for(50us));
      };
      while (!stop) {
        rt.block_on(visits());
        std::thread([&] { rt.block_on(visits()); }).join();
      }
    });
    const auto end = std::chrono::steady_clock::now() + 500ms;
    int dumps = 0;
    for (; std::chrono::steady_clock::now() < end; ++dumps) EXPECT_TRUE(has(rt.dump_tasks(), "churn"));
    EXPECT_GT(dumps, 0);
    stop = true;
    for (auto& h : handles) rt.block_on(h);
    guests.join();
  }
}

// A worker that is not waited for any longer goes on in the middle of the dump, from its task to the one that joins it.
TEST(dump_tasks, while_workers_are_stuck_and_go_on) {
  runtime rt({.workers = 2, .name = "stuck"});
  std::atomic<bool> stop = false;
  auto holds = []() -> task<> {
    const auto until = std::chrono::steady_clock::now() + 101ms;
    test::hold_until([until] { return std::chrono::steady_clock::now() > until; });
    co_return;
  };
  struct nest {
    static task<> joins(int depth, join_handle<>& h) {
      if (depth > 0)
        co_await joins(depth - 1, h);
      else
        co_await h;
    }
  };
  auto waits = [&](auto self, int depth) -> task<> {
    auto h = depth == 0 ? spawn(holds) : spawn(self, self, depth - 1);
    co_await nest::joins(20, h);
  };
  auto repeats = [&]() -> task<> {
    while (!stop) co_await waits(waits, 100);
  };
  auto a = rt.spawn(repeats);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(has(rt.dump_tasks(), "stuck"));
  stop = true;
  rt.block_on(a);
}

// Holds up whoever describes it, until `on` says so, and for a while if that never comes.
class look_awaiter final : public detail::suspension, public detail::awaiter_base<look_awaiter> {
 public:
  using value_type = void;
  look_awaiter(std::atomic<bool>& looking, std::atomic<bool>& on, bool& came) noexcept
      : looking_(looking), on_(on), came_(came) {}
  bool await_ready() const noexcept { return false; }
  detail::resumable* start(const detail::await_context& c) noexcept {
    attach(c);
    return publish() ? nullptr : stop();
  }
  detail::outcome<void> take() noexcept { return {}; }
  void request_stop() noexcept override {
    complete(true);
    stop_request_done();
  }
  void describe(std::string& out, unsigned) const override {
    out += "being looked at";
    looking_ = true;
    for (int i = 0; i < 300 && !on_; ++i) std::this_thread::sleep_for(1ms);
    came_ |= on_;
  }

 private:
  std::atomic<bool>& looking_;
  std::atomic<bool>& on_;
  bool& came_;
};
class looked_at {
 public:
  looked_at(std::atomic<bool>& looking, std::atomic<bool>& on, bool& came) noexcept
      : looking_(looking), on_(on), came_(came) {}
  auto operator co_await() const noexcept { return look_awaiter(looking_, on_, came_); }

 private:
  std::atomic<bool>& looking_;
  std::atomic<bool>& on_;
  bool& came_;
};

// A dump that has given up waiting for a worker describes what that one's task is nested in; a task that has come here
// from another worker, so that no list's lock keeps the two apart.
TEST(dump_tasks, keeps_a_task_that_a_nested_block_on_goes_back_to_where_it_is) {
  runtime rt({.workers = 2, .name = "nested"});
  flag begun;
  std::atomic<bool> looking = false, went_on = false, moved = false;
  std::atomic<int> turns = 0;
  bool came_meanwhile = false;
  auto hogs = [&](int since) -> task<> {
    test::hold_until([&] { return moved || turns > since; });
    co_return;
  };
  auto computes = [&]() -> task<> {
    begun.set();
    test::hold_until([&] { return looking.load(); });
    co_return;
  };
  auto nests = [&]() -> task<> {
    block_on(computes());
    went_on = true;
    co_return;
  };
  auto races = [&]() -> task<> {
    for (const auto first = std::this_thread::get_id(); first == std::this_thread::get_id();) {
      spawn(hogs, ++turns).detach();  // holds up this worker, or does no harm to the other
      co_await this_task::yield();
    }
    moved = true;
    co_await race(looked_at(looking, went_on, came_meanwhile), nests());
  };
  auto racer = rt.spawn(races);
  begun.block();
  EXPECT_TRUE(has(rt.dump_tasks(), "being looked at"));
  rt.block_on(racer);
  EXPECT_TRUE(went_on);
  EXPECT_FALSE(came_meanwhile);
}

// ---- on a signal

class dump_on_signal : public testing::Test {
 protected:
  dump_on_signal() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(dump_on_signal, prints_the_tasks_and_goes_on) {
  EXPECT_EXIT(
      {
        runtime rt({.workers = 1, .name = "signalled", .dump_signal = SIGUSR1});
        flag begun;
        auto starts = [&]() -> task<> {
          task_builder().name("seen by signal").spawn(middle(begun)).detach();
          co_await begun.wait();
          co_await this_task::sleep_for(1ms);
        };
        rt.block_on(starts());
        std::raise(SIGUSR1);
        std::this_thread::sleep_for(300ms);
        std::raise(SIGUSR1);
        std::this_thread::sleep_for(300ms);
        std::fprintf(stderr, "went on\n");
        rt.shutdown(60s);
        std::exit(0);
      },
      testing::ExitedWithCode(0), "runtime 'signalled'.*seen by signal.*runtime 'signalled'.*went on");
}

TEST_F(dump_on_signal, keeps_off_the_numbers_of_standard_input_and_output) {
  EXPECT_EXIT(
      {
        ::close(0);
        ::close(1);
        runtime rt({.workers = 1, .dump_signal = SIGUSR1});
        std::_Exit(::fcntl(0, F_GETFD) == -1 && ::fcntl(1, F_GETFD) == -1 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
