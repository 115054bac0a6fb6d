#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/random.hpp>
#include <astd/runtime/system_random.hpp>

#include <algorithm>
#include <cstring>

namespace astd {
namespace {

constinit thread_local driver::sim::random_stream own{0};
constinit thread_local bool seeded = false;

}  // namespace

std::uint64_t random::next() noexcept {
  if (const auto* here = driver::sim::machine::here()) return here->in().for_programs().next();
  if (!seeded) [[unlikely]] {
    own = driver::sim::random_stream(detail::system_random());
    seeded = true;
  }
  return own.next();
}

std::uint64_t random::below(std::uint64_t n) noexcept {
  if (n == 0) return 0;
  // Lemire, Fast random integer generation in an interval (2019): draws again where some results would come too often.
  __extension__ using wide = unsigned __int128;
  for (;;) {
    const auto product = static_cast<wide>(next()) * n;
    if (const auto low = static_cast<std::uint64_t>(product); low >= n || low >= (0 - n) % n) [[likely]]
      return static_cast<std::uint64_t>(product >> 64);
  }
}

std::int64_t random::between(std::int64_t first, std::int64_t last) noexcept {
  if (last <= first) return first;
  const std::uint64_t width = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
  const std::uint64_t offset = width == UINT64_MAX ? next() : below(width + 1);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + offset);
}

bool random::chance(double probability) noexcept {
  return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
}

void random::fill(std::span<std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const std::uint64_t word = next();
    const std::size_t n = std::min(bytes.size(), sizeof word);
    std::memcpy(bytes.data(), &word, n);
    bytes = bytes.subspan(n);
  }
}

}  // namespace astd
