// The ends of a pipe: bytes in one direction, between tasks, threads or processes.
//
//   auto [reader, writer] = os::pipe();
//   co_await io::write_all(writer, "hello\n");
//   co_await writer.close();                    // the reader will see the end
//   auto n = co_await reader.read(buffer);
#pragma once

#include <astd/io/buffer.hpp>
#include <astd/io/descriptor_operations.hpp>
#include <astd/io/native_handle.hpp>
#include <astd/io/poll_result.hpp>

#include <coroutine>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace astd::io {
namespace detail {

enum class pipe_event : unsigned char { readable, writable };
io_awaitable<descriptor_poll> pipe_ready(os::native_handle descriptor, pipe_event what, const char* name) noexcept;
poll_result<std::size_t> try_read_from(os::native_handle descriptor, mutable_bytes buffer) noexcept;
poll_result<std::size_t> try_write_to(os::native_handle descriptor, const_bytes buffer) noexcept;

/// What a pipe is called in errors: a literal, or a text that it has its share of.
class pipe_name {
 public:
  explicit pipe_name(const char* literal = "a pipe") noexcept : literal_(literal) {}
  explicit pipe_name(std::shared_ptr<const std::string> text) noexcept : text_(std::move(text)) {}
  [[nodiscard]] const char* get() const noexcept { return text_ ? text_->c_str() : literal_; }

 private:
  const char* literal_ = "a pipe";
  std::shared_ptr<const std::string> text_;
};

struct pipe_maker {
  /// As from_native_handle().
  template <class Pipe>
  static Pipe make(os::native_handle handle, std::shared_ptr<const std::string> name) noexcept {
    adopt_descriptor(handle);
    set_blocking(handle, false);
    return Pipe(owned_handle(handle), pipe_name(std::move(name)));
  }
};

}  // namespace detail

/// Where a pipe is read. The destructor closes it and never blocks; whoever writes then fails with
/// std::errc::broken_pipe. Several tasks may read, on any threads: each gets other bytes. It is neither moved to, closed
/// nor destroyed while an operation is in flight.
class pipe_reader {
 public:
  /// Closed.
  pipe_reader() noexcept = default;

  /// As io::reader has it: 0 when all writers have gone. Allocates nothing.
  [[nodiscard]] detail::io_awaitable<detail::descriptor_transfer> read(mutable_bytes buffer) noexcept {
    return detail::read_from(handle_.get(), buffer, name_.get());
  }
  /// The same without waiting.
  poll_result<std::size_t> try_read(mutable_bytes buffer) noexcept {
    return detail::try_read_from(handle_.get(), buffer);
  }
  /// Waits until try_read() is worth while.
  [[nodiscard]] auto readable() noexcept {
    return detail::pipe_ready(handle_.get(), detail::pipe_event::readable, name_.get());
  }

  /// Closes it, at once; the await is over at once. Does nothing when it is closed.
  std::suspend_never close() noexcept {
    handle_.reset();
    return {};
  }
  [[nodiscard]] bool is_open() const noexcept { return handle_.is_open(); }

  /// Still ours.
  [[nodiscard]] os::native_handle as_native_handle() const noexcept { return handle_.get(); }
  /// The caller's from now on, in non-blocking mode.
  [[nodiscard]] os::native_handle into_native_handle() && noexcept { return handle_.release(); }
  /// Takes over the end of a pipe that is read from, and sets it to non-blocking mode. `name` is for errors; it lives as
  /// long as the reader: usually a literal.
  [[nodiscard]] static pipe_reader from_native_handle(os::native_handle handle,
                                                      const char* name = "a pipe") noexcept {
    detail::adopt_descriptor(handle);
    detail::set_blocking(handle, false);
    return pipe_reader(detail::owned_handle(handle), detail::pipe_name(name));
  }

 private:
  friend struct detail::pipe_maker;
  pipe_reader(detail::owned_handle handle, detail::pipe_name name) noexcept
      : handle_(std::move(handle)), name_(std::move(name)) {}
  detail::owned_handle handle_;
  detail::pipe_name name_;
};

/// Where a pipe is written. The destructor closes it and never blocks: the reader gets what was written, then the end.
/// Several tasks may write, on any threads; up to 4096 bytes at a time are not mixed with others'. It is neither moved to,
/// closed nor destroyed while an operation is in flight.
class pipe_writer {
 public:
  /// Closed.
  pipe_writer() noexcept = default;

  /// As io::writer has it. Fails with std::errc::broken_pipe when all readers have gone, never with a signal. Allocates
  /// nothing.
  [[nodiscard]] detail::io_awaitable<detail::descriptor_transfer> write(const_bytes buffer) noexcept {
    return detail::write_to(handle_.get(), buffer, name_.get());
  }
  /// The same without waiting.
  poll_result<std::size_t> try_write(const_bytes buffer) noexcept {
    return detail::try_write_to(handle_.get(), buffer);
  }
  /// Waits until try_write() is worth while.
  [[nodiscard]] auto writable() noexcept {
    return detail::pipe_ready(handle_.get(), detail::pipe_event::writable, name_.get());
  }

  /// Closes it, at once; the await is over at once. Does nothing when it is closed.
  std::suspend_never close() noexcept {
    handle_.reset();
    return {};
  }
  /// The same: a pipe has one direction.
  std::suspend_never shutdown_write() noexcept { return close(); }
  [[nodiscard]] bool is_open() const noexcept { return handle_.is_open(); }

  /// Still ours.
  [[nodiscard]] os::native_handle as_native_handle() const noexcept { return handle_.get(); }
  /// The caller's from now on, in non-blocking mode.
  [[nodiscard]] os::native_handle into_native_handle() && noexcept { return handle_.release(); }
  /// As pipe_reader::from_native_handle().
  [[nodiscard]] static pipe_writer from_native_handle(os::native_handle handle,
                                                      const char* name = "a pipe") noexcept {
    detail::adopt_descriptor(handle);
    detail::set_blocking(handle, false);
    return pipe_writer(detail::owned_handle(handle), detail::pipe_name(name));
  }

 private:
  friend struct detail::pipe_maker;
  pipe_writer(detail::owned_handle handle, detail::pipe_name name) noexcept
      : handle_(std::move(handle)), name_(std::move(name)) {}
  detail::owned_handle handle_;
  detail::pipe_name name_;
};

}  // namespace astd::io
