// framed(stream, codec): messages instead of bytes.
//
//   auto peer = codec::framed(std::move(stream), codec::lines());
//   for (;;) {
//     auto line = co_await peer.next();             // std::optional<std::string>; a stream
//     if (!line) break;
//     co_await peer.send("you said " + *line);
//   }
//
// A codec of one's own has one or both of
//
//   std::expected<std::optional<T>, astd::failure> decode(io::byte_buffer& in);
//       takes the next frame from the beginning of `in`, whole, by consume(). Empty: there is less than a frame; `in` grows
//       and it is asked again. A failure: `in` holds no frame, or one that is too large.
//   std::expected<void, astd::failure> encode(const T& item, io::byte_buffer& out);
//       appends a frame to `out`; has added nothing if it fails.
//
// and may have decode_end(in), which is asked instead at the end of the input until it gives nothing. Without one, bytes
// that are left over at the end are io::errc::unexpected_end.
#pragma once

#include <astd/base/error.hpp>
#include <astd/io/attempt.hpp>
#include <astd/io/byte_buffer.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/error.hpp>
#include <astd/io/flush.hpp>
#include <astd/io/unflushed.hpp>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <utility>

namespace astd::codec {

template <class C>
concept decoder = requires(C& c, io::byte_buffer& in) { c.decode(in).value().value(); };
template <class C, class T>
concept encoder = requires(C& c, const T& item, io::byte_buffer& out) {
  { c.encode(item, out) } -> std::same_as<std::expected<void, failure>>;
};
/// What a codec's frames hold.
template <decoder C>
using item_t =
    std::remove_cvref_t<decltype(std::declval<C&>().decode(std::declval<io::byte_buffer&>()).value().value())>;

namespace detail {

/// What was read and is not decoded yet.
class incoming {
 public:
  template <decoder C>
  using result = std::expected<std::optional<item_t<C>>, failure>;

  // True: there is an outcome.
  template <decoder C>
  bool decoded(C& codec, astd::detail::outcome<std::optional<item_t<C>>>& to) {
    result<C> got = ended_ ? at_end(codec) : codec.decode(bytes_);
    if (!got) {
      to.set_failure(std::move(got.error()));
      return true;
    }
    if (!*got && !ended_) return false;
    to.set_value(std::move(*got));
    return true;
  }
  template <class R, decoder C>
  task<std::optional<item_t<C>>> next(R& from, C& codec) {
    for (;;) {
      bytes_.shrink();
      const std::size_t n = co_await or_return(from.read(bytes_.room()));
      bytes_.added(n);
      ended_ = n == 0;
      astd::detail::outcome<std::optional<item_t<C>>> got;
      if (!decoded(codec, got)) continue;
      if (got.what() == decltype(got)::kind::failed) co_await fail(std::move(got.error()));
      co_return std::move(got).get();
    }
  }
  [[nodiscard]] io::const_bytes bytes() const noexcept { return bytes_.bytes(); }

 private:
  template <decoder C>
  result<C> at_end(C& codec) {
    if constexpr (requires { codec.decode_end(bytes_); }) {
      return codec.decode_end(bytes_);
    } else {
      if (bytes_.empty()) return result<C>(std::in_place);
      result<C> got = codec.decode(bytes_);
      if (got && !*got)
        return result<C>(std::unexpect, io::make_error_code(io::errc::unexpected_end), "read a frame");
      return got;
    }
  }
  io::byte_buffer bytes_;
  bool ended_ = false;
};

/// What was encoded and is not written yet.
class outgoing {
 public:
  template <class W, class C, class T>
  task<> feed(W& to, C& codec, T item) {
    // What earlier sends left here, cut off in the middle. Not for ever more of it.
    if (frames_.bytes.size() >= high_water) co_await or_return(frames_.drain(to));
    auto encoded = codec.encode(item, frames_.bytes);
    if (!encoded) co_await fail(std::move(encoded.error()));
    ++accepted_;
  }
  template <class W, class C, class T>
  task<> send(W& to, C& codec, T item) {
    co_await or_return(feed(to, codec, std::move(item)));
    co_await or_return(flush(to));
  }
  template <class W>
  task<> flush(W& to) {
    co_await or_return(frames_.drain(to));
    co_await or_return(io::flush(to));
  }
  template <class W>
  task<> close(W& to) {
    co_await or_return(frames_.drain(to));
    co_await or_return(io::close(to));
  }
  template <class W>
  task<> shutdown_write(W& to) {
    co_await or_return(frames_.drain(to));
    co_await or_return(io::shutdown_write(to));
  }
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }

