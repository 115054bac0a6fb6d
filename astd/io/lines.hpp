// Lines and other pieces that end with one byte, from a reader with a buffer.
//
//   io::buf_reader in(stream);
//   std::string line;
//   auto n = co_await io::read_line(in, line);         // with its "\n"; 0 at the end
//
//   auto all = io::lines(in);                          // a stream
//   for (;;) {
//     auto next = co_await all.next();                 // std::optional<std::string>, without "\n" or "\r\n"
//     if (!next) break;
//   }
#pragma once

#include <astd/io/attempt.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/read_to_end.hpp>

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace astd::io {
namespace detail {

/// How many of these bytes end with the first `delimiter`; 0 if it is not among them.
inline std::size_t through(const_bytes bytes, char delimiter) noexcept {
  if (bytes.empty()) return 0;
  const void* const at = std::memchr(bytes.data(), delimiter, bytes.size());
  return at ? static_cast<std::size_t>(static_cast<const std::byte*>(at) - bytes.data()) + 1 : 0;
}

template <class R, class C>
struct read_until_op {
  using value_type = std::size_t;
  read_until_op(R& reader, C& container, char last) noexcept : from(&reader), to(&container), delimiter(last) {}
  R* from;
  C* to;
  char delimiter;

  bool now(astd::detail::outcome<std::size_t>& done) {
    const std::size_t n = through(from->buffered(), delimiter);
    if (n == 0) return false;
    detail::append(*to, from->buffered().take(n));
    from->consume(n);
    done.set_value(n);
    return true;
  }
  task<std::size_t> later() { return run(*from, *to, delimiter); }
  static task<std::size_t> run(R& from, C& to, char delimiter) {
    for (std::size_t all = 0;;) {
      const const_bytes held = co_await or_return(from.fill());
      if (held.empty()) co_return all;
      const std::size_t found = through(held, delimiter);
      const std::size_t n = found ? found : held.size();
      detail::append(to, held.take(n));
      from.consume(n);
      all += n;
      if (found) co_return all;
    }
  }
};

template <class R>
concept reads_lines = requires(R& r, std::string& line) {
  { r.read_line(line) } -> gives_a_size;
};

/// Takes off the delimiter and, of a line, a "\r" before it.
void trim_piece(std::string& piece, char delimiter, bool line) noexcept;

}  // namespace detail

/// Appends what comes, up to and with the first `delimiter`, to `to`, or to the end if there is none; gives the number of
/// bytes, 0 only at the end. What the container held stays, and what was read is in it or still in the reader also when
/// that fails or this is cancelled: whoever calls it again goes on there. `from` and `to` outlive the await. Neither
/// suspends nor allocates (but for the container) if the delimiter is in the reader's buffer.
template <buffered_reader R, detail::byte_container C>
[[nodiscard]] auto read_until(R&& from, char delimiter, C& to) {
  return detail::attempt<detail::read_until_op<std::remove_reference_t<R>, C>>(std::in_place, from, to, delimiter);
}
template <buffered_reader R, detail::byte_container C>
[[nodiscard]] auto read_until(R&& from, std::byte delimiter, C& to) {
  return io::read_until(from, static_cast<char>(delimiter), to);
}

/// read_until() a newline, which is kept: an empty line gives 1, the end 0.
template <class R>
  requires(buffered_reader<R> || detail::reads_lines<R>)
[[nodiscard]] auto read_line(R&& from, std::string& to) {
  if constexpr (detail::reads_lines<R>)
    return from.read_line(to);
  else
    return io::read_until(from, '\n', to);
}

/// A stream of the pieces between delimiters, without them. Made by io::lines and io::split.
///
/// A next() that fails or is cancelled loses nothing: the beginning of a piece is kept for the next one.
template <class R>
class pieces {
  struct next_op;

 public:
  using value_type = std::string;
  pieces(R&& from, char delimiter, bool lines)
      : from_(static_cast<R&&>(from)), delimiter_(delimiter), lines_(lines) {}

  /// The next piece; empty at the end. What is behind the last delimiter is a piece if it is not empty. Fails as the
  /// reader does. One at a time. Does not suspend if the whole piece is in the reader's buffer.
  [[nodiscard]] auto next() noexcept { return detail::attempt<next_op>(std::in_place, *this); }

  /// The reader.
  [[nodiscard]] auto& get() noexcept { return from_; }

 private:
  struct next_op {
    using value_type = std::optional<std::string>;
    explicit next_op(pieces& p) noexcept : of(&p) {}
    pieces* of;
    bool now(astd::detail::outcome<value_type>& to) {
      if constexpr (detail::reads_lines<R>) {
        return false;
      } else {
        const std::size_t n = detail::through(of->from_.buffered(), of->delimiter_);
        if (n == 0) return false;
        detail::append(of->piece_, of->from_.buffered().take(n));
        of->from_.consume(n);
        to.set_value(of->take());
        return true;
      }
    }
    task<value_type> later() { return of->read(); }
  };
  task<std::optional<std::string>> read() {
    if constexpr (detail::reads_lines<R>)
      co_await or_return(from_.read_line(piece_));
    else
      co_await or_return(io::read_until(from_, delimiter_, piece_));
    if (piece_.empty()) co_return std::nullopt;
    co_return take();
  }
  std::string take() noexcept {
    detail::trim_piece(piece_, delimiter_, lines_);
    return std::exchange(piece_, {});
  }

  R from_;  // a reference if the reader was an lvalue
  std::string piece_;
  char delimiter_;
  bool lines_;
};

/// The lines of `from`, without the "\n" or "\r\n" that ended them; whatever bytes there are. An rvalue is moved in, an
/// lvalue is referred to.
template <class R>
  requires(buffered_reader<R> || detail::reads_lines<R>)
[[nodiscard]] pieces<R> lines(R&& from) {
  return pieces<R>(static_cast<R&&>(from), '\n', true);
}
/// The pieces between `delimiter`s.
template <buffered_reader R>
[[nodiscard]] pieces<R> split(R&& from, char delimiter) {
  return pieces<R>(static_cast<R&&>(from), delimiter, false);
}
template <buffered_reader R>
[[nodiscard]] pieces<R> split(R&& from, std::byte delimiter) {
  return pieces<R>(static_cast<R&&>(from), static_cast<char>(delimiter), false);
}

}  // namespace astd::io
