// Sources and adaptors, over what is in memory and over what has to be waited for.
#include <astd/channel/channel.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/stream/collect.hpp>
#include <astd/stream/ends.hpp>
#include <astd/stream/filter.hpp>
#include <astd/stream/flatten.hpp>
#include <astd/stream/group.hpp>
#include <astd/stream/sources.hpp>
#include <astd/stream/test_streams.hpp>
#include <astd/stream/transform.hpp>
#include <astd/testing/gtest.hpp>

#include <list>
#include <map>
#include <memory>
#include <ranges>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::counting;
using test::ints;
using test::own_stream;
using strings = std::vector<std::string>;

const auto is_odd = [](int x) { return x % 2 != 0; };
const auto gathered = stream::to<std::vector>();

ASTD_TEST(stream, begins_with_any_source) {
  const ints three{1, 2, 3};
  auto named = co_await (stream::from(three) | gathered);
  EXPECT_EQ(named, three);
  auto list = stream::from(std::list<int>(three.begin(), three.end()));
  auto given = co_await (std::move(list) | gathered);
  EXPECT_EQ(given, three);
  auto none = co_await (stream::empty<int>() | gathered);
  EXPECT_EQ(none, ints());
  auto one = co_await (stream::once(7) | gathered);
  EXPECT_EQ(one, (ints{7}));
  auto same = co_await (stream::repeat(7) | stream::take(2) | gathered);
  EXPECT_EQ(same, (ints{7, 7}));
  int n = 0;
  auto called = co_await (stream::repeat_with([&] { return ++n; }) | stream::take(3) | gathered);
  EXPECT_EQ(called, three);
  n = 0;
  auto until = co_await (stream::from_fn([&] { return n < 3 ? std::optional(++n) : std::nullopt; }) | gathered);
  EXPECT_EQ(until, three);
  auto powers = co_await (stream::successors(1, [](int x) { return x < 8 ? std::optional(2 * x) : std::nullopt; }) |
                          gathered);
  EXPECT_EQ(powers, (ints{1, 2, 4, 8}));
  auto own = own_stream(three);
  auto of_own = co_await (own | gathered);
  EXPECT_EQ(of_own, three);
  auto generated = co_await (counting(3) | gathered);
  EXPECT_EQ(generated, (ints{0, 1, 2}));
  auto [tx, rx] = channel<int>(4);
  co_await tx.send(1);
  co_await tx.send(2);
  tx.close();
  auto received = co_await (rx | gathered);
  EXPECT_EQ(received, (ints{1, 2}));
}

ASTD_TEST(stream, begins_with_coroutines) {
  int n = 0;
  auto count = [&]() -> task<int> {
    co_await this_task::yield();
    co_return ++n;
  };
  auto each = co_await (stream::repeat_with(count) | stream::take(3) | gathered);
  EXPECT_EQ(each, (ints{1, 2, 3}));
  auto until = [&]() -> task<std::optional<int>> {
    co_await this_task::yield();
    co_return n < 5 ? std::optional(++n) : std::nullopt;
  };
  auto some = co_await (stream::from_fn(until) | gathered);
  EXPECT_EQ(some, (ints{4, 5}));
  auto doubled = [](int x) -> task<std::optional<int>> { co_return x < 4 ? std::optional(2 * x) : std::nullopt; };
  auto powers = co_await (stream::successors(1, doubled) | gathered);
  EXPECT_EQ(powers, (ints{1, 2, 4}));
}

ASTD_TEST(stream, gives_references_to_what_is_named_and_moves_what_is_not) {
  ints v{1, 2, 3};
  co_await (v | stream::for_each([](int& x) { x += 1; }));
  EXPECT_EQ(v, (ints{2, 3, 4}));
  auto s = stream::from(v);
  auto first = co_await s.next();
  EXPECT_EQ(first.operator->(), v.data());
  const std::optional<int> copy = first;
  EXPECT_EQ(copy, 2);
  std::vector<std::unique_ptr<int>> pointers;
  pointers.push_back(std::make_unique<int>(5));
  auto moved = co_await (std::move(pointers) | gathered);
  EXPECT_EQ(*moved.at(0), 5);
}

