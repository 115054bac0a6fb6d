// A number that one thread at a time adds to and every thread may read: what metrics are made of.
#pragma once

#include <atomic>
#include <cstdint>

namespace astd::detail {

class counter {
 public:
  counter() = default;
  counter(const counter& other) noexcept : value_(other) {}
  counter& operator=(const counter&) = delete;
  // Relaxed: nothing is published by it. No read-modify-write: the writers exclude each other.
  operator std::uint64_t() const noexcept { return value_.load(std::memory_order_relaxed); }
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace astd::detail
