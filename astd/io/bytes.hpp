// io::bytes(reader): a stream of single bytes.
//
//   auto all = io::bytes(in);
//   for (;;) {
//     auto next = co_await all.next();              // std::optional<std::byte>
//     if (!next) break;
//   }
#pragma once

#include <astd/io/attempt.hpp>
#include <astd/io/concepts.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace astd::io {

/// Made by io::bytes.
template <class R>
class byte_stream {
  struct next_op;

 public:
  using value_type = std::byte;
  explicit byte_stream(R&& from) : from_(static_cast<R&&>(from)) {}

  /// The next byte; empty at the end. A reader without a buffer is read byte by byte: put a buf_reader around it. Fails
  /// as the reader does. Cancelled, it has taken nothing.
  [[nodiscard]] auto next() noexcept { return detail::attempt<next_op>(std::in_place, *this); }
  [[nodiscard]] auto& get() noexcept { return from_; }

 private:
  struct next_op {
    using value_type = std::optional<std::byte>;
    explicit next_op(byte_stream& s) noexcept : of(&s) {}
    byte_stream* of;
    bool now(astd::detail::outcome<value_type>& done) {
      if constexpr (buffered_reader<R>) {
        const const_bytes held = of->from_.buffered();
        if (held.empty()) return false;
        done.set_value(*held.data());
        of->from_.consume(1);
        return true;
      } else {
        return false;
      }
    }
    task<value_type> later() { return of->read(); }
  };
  task<std::optional<std::byte>> read() {
    std::byte one[1];
    const std::size_t n = co_await or_return(from_.read(mutable_bytes(one)));
    if (n == 0) co_return std::nullopt;
    co_return one[0];
  }

  R from_;
};

/// An rvalue is moved in, an lvalue is referred to.
template <reader R>
[[nodiscard]] byte_stream<R> bytes(R&& from) {
  return byte_stream<R>(static_cast<R&&>(from));
}

}  // namespace astd::io