ASTD_TEST(stream, is_moved_behind_its_first_elements) {
  std::string text = "abcdef";  // lies in the object itself
  auto s = stream::from(std::move(text));
  auto a = co_await s.next();
  EXPECT_EQ(a, 'a');
  auto moved = std::move(s);
  auto back = co_await moved.next_back();
  EXPECT_EQ(back, 'f');
  auto rest = co_await (std::move(moved) | stream::to<std::string>());
  EXPECT_EQ(rest, "bcde");
}

ASTD_TEST(stream, transforms) {
  auto squares = co_await (counting(4) | stream::transform([](int x) { return x * x; }) | gathered);
  EXPECT_EQ(squares, (ints{0, 1, 4, 9}));
  auto later = [](int x) -> task<int> {
    co_await this_task::yield();
    co_return x* x;
  };
  auto awaited = co_await (counting(4) | stream::transform(later) | gathered);
  EXPECT_EQ(awaited, squares);
  ints seen;
  auto looked_at = co_await (counting(3) | stream::inspect([&](int x) { seen.push_back(x); }) | stream::count());
  EXPECT_EQ(looked_at, 3u);
  auto look = [&](int x) -> task<> {
    co_await this_task::yield();
    seen.push_back(x);
  };
  auto looked = co_await (counting(3) | stream::inspect(look) | stream::count());
  EXPECT_EQ(looked, 3u);
  EXPECT_EQ(seen, (ints{0, 1, 2, 0, 1, 2}));
  const std::map<int, std::string> m{{1, "one"}, {2, "two"}};
  auto keys = co_await (m | stream::keys() | gathered);
  EXPECT_EQ(keys, (ints{1, 2}));
  auto values = co_await (m | stream::values() | gathered);
  EXPECT_EQ(values, (strings{"one", "two"}));
  auto numbered = co_await (values | stream::enumerate() | stream::to<std::map>());
  EXPECT_EQ(numbered.at(1), "two");
  auto cloned = co_await (values | stream::cloned() | gathered);
  EXPECT_EQ(cloned, values);
}

ASTD_TEST(stream, needs_no_parentheses_where_there_is_no_argument) {
  const std::map<int, std::string> m{{1, "one"}, {2, "two"}};
  auto keys = co_await (m | stream::keys | gathered);
  EXPECT_EQ(keys, (ints{1, 2}));
  auto values = co_await (m | stream::values | gathered);
  EXPECT_EQ(values, (strings{"one", "two"}));
  const std::vector<ints> nested{{1, 1}, {}, {2}};
  auto joined = co_await (nested | stream::join | gathered);
  EXPECT_EQ(joined, (ints{1, 1, 2}));
  const auto single = stream::flatten() | stream::dedup;  // two as one
  auto of_each = co_await (nested | single | stream::enumerate | stream::values | gathered);
  EXPECT_EQ(of_each, (ints{1, 2}));
  auto by_parity = co_await (counting(3) | stream::dedup([](int a, int b) { return a % 2 == b % 2; }) | gathered);
  EXPECT_EQ(by_parity, (ints{0, 1, 2}));
  auto pairs = co_await (joined | stream::adjacent<2> | stream::count());
  EXPECT_EQ(pairs, 2u);
  auto second = co_await (joined | stream::adjacent<2> | stream::elements<1> | gathered);
  EXPECT_EQ(second, (ints{1, 2}));
  auto again = co_await (joined | stream::cycle | stream::fuse | stream::take(4) | gathered);
  EXPECT_EQ(again, (ints{1, 1, 2, 1}));
  auto with_peek = counting(2) | stream::peekable;
  auto first = co_await with_peek.peek();
  EXPECT_EQ(*first, 0);
}

