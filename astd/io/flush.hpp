// io::flush(writer), io::shutdown_write(writer), io::close(writer): for any writer, also one that has no need of them.
//
//   co_await io::flush(out);           // everything has left our buffers
//   co_await io::shutdown_write(out);  // the other side reads the end; we may still read
//   co_await io::close(out);
#pragma once

#include <astd/coro/ready.hpp>
#include <astd/io/concepts.hpp>

namespace astd::io {

/// Calls the writer's own flush(); nothing where there is none, because there is no buffer. Fails as the writer does.
/// Cancelled, what was not written yet is still in the buffer.
template <class W>
[[nodiscard]] auto flush(W&& to) {
  if constexpr (flushable<W>)
    return to.flush();
  else
    return ready();
}

/// Calls the writer's own shutdown_write(); a writer that has none is flushed.
template <class W>
[[nodiscard]] auto shutdown_write(W&& to) {
  if constexpr (write_closable<W>)
    return to.shutdown_write();
  else
    return io::flush(to);
}

/// Calls the writer's own close(); a writer that has none is flushed.
template <class W>
[[nodiscard]] auto close(W&& to) {
  if constexpr (closable<W>)
    return to.close();
  else
    return io::flush(to);
}

}  // namespace astd::io
