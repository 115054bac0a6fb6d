// Readers and writers whose type is not known until the program runs.
//
//   io::any_reader open(bool compressed);         // made of whatever it is: io::any_reader(std::move(file))
//   std::vector<io::any_stream> peers;
//
// An rvalue is moved in, an lvalue is referred to: it outlives this then. Each operation makes one (pooled) coroutine
// frame; a buf_reader or buf_writer in front makes them few.
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/flush.hpp>
#include <astd/io/vectored.hpp>

#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace astd::io {
namespace detail {

struct erased_reader {
  virtual ~erased_reader() = default;
  virtual task<std::size_t> read(mutable_bytes to) = 0;
  virtual task<std::size_t> read_vectored(std::span<const mutable_bytes> to) = 0;
};
struct erased_writer {
  virtual ~erased_writer() = default;
  virtual task<std::size_t> write(const_bytes from) = 0;
  virtual task<std::size_t> write_vectored(std::span<const const_bytes> from) = 0;
  virtual task<> flush() = 0;
  virtual task<> shutdown_write() = 0;
  virtual task<> close() = 0;
};
struct erased_stream : erased_reader, erased_writer {};

template <class Base, class T>
class erased_reading : public Base {
 public:
  explicit erased_reading(T&& of) : of_(static_cast<T&&>(of)) {}
  task<std::size_t> read(mutable_bytes to) override {
    const std::size_t n = co_await or_return(of_.read(to));
    co_return n;
  }
  task<std::size_t> read_vectored(std::span<const mutable_bytes> to) override {
    const std::size_t n = co_await or_return(io::read_vectored(of_, to));
    co_return n;
  }

 protected:
  T of_;
};
template <class Base, class T>
class erased_holding : public Base {
 public:
  explicit erased_holding(T&& of) : of_(static_cast<T&&>(of)) {}

 protected:
  T of_;
};
/// `Beneath` has the member of_.
template <class Beneath>
class erased_writing final : public Beneath {
 public:
  using Beneath::Beneath;
  task<std::size_t> write(const_bytes from) override {
    const std::size_t n = co_await or_return(this->of_.write(from));
    co_return n;
  }
  task<std::size_t> write_vectored(std::span<const const_bytes> from) override {
    const std::size_t n = co_await or_return(io::write_vectored(this->of_, from));
    co_return n;
  }
  task<> flush() override { co_await or_return(io::flush(this->of_)); }
  task<> shutdown_write() override { co_await or_return(io::shutdown_write(this->of_)); }
  task<> close() override { co_await or_return(io::close(this->of_)); }
};

}  // namespace detail

/// Any reader. Empty after it was moved from; then it may only be assigned to or destroyed.
class any_reader {
 public:
  template <class R>
    requires(reader<R> && !std::is_same_v<std::remove_cvref_t<R>, any_reader>)
  explicit any_reader(R&& of)
      : of_(std::make_unique<detail::erased_reading<detail::erased_reader, R>>(static_cast<R&&>(of))) {}

  [[nodiscard]] ASTD_CORO_WRAPPER task<std::size_t> read(mutable_bytes to) { return of_->read(to); }
  [[nodiscard]] ASTD_CORO_WRAPPER task<std::size_t> read_vectored(std::span<const mutable_bytes> to) {
    return of_->read_vectored(to);
  }

 private:
  std::unique_ptr<detail::erased_reader> of_;
};

/// Any writer; flush(), shutdown_write() and close() are io::flush() and its like of what is inside.
class any_writer {
 public:
  template <class W>
    requires(writer<W> && !std::is_same_v<std::remove_cvref_t<W>, any_writer>)
  explicit any_writer(W&& of)
      : of_(std::make_unique<detail::erased_writing<detail::erased_holding<detail::erased_writer, W>>>(
            static_cast<W&&>(of))) {}

  [[nodiscard]] ASTD_CORO_WRAPPER task<std::size_t> write(const_bytes from) { return of_->write(from); }
  [[nodiscard]] ASTD_CORO_WRAPPER task<std::size_t> write_vectored(std::span<const const_bytes> from) {
    return of_->write_vectored(from);
  }
  [[nodiscard]] ASTD_CORO_WRAPPER task<> flush() { return of_->flush(); }
  [[nodiscard]] ASTD_CORO_WRAPPER task<> shutdown_write() { return of_->shutdown_write(); }
  [[nodiscard]] ASTD_CORO_WRAPPER task<> close() { return of_->close(); }

 private:
  std::unique_ptr<detail::erased_writer> of_;
};

/// Anything that is both.
class any_stream {
 public:
  template <class S>
    requires(reader<S> && writer<S> && !std::is_same_v<std::remove_cvref_t<S>, any_stream>)
  explicit any_stream(S&& of)
      : of_(std::make_unique<detail::erased_writing<detail::erased_reading<detail::erased_stream, S>>>(
            static_cast<S&&>(of))) {}

  [[nodiscard]] ASTD_CORO_WRAPPER task<std::size_t> read(mutable_bytes to) { return of_->read(to); }
  [[nodiscard]] ASTD_CORO_WRAPPER task<std::size_t> read_vectored(std::span<const mutable_bytes> to) {
    return of_->read_vectored(to);
  }
  [[nodiscard]] ASTD_CORO_WRAPPER task<std::size_t> write(const_bytes from) { return of_->write(from); }
  [[nodiscard]] ASTD_CORO_WRAPPER task<std::size_t> write_vectored(std::span<const const_bytes> from) {
    return of_->write_vectored(from);
  }
  [[nodiscard]] ASTD_CORO_WRAPPER task<> flush() { return of_->flush(); }
  [[nodiscard]] ASTD_CORO_WRAPPER task<> shutdown_write() { return of_->shutdown_write(); }
  [[nodiscard]] ASTD_CORO_WRAPPER task<> close() { return of_->close(); }

 private:
  std::unique_ptr<detail::erased_stream> of_;
};

}  // namespace astd::io