ASTD_TEST(stream, transforms_with_optionals_and_a_state) {
  auto half = [](int x) { return x % 2 == 0 ? std::optional(x / 2) : std::nullopt; };
  auto later = [](int x) -> task<std::optional<int>> {
    co_await this_task::yield();
    co_return x % 2 == 0 ? std::optional(x / 2) : std::nullopt;
  };
  auto halves = co_await (counting(6) | stream::filter_map(half) | gathered);
  EXPECT_EQ(halves, (ints{0, 1, 2}));
  auto awaited = co_await (counting(6) | stream::filter_map(later) | gathered);
  EXPECT_EQ(awaited, halves);
  auto while_even = counting(6) | stream::map_while(half);
  auto some = co_await (while_even | gathered);
  EXPECT_EQ(some, (ints{0}));
  auto behind = co_await while_even.next();
  EXPECT_FALSE(behind);
  auto while_later = co_await (counting(6) | stream::map_while(later) | gathered);
  EXPECT_EQ(while_later, (ints{0}));
  auto add = [](int& sum, int x) { return (sum += x) < 10 ? std::optional(sum) : std::nullopt; };
  auto sums = co_await (counting(9) | stream::scan(0, add) | gathered);
  EXPECT_EQ(sums, (ints{0, 1, 3, 6}));
  auto running = co_await (counting(4) | stream::scan(0, [](int& sum, int x) { return sum += x; }) | gathered);
  EXPECT_EQ(running, (ints{0, 1, 3, 6}));
}

ASTD_TEST(stream, leaves_out) {
  auto later = [](int x) -> task<bool> {
    co_await this_task::yield();
    co_return x % 2 != 0;
  };
  auto odd = co_await (counting(6) | stream::filter(is_odd) | gathered);
  EXPECT_EQ(odd, (ints{1, 3, 5}));
  auto awaited = co_await (counting(6) | stream::filter(later) | gathered);
  EXPECT_EQ(awaited, odd);
  const ints v{1, 3, 4, 5, 6};
  auto taken = co_await (v | stream::take_while(is_odd) | gathered);
  EXPECT_EQ(taken, (ints{1, 3}));
  auto taken_later = co_await (v | stream::take_while(later) | gathered);
  EXPECT_EQ(taken_later, taken);
  auto dropped = co_await (v | stream::drop_while(is_odd) | gathered);
  EXPECT_EQ(dropped, (ints{4, 5, 6}));
  auto dropped_later = co_await (v | stream::drop_while(later) | gathered);
  EXPECT_EQ(dropped_later, dropped);
  auto middle = co_await (counting(9) | stream::drop(2) | stream::take(3) | gathered);
  EXPECT_EQ(middle, (ints{2, 3, 4}));
  auto steps = co_await (counting(8) | stream::stride(3) | gathered);
  EXPECT_EQ(steps, (ints{0, 3, 6}));
  const ints runs{1, 1, 2, 2, 2, 1};
  auto single = co_await (runs | stream::dedup() | gathered);
  EXPECT_EQ(single, (ints{1, 2, 1}));
  EXPECT_THROW(static_cast<void>(v | stream::stride(0)), std::invalid_argument);
}

ASTD_TEST(stream, takes_no_more_than_it_is_asked_for) {
  own_stream own({1, 2, 3, 4});
  auto two = co_await (own | stream::take(2) | gathered);
  EXPECT_EQ(two, (ints{1, 2}));
  EXPECT_EQ(own.asked, 2);
  auto none = co_await (own | stream::take(0) | gathered);
  EXPECT_EQ(none, ints());
  EXPECT_EQ(own.asked, 2);
  auto rest = co_await (own | gathered);
  EXPECT_EQ(rest, (ints{3, 4}));
}

