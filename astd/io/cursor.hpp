// Memory as a reader, a writer, or both, with a place in it.
//
//   io::cursor in("some text");                   // refers to it
//   io::cursor out(std::string{});                // owns it, and grows
//   co_await io::copy(in, out);
//   use(out.get());
#pragma once

#include <astd/io/attempt.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

namespace astd::io {

/// Over anything contiguous of bytes or chars: an rvalue is moved in, an lvalue is referred to. Never waits. Writing
/// overwrites from the place on; what can be resized grows, with zeros between its end and a place behind it; anything else
/// takes what fits, then nothing. Where nothing that grows can be so long, writing is std::errc::file_too_large.
template <class B>
class cursor {
  using container = std::remove_reference_t<B>;
  static constexpr bool grows =
      requires(container& c, std::size_t n) { c.resize(n); } && !std::is_const_v<container>;
  static constexpr bool takes = std::is_convertible_v<container&, mutable_bytes>;
  struct read_op;
  struct write_op;
  struct fill_op;
  struct seek_op;

 public:
  explicit cursor(B&& over) : over_(static_cast<B&&>(over)) {}

  [[nodiscard]] auto read(mutable_bytes to) noexcept { return detail::attempt<read_op>(std::in_place, *this, to); }
  [[nodiscard]] poll_result<std::size_t> try_read(mutable_bytes to) noexcept { return take(to); }
  [[nodiscard]] auto readable() noexcept { return detail::attempt<fill_op>(std::in_place, *this); }
  [[nodiscard]] const_bytes buffered() const noexcept {
    const const_bytes all(over_);
    return place_ < all.size() ? all.drop(static_cast<std::size_t>(place_)) : const_bytes();
  }
  [[nodiscard]] auto fill() noexcept { return detail::attempt<fill_op>(std::in_place, *this); }
  void consume(std::size_t n) noexcept { place_ += n; }

  [[nodiscard]] auto write(const_bytes from) noexcept
    requires(takes)
  {
    return detail::attempt<write_op>(std::in_place, *this, from);
  }
  /// Goes anywhere from the beginning on, also behind the end.
  [[nodiscard]] auto seek(seek_from to) noexcept { return detail::attempt<seek_op>(std::in_place, *this, to); }

  [[nodiscard]] std::uint64_t position() const noexcept { return place_; }
  void set_position(std::uint64_t place) noexcept { place_ = place; }
  /// What it is over.
  [[nodiscard]] container& get() noexcept { return over_; }
  [[nodiscard]] const container& get() const noexcept { return over_; }
  [[nodiscard]] B into_inner() && { return static_cast<B&&>(over_); }

 private:
  std::size_t take(mutable_bytes to) noexcept {
    const std::size_t n = detail::copy_bytes(buffered(), to);
    place_ += n;
    return n;
  }
  // Nothing that grows can be so long.
  bool is_too_far_for(std::size_t bytes) const noexcept {
    if constexpr (grows)
      return bytes != 0 && (bytes > over_.max_size() || place_ > over_.max_size() - bytes);
    else
      return false;
  }
  std::size_t put(const_bytes from) {
    if (from.empty()) return 0;
    if constexpr (grows) {
      const std::size_t end = static_cast<std::size_t>(place_) + from.size();
      if (std::size(over_) < end) over_.resize(end);
    }
    const mutable_bytes all(over_);
    if (place_ >= all.size()) return 0;
    const std::size_t n = detail::copy_bytes(from, all.drop(static_cast<std::size_t>(place_)));
    place_ += n;
    return n;
  }
  struct read_op {
    using value_type = std::size_t;
    read_op(cursor& c, mutable_bytes b) noexcept : of(&c), to(b) {}
    cursor* of;
    mutable_bytes to;
    bool now(astd::detail::outcome<std::size_t>& done) noexcept {
      done.set_value(of->take(to));
      return true;
    }
    task<std::size_t> later() noexcept { return {}; }  // never asked
  };
  struct write_op {
    using value_type = std::size_t;
    write_op(cursor& c, const_bytes b) noexcept : of(&c), from(b) {}
    cursor* of;
    const_bytes from;
    bool now(astd::detail::outcome<std::size_t>& done) {
      if (of->is_too_far_for(from.size()))
        done.set_failure(failure(std::make_error_code(std::errc::file_too_large), "write", "a cursor"));
      else
        done.set_value(of->put(from));
      return true;
    }
    task<std::size_t> later() noexcept { return {}; }  // never asked
  };
  struct fill_op {
    using value_type = const_bytes;
    explicit fill_op(cursor& c) noexcept : of(&c) {}
    cursor* of;
    bool now(astd::detail::outcome<const_bytes>& done) noexcept {
      done.set_value(of->buffered());
      return true;
    }
    task<const_bytes> later() noexcept { return {}; }  // never asked
  };
  struct seek_op {
    using value_type = std::uint64_t;
    seek_op(cursor& c, seek_from s) noexcept : of(&c), to(s) {}
    cursor* of;
    seek_from to;
    bool now(astd::detail::outcome<std::uint64_t>& done) noexcept {
      std::uint64_t base = 0;
      if (to.from() == seek_from::base::current) base = of->place_;
      if (to.from() == seek_from::base::end) base = const_bytes(of->over_).size();
      const std::int64_t by = to.offset();
      const std::uint64_t back = 0 - static_cast<std::uint64_t>(by);
      if (by < 0 ? back > base : base + static_cast<std::uint64_t>(by) > std::numeric_limits<std::int64_t>::max()) {
        done.set_failure(failure(std::make_error_code(std::errc::invalid_argument), "seek", "a cursor"));
        return true;
      }
      of->place_ = base + static_cast<std::uint64_t>(by);
      done.set_value(of->place_);
      return true;
    }
    task<std::uint64_t> later() noexcept { return {}; }  // never asked
  };

  B over_;
  std::uint64_t place_ = 0;
};
template <class B>
cursor(B&&) -> cursor<B>;
cursor(const char*) -> cursor<std::string_view>;
template <std::size_t N>
cursor(const char (&)[N]) -> cursor<std::string_view>;

}  // namespace astd::io
