// Internal: the buffer of a writer, which does not go silently.
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>
#include <astd/io/byte_buffer.hpp>
#include <astd/io/error.hpp>
#include <astd/io/outcome_of.hpp>

#include <cstddef>
#include <utility>

namespace astd::io::detail {

/// Destroyed with bytes in it, it reports errc::not_flushed, unless the writer below has already failed, which was told.
class unflushed_bytes {
 public:
  unflushed_bytes(const char* whose, std::size_t capacity) noexcept : bytes(capacity), whose_(whose) {}
  unflushed_bytes(unflushed_bytes&& other) noexcept = default;
  unflushed_bytes& operator=(unflushed_bytes&& other) noexcept {
    if (this == &other) return *this;
    report();
    bytes = std::move(other.bytes);
    told = other.told;
    return *this;
  }
  ~unflushed_bytes() { report(); }

  /// Notes how a write below went; false: pass_on() the outcome. Nothing here allocates behind a write: what was taken
  /// must not stay in the buffer for want of memory.
  bool took(const astd::detail::outcome<std::size_t>& wrote) noexcept {
    told = !wrote.has_value();
    return !told;
  }
  /// Writes all of it.
  template <class W>
  task<> drain(W& to) {
    while (!bytes.empty()) {
      auto wrote = co_await outcome_of(to.write(bytes.bytes()));
      if (!took(wrote)) co_await or_return(pass_on(wrote));
      const std::size_t n = std::move(wrote).get();
      told = n == 0;
      if (n == 0) co_await fail(make_error_code(errc::nothing_written));
      bytes.consume(n);
    }
  }

  byte_buffer bytes;
  bool told = false;  // an error of the writer below was given to the caller: that these may be lost is no news

 private:
  void report() noexcept {
    if (!bytes.empty() && !told) report_unflushed(whose_, bytes.size());
  }
  static void report_unflushed(const char* whose, std::size_t size) noexcept;
  const char* whose_;
};

}  // namespace astd::io::detail