// What has ended is not asked again; and what ends in the middle stays ended.
ASTD_TEST(stream, stays_ended) {
  own_stream own({1});
  auto s = own | stream::fuse();
  for (int i = 0; i < 3; ++i) {
    auto x = co_await s.next();
    EXPECT_EQ(x.has_value(), i == 0);
  }
  EXPECT_EQ(own.ends, 1);
  const ints v{1, 2, 3};
  auto t = v | stream::take_while(is_odd);
  auto one = co_await t.next();
  EXPECT_EQ(one, 1);
  for (int i = 0; i < 3; ++i) {
    auto x = co_await t.next();
    EXPECT_FALSE(x);
  }
  own_stream first({1}), second({2});
  auto both = co_await (stream::chain(first, second) | gathered);
  EXPECT_EQ(both, (ints{1, 2}));
  EXPECT_EQ(first.ends, 1);
}

ASTD_TEST(stream, flattens) {
  std::vector<ints> nested{{1, 2}, {}, {3}};
  auto flat = co_await (nested | stream::flatten() | gathered);
  EXPECT_EQ(flat, (ints{1, 2, 3}));
  auto joined = co_await (std::move(nested) | stream::join() | gathered);
  EXPECT_EQ(joined, flat);
  auto mapped = co_await (counting(4) | stream::flat_map([](int n) { return counting(n); }) | gathered);
  EXPECT_EQ(mapped, (ints{0, 0, 1, 0, 1, 2}));
  const ints a{1}, b{2};
  auto all = co_await (stream::concat(a, counting(2), b) | gathered);
  EXPECT_EQ(all, (ints{1, 0, 1, 2}));
  auto piped = co_await (a | stream::concat(b) | gathered);
  EXPECT_EQ(piped, (ints{1, 2}));
}

// async-std: flat_map and flatten never poll a finished inner stream.
ASTD_TEST(stream, flatten_asks_no_ended_stream_again) {
  own_stream a({1}), b({2});
  std::vector<own_stream*> inner{&a, &b};
  auto all = co_await (inner | stream::flat_map([](own_stream* s) { return stream::from(*s); }) | gathered);
  EXPECT_EQ(all, (ints{1, 2}));
  EXPECT_EQ(a.ends, 1);
  EXPECT_EQ(b.ends, 1);
  EXPECT_EQ(a.asked + b.asked, 4);
}

ASTD_TEST(stream, begins_again) {
  const ints v{1, 2};
  auto again = co_await (v | stream::cycle() | stream::take(5) | gathered);
  EXPECT_EQ(again, (ints{1, 2, 1, 2, 1}));
  auto none = co_await (stream::empty<int>() | stream::cycle() | gathered);
  EXPECT_EQ(none, ints());
  auto owned =
      co_await (stream::from(ints(v)) | stream::filter(is_odd) | stream::cycle() | stream::take(2) | gathered);
  EXPECT_EQ(owned, (ints{1, 1}));
}

ASTD_TEST(stream, zips) {
  const ints a{1, 2, 3};
  const strings b{"x", "y"};
  auto pairs = co_await (a | stream::zip(b) |
                         stream::transform([](auto p) { return std::to_string(std::get<0>(p)) + std::get<1>(p); }) |
                         gathered);
  EXPECT_EQ(pairs, (strings{"1x", "2y"}));
  auto three = co_await (stream::zip(counting(2), a, stream::repeat(9)) | stream::count());
  EXPECT_EQ(three, 2u);
}

// async-std loses what it has taken of the first when the second ends.
ASTD_TEST(stream, zip_loses_nothing) {
  own_stream longer({1, 2, 3});
  const ints shorter{7};
  auto known = co_await (longer | stream::zip(shorter) | stream::count());
  EXPECT_EQ(known, 1u);
  EXPECT_EQ(longer.asked, 1);  // the end of the other was known
  auto z = stream::zip(longer, counting(0));
  auto none = co_await z.next();
  EXPECT_FALSE(none);
  auto [left, right] = z.leftover();
  EXPECT_EQ(left, 2);
  EXPECT_FALSE(right);
}

