// Readers and writers without a world: io::empty, io::repeat, io::sink.
//
//   io::repeat zeros(0);
//   co_await io::read_exact(zeros, buffer);
//   io::sink nowhere;
//   auto size = co_await io::copy(file, nowhere);
#pragma once

#include <astd/io/attempt.hpp>
#include <astd/io/concepts.hpp>

#include <cstddef>
#include <cstring>

namespace astd::io {
namespace detail {

// Fills with a byte, or only counts.
struct null_op {
  using value_type = std::size_t;
  null_op(mutable_bytes buffer, int byte) noexcept : to(buffer), with(byte) {}
  mutable_bytes to;
  int with;
  bool now(astd::detail::outcome<std::size_t>& done) noexcept {
    if (with >= 0 && !to.empty()) std::memset(to.data(), with, to.size());
    done.set_value(to.size());
    return true;
  }
  task<std::size_t> later() noexcept { return {}; }  // never asked
};
struct nothing_op {
  using value_type = const_bytes;
  bool now(astd::detail::outcome<const_bytes>& done) noexcept {
    done.set_value();
    return true;
  }
  task<const_bytes> later() noexcept { return {}; }  // never asked
};

}  // namespace detail

/// A reader that is at its end.
class empty {
 public:
  [[nodiscard]] auto read(mutable_bytes) noexcept {
    return detail::attempt<detail::null_op>(std::in_place, mutable_bytes(), -1);
  }
  [[nodiscard]] poll_result<std::size_t> try_read(mutable_bytes) noexcept { return std::size_t{0}; }
  [[nodiscard]] auto readable() noexcept { return detail::attempt<detail::nothing_op>(std::in_place); }
  [[nodiscard]] const_bytes buffered() const noexcept { return {}; }
  [[nodiscard]] auto fill() noexcept { return detail::attempt<detail::nothing_op>(std::in_place); }
  void consume(std::size_t) noexcept {}
};

/// A reader that gives one byte for ever.
class repeat {
 public:
  explicit repeat(std::byte byte) noexcept : byte_(static_cast<unsigned char>(byte)) {}
  explicit repeat(unsigned char byte) noexcept : byte_(byte) {}
  [[nodiscard]] auto read(mutable_bytes to) noexcept {
    return detail::attempt<detail::null_op>(std::in_place, to, static_cast<int>(byte_));
  }
  [[nodiscard]] poll_result<std::size_t> try_read(mutable_bytes to) noexcept {
    if (!to.empty()) std::memset(to.data(), byte_, to.size());
    return to.size();
  }
  [[nodiscard]] auto readable() noexcept { return detail::attempt<detail::nothing_op>(std::in_place); }

 private:
  unsigned char byte_;
};

/// A writer that takes everything and keeps nothing.
class sink {
 public:
  [[nodiscard]] auto write(const_bytes data) noexcept {
    return detail::attempt<detail::null_op>(std::in_place, mutable_bytes(nullptr, data.size()), -1);
  }
  [[nodiscard]] poll_result<std::size_t> try_write(const_bytes data) noexcept { return data.size(); }
  [[nodiscard]] auto writable() noexcept { return detail::attempt<detail::nothing_op>(std::in_place); }
};

}  // namespace astd::io
