// io::copy_bidirectional() as a proxy, and io::copy() of a file to a socket, for peers/copy_load.c.
//
//   copy_bench proxy SINK_PORT             serves one client; prints its port
//   copy_bench file PATH TIMES SINK_PORT
// With BENCH_BUFFER=1 the bytes go through the buffer.
#include <astd/fs.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

// Its read() is its own, so that copying asks it.
struct plain_stream : astd::net::tcp_stream {
  explicit plain_stream(astd::net::tcp_stream of) : tcp_stream(std::move(of)) {}
};

bool buffered() { return std::getenv("BENCH_BUFFER") != nullptr; }

astd::task<> proxy(std::string sink) {
  auto listener = co_await astd::net::tcp_listener::bind("127.0.0.1:0");
  std::printf("%u\n", static_cast<unsigned>(listener.local_address().port()));
  std::fflush(stdout);
  auto accepted = co_await listener.accept();
  auto to = co_await astd::net::tcp_stream::connect(sink);
  if (buffered()) {
    plain_stream a(std::move(accepted.first));
    plain_stream b(std::move(to));
    co_await astd::io::copy_bidirectional(a, b);
  } else {
    co_await astd::io::copy_bidirectional(accepted.first, to);
  }
}

astd::task<> send_file(std::string path, int times, std::string sink) {
  auto to = co_await astd::net::tcp_stream::connect(sink);
  plain_stream plain(std::move(to));
  for (int i = 0; i < times; ++i) {
    auto from = co_await astd::fs::file::open(path);
    if (buffered())
      co_await astd::io::copy(from, plain);
    else
      co_await astd::io::copy(from, static_cast<astd::net::tcp_stream&>(plain));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string sink = std::string("127.0.0.1:") + argv[argc - 1];
  if (std::strcmp(argv[1], "file") == 0 && argc == 5)
    astd::block_on(send_file(argv[2], std::atoi(argv[3]), sink));
  else
    astd::block_on(proxy(sink));
}
