// generator<T>: coroutines that yield and await.
#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/stream/collect.hpp>
#include <astd/stream/generator.hpp>
#include <astd/stream/test_streams.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counting;
using test::ints;
using test::virtual_time;

static_assert(stream::stream<generator<int>> && stream::stream<generator<int&>> && !stream::stream<int>);
static_assert(stream::source<ints&> && !stream::source<int>);

ASTD_TEST(generator, yields_values) {
  auto g = counting(3);
  ints seen;
  for (;;) {
    auto x = co_await g.next();
    if (!x) break;
    seen.push_back(*x);
  }
  EXPECT_EQ(seen, (ints{0, 1, 2}));
  EXPECT_FALSE(g);
  for (int i = 0; i < 3; ++i) {
    auto behind = co_await g.next();
    EXPECT_FALSE(behind);
  }
}

generator<int&> each(ints& v) {
  for (int& x : v) co_yield x;
}
generator<const std::string&> texts(const std::string& a, std::string b) {
  co_yield a;
  co_yield b;
}

ASTD_TEST(generator, yields_references) {
  ints v{1, 2, 3};
  co_await (each(v) | stream::for_each([](int& x) { x *= 10; }));
  EXPECT_EQ(v, (ints{10, 20, 30}));
  const std::string first = "a text";
  auto g = texts(first, "another");
  auto a = co_await g.next();
  EXPECT_EQ(a.operator->(), &first);
  auto b = co_await g.next();
  EXPECT_EQ(b, "another");
}

generator<std::unique_ptr<int>> pointers() {
  auto p = std::make_unique<int>(1);
  co_yield std::move(p);
  co_yield std::make_unique<int>(2);
}
generator<std::string> copies_and_moves(std::vector<std::string>& kept) {
  std::string s = "a text of more than fifteen bytes";
  co_yield s;
  kept.push_back(s);
  co_yield std::move(s);
  kept.push_back(s);
}

ASTD_TEST(generator, copies_what_is_named_and_moves_what_is_not) {
  auto all = co_await (pointers() | stream::to<std::vector>());
  EXPECT_EQ(all.size(), 2u);
  EXPECT_EQ(*all.at(1), 2);
  std::vector<std::string> kept;
  auto texts = co_await (copies_and_moves(kept) | stream::to<std::vector>());
  EXPECT_EQ(texts.at(0), texts.at(1));
  EXPECT_EQ(kept.at(0), texts.at(0));
  EXPECT_EQ(kept.at(1), "");
}

generator<int> throws_behind(int n) {
  for (int i = 0; i < n; ++i) co_yield i;
  throw std::runtime_error("enough");
}
generator<int> fails_behind_one() {
  co_yield 1;
  co_await fail(std::errc::io_error);
  co_yield 2;
}
task<int> broken() {
  co_await fail(std::errc::broken_pipe);
  co_return 0;
}
generator<int> gives_up(int& alive) {
  struct note {
    explicit note(int& n) : n_(n) { ++n_; }
    ~note() { --n_; }
    int& n_;
  };
  note here(alive);
  co_yield 1;
  auto x = co_await or_return(broken());
  co_yield x;
}

