#include <astd/base/config.hpp>
#include <astd/io/byte_buffer.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace astd::io {
namespace {

constexpr std::size_t most = PTRDIFF_MAX;

[[noreturn]] void throw_bad_alloc() {
#if ASTD_HAS_EXCEPTIONS
  throw std::bad_alloc();
#else
  std::abort();
#endif
}

}  // namespace

mutable_bytes byte_buffer::room(std::size_t least) {
  if (capacity_ - end_ < least) {
    const std::size_t held = size();
    // To the front if there is room enough then, and not for a few bytes only: that would be done again and again.
    if (capacity_ - held >= least && begin_ >= capacity_ / 2) {
      std::memmove(memory_.get(), memory_.get() + begin_, held);
    } else {
      // More than there can be: nothing else would say so before the sum is wrong.
      if (least > most - held) throw_bad_alloc();
      const std::size_t larger = std::max({2 * capacity_, first_, held + least});
      auto memory = std::make_unique_for_overwrite<std::byte[]>(larger);
      if (held) std::memcpy(memory.get(), memory_.get() + begin_, held);
      memory_ = std::move(memory);
      capacity_ = larger;
    }
    begin_ = 0;
    end_ = held;
  }
  return {memory_.get() + end_, capacity_ - end_};
}

void byte_buffer::append(const_bytes more) {
  if (more.empty()) return;
  const mutable_bytes to = room(more.size());
  std::memcpy(to.data(), more.data(), more.size());
  added(more.size());
}

void byte_buffer::shrink() noexcept {
  if (!empty() || capacity_ <= first_) return;
  memory_.reset();
  capacity_ = begin_ = end_ = 0;
}

namespace detail {

std::size_t copy_bytes(const_bytes from, mutable_bytes to) noexcept {
  const std::size_t n = std::min(from.size(), to.size());
  if (n) std::memcpy(to.data(), from.data(), n);
  return n;
}

}  // namespace detail
}  // namespace astd::io
