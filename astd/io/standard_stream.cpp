#include <astd/driver/driver.hpp>
#include <astd/io/standard_stream.hpp>

#include <cstring>
#include <utility>

namespace astd::io::detail {
namespace {

constexpr std::size_t smallest_buffer = 8 * 1024;

}  // namespace

// The states are never destroyed: tasks of a runtime that ends late may still print.
standard_output_state& standard_output_state_of(int descriptor) {
  static auto* const output = (driver::adopt(1), new standard_output_state{1, "standard output"});
  static auto* const error = (driver::adopt(2), new standard_output_state{2, "standard error"});
  return descriptor == 1 ? *output : *error;
}

standard_input_state& the_standard_input() {
  static auto* const input = (driver::adopt(standard_input_state::descriptor), new standard_input_state);
  return *input;
}

mutable_bytes standard_input_state::room() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    // A long line's buffer is not kept for the short ones that follow.
    if (capacity_ > smallest_buffer) {
      buffer_.reset();
      capacity_ = 0;
    }
  }
  if (end_ == capacity_ && begin_ > 0 && begin_ >= capacity_ / 2) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ == capacity_) {
    const std::size_t larger = capacity_ ? 2 * capacity_ : smallest_buffer;
    auto buffer = std::make_unique_for_overwrite<char[]>(larger);
    if (end_ > begin_) std::memcpy(buffer.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    buffer_ = std::move(buffer);
    capacity_ = larger;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

}  // namespace astd::io::detail
