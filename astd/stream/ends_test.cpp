// What is awaited of a stream.
#include <astd/coro/as_result.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/stream/collect.hpp>
#include <astd/stream/compare.hpp>
#include <astd/stream/ends.hpp>
#include <astd/stream/sources.hpp>
#include <astd/stream/test_streams.hpp>
#include <astd/testing/gtest.hpp>

#include <compare>
#include <deque>
#include <expected>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::counting;
using test::ints;
using test::own_stream;

const auto is_odd = [](int x) { return x % 2 != 0; };
task<bool> is_odd_later(int x) {
  co_await this_task::yield();
  co_return x % 2 != 0;
}

ASTD_TEST(stream_ends, fold) {
  auto sum = co_await (counting(5) | stream::fold(100, [](int a, int b) { return a + b; }));
  EXPECT_EQ(sum, 110);
  auto later = [](std::string a, int b) -> task<std::string> {
    co_await this_task::yield();
    co_return a + std::to_string(b);
  };
  auto text = co_await (counting(4) | stream::fold(std::string(":"), later));
  EXPECT_EQ(text, ":0123");
  auto none = co_await (stream::empty<int>() | stream::reduce([](int a, int b) { return a + b; }));
  EXPECT_FALSE(none);
  auto reduced = co_await (counting(5) | stream::drop(1) | stream::reduce([](int a, int b) { return a * b; }));
  EXPECT_EQ(reduced, 24);
  auto sum_of = co_await (counting(4) | stream::sum<double>());
  EXPECT_EQ(sum_of, 6.0);
  auto product = co_await (counting(5) | stream::drop(1) | stream::product());
  EXPECT_EQ(product, 24);
}

ASTD_TEST(stream_ends, for_each) {
  int n = 0;
  co_await (counting(4) | stream::for_each([&](int x) { n += x; }));
  EXPECT_EQ(n, 6);
  auto later = [&](int x) -> task<> {
    co_await this_task::yield();
    n += x;
  };
  co_await (counting(4) | stream::for_each(later));
  EXPECT_EQ(n, 12);
  const std::list<std::pair<int, int>> pairs{{1, 10}, {2, 20}};
  co_await (pairs | stream::for_each([&](int x) { n += x; }, &std::pair<int, int>::second));
  EXPECT_EQ(n, 42);
  auto moved = [](int x) { return std::pair(x, x + 1); };
  co_await (counting(3) | stream::transform(moved) | stream::for_each(later, &std::pair<int, int>::second));
  EXPECT_EQ(n, 48);
}

ASTD_TEST(stream_ends, count) {
  auto all = co_await (counting(4) | stream::count());
  EXPECT_EQ(all, 4u);
  auto odd = co_await (counting(4) | stream::count_if(is_odd));
  EXPECT_EQ(odd, 2u);
  auto odd_later = co_await (counting(4) | stream::count_if(is_odd_later));
  EXPECT_EQ(odd_later, 2u);
  const std::list<std::pair<int, int>> pairs{{1, 10}, {2, 10}, {3, 30}};
  auto tens = co_await (pairs | stream::count(10, &std::pair<int, int>::second));
  EXPECT_EQ(tens, 2u);
}

ASTD_TEST(stream_ends, any_all_none) {
  own_stream own({2, 3, 4});
  auto any = co_await (own | stream::any_of(is_odd));
  EXPECT_TRUE(any);
  EXPECT_EQ(own.asked, 2);  // the rest is still there
  auto all = co_await (own | stream::all_of(is_odd_later));
  EXPECT_FALSE(all);
  auto of_none = co_await (stream::empty<int>() | stream::all_of(is_odd));
  EXPECT_TRUE(of_none);
  auto any_of_none = co_await (stream::empty<int>() | stream::any_of(is_odd));
  EXPECT_FALSE(any_of_none);
  auto none = co_await (counting(1) | stream::none_of(is_odd));
  EXPECT_TRUE(none);
  auto has = co_await (counting(4) | stream::contains(3));
  EXPECT_TRUE(has);
}

ASTD_TEST(stream_ends, find) {
  auto s = counting(6);
  auto odd = co_await (s | stream::find_if(is_odd));
  EXPECT_EQ(odd, 1);
  auto later = co_await (s | stream::find_if(is_odd_later));
  EXPECT_EQ(later, 3);
  auto five = co_await (s | stream::find(5));
  EXPECT_EQ(five, 5);
  auto none = co_await (s | stream::find(5));
  EXPECT_FALSE(none);
  auto place = co_await (counting(6) | stream::position([](int x) { return x == 4; }));
  EXPECT_EQ(place, 4u);
  auto nowhere = co_await (counting(6) | stream::position([](int x) { return x == 9; }));
  EXPECT_FALSE(nowhere);
  auto mapped =
      co_await (counting(6) | stream::find_map([](int x) { return x > 2 ? std::optional(-x) : std::nullopt; }));
  EXPECT_EQ(mapped, -3);
  auto last = co_await (counting(6) | stream::last());
  EXPECT_EQ(last, 5);
  auto t = counting(6);
  auto third = co_await (t | stream::nth(2));
  EXPECT_EQ(third, 2);
  auto next = co_await t.next();
  EXPECT_EQ(next, 3);
  auto too_far = co_await (counting(2) | stream::nth(2));
  EXPECT_FALSE(too_far);
}

