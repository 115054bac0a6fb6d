#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::counted;
using test::manual_executor;
using test::run_to_end;
using test::test_run;

static_assert(awaitable<task<int>>);
static_assert(!awaitable<task<int>&>, "a task is given up by awaiting it");
static_assert(!awaitable<const task<int>&>);
static_assert(!awaitable<int>);
static_assert(std::same_as<await_result_t<task<int&>>, int&>);
static_assert(std::same_as<await_result_t<task<>>, void>);
static_assert(std::same_as<await_result_t<task<std::unique_ptr<int>>>, std::unique_ptr<int>>);
static_assert(!std::copy_constructible<task<int>> && !std::is_copy_assignable_v<task<int>>);
static_assert(std::is_nothrow_move_constructible_v<task<int>> && std::is_nothrow_move_assignable_v<task<int>>);
static_assert(std::is_nothrow_default_constructible_v<task<int>> && std::is_nothrow_swappable_v<task<int>>);
static_assert(sizeof(task<int>) == sizeof(void*));

task<int> note(std::vector<std::string>& log, std::string name, int value) {
  log.push_back(name);
  co_return value;
}

TEST(task, runs_when_it_is_awaited) {
  std::vector<std::string> log;
  auto program = [](std::vector<std::string>& l) -> task<int> {
    task<int> b = note(l, "b", 2);
    task<int> a = note(l, "a", 1);
    l.push_back("made");
    auto x = co_await std::move(a);
    auto y = co_await std::move(b);
    co_return 10 * x + y;
  };
  EXPECT_EQ(run_to_end(program(log)), 12);
  EXPECT_EQ(log, (std::vector<std::string>{"made", "a", "b"}));
}

task<> with_parameter(counted, std::shared_ptr<int> p) {
  *p = 1;
  co_return;
}

TEST(task, that_is_not_awaited_never_runs_and_gives_back_its_parameters) {
  auto p = std::make_shared<int>(0);
  {
    task<> t = with_parameter(counted(), p);
    EXPECT_EQ(p.use_count(), 2);
    EXPECT_EQ(counted::live(), 1);
  }
  EXPECT_EQ(*p, 0);
  EXPECT_EQ(p.use_count(), 1);
  EXPECT_EQ(counted::live(), 0);
}

TEST(task, moves) {
  auto p = std::make_shared<int>(0);
  auto q = std::make_shared<int>(0);
  task<> a = with_parameter(counted(), p);
  task<> b = std::move(a);
  EXPECT_FALSE(a.valid());
  EXPECT_TRUE(b.valid());
  a = with_parameter(counted(), q);
  a = std::move(b);
  EXPECT_EQ(q.use_count(), 1) << "the task that was assigned over";
  EXPECT_TRUE(a.valid());
  EXPECT_FALSE(b.valid());
  a.swap(b);
  EXPECT_FALSE(a.valid());
  task<>& self = b;
  b = std::move(self);
  EXPECT_TRUE(b.valid());
  run_to_end(std::move(b));
  EXPECT_FALSE(b.valid());
  EXPECT_EQ(*p, 1);
  EXPECT_EQ(counted::live(), 0);
}

TEST(task, that_is_empty_is_caught) { EXPECT_DEATH(run_to_end(task<int>()), "task was awaited that is empty"); }

// The results.

TEST(task, gives_a_reference) {
  int n = 1;
  auto refer = [](int& r) -> task<int&> { co_return r; };
  auto program = [&refer](int& r) -> task<int*> {
    int& got = co_await refer(r);
    ++got;
    co_return &got;
  };
  EXPECT_EQ(run_to_end(program(n)), &n);
  EXPECT_EQ(n, 2);
  EXPECT_EQ(&run_to_end(refer(n)), &n);
}

struct base {
  int b = 1;
};
struct other_base {
  int o = 2;
};
struct derived : other_base, base {};

TEST(task, gives_a_reference_to_a_base) {
  derived d;
  auto refer = [](derived& r) -> task<const base&> { co_return r; };
  const base& b = run_to_end(refer(d));
  EXPECT_EQ(&b, &static_cast<base&>(d));
}

TEST(task, gives_nothing) {
  bool ran = false;
  auto program = [](bool& r) -> task<> {
    r = true;
    co_return;
  };
  run_to_end(program(ran));
  EXPECT_TRUE(ran);
}

