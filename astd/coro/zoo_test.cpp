// Awkward awaiters of others, awaited in a task: directly, and through what is built on own_awaiter.
#include <astd/coro/as_result.hpp>
#include <astd/coro/chain.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <coroutine>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::counted;
using test::ending;
using test::manual_executor;
using test::run_to_end;
using test::test_run;

// Resumes what it was given when the test says so.
struct outside_world {
  std::coroutine_handle<> waiting;
  void resume() { std::exchange(waiting, nullptr).resume(); }
};

struct immovable {
  explicit immovable(outside_world& w, int v) : world(w), value(v) {}
  immovable(immovable&&) = delete;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) noexcept { world.waiting = h; }
  int await_resume() const noexcept { return value; }
  outside_world& world;
  int value;
  counted c;
};

// Both can be awaited as lvalues only: one has such an operator, the other such members.
struct lvalue_only {
  auto operator co_await() & { return immovable(world, 2); }
  outside_world& world;
};
struct lvalue_members {
  bool await_ready() & { return true; }
  void await_suspend(std::coroutine_handle<>) & {}
  int await_resume() & { return 3; }
};
struct rvalue_only {
  auto operator co_await() && { return lvalue_members(); }
};
struct const_only {
  auto operator co_await() const& { return lvalue_members(); }
};
struct not_quite_bool {
  explicit operator bool() const { return true; }
};
struct odd_ready {
  not_quite_bool await_ready() const { return {}; }
  void await_suspend(std::coroutine_handle<>) const {}
  int await_resume() const { return 5; }
};

struct returns_bool {
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> h) const noexcept {
    if (suspends) world.waiting = h;
    return suspends;
  }
  int await_resume() const noexcept { return 6; }
  outside_world& world;
  bool suspends;
};
enum class transfers_to { nobody, itself };
struct returns_handle {
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) const noexcept {
    if (to == transfers_to::itself) return h;
    world.waiting = h;
    return std::noop_coroutine();
  }
  int await_resume() const noexcept { return 7; }
  outside_world& world;
  transfers_to to;
};
struct resumes_at_once {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) const { h.resume(); }
  int await_resume() const noexcept { return 8; }
};
struct takes_any_handle {
  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> h) {
    world.waiting = h;
  }
  int await_resume() const noexcept { return 9; }
  outside_world& world;
};

enum class throws_in { ready, suspend, resume };
struct thrower {
  bool await_ready() const {
    if (where == throws_in::ready) throw std::string("ready");
    return false;
  }
  void await_suspend(std::coroutine_handle<> h) const {
    if (where == throws_in::suspend) throw std::string("suspend");
    world.waiting = h;
  }
  int await_resume() const { throw std::string("resume"); }
  outside_world& world;
  throws_in where;
};

static_assert(awaitable<immovable> && awaitable<immovable&>);
static_assert(awaitable<lvalue_only&> && !awaitable<lvalue_only>);
static_assert(awaitable<lvalue_members> && awaitable<rvalue_only> && !awaitable<rvalue_only&>);
static_assert(awaitable<const_only> && awaitable<const const_only&>);
static_assert(awaitable<odd_ready> && std::same_as<await_result_t<odd_ready>, int>);
static_assert(awaitable<std::suspend_always> && std::same_as<await_result_t<std::suspend_never>, void>);

}  // namespace

namespace elsewhere {
struct has_free_operator {
  int value;
};
struct awaits_value {
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  int await_resume() const noexcept { return value; }
  int value;
};
awaits_value operator co_await(has_free_operator h) { return {h.value}; }
}  // namespace elsewhere

