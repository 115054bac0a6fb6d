// Connections that were accepted and that nobody has taken yet: descriptors, first in, first out.
#pragma once

#include <astd/driver/generation.hpp>

#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include <unistd.h>

namespace astd::driver {

inline void close_connection(int descriptor) noexcept {
  new_generation(descriptor);
  ::close(descriptor);
}

/// Closes what nobody has taken.
class connection_queue {
 public:
  connection_queue() noexcept = default;
  connection_queue(const connection_queue&) = delete;
  connection_queue& operator=(const connection_queue&) = delete;
  ~connection_queue() {
    while (!empty()) close_connection(pop());
  }

  [[nodiscard]] bool empty() const noexcept { return first_ == last_; }
  [[nodiscard]] unsigned size() const noexcept { return last_ - first_; }
  /// False if there is no memory.
  [[nodiscard]] bool push(int descriptor) noexcept {
    if (last_ == room_ && !make_room()) return false;
    items_[last_++] = descriptor;
    return true;
  }
  [[nodiscard]] int pop() noexcept { return items_[first_++]; }

 private:
  bool make_room() noexcept {
    if (first_ > room_ / 2 || (empty() && room_ != 0)) {
      std::memmove(&items_[0], &items_[first_], size() * sizeof(int));
    } else {
      const unsigned more = room_ == 0 ? 64 : room_ * 2;
      std::unique_ptr<int[]> grown(new (std::nothrow) int[more]);
      if (!grown) return false;
      if (size() != 0) std::memcpy(&grown[0], &items_[first_], size() * sizeof(int));
      items_ = std::move(grown);
      room_ = more;
    }
    last_ -= first_;
    first_ = 0;
    return true;
  }

  std::unique_ptr<int[]> items_;
  unsigned room_ = 0;
  unsigned first_ = 0;
  unsigned last_ = 0;
};

}  // namespace astd::driver
