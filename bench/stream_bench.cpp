// What an element of a stream costs: five adaptors over a vector beside a hand-written loop and std::views, generators,
// merged streams, and coroutines of which several run at once.
//
//   stream_bench            nanoseconds for each element
#include <astd/runtime/block_on.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/stream.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ranges>
#include <utility>
#include <vector>

namespace {

namespace stream = astd::stream;

constexpr std::size_t size = 1 << 16;
constexpr std::uint64_t least = 4, most = 60'000;

bool is_wanted(std::uint32_t x) { return x % 4 != 0; }
std::uint64_t changed(std::uint32_t x) { return std::uint64_t(x) * 7 + 3; }

std::uint64_t by_hand(const std::vector<std::uint32_t>& v) {
  std::uint64_t sum = 0;
  std::size_t dropped = 0, taken = 0, index = 0;
  for (std::uint32_t x : v) {
    if (!is_wanted(x)) continue;
    const std::uint64_t y = changed(x);
    if (dropped < least) {
      ++dropped;
      continue;
    }
    sum += y ^ index++;
    if (++taken == most) break;
  }
  return sum;
}

std::uint64_t by_views(const std::vector<std::uint32_t>& v) {
  std::uint64_t sum = 0, index = 0;
  for (std::uint64_t y : v | std::views::filter(is_wanted) | std::views::transform(changed) |
                             std::views::drop(least) | std::views::take(most))
    sum += y ^ index++;
  return sum;
}

astd::task<std::uint64_t> by_stream(const std::vector<std::uint32_t>& v) {
  co_return co_await (
      v | stream::filter([](std::uint32_t x) { return is_wanted(x); }) |
      stream::transform([](std::uint32_t x) { return changed(x); }) | stream::drop(least) | stream::take(most) |
      stream::enumerate() |
      stream::fold(std::uint64_t(0), [](std::uint64_t sum, const auto& x) { return sum + (x.second ^ x.first); }));
}

astd::task<std::uint64_t> by_next(const std::vector<std::uint32_t>& v) {
  auto s = v | stream::filter([](std::uint32_t x) { return is_wanted(x); }) |
           stream::transform([](std::uint32_t x) { return changed(x); }) | stream::drop(least) | stream::take(most);
  std::uint64_t sum = 0, index = 0;
  for (;;) {
    auto y = co_await s.next();
    if (!y) break;
    sum += *y ^ index++;
  }
  co_return sum;
}

astd::generator<std::uint64_t> numbers(std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) co_yield i;
}
astd::generator<std::uint64_t> nested(std::size_t n, int depth) {
  if (depth == 0)
    co_yield astd::elements_of(numbers(n));
  else
    co_yield astd::elements_of(nested(n, depth - 1));
}
astd::task<std::uint64_t> by_generator(int depth) {
  if (depth == 0) co_return co_await (numbers(size) | stream::sum());
  co_return co_await (nested(size, depth - 1) | stream::sum());
}

// A quarter of the elements from each of four streams.
astd::task<std::uint64_t> by_merge() {
  auto part = [] { return stream::repeat(std::uint64_t(1)) | stream::take(size / 4); };
  co_return co_await (stream::merge(part(), part(), part(), part()) | stream::sum());
}

constexpr std::size_t calls = size / 16;
astd::task<std::uint64_t> plus_one(std::uint32_t x) {
  co_await astd::this_task::yield();
  co_return x + 1;
}
astd::task<std::uint64_t> by_buffered(const std::vector<std::uint32_t>& v) {
  co_return co_await (v | stream::take(calls) | stream::transform(plus_one) | stream::buffered(16) | stream::sum());
}
// The same without streams: one task after the other.
astd::task<std::uint64_t> by_spawn(const std::vector<std::uint32_t>& v) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < calls; ++i) {
    auto x = co_await astd::spawn(plus_one(v[i]));
    sum += x;
  }
  co_return sum;
}

std::uint64_t sink = 0;

template <class Work>
astd::task<double> measured(Work work) {
  double best = 1e9;
  for (int turn = 0; turn < 20; ++turn) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 8; ++i) {
      auto sum = co_await work();
      sink += sum;
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / 8 / size);
  }
  co_return best;
}

astd::task<> all() {
  std::vector<std::uint32_t> v(size);
  std::uint32_t random = 1;
  for (auto& x : v) x = random = random * 1664525 + 1013904223;
  for (auto& x : v) x >>= 16;
  auto hand = [&]() -> astd::task<std::uint64_t> { co_return by_hand(v); };
  auto views = [&]() -> astd::task<std::uint64_t> { co_return by_views(v); };
  auto streams = [&] { return by_stream(v); };
  auto next = [&] { return by_next(v); };
  auto flat = [] { return by_generator(0); };
  auto deep = [] { return by_generator(10); };
  auto deeper = [] { return by_generator(100); };
  auto a = co_await by_stream(v);
  auto b = co_await by_next(v);
  if (by_hand(v) != a || by_views(v) != a || a != b) std::puts("the sums differ");
  auto t = co_await measured(hand);
  std::printf("five adaptors, by hand      %6.2f ns\n", t);
  t = co_await measured(views);
  std::printf("five adaptors, std::views   %6.2f ns\n", t);
  t = co_await measured(streams);
  std::printf("five adaptors, stream       %6.2f ns\n", t);
  t = co_await measured(next);
  std::printf("four adaptors, next()       %6.2f ns\n", t);
  t = co_await measured(flat);
  std::printf("generator                   %6.2f ns\n", t);
  t = co_await measured(deep);
  std::printf("generator, nested 10 deep   %6.2f ns\n", t);
  t = co_await measured(deeper);
  std::printf("generator, nested 100 deep  %6.2f ns\n", t);
  t = co_await measured(by_merge);
  std::printf("four merged                 %6.2f ns\n", t);
  auto sixteen = [&] { return by_buffered(v); };
  t = co_await measured(sixteen);
  std::printf("coroutines, buffered(16)    %6.0f ns a call\n", t * size / calls);
  auto each = [&] { return by_spawn(v); };
  t = co_await measured(each);
  std::printf("coroutines, spawned each    %6.0f ns a call\n", t * size / calls);
}

}  // namespace

int main() {
  astd::block_on(astd::spawn(all()));
  return sink == 0;
}
