// io::copy(reader, writer): everything, to the end. io::copy_bidirectional(a, b): both ways, what a proxy does.
//
//   auto size = co_await io::copy(file, stream);
//   auto [there, back] = co_await io::copy_bidirectional(client, server);
#pragma once

#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/error.hpp>
#include <astd/io/flush.hpp>
#include <astd/io/kernel_copy.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace astd::io {
namespace detail {

inline constexpr std::size_t copy_buffer_size = 32 * 1024;

/// What was read and is not written yet. Destroyed in between (cancelled, or because the writer failed) it makes one more
/// attempt, which does not wait, where the writer can be asked.
template <class W>
class copied_bytes {
 public:
  copied_bytes(W& to, std::uint64_t& count) noexcept : to_(to), count_(count) {}
  copied_bytes(const copied_bytes&) = delete;
  copied_bytes& operator=(const copied_bytes&) = delete;
  ~copied_bytes() {
    if constexpr (try_writer<W>) {
#if ASTD_HAS_EXCEPTIONS
      try {
        try_rest();
      } catch (...) {  // as any other refusal here: nobody is left to hear it
      }
#else
      try_rest();
#endif
    }
  }
  void wrote(std::size_t n) noexcept {
    rest = rest.drop(n);
    count_ += n;
  }
  const_bytes rest;

 private:
  void try_rest() {
    while (!rest.empty()) {
      const auto tried = to_.try_write(rest);
      if (!tried.is_ready() || tried.value() == 0) return;
      wrote(tried.value());
    }
  }
  W& to_;
  std::uint64_t& count_;
};

}  // namespace detail

/// Writes all that `from` gives to `to` and adds the number of bytes to `copied` as they are written. What was written is
/// flushed before the next read waits, and at the end, so that nobody waits for what lies here. Both, and `copied`, outlive
/// the await.
///
/// Fails as the reader or the writer does, or with errc::nothing_written. Failed or cancelled, `copied` bytes were taken
/// by the writer. From a buffered_reader not one more was taken: what was read and not written is still in it. From any
/// other reader, what was read and not written (32 KiB at most; from a socket to a socket 1 MiB) is tried once more where
/// the writer has a try_write(), and counted; the rest is lost. Whoever cannot bear that puts a buf_reader in front.
///
/// Where both are sockets or files of this library, without a buffer in front, and bytes come in plenty, the kernel moves
/// them without our seeing them: by splice between sockets, sendfile from a file, copy_file_range between files. From a
/// file nothing is lost then: its position is where the last byte was that the writer took.
template <reader R, writer W>
task<> copy(R&& from, W&& to, std::uint64_t& copied) {
  if constexpr (buffered_reader<R>) {
    for (;;) {
      if constexpr (flushable<W>)
        if (from.buffered().empty()) co_await or_return(to.flush());
      const const_bytes held = co_await or_return(from.fill());
      if (held.empty()) co_return;
      const std::size_t n = co_await or_return(to.write(held));
      if (n == 0) co_await fail(make_error_code(errc::nothing_written));
      from.consume(n);
      copied += n;
    }
  } else {
    const auto memory = std::make_unique_for_overwrite<std::byte[]>(detail::copy_buffer_size);
    const mutable_bytes buffer(memory.get(), detail::copy_buffer_size);
    [[maybe_unused]] bool only_the_buffer = false;
    for (;;) {
      std::size_t got = 0;
      {
        detail::copied_bytes<std::remove_reference_t<W>> held(to, copied);
        got = co_await or_return(from.read(buffer));
        held.rest = const_bytes(memory.get(), got);
        while (!held.rest.empty()) {
          const std::size_t n = co_await or_return(to.write(held.rest));
          if (n == 0) co_await fail(make_error_code(errc::nothing_written));
          held.wrote(n);
        }
        if constexpr (flushable<W>) co_await or_return(to.flush());
      }
      if (got == 0) co_return;
      if constexpr (detail::kernel_reader<R> && detail::kernel_writer<W>) {
        // Little at a time is for the buffer. A full one says that there is more.
        if (got == buffer.size() && !only_the_buffer) {
          const bool ended = co_await or_return(
              detail::copy_in_kernel(from.kernel_source(), to.kernel_sink(), copied, buffer, only_the_buffer));
          if (ended) co_return;
        }
      }
    }
  }
}
/// The same; gives the number of bytes.
template <reader R, writer W>
task<std::uint64_t> copy(R&& from, W&& to) {
  std::uint64_t copied = 0;
  co_await or_return(io::copy(from, to, copied));
  co_return copied;
}

namespace detail {

template <class R, class W>
task<> copy_to_the_end(R& from, W& to, std::uint64_t& copied) {
  co_await or_return(io::copy(from, to, copied));
  co_await or_return(io::shutdown_write(to));
}

}  // namespace detail

/// Copies from `a` to `b` and from `b` to `a`, at the same time, until both have ended; gives how many bytes went from a to
/// b and from b to a. When one side ends, the other is told by shutdown_write(), and may go on sending: half-closed, as TCP
/// allows. If one direction fails the other is cancelled, and that error is given. Both are streams that may be read and
/// written at the same time; they outlive the await.
template <class A, class B>
  requires(reader<A> && writer<A> && reader<B> && writer<B>)
task<std::pair<std::uint64_t, std::uint64_t>> copy_bidirectional(A&& a, B&& b) {
  std::pair<std::uint64_t, std::uint64_t> copied(0, 0);
  auto there = detail::copy_to_the_end(a, b, copied.first);
  auto back = detail::copy_to_the_end(b, a, copied.second);
  co_await or_return(try_join(std::move(there), std::move(back)));
  co_return copied;
}

}  // namespace astd::io
