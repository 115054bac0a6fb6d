// The bytes of one direction of a connection, from the write to the read.
#pragma once

#include <astd/driver/sim/pool.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace astd::driver::sim {

/// Positions count from the first byte of the connection. It takes memory when there is something in it, and gives it back
/// when there is nothing.
class byte_ring {
 public:
  [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }

  void append(block_pool& memory, const void* from, std::size_t size) {
    if (size == 0) return;
    if (end_ - begin_ + size > room_) grow(memory, end_ - begin_ + size);
    const std::size_t at = end_ & (room_ - 1);
    const std::size_t first = std::min<std::size_t>(size, room_ - at);
    std::memcpy(bytes_ + at, from, first);
    if (first < size) std::memcpy(bytes_, static_cast<const char*>(from) + first, size - first);
    end_ += size;
  }
  /// `size` bytes from `position`, which are all there.
  void copy(std::uint64_t position, void* to, std::size_t size) const noexcept {
    if (size == 0) return;
    const std::size_t at = position & (room_ - 1);
    const std::size_t first = std::min<std::size_t>(size, room_ - at);
    std::memcpy(to, bytes_ + at, first);
    if (first < size) std::memcpy(static_cast<char*>(to) + first, bytes_, size - first);
  }
  /// Forgets what lies before `position`.
  void drop(block_pool& memory, std::uint64_t position) noexcept {
    begin_ = position;
    if (begin_ == end_) release(memory);
  }
  void release(block_pool& memory) noexcept {
    if (room_ != 0) memory.give_back(bytes_, room_);
    bytes_ = nullptr;
    room_ = 0;
    begin_ = end_;
  }

 private:
  void grow(block_pool& memory, std::uint64_t size) {
    const std::uint32_t room = block_pool::rounded(size);
    char* const bytes = memory.take(room);
    for (std::uint64_t p = begin_; p < end_;) {
      // Up to the end of the old ring or of the new one.
      const std::uint64_t size_here =
          std::min({end_ - p, room_ - (p & (room_ - 1)), std::uint64_t(room) - (p & (room - 1))});
      std::memcpy(bytes + (p & (room - 1)), bytes_ + (p & (room_ - 1)), size_here);
      p += size_here;
    }
    if (room_ != 0) memory.give_back(bytes_, room_);
    bytes_ = bytes;
    room_ = room;
  }
  char* bytes_ = nullptr;
  std::uint64_t begin_ = 0, end_ = 0;
  std::uint32_t room_ = 0;  // a power of two, or 0
};

}  // namespace astd::driver::sim