struct person {
  std::string name;
  int age;
};

ASTD_TEST(stream_ends, extremes_with_projections) {
  const std::vector<person> people{{"a", 3}, {"b", 1}, {"c", 3}, {"d", 1}};
  auto oldest = co_await (people | stream::max({}, &person::age));
  EXPECT_EQ(oldest->name, "a");
  auto youngest = co_await (people | stream::min({}, &person::age));
  EXPECT_EQ(youngest->name, "b");
  auto both = co_await (people | stream::minmax({}, &person::age));
  EXPECT_EQ(both->min.name + both->max.name, "bc");  // as std::ranges::minmax
  auto greatest = co_await (counting(4) | stream::max([](int a, int b) { return a > b; }));
  EXPECT_EQ(greatest, 0);
  auto none = co_await (stream::empty<int>() | stream::min());
  EXPECT_FALSE(none);
  auto named = co_await (people | stream::find(std::string("c"), &person::name));
  EXPECT_EQ(named.operator->(), &people[2]);
  auto grown_up = co_await (people | stream::any_of([](int age) { return age > 17; }, &person::age));
  EXPECT_FALSE(grown_up);
}

ASTD_TEST(stream_ends, collect_into_containers) {
  auto set = co_await (counting(3) | stream::to<std::set>());
  EXPECT_EQ(set.size(), 3u);
  auto list = co_await (counting(3) | stream::to<std::list<long>>());
  EXPECT_EQ(list.back(), 2);
  const std::string_view letters = "abc";
  auto text = co_await (letters | stream::to<std::string>());
  EXPECT_EQ(text, "abc");
  const std::vector<std::string> words{"a", "bc"};
  auto joined = co_await (words | stream::to<std::string>());
  EXPECT_EQ(joined, "abc");
  const std::vector<std::pair<int, int>> pairs{{1, 2}, {1, 3}};
  auto map = co_await (pairs | stream::to<std::map>());
  EXPECT_EQ(map.at(1), 3);  // later keys win
  ints more{9};
  co_await (counting(2) | stream::extend(more));
  EXPECT_EQ(more, (ints{9, 0, 1}));
  auto [odd, even] = co_await (counting(5) | stream::partition(is_odd));
  EXPECT_EQ(odd, (ints{1, 3}));
  EXPECT_EQ(even, (ints{0, 2, 4}));
  auto sets = co_await (counting(5) | stream::partition<std::set>(is_odd));
  EXPECT_EQ(sets.first, (std::set<int>{1, 3}));
  EXPECT_EQ(sets.second, (std::set<int>{0, 2, 4}));
  auto later = co_await (counting(5) | stream::partition<std::set<int>>(is_odd_later));
  EXPECT_EQ(later.first.size(), 2u);
  auto [firsts, seconds] = co_await (pairs | stream::unzip());
  EXPECT_EQ(firsts, (ints{1, 1}));
  EXPECT_EQ(seconds, (ints{2, 3}));
}

using result = std::expected<int, std::error_code>;

// async-std takes one element more behind the first error.
ASTD_TEST(stream_ends, collect_stops_at_the_first_error) {
  int asked = 0;
  auto results = [&asked](int x) -> result {
    ++asked;
    if (x == 2) return std::unexpected(std::make_error_code(std::errc::io_error));
    return x;
  };
  using all = std::expected<ints, std::error_code>;
  auto bad = co_await (counting(9) | stream::transform(results) | stream::to<all>());
  EXPECT_EQ(bad.error(), std::errc::io_error);
  EXPECT_EQ(asked, 3);
  auto good = co_await (counting(2) | stream::transform(results) | stream::to<all>());
  EXPECT_EQ(good.value(), (ints{0, 1}));
  auto some = [](int x) { return x < 2 ? std::optional(x) : std::nullopt; };
  auto none = co_await (counting(9) | stream::transform(some) | stream::to<std::optional<ints>>());
  EXPECT_FALSE(none);
  auto any = co_await (counting(2) | stream::transform(some) | stream::to<std::optional<ints>>());
  EXPECT_EQ(any->size(), 2u);
}

ASTD_TEST(stream_ends, try_fold_and_try_for_each) {
  auto add = [](int a, int b) -> result {
    if (b == 3) return std::unexpected(std::make_error_code(std::errc::io_error));
    return a + b;
  };
  auto s = counting(6);
  auto bad = co_await (s | stream::try_fold(0, add));
  EXPECT_EQ(bad.error(), std::errc::io_error);
  auto next = co_await s.next();
  EXPECT_EQ(next, 4);
  auto good = co_await (counting(3) | stream::try_fold(0, add));
  EXPECT_EQ(good, 3);
  auto later = [](int a, int b) -> task<std::optional<int>> {
    co_return b < 2 ? std::optional(a + b) : std::nullopt;
  };
  auto none = co_await (counting(3) | stream::try_fold(0, later));
  EXPECT_FALSE(none);
  using done = std::expected<void, std::error_code>;
  int seen = 0;
  auto see = [&](int x) -> done {
    ++seen;
    if (x == 1) return std::unexpected(std::make_error_code(std::errc::io_error));
    return {};
  };
  auto failed = co_await (counting(5) | stream::try_for_each(see));
  EXPECT_EQ(failed.error(), std::errc::io_error);
  EXPECT_EQ(seen, 2);
  auto see_later = [&](int x) -> task<done> { co_return see(x); };
  auto failed_later = co_await (counting(5) | stream::try_for_each(see_later));
  EXPECT_FALSE(failed_later.has_value());
  EXPECT_EQ(seen, 4);
  auto fine = co_await (counting(1) | stream::try_for_each(see));
  EXPECT_TRUE(fine.has_value());
}

