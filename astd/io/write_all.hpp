// io::write_all(writer, buffer): all of the bytes, not only the first few.
//
//   co_await io::write_all(stream, "HTTP/1.0 200 OK\r\n\r\n");
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/error.hpp>

namespace astd::io {

/// Writes all of `data` behind its first `written` bytes. `to` and the data outlive the await. Fails as the writer does,
/// or with errc::nothing_written if it takes nothing. `written` grows with what the writer took: it tells how far this
/// came when it fails or is cancelled, and whoever calls it again with the same `written` goes on there.
template <writer W>
task<> write_all(W&& to, const_bytes data, std::size_t& written) {
  while (written < data.size()) {
    const std::size_t n = co_await or_return(to.write(data.drop(written)));
    if (n == 0) co_await fail(make_error_code(errc::nothing_written));
    written += n;
  }
}

/// The same where nobody wants to know how far it came.
template <writer W>
task<> write_all(W&& to, const_bytes data) {
  while (!data.empty()) {
    const std::size_t n = co_await or_return(to.write(data));
    if (n == 0) co_await fail(make_error_code(errc::nothing_written));
    data = data.drop(n);
  }
}

}  // namespace astd::io
