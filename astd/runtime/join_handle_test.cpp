// A spawned task from outside: its outcome, cancelling it, letting it go.
#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/shield.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::flag;
using test::for_ever;

static_assert(std::is_nothrow_move_constructible_v<join_handle<int>>);
static_assert(!std::is_copy_constructible_v<join_handle<int>>);
static_assert(sizeof(join_handle<int>) == sizeof(void*));

// ---- outcomes

class no_default {
 public:
  explicit no_default(int n) : n_(n) {}
  [[nodiscard]] int n() const { return n_; }

 private:
  int n_;
};
struct alignas(64) wide {
  explicit wide(int v) : value(v) {}
  int value;
  char rest[100] = {};
};

template <class T, class... A>
task<T> give(A... a) {
  co_await this_task::yield();
  co_return T(std::move(a)...);
}

ASTD_TEST(join_handle, gives_values_of_all_kinds) {
  auto number = spawn(give<int>(7));
  const auto n = co_await number;
  EXPECT_EQ(n, 7);
  EXPECT_FALSE(number) << "the result was taken";

  auto text = spawn(give<std::string>(std::string(100, 'x')));
  const auto t = co_await std::move(text);
  EXPECT_EQ(t.size(), 100u);

  auto owner = spawn(give<std::unique_ptr<int>>(new int(3)));
  const auto p = co_await owner;
  EXPECT_EQ(*p, 3);

  auto plain = spawn(give<no_default>(4));
  const auto d = co_await plain;
  EXPECT_EQ(d.n(), 4);

  auto aligned = spawn(give<std::unique_ptr<wide>>(new wide(5)));
  const auto w = co_await aligned;
  EXPECT_EQ(w->value, 5);

  static int place = 1;
  auto reference = []() -> task<int&> { co_return place; };
  auto r = spawn(reference);
  auto& same = co_await r;
  EXPECT_EQ(&same, &place);

  auto nothing = []() -> task<> { co_await this_task::yield(); };
  auto v = spawn(nothing);
  co_await v;
  EXPECT_FALSE(v);
}

// The result lies in front of the frame, in a block that is aligned for it.
TEST(join_handle, gives_an_over_aligned_value) {
  auto body = []() -> task<wide> { co_return wide(6); };
  const wide w = block_on(spawn(body));
  EXPECT_EQ(w.value, 6);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&w) % alignof(wide), 0u);
}

task<> throws(const char* text) {
  co_await this_task::yield();
  throw std::runtime_error(text);
}
task<int> fails(std::error_code code, std::string_view subject) {
  co_await this_task::yield();
  co_await fail(failure(code, subject));
  co_return 0;
}
task<int> fails_below() {
  auto n = co_await or_return(fails(std::make_error_code(std::errc::broken_pipe), "the pipe"));
  co_return n;
}

ASTD_TEST(join_handle, gives_the_exception) {
  auto h = spawn(throws("it went wrong"));
  const auto how = co_await test::how_it_ends(std::move(h));
  EXPECT_EQ(how, "it went wrong");
  auto second = spawn(throws("again"));
  const auto is = co_await test::ends_with<std::runtime_error>(std::move(second));
  EXPECT_TRUE(is);
}

ASTD_TEST(join_handle, gives_the_failure) {
  auto h = spawn(fails_below());
  const auto result = co_await as_result(h);
  EXPECT_EQ(result.error(), std::errc::broken_pipe);
  EXPECT_FALSE(h);
  auto second = spawn(fails_below());
  const auto how = co_await test::how_it_ends(std::move(second));
  EXPECT_NE(how.find("the pipe"), std::string::npos) << how;
  auto third = spawn(fails_below());
  auto passing_on = [](join_handle<int> other) -> task<int> {
    auto n = co_await or_return(other);
    co_return n;
  };
  const auto passed = co_await as_result(passing_on(std::move(third)));
  EXPECT_EQ(passed.error(), std::errc::broken_pipe);
}

