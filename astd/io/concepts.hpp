// What can be read from and written to, whatever it is: a socket, a file, the terminal, the user's own.
//
//   template <io::reader R>
//   astd::task<std::size_t> count_bytes(R& from) {
//     std::array<char, 4096> buffer;
//     for (std::size_t all = 0;;) {
//       auto n = co_await from.read(buffer);
//       if (n == 0) co_return all;
//       all += n;
//     }
//   }
//
// # The contract
//
// It stands here once. reader_conformance_test.cpp and writer_conformance_test.cpp hold everything in astd that reads and
// writes to it; a reader or writer of one's own joins by a line there.
//
// read(buffer), write(buffer): wait until something can be moved, move something, give how much.
//  1. At least one byte and at most buffer.size(). Less than asked is normal, at any time.
//  2. An empty buffer gives 0 at once: nothing is waited for, nothing is moved.
//  3. read gives 0 for a buffer that is not empty at the end, and only there; asked again it does so again (a terminal
//     goes on behind its end). A write of 0 means that this writer will take nothing more.
//  4. Nothing is consumed unless it is reported: what read() has taken from the source is in the buffer and counted, what
//     write() counted is in the writer's hands and nothing else is. An error has moved nothing.
//  5. Cancelled, it has moved nothing; or it gives what it moved, and the chain stops behind it.
//  6. The buffer is left alone once the await is over. Bytes of it behind those that were counted may have been changed.
//  7. Nothing happens before it is awaited.
//
// try_read(buffer), try_write(buffer): the same attempt, without waiting. poll_result is one of
//  - ready(n): as above, 0 is the end,
//  - not ready: nothing was moved. Then readable() or writable() may be awaited, and the attempt made again. There may be
//    nothing after all: another task was quicker, or it was a false alarm. So: in a loop;
//  - error: nothing was moved.
//
// readable(), writable(): over when an attempt would be worth while: it would be ready, or an error. They move nothing,
// so they can be cancelled without a trace. Who attempts in a loop and awaits in between misses nothing: what comes
// between an attempt that was not ready and the await ends the await at once.
//
// Functions that are made of several reads or writes say themselves what a cancellation or an error leaves behind.
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/io/buffer.hpp>
#include <astd/io/poll_result.hpp>
#include <astd/io/seek_from.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace astd::io {
namespace detail {

template <class A, class T>
concept gives = awaitable<A> && std::convertible_to<await_result_t<A>, T>;
template <class A>
concept gives_a_size = gives<A, std::size_t>;

}  // namespace detail

/// Has read(buffer): how many bytes it put there, 0 at the end.
template <class R>
concept reader = requires(R& r, mutable_bytes buffer) {
  { r.read(buffer) } -> detail::gives_a_size;
};

/// Has write(buffer): how many of the bytes it took.
template <class W>
concept writer = requires(W& w, const_bytes buffer) {
  { w.write(buffer) } -> detail::gives_a_size;
};

/// A reader that can be asked without waiting.
template <class R>
concept try_reader = reader<R> && requires(R& r, mutable_bytes buffer) {
  { r.try_read(buffer) } -> std::same_as<poll_result<std::size_t>>;
  { r.readable() } -> awaitable;
};

/// A writer that can be asked without waiting.
template <class W>
concept try_writer = writer<W> && requires(W& w, const_bytes buffer) {
  { w.try_write(buffer) } -> std::same_as<poll_result<std::size_t>>;
  { w.writable() } -> awaitable;
};

/// Has read_vectored(buffers): as read(), into the first buffer, then the second and so on.
template <class R>
concept vectored_reader = reader<R> && requires(R& r, std::span<const mutable_bytes> buffers) {
  { r.read_vectored(buffers) } -> detail::gives_a_size;
};

/// Has write_vectored(buffers): as write(), of the buffers one behind the other. The span, too, stays until the await is
/// over.
template <class W>
concept vectored_writer = writer<W> && requires(W& w, std::span<const const_bytes> buffers) {
  { w.write_vectored(buffers) } -> detail::gives_a_size;
};

/// A reader with a buffer of its own, which may be looked at before it is decided how much of it to take:
///  - buffered(): the bytes that it holds, without reading;
///  - fill(): those bytes; if there are none, it reads first. Empty only at the end. Cancelled, it may have read: the
///    bytes are in the buffer then, and nothing is lost;
///  - consume(n): the first n of them were used, n <= buffered().size().
/// The bytes stay where they are until the next read, fill or consume.
template <class R>
concept buffered_reader = reader<R> && requires(R& r, std::size_t n) {
  { r.buffered() } -> std::same_as<const_bytes>;
  { r.fill() } -> detail::gives<const_bytes>;
  { r.consume(n) } -> std::same_as<void>;
};

/// Has a place where it reads or writes, and seek(to), which goes to another and gives it, in bytes from the beginning.
/// Behind the end is allowed. Before the beginning is std::errc::invalid_argument and goes nowhere.
template <class S>
concept seekable = requires(S& s, seek_from to) {
  { s.seek(to) } -> detail::gives<std::uint64_t>;
};

// What a writer may have beside, and the functions of io call if it is there:
//  - flush(): awaits until everything that was written has left the writer's own buffers;
//  - shutdown_write(): says the end to whoever reads at the other side, and flushes before; reading goes on;
//  - close(): flushes, and gives up what lies beneath; an error says that something may not have been written.

template <class W>
concept flushable = requires(W& w) {
  { w.flush() } -> awaitable;
};
template <class W>
concept write_closable = requires(W& w) {
  { w.shutdown_write() } -> awaitable;
};
template <class W>
concept closable = requires(W& w) {
  { w.close() } -> awaitable;
};

}  // namespace astd::io
