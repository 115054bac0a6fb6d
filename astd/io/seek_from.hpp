// Where to go in what can be read or written at any place.
//
//   co_await file.seek(100);                             // 100 bytes from the beginning
//   co_await file.seek(io::seek_from::end(-10));         // the last ten
//   co_await file.seek(io::seek_from::current(4));       // over the next four
#pragma once

#include <concepts>
#include <cstdint>

namespace astd::io {

/// An offset in bytes and what it counts from. A number alone counts from the beginning.
class seek_from {
 public:
  enum class base : unsigned char { start, current, end };

  template <std::integral I>
  constexpr seek_from(I offset) noexcept : seek_from(base::start, static_cast<std::int64_t>(offset)) {}  // NOLINT
  constexpr seek_from(base from, std::int64_t offset) noexcept : offset_(offset), base_(from) {}

  static constexpr seek_from start(std::uint64_t offset) noexcept {
    return {base::start, static_cast<std::int64_t>(offset)};
  }
  static constexpr seek_from current(std::int64_t offset) noexcept { return {base::current, offset}; }
  static constexpr seek_from end(std::int64_t offset) noexcept { return {base::end, offset}; }

  [[nodiscard]] constexpr base from() const noexcept { return base_; }
  [[nodiscard]] constexpr std::int64_t offset() const noexcept { return offset_; }
  friend constexpr bool operator==(const seek_from&, const seek_from&) = default;

 private:
  std::int64_t offset_;
  base base_;
};

}  // namespace astd::io