ASTD_TEST(join_handle, a_cancelled_task_is_named) {
  auto named = task_builder().name("reader").spawn(for_ever());
  named.request_cancel();
  const auto how = co_await test::how_it_ends(std::move(named));
  EXPECT_NE(how.find("task 'reader'"), std::string::npos) << how;

  auto nameless = spawn(for_ever());
  const std::string number = "task " + std::to_string(nameless.id());
  nameless.request_cancel();
  const auto how_nameless = co_await test::how_it_ends(std::move(nameless));
  EXPECT_NE(how_nameless.find(number), std::string::npos) << how_nameless;

  auto typed = spawn(for_ever());
  typed.request_cancel();
  const auto is = co_await test::ends_with<task_cancelled>(std::move(typed));
  EXPECT_TRUE(is);

  auto quiet = spawn(for_ever());
  quiet.request_cancel();
  const auto result = co_await as_result(quiet);
  EXPECT_FALSE(result.has_value());
  if (!result) EXPECT_EQ(result.error(), std::errc::operation_canceled);
}

ASTD_TEST(join_handle, tells_when_it_has_finished) {
  flag go;
  auto body = [](flag& f) -> task<> { co_await f.wait(); };
  auto h = spawn(body, std::ref(go));
  EXPECT_FALSE(h.is_finished());
  go.set();
  while (!h.is_finished()) co_await this_task::yield();
  EXPECT_TRUE(h) << "its result is still to be taken";
  co_await h;
  EXPECT_TRUE(h.is_finished());
  EXPECT_EQ(h.id(), 0u);
  EXPECT_EQ(h.name(), "");
}

