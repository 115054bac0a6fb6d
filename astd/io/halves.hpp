// io::split(stream): a stream as two that can go to different tasks, and together again.
//
//   auto [in, out] = io::split(std::move(stream));
//   auto reading = spawn(read_all, std::move(in));
//   ...
//   auto stream = io::reunite(std::move(in), std::move(out));
//
// For any stream. A TCP stream has a split() of its own besides, whose halves know its addresses and say the end to the
// peer: astd/net/tcp_halves.hpp.
#pragma once

#include <astd/base/assert.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/flush.hpp>
#include <astd/io/kernel_end.hpp>

#include <memory>
#include <span>
#include <utility>

namespace astd::io {

template <class S>
class write_half;

/// The reading half. Holds the stream together with the other one: it is destroyed with the later of the two.
template <class S>
class read_half {
 public:
  explicit read_half(std::shared_ptr<S> of) noexcept : of_(std::move(of)) {}

  [[nodiscard]] auto read(mutable_bytes to) { return of_->read(to); }
  [[nodiscard]] auto try_read(mutable_bytes to)
    requires try_reader<S>
  {
    return of_->try_read(to);
  }
  [[nodiscard]] auto readable()
    requires try_reader<S>
  {
    return of_->readable();
  }
  [[nodiscard]] auto read_vectored(std::span<const mutable_bytes> to)
    requires vectored_reader<S>
  {
    return of_->read_vectored(to);
  }
  /// For io::copy().
  [[nodiscard]] detail::kernel_end_of<read_half> kernel_source() const
    requires detail::kernel_reader<S>
  {
    return {of_->kernel_source()};
  }
  /// Whether `other` is a half of the same stream.
  [[nodiscard]] bool is_pair_of(const write_half<S>& other) const noexcept { return of_ == other.of_; }
  /// The stream.
  [[nodiscard]] S& get() noexcept { return *of_; }

 private:
  template <class T>
  friend T reunite(read_half<T>&& in, write_half<T>&& out);
  std::shared_ptr<S> of_;
};

/// The writing half. Destroyed alone it does not tell the other side that this was all: shutdown_write() does.
template <class S>
class write_half {
 public:
  explicit write_half(std::shared_ptr<S> of) noexcept : of_(std::move(of)) {}

  [[nodiscard]] auto write(const_bytes from) { return of_->write(from); }
  [[nodiscard]] auto try_write(const_bytes from)
    requires try_writer<S>
  {
    return of_->try_write(from);
  }
  [[nodiscard]] auto writable()
    requires try_writer<S>
  {
    return of_->writable();
  }
  [[nodiscard]] auto write_vectored(std::span<const const_bytes> from)
    requires vectored_writer<S>
  {
    return of_->write_vectored(from);
  }
  /// For io::copy().
  [[nodiscard]] detail::kernel_end_of<write_half> kernel_sink() const
    requires detail::kernel_writer<S>
  {
    return {of_->kernel_sink()};
  }
  [[nodiscard]] auto flush() { return io::flush(*of_); }
  [[nodiscard]] auto shutdown_write() { return io::shutdown_write(*of_); }
  [[nodiscard]] bool is_pair_of(const read_half<S>& other) const noexcept { return other.is_pair_of(*this); }
  [[nodiscard]] S& get() noexcept { return *of_; }

 private:
  friend class read_half<S>;
  template <class T>
  friend T reunite(read_half<T>&& in, write_half<T>&& out);
  std::shared_ptr<S> of_;
};

/// Both.
template <class S>
using halves = std::pair<read_half<S>, write_half<S>>;

/// Two halves that own the stream. They may be used at the same time by two tasks, on any threads, if the stream may be
/// read and written at the same time, as sockets and duplex pipes may.
template <class S>
  requires(reader<S> && writer<S> && !std::is_lvalue_reference_v<S>)
[[nodiscard]] halves<S> split(S&& stream) {
  auto shared = std::make_shared<S>(std::move(stream));
  return {read_half<S>(shared), write_half<S>(shared)};
}

/// The stream again, when nothing is in flight. That the halves do not belong together is a programming error:
/// is_pair_of() tells.
template <class S>
[[nodiscard]] S reunite(read_half<S>&& in, write_half<S>&& out) {
  ASTD_ASSERT(in.of_ && in.of_ == out.of_, "io::reunite: halves of different streams");
  const auto of = std::move(in.of_);
  out.of_.reset();
  return std::move(*of);
}

}  // namespace astd::io
