// Memory of a simulated network: what is given back is given out again, and all of it ends with the network.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace astd::driver::sim {

/// Objects of one type. Those that are out when the pool ends are not destroyed: they own nothing but of pools.
template <class T>
class pool {
 public:
  template <class... A>
  [[nodiscard]] T& take(A&&... arguments) {
    if (!free_) grow();
    slot* const s = free_;
    free_ = s->next;
    return *::new (static_cast<void*>(s->bytes)) T(std::forward<A>(arguments)...);
  }
  void give_back(T& object) noexcept {
    object.~T();
    auto* const s = reinterpret_cast<slot*>(&object);
    s->next = free_;
    free_ = s;
  }

 private:
  union slot {
    slot* next;
    alignas(T) std::byte bytes[sizeof(T)];
  };
  void grow() {
    const std::size_t count = std::clamp<std::size_t>(32'768 / sizeof(slot), 8, 256);
    slots_.push_back(std::make_unique_for_overwrite<slot[]>(count));
    for (std::size_t i = count; i-- > 0;) {
      slots_.back()[i].next = free_;
      free_ = &slots_.back()[i];
    }
  }
  slot* free_ = nullptr;
  std::vector<std::unique_ptr<slot[]>> slots_;
};

/// Blocks of bytes, of 64, 128, 256...
class block_pool {
 public:
  /// The size of the block that `size` bytes get.
  [[nodiscard]] static constexpr std::uint32_t rounded(std::uint64_t size) noexcept {
    return static_cast<std::uint32_t>(std::bit_ceil(size < smallest ? smallest : size));
  }
  /// `size` as rounded() gives it.
  [[nodiscard]] char* take(std::uint32_t size) {
    block*& free = free_[class_of(size)];
    if (!free) {
      const std::size_t count = size >= whole ? 1 : whole / size;
      memory_.push_back(std::make_unique_for_overwrite<std::byte[]>(count * size));
      for (std::size_t i = count; i-- > 0;)
        free = ::new (static_cast<void*>(memory_.back().get() + i * size)) block{free};
    }
    block* const b = free;
    free = b->next;
    return reinterpret_cast<char*>(b);
  }
  void give_back(char* bytes, std::uint32_t size) noexcept {
    block*& free = free_[class_of(size)];
    free = ::new (static_cast<void*>(bytes)) block{free};
  }

 private:
  struct block {
    block* next;
  };
  static constexpr std::uint64_t smallest = 64;
  static constexpr std::uint32_t whole = 16'384;
  static constexpr std::size_t class_of(std::uint32_t size) noexcept {
    return static_cast<std::size_t>(std::countr_zero(size));
  }
  std::array<block*, 32> free_{};
  std::vector<std::unique_ptr<std::byte[]>> memory_;
};

}  // namespace astd::driver::sim