TEST(task, gives_what_can_only_be_moved) {
  auto inner = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
  auto outer = [&]() -> task<std::unique_ptr<int>> {
    auto p = co_await inner();
    ++*p;
    co_return p;
  };
  EXPECT_EQ(*run_to_end(outer()), 6);
}

struct without_default {
  explicit without_default(int v) : value(v) {}
  without_default(without_default&&) = default;
  int value;
};

TEST(task, gives_what_has_no_default) {
  auto inner = [](int n) -> task<without_default> { co_return without_default(n); };
  auto outer = [&]() -> task<without_default> {
    auto w = co_await inner(3);
    co_return std::move(w);
  };
  EXPECT_EQ(run_to_end(outer()).value, 3);
}

TEST(task, converts_what_is_returned) {
  auto from_literal = []() -> task<std::string> { co_return "text"; };
  auto from_braces = []() -> task<std::pair<int, std::string>> { co_return {3, "x"}; };
  auto to_wide = [](int n) -> task<long> { co_return n; };
  EXPECT_EQ(run_to_end(from_literal()), "text");
  EXPECT_EQ(run_to_end(from_braces()), std::pair(3, std::string("x")));
  EXPECT_EQ(run_to_end(to_wide(-1)), -1L);
}

TEST(task, moves_a_local_it_returns_and_copies_what_it_must) {
  auto move = []() -> task<std::vector<int>> {
    std::vector<int> v(1000, 7);
    co_return v;
  };
  auto copy = [](const std::vector<int>& v) -> task<std::vector<int>> { co_return v; };
  std::vector<int> v = run_to_end(move());
  EXPECT_EQ(v.size(), 1000u);
  EXPECT_EQ(run_to_end(copy(v)), v);
  EXPECT_EQ(v.size(), 1000u);
}

TEST(task, destroys_the_result_once) {
  {
    auto inner = []() -> task<counted> { co_return counted(); };
    auto outer = [&]() -> task<long> {
      auto c = co_await inner();
      co_return counted::live();
    };
    EXPECT_EQ(run_to_end(outer()), 1);
    auto ignore = [&]() -> task<> { co_await inner(); };
    run_to_end(ignore());
  }
  EXPECT_EQ(counted::live(), 0);
}

// Exceptions.

struct boom {
  int value;
};

task<int> throws(int depth) {
  if (depth == 0) throw boom{42};
  auto v = co_await throws(depth - 1);
  co_return v;
}

TEST(task, passes_an_exception_to_its_awaiter) {
  auto program = []() -> task<int> {
    int got = 0;
    try {
      auto v = co_await throws(3);
      got = v;
    } catch (const boom& b) {
      got = b.value + 1;
    }
    co_return got;
  };
  EXPECT_EQ(run_to_end(program()), 43);
  EXPECT_THROW(run_to_end(throws(0)), boom);
  EXPECT_THROW(run_to_end(throws(5)), boom);
}

TEST(task, passes_an_exception_of_a_task_without_or_with_a_reference_as_result) {
  auto nothing = []() -> task<> {
    throw boom{1};
    co_return;
  };
  auto refer = [](int& r) -> task<int&> {
    if (r) throw boom{2};
    co_return r;
  };
  int n = 1;
  EXPECT_THROW(run_to_end(nothing()), boom);
  EXPECT_THROW(run_to_end(refer(n)), boom);
}

struct throws_when_copied {
  throws_when_copied() = default;
  throws_when_copied(const throws_when_copied&) { throw boom{7}; }
  throws_when_copied(throws_when_copied&&) noexcept {}
};

TEST(task, throws_what_the_making_of_its_result_throws) {
  auto inner = [](const throws_when_copied& from) -> task<throws_when_copied> { co_return from; };
  const throws_when_copied original;
  auto program = [&]() -> task<int> {
    int got = 0;
    try {
      co_await inner(original);
    } catch (const boom& b) {
      got = b.value;
    }
    co_return got;
  };
  EXPECT_EQ(run_to_end(program()), 7);
  // Thrown within the coroutine that returns: it may catch it itself.
  auto catches = [](const throws_when_copied& from) -> task<throws_when_copied> {
    try {
      co_return from;
    } catch (const boom&) {
    }
    co_return throws_when_copied();
  };
  run_to_end(catches(original));
}