ASTD_TEST(join_handle, ids_are_unique_and_names_are_kept) {
  auto body = []() -> task<std::pair<task_id, std::string>> {
    co_await this_task::yield();
    co_return std::pair(this_task::get_id(), std::string(this_task::name()));
  };
  std::vector<join_handle<std::pair<task_id, std::string>>> handles;
  std::vector<task_id> ids;
  for (int i = 0; i < 3000; ++i) {
    handles.push_back(task_builder().name("n" + std::to_string(i)).spawn(body));
    EXPECT_EQ(handles.back().name(), "n" + std::to_string(i));
    ids.push_back(handles.back().id());
  }
  for (std::size_t i = 0; i < handles.size(); ++i) {
    const auto inside = co_await handles[i];
    EXPECT_EQ(inside.first, ids[i]);
    EXPECT_EQ(inside.second, "n" + std::to_string(i));
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_GT(ids.front(), 0u);
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
}

// ---- cancelling

ASTD_TEST(join_handle, cancel_before_the_start) {
  bool ran = false;
  auto body = [c = counted()](bool& r) -> task<int> {
    r = true;
    co_await pending();
    co_return 0;
  };
  // On our own thread, so it cannot begin while we are here.
  auto h = spawn_local(std::move(body), std::ref(ran));
  const auto value = co_await h.cancel();
  EXPECT_EQ(value, std::nullopt);
  EXPECT_FALSE(ran);
  EXPECT_EQ(counted::live(), 1) << "only the closure that was moved from";
  EXPECT_FALSE(h);
}

task<> three_deep(int depth, flag& begun) {
  const counted local;
  if (depth > 0)
    co_await three_deep(depth - 1, begun);
  else
    co_await for_ever(&begun);
}

ASTD_TEST(join_handle, destructors_have_run_when_cancel_returns) {
  for (int i = 0; i < 200; ++i) {
    flag begun;
    auto h = spawn(three_deep(3, begun));
    co_await begun.wait();
    EXPECT_EQ(counted::live(), 5);
    const auto value = co_await h.cancel();
    EXPECT_EQ(value, std::nullopt);
    EXPECT_EQ(counted::live(), 0);
  }
}

ASTD_TEST(join_handle, cancel_gives_a_value_that_exists) {
  auto h = spawn(give<std::string>("done"));
  while (!h.is_finished()) co_await this_task::yield();
  const auto value = co_await h.cancel();
  EXPECT_EQ(value, "done");
  auto nothing = []() -> task<> { co_return; };
  auto v = spawn(nothing);
  while (!v.is_finished()) co_await this_task::yield();
  const auto unit = co_await v.cancel();
  EXPECT_TRUE(unit.has_value());
}

ASTD_TEST(join_handle, cancel_waits_for_a_task_that_takes_its_time) {
  flag begun, go;
  auto body = [](flag& b, flag& g) -> task<int> {
    b.set();
    co_await shield(g.wait());
    co_return 5;  // no suspension behind the shield at which it could stop
  };
  auto h = spawn(body, std::ref(begun), std::ref(go));
  co_await begun.wait();
  auto opener = [](flag& g) -> task<> {
    co_await this_task::sleep_for(1ms);
    g.set();
  };
  auto other = spawn(opener, std::ref(go));
  const auto value = co_await h.cancel();
  EXPECT_TRUE(go.is_set());
  EXPECT_EQ(value, 5);
  co_await other;
}

ASTD_TEST(join_handle, cancel_twice_and_of_an_empty_handle) {
  auto h = spawn(for_ever());
  h.request_cancel();
  h.request_cancel();
  const auto first = co_await h.cancel();
  EXPECT_EQ(first, std::nullopt);
  const auto second = co_await h.cancel();
  EXPECT_EQ(second, std::nullopt);
  join_handle<std::string> empty;
  const auto third = co_await empty.cancel();
  EXPECT_EQ(third, std::nullopt);
  empty.request_cancel();
  empty.detach();
}

ASTD_TEST(join_handle, cancel_throws_what_the_task_ended_with) {
  auto h = spawn(throws("before it was cancelled"));
  while (!h.is_finished()) co_await this_task::yield();
  const auto how = co_await test::how_it_ends(h.cancel());
  EXPECT_EQ(how, "before it was cancelled");
  // A failure of that very code is a failure all the same: the task was not stopped.
  auto same_code = spawn(fails(std::make_error_code(std::errc::operation_canceled), "by its peer"));
  while (!same_code.is_finished()) co_await this_task::yield();
  const auto how_same = co_await test::how_it_ends(same_code.cancel());
  EXPECT_NE(how_same.find("by its peer"), std::string::npos) << how_same;
}

TEST(join_handle, cancel_from_a_plain_thread) {
  for (int i = 0; i < 200; ++i) {
    flag begun;
    auto h = spawn(three_deep(2, begun));
    if (i % 2 == 0) begun.block();
    std::thread([&h] { h.request_cancel(); }).join();
    EXPECT_EQ(block_on(h.cancel()), std::nullopt);
    EXPECT_EQ(counted::live(), 0);
  }
}

ASTD_TEST(join_handle, cancelling_the_await_leaves_the_task_alone) {
  flag go;
  auto body = [](flag& f) -> task<int> {
    co_await f.wait();
    co_return 11;
  };
  auto h = spawn(body, std::ref(go));
  auto joiner = [](join_handle<int>& handle) -> task<int> {
    auto n = co_await handle;
    co_return n;
  };
  for (int i = 0; i < 50; ++i) {
    auto waiting = spawn(joiner, std::ref(h));
    if (i % 2) co_await this_task::yield();
    const auto none = co_await waiting.cancel();
    EXPECT_EQ(none, std::nullopt);
    EXPECT_TRUE(h);
  }
  go.set();
  const auto n = co_await h;
  EXPECT_EQ(n, 11);
}

// A request may come while the joiner is about to wait: it must not get lost.
TEST(join_handle, a_joiner_can_be_cancelled_at_any_moment) {
  flag never;
  auto body = [](flag& f) -> task<> { co_await f.wait(); };
  auto h = spawn(body, std::ref(never));
  using run = test::test_run<join_handle<>&>;
  std::atomic<run*> current = nullptr;
  std::atomic<bool> stop = false;
  std::thread canceller([&] {
    for (unsigned i = 0; !stop.load(); ++i) {
      run* const r = current.load();
      if (!r) continue;
      for (volatile unsigned spin = i % 64; spin != 0;) spin = spin - 1;
      r->request_cancel();
      current.store(nullptr);
    }
  });
  test::manual_executor loop;
  const auto end = std::chrono::steady_clock::now() + 300ms;
  int lost = 0;
  while (lost == 0 && std::chrono::steady_clock::now() < end) {
    run joining(loop, h);
    current.store(&joining);
    for (volatile unsigned spin = 30; spin != 0;) spin = spin - 1;
    joining.start();
    while (current.load()) {  // a yield would lose the moment
    }
    loop.run_until_idle();
    lost += !joining.has_ended();
    if (lost) {  // so that the test can end
      never.set();
      while (!joining.has_ended()) loop.run_until_idle();
    } else {
      EXPECT_EQ(joining.how(), test::ending::stopped);
    }
  }
  detail::set_current_chain(nullptr);  // we resumed chains by hand
  EXPECT_EQ(lost, 0);
  stop = true;
  canceller.join();
  never.set();
  if (h) block_on(h);
}

// ---- letting go

struct lost {
  static inline std::mutex lock;
  static inline std::vector<std::string> seen;
  static void note(std::exception_ptr e, std::string_view whose) noexcept {
    std::string text(whose);
    try {
      std::rethrow_exception(std::move(e));
    } catch (const std::exception& x) {
      text += std::string(": ") + x.what();
    }
    std::lock_guard guard(lock);
    seen.push_back(std::move(text));
  }
  lost() { before_ = set_lost_exception_handler(&note); }
  ~lost() { set_lost_exception_handler(before_); }
  static std::vector<std::string> wait_for(std::size_t n) {
    for (;;) {
      {
        std::lock_guard guard(lock);
        if (seen.size() >= n) return std::exchange(seen, {});
      }
      std::this_thread::yield();
    }
  }

 private:
  lost_exception_handler before_;
};

ASTD_TEST(join_handle, a_detached_task_runs_on) {
  flag go, first, second;
  auto body = [](flag& g, flag& e) -> task<> {
    co_await g.wait();
    e.set();
  };
  spawn(body, std::ref(go), std::ref(first)).detach();
  {
    auto dropped = spawn(body, std::ref(go), std::ref(second));
    EXPECT_TRUE(dropped);
  }
  go.set();
  co_await first.wait();
  co_await second.wait();
}

TEST(join_handle, a_result_that_nobody_takes_is_destroyed) {
  auto body = []() -> task<counted> { co_return counted(); };
  spawn(body).detach();
  test::wait_until([] { return counted::live() == 0; });
  auto kept = spawn(body);
  test::wait_until([&kept] { return kept.is_finished(); });
  EXPECT_EQ(counted::live(), 1);
  kept.detach();
  EXPECT_EQ(counted::live(), 0);
  auto replaced = spawn(body);
  test::wait_until([&replaced] { return replaced.is_finished(); });
  replaced = join_handle<counted>();
  EXPECT_EQ(counted::live(), 0);
}

TEST(join_handle, what_a_detached_task_ends_with_is_reported) {
  const lost handler;
  task_builder().name("broken").spawn(throws("nobody looks")).detach();
  EXPECT_EQ(lost::wait_for(1), std::vector<std::string>{"task 'broken': nobody looks"});

  task_builder().name("failing").spawn(fails_below()).detach();
  const auto failed = lost::wait_for(1);
  EXPECT_EQ(failed[0].find("task 'failing': the pipe"), 0u) << failed[0];

  auto late = task_builder().name("late").spawn(throws("had ended before"));
  test::wait_until([&late] { return late.is_finished(); });
  late.detach();
  EXPECT_EQ(lost::wait_for(1), std::vector<std::string>{"task 'late': had ended before"});

  auto nameless = spawn(throws("x"));
  const std::string number = "task " + std::to_string(nameless.id()) + ": x";
  nameless.detach();
  EXPECT_EQ(lost::wait_for(1), std::vector<std::string>{number});
}

TEST(join_handle, neither_a_value_nor_a_cancelled_task_is_lost) {
  const lost handler;
  block_on([]() -> task<> {
    auto taken = spawn(throws("taken"));
    co_await test::how_it_ends(std::move(taken));
    auto cancelled = spawn(for_ever());
    cancelled.request_cancel();
    while (!cancelled.is_finished()) co_await this_task::yield();
    cancelled.detach();
    auto value = spawn(give<int>(1));
    while (!value.is_finished()) co_await this_task::yield();
    value.detach();
    spawn(throws("the last")).detach();
  }());
  const auto seen = lost::wait_for(1);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_NE(seen[0].find("the last"), std::string::npos);
}

}  // namespace
