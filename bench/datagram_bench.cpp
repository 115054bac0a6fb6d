// Datagrams of 1,000 bytes from one socket to another, 32 on their way at a time; a task sends and receives in turn, so
// that none is lost. bench/datagrams runs it.
//
//   datagram_bench one|many|segments
#include <astd/net.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>

#include <bench/report.hpp>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace {

namespace io = astd::io;
namespace net = astd::net;

constexpr std::size_t size = 1000, batch = 32;

struct ends {
  net::udp_socket from, to;
  std::string data = std::string(size * batch, 'x');
};

astd::task<> one(ends& e) {
  std::array<char, 2048> buffer;
  for (std::size_t i = 0; i < batch; ++i) co_await e.from.send(io::const_bytes(e.data).take(size));
  for (std::size_t i = 0; i < batch; ++i) co_await e.to.recv_from(buffer);
}

astd::task<> many(ends& e) {
  static std::array<std::array<char, 2048>, batch> buffers;
  std::array<net::outgoing_datagram, batch> out;
  std::array<net::incoming_datagram, batch> in;
  for (std::size_t i = 0; i < batch; ++i) {
    out[i].data = io::const_bytes(e.data).take(size);
    in[i].buffer = buffers[i];
  }
  for (std::size_t sent = 0; sent < batch;) sent += co_await e.from.send_many(std::span(out).subspan(sent));
  for (std::size_t came = 0; came < batch;) came += co_await e.to.recv_many(std::span(in).subspan(came));
}

astd::task<> segments(ends& e) {
  static std::array<char, 65535> buffer;
  co_await e.from.send_segmented(e.data, size);
  for (std::size_t came = 0; came < size * batch;) {
    const auto got = co_await e.to.recv_segmented(buffer);
    came += got.size;
  }
}

astd::task<> run(const char* how) {
  auto to = co_await net::udp_socket::bind("127.0.0.1:0");
  auto from = co_await net::udp_socket::bind("127.0.0.1:0");
  co_await from.connect(to.local_address());
  ends e{std::move(from), std::move(to)};
  auto* const work = std::strcmp(how, "one") == 0 ? &one : std::strcmp(how, "many") == 0 ? &many : &segments;
  if (work == &segments) e.to.set_coalescing(true);
  for (std::uint64_t turn = 0; turn < bench::repetitions; ++turn) {
    const bench::stopwatch watch;
    std::uint64_t times = 0;
    do {
      for (int i = 0; i < 100; ++i) co_await work(e);
      times += 100;
    } while (!watch.ran_long_enough());
    watch.report(how, times * batch);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  astd::block_on(run(argv[1]));
}