ASTD_TEST(generator, ends_with_an_exception) {
  auto g = throws_behind(1);
  auto one = co_await g.next();
  EXPECT_EQ(one, 0);
  std::string what;
  try {
    auto none = co_await g.next();
    static_cast<void>(none);
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  EXPECT_EQ(what, "enough");
  auto behind = co_await g.next();
  EXPECT_FALSE(behind);
}

ASTD_TEST(generator, ends_with_a_failure) {
  auto g = fails_behind_one();
  auto one = co_await g.next();
  EXPECT_EQ(one, 1);
  auto failed = co_await as_result(g.next());
  EXPECT_EQ(failed.error(), std::errc::io_error);
  auto behind = co_await g.next();
  EXPECT_FALSE(behind);
  int alive = 0;
  auto h = gives_up(alive);
  auto first = co_await h.next();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(alive, 1);
  auto given_up = co_await as_result(h.next());
  EXPECT_EQ(given_up.error(), std::errc::broken_pipe);
  EXPECT_EQ(alive, 0);
}

generator<int> tree(int depth) {
  if (depth == 0) co_return;
  co_yield elements_of(tree(depth - 1));
  co_yield depth;
  co_await this_task::yield();
  co_yield elements_of(tree(depth - 1));
}
generator<int> of_ranges() {
  ints v{1, 2};
  co_yield elements_of(v);
  ints w{3};
  co_yield elements_of(std::move(w));
  ints u{4, 5};
  test::own_stream own(u);
  co_yield elements_of(own);
}
generator<int> survives() {
  int caught = 0;
  try {
    co_yield elements_of(throws_behind(2));
  } catch (const std::runtime_error&) {
    caught = 100;
  }
  co_yield caught;
  auto failed = false;
  try {
    co_yield elements_of(fails_behind_one());
  } catch (const std::system_error&) {
    failed = true;
  }
  if (failed) co_yield 200;
}

ASTD_TEST(generator, delegates) {
  auto all = co_await (tree(3) | stream::to<std::vector>());
  EXPECT_EQ(all, (ints{1, 2, 1, 3, 1, 2, 1}));
  auto ranges = co_await (of_ranges() | stream::to<std::vector>());
  EXPECT_EQ(ranges, (ints{1, 2, 3, 4, 5}));
  auto caught = co_await (survives() | stream::to<std::vector>());
  EXPECT_EQ(caught, (ints{0, 1, 100, 1, 200}));
}

generator<int> continues(generator<int> g) {
  co_yield -1;
  co_yield elements_of(std::move(g));
}

// One that has been asked before, and stands in another itself.
ASTD_TEST(generator, delegates_to_one_that_has_begun) {
  auto g = tree(3);
  auto first = co_await g.next();
  EXPECT_EQ(first, 1);
  auto rest = co_await (continues(std::move(g)) | stream::to<std::vector>());
  EXPECT_EQ(rest, (ints{-1, 2, 1, 3, 1, 2, 1}));
}

generator<int> deep(int depth) {
  co_yield depth;
  if (depth > 0) co_yield elements_of(deep(depth - 1));
}

ASTD_TEST(generator, nests_deeply_without_the_stack) {
  constexpr int depth = 20'000;
  auto n = co_await (deep(depth) | stream::count());
  EXPECT_EQ(n, depth + 1u);
  auto g = deep(depth);
  auto some = co_await (g | stream::nth(depth - 1));
  EXPECT_EQ(some, 1);
  // Destroyed in its depth.
}

generator<int> many(int n) {
  for (int i = 0; i < n; ++i) co_yield 1;
}
ASTD_TEST(generator, runs_long_without_the_stack) {
  auto sum = co_await (many(200'000) | stream::sum());
  EXPECT_EQ(sum, 200'000);
}

struct alive_while {
  explicit alive_while(int& n) : n_(&n) { ++n; }
  alive_while(const alive_while&) = delete;
  ~alive_while() { --*n_; }
  int* n_;
};
generator<int> holds(int& alive, bool waits) {
  alive_while outer(alive);
  co_yield 1;
  alive_while inner(alive);
  if (waits) co_await this_task::sleep_for(1h);
  co_yield 2;
}
generator<int> holds_in_another(int& alive) {
  alive_while here(alive);
  co_yield elements_of(holds(alive, true));
}

ASTD_TEST(generator, is_destroyed_where_it_stands) {
  int alive = 0;
  {
    auto unasked = holds(alive, false);
  }
  EXPECT_EQ(alive, 0);
  {
    auto g = holds(alive, false);
    auto x = co_await g.next();
    EXPECT_EQ(x, 1);
    EXPECT_EQ(alive, 1);
    auto y = co_await g.next();
    EXPECT_EQ(y, 2);
    EXPECT_EQ(alive, 2);
    generator<int> moved = std::move(g);
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

ASTD_TEST_WITH(generator, is_cancelled_where_it_waits, virtual_time()) {
  int alive = 0;
  auto g = holds_in_another(alive);
  auto x = co_await g.next();
  EXPECT_EQ(x, 1);
  EXPECT_EQ(alive, 2);
  auto late = co_await as_result(timeout(1s, g.next()));
  EXPECT_EQ(late.error(), std::errc::timed_out);
  EXPECT_EQ(alive, 0);
  auto behind = co_await g.next();
  EXPECT_FALSE(behind);
}

// Each turn on whatever worker.
generator<int> wanders(int n) {
  for (int i = 0; i < n; ++i) {
    auto h = spawn([](int v) -> task<int> { co_return v; }, i);
    int v = co_await std::move(h);
    co_yield v;
  }
}
ASTD_TEST(generator, is_asked_in_another_task) {
  auto g = wanders(20);
  auto first = co_await g.next();
  EXPECT_EQ(first, 0);
  auto h = spawn([](generator<int> in) -> task<int> { co_return co_await (std::move(in) | stream::sum()); },
                 std::move(g));
  int rest = co_await std::move(h);
  EXPECT_EQ(rest, 190);
}

}  // namespace