namespace {

// Runs a program to which the outside world answers whenever nothing else can go on.
template <class Program>
auto run_with_world(Program program) {
  outside_world world;
  manual_executor loop;
  test_run run(loop, program(world));
  run.start();
  while (loop.step() || world.waiting)
    if (world.waiting) world.resume();
  EXPECT_TRUE(run.has_ended());
  return run.value();
}

TEST(zoo, of_awaiters_awaited_directly) {
  auto program = [](outside_world& w) -> task<std::vector<int>> {
    std::vector<int> got;
    auto a = co_await immovable(w, 1);
    got.push_back(a);
    immovable named(w, 10);
    auto b = co_await named;
    got.push_back(b);
    lvalue_only l{w};
    auto c = co_await l;
    got.push_back(c);
    auto d = co_await lvalue_members();
    got.push_back(d);
    auto e = co_await rvalue_only();
    got.push_back(e);
    auto f = co_await const_only();
    got.push_back(f);
    auto g = co_await odd_ready();
    got.push_back(g);
    returns_bool yes{w, true}, no{w, false};
    auto h = co_await yes;
    auto i = co_await no;
    got.push_back(h + i);
    returns_handle to_nobody{w, transfers_to::nobody}, to_itself{w, transfers_to::itself};
    auto j = co_await to_nobody;
    auto k = co_await to_itself;
    got.push_back(j + k);
    auto m = co_await resumes_at_once();
    got.push_back(m);
    takes_any_handle any{w};
    auto n = co_await any;
    got.push_back(n);
    auto o = co_await elsewhere::has_free_operator{11};
    got.push_back(o);
    co_await std::suspend_never();
    co_return got;
  };
  EXPECT_EQ(run_with_world(program), (std::vector<int>{1, 10, 2, 3, 3, 3, 5, 12, 14, 8, 9, 11}));
  EXPECT_EQ(counted::live(), 0);
}

TEST(zoo, of_awaiters_in_composites) {
  auto program = [](outside_world& w) -> task<int> {
    immovable named(w, 10);
    lvalue_only l{w};
    takes_any_handle any{w};
    auto j =
        co_await join(named, lvalue_members(), rvalue_only(), elsewhere::has_free_operator{11}, resumes_at_once());
    auto r = co_await as_result(l);
    auto o = co_await or_return(any);
    auto first = co_await race(odd_ready(), any);
    co_return std::get<0>(j) + std::get<1>(j) + std::get<2>(j) + std::get<3>(j) + std::get<4>(j) + *r + o + first;
  };
  EXPECT_EQ(run_with_world(program), 10 + 3 + 3 + 11 + 8 + 2 + 9 + 5);
  EXPECT_EQ(counted::live(), 0);
}

TEST(zoo, of_awaiters_that_throw) {
  auto program = [](outside_world& w) -> task<std::string> {
    std::string got;
    for (const throws_in where : {throws_in::ready, throws_in::suspend, throws_in::resume}) {
      thrower t{w, where};
      try {
        auto v = co_await t;
        got += std::to_string(v);
      } catch (const std::string& s) {
        got += s + " ";
      }
      try {
        auto v = co_await join(t, lvalue_members());
        got += std::to_string(std::get<0>(v));
      } catch (const std::string& s) {
        got += s + " ";
      }
      try {
        auto v = co_await or_return(t);
        got += std::to_string(v);
      } catch (const std::string& s) {
        got += s + " ";
      }
      // Not a std::system_error: thrown on.
      try {
        auto v = co_await as_result(t);
        got += std::to_string(*v);
      } catch (const std::string& s) {
        got += s + " ";
      }
    }
    co_return got;
  };
  EXPECT_EQ(run_with_world(program),
            "ready ready ready ready suspend suspend suspend suspend resume resume resume resume ");
}

// What await_resume gives.

struct gives_references {
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  std::string& await_resume() const noexcept { return s; }
  std::string& s;
};
struct gives_rvalue_references {
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  std::string&& await_resume() noexcept { return std::move(s); }
  std::string s;
};
struct gives_pointers {
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  std::unique_ptr<int> await_resume() const { return std::make_unique<int>(1); }
};

TEST(zoo, of_results) {
  std::string s = "x";
  auto program = [](std::string& x) -> task<std::string> {
    gives_references refers{x};
    std::string& same = co_await refers;
    EXPECT_EQ(&same, &x);
    auto j = co_await join(refers, gives_pointers());
    EXPECT_EQ(&std::get<0>(j), &x);
    EXPECT_EQ(*std::get<1>(j), 1);
    std::string& won = co_await race(refers, refers);
    EXPECT_EQ(&won, &x);
    std::string& mine = co_await or_return(refers);
    EXPECT_EQ(&mine, &x);
    const std::string text = "a text that is too long for the string itself to hold";
    gives_rvalue_references gives{text};
    auto a = co_await gives;
    EXPECT_EQ(a, text);
    EXPECT_EQ(gives.s, "");
    // The awaiter is gone when these give their values: they must not refer into it.
    gives_rvalue_references g1{text}, g2{text}, g3{text}, g4{text};
    auto b = co_await join(std::move(g1));
    EXPECT_EQ(std::get<0>(b), text);
    auto c = co_await as_result(std::move(g2));
    EXPECT_EQ(*c, text);
    auto d = co_await race(std::move(g3), std::move(g4));
    EXPECT_EQ(d, text);
    co_return d;
  };
  EXPECT_EQ(run_to_end(program(s)).size(), 53u);
}

// On other threads.

// Resumes on a thread of its own; the test waits for that with join().
class other_thread {
 public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    thread_ = std::thread([h, this] {
      id_ = std::this_thread::get_id();
      h.resume();
    });
  }
  std::thread::id await_resume() {
    thread_.join();
    return id_;
  }