 private:
  static constexpr std::size_t high_water = 8 * 1024;
  io::detail::unflushed_bytes frames_{"codec::framed", high_water};
  std::uint64_t accepted_ = 0;
};

template <class R, class C>
struct next_op {
  using value_type = std::optional<item_t<C>>;
  next_op(incoming& i, R& r, C& c) noexcept : in(&i), from(&r), codec(&c) {}
  incoming* in;
  R* from;
  C* codec;
  bool now(astd::detail::outcome<value_type>& to) { return in->decoded(*codec, to); }
  task<value_type> later() { return in->next(*from, *codec); }
};

}  // namespace detail

/// Both directions, over a stream. The stream and the codec are moved in if they are rvalues, referred to if they are
/// lvalues. One task may call next() while another sends, if the stream below allows that and the codec keeps both apart.
template <class S, class C>
class framed {
  using stream_type = std::remove_reference_t<S>;
  using codec_type = std::remove_reference_t<C>;

 public:
  framed(S&& stream, C&& codec) : stream_(static_cast<S&&>(stream)), codec_(static_cast<C&&>(codec)) {}

  /// The next frame; empty at the end. Fails as the reader or the codec does, or with io::errc::unexpected_end if the
  /// input ends within a frame. Failed or cancelled it loses nothing: what was read is kept for the next one. Does not
  /// suspend if a whole frame is there.
  [[nodiscard]] auto next() noexcept
    requires(io::reader<S> && decoder<codec_type>)
  {
    return io::detail::attempt<detail::next_op<stream_type, codec_type>>(std::in_place, in_, stream_, codec_);
  }

  /// Writes the item as a frame, and flushes. Cancelled, the frame was either taken, whole (accepted() tells), and what is
  /// not written of it goes out before anything else with the next send() or flush(); or it was not taken at all, which
  /// happens only while frames are waiting that were cut off so before. Never is half a frame followed by another one.
  /// Fails as the writer does, with the frame kept; or as the codec does, with nothing taken.
  template <class T>
    requires(io::writer<S>)
  [[nodiscard]] ASTD_CORO_WRAPPER task<> send(T item) {
    static_assert(encoder<codec_type, T>, "this codec does not encode such an item");
    return out_.send(stream_, codec_, std::move(item));
  }
  /// The same without writing at once: several frames in one write.
  template <class T>
    requires(io::writer<S>)
  [[nodiscard]] ASTD_CORO_WRAPPER task<> feed(T item) {
    static_assert(encoder<codec_type, T>, "this codec does not encode such an item");
    return out_.feed(stream_, codec_, std::move(item));
  }
  /// As io::buf_writer's; frames that were not flushed when it is destroyed are reported as there.
  [[nodiscard]] ASTD_CORO_WRAPPER task<> flush()
    requires(io::writer<S>)
  {
    return out_.flush(stream_);
  }
  [[nodiscard]] ASTD_CORO_WRAPPER task<> shutdown_write()
    requires(io::writer<S>)
  {
    return out_.shutdown_write(stream_);
  }
  [[nodiscard]] ASTD_CORO_WRAPPER task<> close()
    requires(io::writer<S>)
  {
    return out_.close(stream_);
  }

  /// How many frames send() and feed() have taken.
  [[nodiscard]] std::uint64_t accepted() const noexcept { return out_.accepted(); }
  /// What was read and is not decoded.
  [[nodiscard]] io::const_bytes buffered() const noexcept { return in_.bytes(); }
  [[nodiscard]] stream_type& get() noexcept { return stream_; }
  [[nodiscard]] codec_type& codec() noexcept { return codec_; }

 private:
  S stream_;
  C codec_;
  detail::incoming in_;
  detail::outgoing out_;
};
template <class S, class C>
framed(S&&, C&&) -> framed<S, C>;

/// One direction alone is the same: over a reader there is next(), over a writer send().
template <class R, class C>
using framed_read = framed<R, C>;
template <class W, class C>
using framed_write = framed<W, C>;

}  // namespace astd::codec
