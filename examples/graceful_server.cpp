// Echoes over TCP until Ctrl-C; then finishes the connections that are there. A second Ctrl-C ends it at once.
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/signal.hpp>
#include <astd/task.hpp>

#include <array>
#include <chrono>

using namespace std::chrono_literals;

astd::task<> echo(astd::net::tcp_stream stream) {
  std::array<char, 4096> buffer;
  for (;;) {
    const std::size_t n = co_await stream.read(buffer);
    if (n == 0) co_return;
    co_await astd::io::write_all(stream, astd::io::const_bytes(buffer.data(), n));
  }
}

astd::task<int> async_main() {
  const astd::signal::graceful_shutdown shutdown;
  auto listener = co_await astd::net::tcp_listener::bind("127.0.0.1:8080");
  co_await astd::println("Listening at {}", listener.local_address());
  astd::net::serve_limits limits;
  limits.stop = shutdown.token();
  limits.drain = 10s;
  const auto report = co_await astd::net::serve(listener, echo, limits);
  co_await astd::println("{} connections, {} cut off", report.accepted, report.cut_off);
  co_return 0;
}