 private:
  std::thread thread_;
  std::thread::id id_;
};

TEST(zoo, goes_on_where_the_chain_belongs) {
  auto program = []() -> task<int> {
    const auto home = std::this_thread::get_id();
    detail::chain* const in = detail::current_chain();
    int elsewhere_count = 0;
    for (int i = 0; i != 100; ++i) {
      other_thread o;
      auto where = co_await o;
      elsewhere_count += where != home;
      EXPECT_EQ(std::this_thread::get_id(), home);
      EXPECT_EQ(detail::current_chain(), in);
    }
    other_thread o, p;
    auto j = co_await join(o, p);
    elsewhere_count += std::get<0>(j) != home && std::get<1>(j) != home;
    EXPECT_EQ(std::this_thread::get_id(), home);
    EXPECT_EQ(detail::current_chain(), in);
    co_return elsewhere_count;
  };
  manual_executor loop;
  test_run run(loop, program());
  run.start();
  while (!run.has_ended())
    if (!loop.step()) std::this_thread::yield();
  EXPECT_EQ(run.value(), 101);
}

TEST(zoo, many_threads_resume_while_await_suspend_still_runs) {
  // Resumed by another thread before await_suspend returned, and gone before that: nothing may be touched then.
  struct hasty {
    explicit hasty(test::threads_executor& t) : threads(t) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
      hop.set_resume([](detail::resumable* r) { std::coroutine_handle<>::from_address(r->second_).resume(); });
      hop.second_ = h.address();
      threads.schedule(hop, detail::urgency::next);
    }
    void await_resume() const noexcept {}
    test::threads_executor& threads;
    detail::resumable hop;
  };
  test::threads_executor outside(1), on(2);
  auto program = [&]() -> task<int> {
    int n = 0;
    for (; n != 5000; ++n) {
      auto h = std::make_unique<hasty>(outside);
      co_await *h;
    }
    co_return n;
  };
  test_run run(on, program());
  run.start();
  run.wait();
  EXPECT_EQ(run.value(), 5000);
}

TEST(zoo, a_request_to_stop_takes_effect_behind_a_foreign_await) {
  outside_world world;
  manual_executor loop;
  bool went_on = false;
  auto program = [&](counted) -> task<> {
    auto v = co_await immovable(world, 1);
    went_on = v == 1;
    co_await pending();
  };
  test_run run(loop, program({}));
  run.start();
  run.request_cancel();
  EXPECT_EQ(loop.run_until_idle(), 0u);
  EXPECT_FALSE(run.has_ended());
  world.resume();
  loop.run_until_idle();
  EXPECT_TRUE(went_on);
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(counted::live(), 0);
}

}  // namespace