ASTD_TEST(stream, groups) {
  auto chunks = co_await (counting(5) | stream::chunk(2) | gathered);
  const std::vector<ints> expected{{0, 1}, {2, 3}, {4}};
  EXPECT_EQ(chunks, expected);
  auto sums = co_await (counting(4) | stream::pairwise() |
                        stream::transform([](auto p) { return std::get<0>(p) + std::get<1>(p); }) | gathered);
  EXPECT_EQ(sums, (ints{1, 3, 5}));
  EXPECT_THROW(static_cast<void>(counting(1) | stream::chunk(0)), std::invalid_argument);
}

ASTD_TEST(stream, is_peeked_at) {
  auto s = counting(2) | stream::peekable();
  for (int i = 0; i < 2; ++i) {
    auto first = co_await s.peek();
    EXPECT_EQ(first, 0);
  }
  auto first = co_await s.next();
  EXPECT_EQ(first, 0);
  auto rest = co_await (s | gathered);
  EXPECT_EQ(rest, (ints{1}));
  auto behind = co_await s.peek();
  EXPECT_FALSE(behind);
}

ASTD_TEST(stream, has_two_ends) {
  const ints v{1, 2, 3, 4, 5};
  auto s = v | stream::filter(is_odd) | stream::transform([](int x) { return 10 * x; });
  auto back = co_await s.next_back();
  EXPECT_EQ(back, 50);
  auto front = co_await s.next();
  EXPECT_EQ(front, 10);
  auto rest = co_await (s | stream::rev() | gathered);
  EXPECT_EQ(rest, (ints{30}));
  auto none = co_await s.next_back();
  EXPECT_FALSE(none);
  auto turned = co_await (v | stream::rev() | stream::drop(1) | stream::take(2) | gathered);
  EXPECT_EQ(turned, (ints{4, 3}));
  auto once = stream::once(1);
  auto only = co_await once.next_back();
  EXPECT_EQ(only, 1);
}

// async-std knows the size of nothing.
ASTD_TEST(stream, knows_its_size) {
  ints v{1, 2, 3, 4, 5};
  auto s = v | stream::drop(1) | stream::transform([](int x) { return x; });
  EXPECT_EQ(s.size(), 4u);
  auto first = co_await s.next();
  EXPECT_EQ(first, 2);
  EXPECT_EQ(s.size(), 3u);
  EXPECT_EQ((v | stream::chunk(2)).size(), 3u);
  EXPECT_EQ((v | stream::stride(2)).size(), 3u);
  EXPECT_EQ((stream::repeat(1) | stream::take(7)).size(), 7u);
  EXPECT_EQ(stream::concat(v, stream::once(1)).size(), 6u);
  EXPECT_EQ(stream::zip(v, stream::once(1)).size(), 1u);
  EXPECT_FALSE(counting(1).size_hint().is_exact());
  EXPECT_EQ((v | stream::filter(is_odd)).size_hint().most, 5u);
  auto reserved = co_await (v | gathered);
  EXPECT_EQ(reserved.capacity(), 5u);
}

ASTD_TEST(stream_dedup, asks_a_coroutine) {
  const std::vector<int> runs = {1, 1, 2, 3, 3, 3, 1};
  const auto same = [](int x, int y) -> task<bool> {
    co_await this_task::yield();
    co_return x == y;
  };
  const auto single = co_await (runs | stream::dedup(same) | stream::to<std::vector>());
  EXPECT_EQ(single, (std::vector<int>{1, 2, 3, 1}));
}

// Its iterators can only be moved.
ASTD_TEST(stream_range, that_can_be_gone_through_once) {
  std::istringstream text("1 2 3 4");
  auto numbers = std::ranges::istream_view<int>(text);
  const auto doubled = [](int x) { return 2 * x; };
  const int first = co_await (numbers | stream::transform(doubled) | stream::take(2) | stream::sum());
  EXPECT_EQ(first, 6);
  std::istringstream more("5 6 7");
  auto others = std::ranges::istream_view<int>(more);
  const int rest = co_await (stream::from(others) | stream::sum());
  EXPECT_EQ(rest, 18);
}

}  // namespace
