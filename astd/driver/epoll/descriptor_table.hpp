// What the epoll driver knows of each descriptor number, and the operations that wait for it.
#pragma once

#include <astd/driver/operation.hpp>

#include <cstdint>

namespace astd::driver {

/// One descriptor number as one driver sees it. Valid for `generation` only (see generation.hpp).
///
/// `readable` and `writable` are what is known from edges and answers: true says "try", false says "a call would
/// have to wait and the kernel will report the change". They become false only while `registered`, when a call had
/// to wait or moved less than asked for on a stream where that proves the queue empty (or full); an event makes them
/// true. So a call is never skipped without an edge to come, and after a short read the next one parks at once.
struct descriptor {
  completions readers;  // wait for readability, in the order in which they came
  completions writers;
  completions pollers;  // opcode::poll, either direction
  std::uint32_t generation = 0;
  bool registered = false;
  bool readable = true;
  bool writable = true;
  bool short_proves_nothing = false;  // end of file, an error or urgent data has been seen: no edge need follow
  enum class kind_of : std::uint8_t { unknown, pollable, file } kind = kind_of::unknown;
  enum class stream_of : std::uint8_t { unknown, tcp, other } stream = stream_of::unknown;
};

/// Descriptors by number, in chunks that never move. Not thread-safe: guarded by the loop's lock.
class descriptor_table {
 public:
  descriptor_table() = default;
  descriptor_table(const descriptor_table&) = delete;
  descriptor_table& operator=(const descriptor_table&) = delete;
  ~descriptor_table();

  /// Null if nothing is known of it.
  [[nodiscard]] descriptor* find(int fd) noexcept {
    const unsigned i = static_cast<unsigned>(fd) / chunk_size;
    return i < count_ && chunks_[i] ? &chunks_[i][static_cast<unsigned>(fd) % chunk_size] : nullptr;
  }
  /// Null if there is no memory, or `fd` is negative.
  [[nodiscard]] descriptor* find_or_make(int fd) noexcept;

 private:
  static constexpr unsigned chunk_size = 128;
  descriptor** chunks_ = nullptr;
  unsigned count_ = 0;
};

}  // namespace astd::driver
