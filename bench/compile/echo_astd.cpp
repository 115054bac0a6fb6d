// An echo server in one file, for its compile time: the counterpart of the others here.
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/task.hpp>

#include <array>
#include <span>
#include <utility>

astd::task<> session(astd::net::tcp_stream stream) {
  std::array<char, 4096> buffer;
  for (;;) {
    auto count = co_await stream.read(buffer);
    if (count == 0) co_return;
    co_await astd::io::write_all(stream, std::span(buffer).first(count));
  }
}

astd::task<int> async_main() {
  auto listener = co_await astd::net::tcp_listener::bind("0.0.0.0:7777");
  for (;;) {
    auto accepted = co_await listener.accept();
    astd::spawn(session(std::move(accepted.first))).detach();
  }
}
