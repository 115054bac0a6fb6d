// For the tests of channels: a message that can be moved only, knows its value, and is counted.
#pragma once

#include <astd/base/config.hpp>

#include <atomic>
#include <utility>

namespace astd::test {

/// Empty when it was moved from. live() counts those that are not.
class parcel_of_one {
 public:
  explicit parcel_of_one(long value) noexcept : value_(value) { ++live_; }
  parcel_of_one(parcel_of_one&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  parcel_of_one& operator=(parcel_of_one&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~parcel_of_one() {
    if (value_ >= 0) --live_;
  }
  [[nodiscard]] long value() const noexcept { return value_; }
  static long live() noexcept { return live_; }

 private:
  long value_;
  static inline std::atomic<long> live_{0};
};

/// What two ends have counted.
struct sums {
  std::atomic<long> sent{0}, received{0}, tries{0};
};

/// How often something is done that is done very often: less where each step is slow.
inline constexpr long many(long times) { return ASTD_SANITIZED ? times / 20 : times; }

}  // namespace astd::test