// async-std says that a stream equals each that it begins with.
ASTD_TEST(stream_ends, compare) {
  const ints a{1, 2, 3}, b{1, 2}, c{1, 3};
  auto equal = co_await (a | stream::equal(a));
  EXPECT_TRUE(equal);
  auto prefix = co_await (a | stream::equal(b));
  EXPECT_FALSE(prefix);
  auto longer = co_await (b | stream::equal(a));
  EXPECT_FALSE(longer);
  auto waited = co_await (counting(3) | stream::equal(counting(3)));
  EXPECT_TRUE(waited);
  auto before = co_await (b | stream::lexicographical_compare(a));
  EXPECT_TRUE(before);
  auto behind = co_await (a | stream::lexicographical_compare(b));
  EXPECT_FALSE(behind);
  auto less = co_await (a | stream::lexicographical_compare(c));
  EXPECT_TRUE(less);
  auto order = co_await (c | stream::lexicographical_compare_three_way(a));
  EXPECT_EQ(order, std::strong_ordering::greater);
  auto same = co_await (a | stream::lexicographical_compare_three_way(a));
  EXPECT_EQ(same, std::strong_ordering::equal);
  const std::vector<double> n{0.0 / 0.0};
  auto neither = co_await (n | stream::lexicographical_compare_three_way(n));
  EXPECT_EQ(neither, std::partial_ordering::unordered);
}

// A failing next() of the user's own.
struct broken_stream {
  task<std::optional<int>> next() {
    if (n == 2) throw std::system_error(std::make_error_code(std::errc::io_error));
    co_return n++;
  }
  int n = 0;
};

ASTD_TEST(stream_ends, give_errors_on) {
  int seen = 0;
  broken_stream own;
  auto r = co_await as_result(own | stream::inspect([&](int) { ++seen; }) | stream::count());
  EXPECT_EQ(r.error(), std::errc::io_error);
  EXPECT_EQ(seen, 2);
  std::string what;
  auto refuse = [](int x) {
    if (x == 2) throw std::runtime_error("no");
    return x;
  };
  try {
    auto n = co_await (counting(5) | stream::transform(refuse) | stream::count());
    static_cast<void>(n);
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  EXPECT_EQ(what, "no");
}

// As the page says: spawn takes tasks, so an end goes into one with its stream.
ASTD_TEST(stream_ends, are_spawned_in_a_task) {
  auto sum = [](auto s) -> task<int> { co_return co_await (std::move(s) | stream::sum()); };
  auto spawned = spawn(sum, stream::from(ints{1, 2, 3}) | stream::transform([](int x) { return 2 * x; }));
  auto twelve = co_await std::move(spawned);
  EXPECT_EQ(twelve, 12);
}

ASTD_TEST(stream_ends, compare_by_coroutines) {
  const std::vector<int> a = {1, 2, 3}, b = {1, 2, 4}, shorter = {1, 2};
  const auto same = [](int x, int y) -> task<bool> {
    co_await this_task::yield();
    co_return x == y;
  };
  const auto less = [](int x, int y) -> task<bool> {
    co_await this_task::yield();
    co_return x < y;
  };
  const auto order = [](int x, int y) -> task<std::strong_ordering> {
    co_await this_task::yield();
    co_return x <=> y;
  };
  const bool equal = co_await (a | stream::equal(a, same));
  EXPECT_TRUE(equal);
  const bool different = co_await (a | stream::equal(b, same));
  EXPECT_FALSE(different);
  const bool longer = co_await (a | stream::equal(shorter, same));
  EXPECT_FALSE(longer);
  const bool before = co_await (a | stream::lexicographical_compare(b, less));
  EXPECT_TRUE(before);
  const bool behind = co_await (b | stream::lexicographical_compare(a, less));
  EXPECT_FALSE(behind);
  const bool prefix = co_await (shorter | stream::lexicographical_compare(a, less));
  EXPECT_TRUE(prefix);
  const bool itself = co_await (a | stream::lexicographical_compare(a, less));
  EXPECT_FALSE(itself);
  const auto ordered = co_await (b | stream::lexicographical_compare_three_way(a, order));
  EXPECT_EQ(ordered, std::strong_ordering::greater);
  const auto alike = co_await (a | stream::lexicographical_compare_three_way(a, order));
  EXPECT_EQ(alike, std::strong_ordering::equal);
}

}  // namespace
