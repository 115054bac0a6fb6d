// A web page in five seconds altogether: name, connection and answer. Argument: HOST:PORT.
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
namespace io = astd::io;
namespace net = astd::net;

astd::task<std::string> get(std::string host) {
  auto stream = co_await net::tcp_stream::connect(host);
  co_await io::write_all(stream, "GET / HTTP/1.0\r\nHost: " + host + "\r\n\r\n");
  std::string answer;
  std::array<char, 4096> buffer;
  for (;;) {
    auto size = co_await stream.read(buffer);
    if (size == 0) co_return answer;
    answer.append(buffer.data(), size);
  }
}

astd::task<int> async_main(std::span<const std::string_view> args) {
  std::string host(args.size() > 1 ? args[1] : "example.org:80");
  auto answer = co_await astd::as_result(astd::timeout(5s, get(host)));
  if (!answer) {
    co_await astd::eprintln("{}: {}", host, answer.error().message());
    co_return 1;
  }
  co_await astd::println("{}", *answer);
  co_return 0;
}
