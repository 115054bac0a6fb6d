// Sends a message to a UDP server and shows its answer. Argument: ADDRESS:PORT, such as udp_echo listens on.
#include <astd/future.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <array>
#include <chrono>
#include <span>
#include <string_view>

using namespace std::chrono_literals;
namespace net = astd::net;

astd::task<int> async_main(std::span<const std::string_view> args) {
  if (args.size() != 2) {
    co_await astd::eprintln("usage: {} ADDRESS:PORT", args[0]);
    co_return 2;
  }
  auto socket = co_await net::udp_socket::bind("0.0.0.0:0");
  co_await socket.connect(args[1]);
  co_await astd::println("Asking {} from {}", socket.peer_address(), socket.local_address());
  co_await socket.send("hello world");

  std::array<char, 1024> buffer;
  auto size = co_await astd::timeout(5s, socket.recv(buffer));
  co_await astd::println("Received: {}", std::string_view(buffer.data(), size));
  co_return 0;
}
