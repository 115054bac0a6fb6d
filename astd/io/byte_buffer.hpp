// Bytes that were read and not used yet, or written and not sent yet: in at the end, out at the beginning.
//
//   io::byte_buffer held;
//   auto n = co_await stream.read(held.room());
//   held.added(n);
//   ... held.bytes() ...
//   held.consume(4);
#pragma once

#include <astd/io/buffer.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace astd::io {

/// Contiguous, and grows as far as it is asked to. One thread at a time. Moving it moves what it holds; views into it stay
/// good until the next room(), append() or reserve().
class byte_buffer {
 public:
  /// `first`: how much memory it takes when it first needs any.
  explicit byte_buffer(std::size_t first = 8 * 1024) noexcept : first_(first) {}
  byte_buffer(byte_buffer&& other) noexcept
      : memory_(std::move(other.memory_)),
        capacity_(std::exchange(other.capacity_, 0)),
        begin_(std::exchange(other.begin_, 0)),
        end_(std::exchange(other.end_, 0)),
        first_(other.first_) {}
  byte_buffer& operator=(byte_buffer&& other) noexcept {
    byte_buffer moved(std::move(other));
    memory_.swap(moved.memory_);
    std::swap(capacity_, moved.capacity_);
    std::swap(begin_, moved.begin_);
    std::swap(end_, moved.end_);
    std::swap(first_, moved.first_);
    return *this;
  }

  [[nodiscard]] const_bytes bytes() const noexcept { return {memory_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(memory_.get()) + begin_, end_ - begin_};
  }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  /// The first n bytes were used; n <= size().
  void consume(std::size_t n) noexcept {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void clear() noexcept { begin_ = end_ = 0; }

  /// Room for at least `least` more bytes, all there is. Throws std::bad_alloc, and has changed nothing then.
  [[nodiscard]] mutable_bytes room(std::size_t least = 1);
  /// n bytes of the last room() were filled.
  void added(std::size_t n) noexcept { end_ += n; }
  /// Throws std::bad_alloc, and has added nothing then.
  void append(const_bytes more);
  /// Gives a long line's memory back when nothing is held.
  void shrink() noexcept;

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t first_;
};

}  // namespace astd::io