struct throws_when_destroyed {
  ~throws_when_destroyed() noexcept(false) { throw boom{9}; }
};

TEST(task, throws_what_a_destructor_throws_behind_its_result) {
  {
    auto inner = []() -> task<counted> {
      throws_when_destroyed t;
      co_return counted();
    };
    EXPECT_THROW(run_to_end(inner()), boom);
  }
  EXPECT_EQ(counted::live(), 0) << "the result that was there before the exception";
  {
    auto returns_twice = []() -> task<counted> {
      try {
        throws_when_destroyed t;
        co_return counted();
      } catch (const boom&) {
      }
      co_return counted();
    };
    run_to_end(returns_twice());
  }
  EXPECT_EQ(counted::live(), 0) << "the first of two results";
}

TEST(task, destroys_its_locals_before_its_awaiter_goes_on) {
  auto inner = [](counted) -> task<long> {
    counted a, b;
    co_return counted::live();
  };
  auto program = [&]() -> task<std::pair<long, long>> {
    auto inside = co_await inner(counted());
    co_return std::pair(inside, counted::live());
  };
  auto [inside, after] = run_to_end(program());
  EXPECT_GE(inside, 3);
  EXPECT_EQ(after, 0);
  auto failing = [](counted) -> task<> {
    counted a;
    throw boom{1};
    co_return;
  };
  auto catching = [&]() -> task<long> {
    try {
      co_await failing(counted());
    } catch (const boom&) {
    }
    co_return counted::live();
  };
  EXPECT_EQ(run_to_end(catching()), 0);
}

TEST(task, awaits_in_loops_and_branches) {
  auto one = [](int n) -> task<int> { co_return n; };
  auto program = [&]() -> task<int> {
    int sum = 0;
    for (int i = 0; i != 10; ++i) {
      auto v = co_await one(i);
      if (v % 2) continue;
      try {
        auto w = co_await throws(v);
        sum += w;
      } catch (boom& b) {
        sum += b.value;
      }
    }
    co_return sum;
  };
  EXPECT_EQ(run_to_end(program()), 5 * 42);
}

class member {
 public:
  explicit member(int n) : n_(n) {}
  task<int> get() const { co_return n_; }
  template <class T>
  task<T> as() {
    auto n = co_await get();
    co_return static_cast<T>(n);
  }
  static task<member> make(int n) { co_return member(n); }

 private:
  int n_;
};

TEST(task, is_returned_by_members_and_templates) {
  auto program = []() -> task<double> {
    auto m = co_await member::make(4);
    auto d = co_await m.as<double>();
    co_return d / 8;
  };
  EXPECT_EQ(run_to_end(program()), 0.5);
}

template <std::size_t Alignment>
struct alignas(Alignment) wide {
  explicit wide(int v) : value(v) {}
  [[nodiscard]] bool aligned() const noexcept {
    auto* p = this;
    asm("" : "+r"(p));  // else the compiler knows the answer
    return reinterpret_cast<std::uintptr_t>(p) % Alignment == 0;
  }
  int value;
};
using of_16 = wide<16>;

TEST(task, aligns_what_wants_16_bytes) {
  auto inner = [](int v) -> task<of_16> {
    char c = 0;
    of_16 local(v);
    co_await ready();
    EXPECT_TRUE(local.aligned());
    EXPECT_EQ(c, 0);
    co_return local;
  };
  auto program = [&]() -> task<> {
    for (int i = 0; i != 8; ++i) {
      char c = 0;
      auto w = co_await inner(i);
      EXPECT_TRUE(w.aligned());
      EXPECT_EQ(w.value, i);
      EXPECT_EQ(c, 0);
    }
  };
  run_to_end(program());
}

// In a frame they would not be: see task.hpp.
TEST(task, aligns_a_wider_result_that_is_awaited_outside_of_frames) {
  auto inner = [](int v) -> task<wide<128>> { co_return wide<128>(v); };
  manual_executor loop;
  std::vector<task<>> others;  // so that not everything lands on the same address
  for (int i = 0; i != 8; ++i) {
    test_run run(loop, inner(i));
    run.start();
    wide<128> w = run.value();
    EXPECT_TRUE(w.aligned());
    EXPECT_EQ(w.value, i);
    others.push_back(with_parameter(counted(), nullptr));
  }
}

}  // namespace
