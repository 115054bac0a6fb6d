// Internal: the three streams a program starts with. What they share lives as long as the process.
#pragma once

#include <astd/io/byte_buffer.hpp>
#include <astd/io/turn.hpp>

#include <cstddef>
#include <string_view>

namespace astd::io::detail {

/// Standard output or standard error: one writer at a time.
struct standard_output_state {
  const int descriptor;
  const char* const name;  // as errors have it
  turn writers{};
};
/// Made at their first use, which throws std::bad_alloc if there is no memory.
standard_output_state& standard_output_state_of(int descriptor);

/// Standard input: what was read and not yet handed out belongs to the next reader, whoever that is.
class standard_input_state {
 public:
  static constexpr int descriptor = 0;
  static constexpr const char* name = "standard input";

  turn readers;

  // All below: by the holder of the turn only.
  [[nodiscard]] std::string_view held() const noexcept { return buffer_.text(); }
  void consume(std::size_t n) noexcept { buffer_.consume(n); }
  /// Room for at least one byte behind what is held. Throws std::bad_alloc.
  [[nodiscard]] mutable_bytes room() {
    buffer_.shrink();  // a long line's memory is not kept for the short ones that follow
    return buffer_.room();
  }
  void added(std::size_t n) noexcept { buffer_.added(n); }

 private:
  byte_buffer buffer_;
};
/// The same.
standard_input_state& the_standard_input();

}  // namespace astd::io::detail
