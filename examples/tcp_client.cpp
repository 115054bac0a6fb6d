// Sends a message to a TCP server and shows its answer. Argument: ADDRESS:PORT, such as tcp_echo listens on.
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <array>
#include <span>
#include <string_view>

namespace io = astd::io;
namespace net = astd::net;

astd::task<int> async_main(std::span<const std::string_view> args) {
  if (args.size() != 2) {
    co_await astd::eprintln("usage: {} ADDRESS:PORT", args[0]);
    co_return 2;
  }
  auto stream = co_await net::tcp_stream::connect(args[1]);
  co_await astd::println("Connected to {} from {}", stream.peer_address(), stream.local_address());

  co_await io::write_all(stream, "hello world");
  co_await stream.shutdown(net::shutdown_how::write);

  std::array<char, 1024> buffer;
  for (;;) {
    auto size = co_await stream.read(buffer);
    if (size == 0) co_return 0;
    co_await astd::println("-> {}", std::string_view(buffer.data(), size));
  }
}
