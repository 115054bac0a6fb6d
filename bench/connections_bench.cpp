// Many connections to a server in another process, and what is left of them:
//
//   connections_bench idle 15000     opens so many, has each echo a byte, lets them stand, closes them
//   connections_bench churn 60       connects, echoes a byte and closes as fast as it can, for so many seconds
//
// Tells what the server's process has of memory and descriptors before, meanwhile and afterwards. Ends with 1 if not all
// connections were served, or a descriptor is left. Figures: docs/design/connections.md.
#include <astd/astd.hpp>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

namespace fs = astd::fs;
namespace io = astd::io;
namespace net = astd::net;
namespace process = astd::process;
using astd::task;
using namespace std::chrono_literals;
using clock = astd::steady_clock;

// A buffer is on the stack of the turn that uses it: a silent connection has none.
task<> echo(net::tcp_stream stream) {
  for (;;) {
    co_await stream.readable();
    std::array<char, 512> buffer;
    const auto got = stream.try_read(buffer);
    if (got.is_not_ready()) continue;
    if (got.is_error() || got.value() == 0) co_return;
    co_await io::write_all(stream, std::span(buffer).first(got.value()));
  }
}

// Until its standard input ends.
task<int> serve() {
  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  co_await astd::println("{}", listener.local_address().port());
  astd::cancel_source stop;
  net::serve_limits limits;
  limits.connections = 1'000'000;
  limits.stop = stop.token();
  auto serving = astd::spawn(
      [](net::tcp_listener& on, net::serve_limits l) -> task<net::serve_report> {
        auto report = co_await net::serve(on, echo, l);
        co_return report;
      },
      std::ref(listener), limits);
  auto input = io::standard_input();
  std::array<char, 16> ignored;
  for (;;) {
    auto n = co_await input.read(ignored);
    if (n == 0) break;
  }
  stop.request_cancel();
  auto report = co_await serving;
  co_await astd::eprintln("server: {} accepted, {} finished, {} failed, {} errors of accept", report.accepted,
                          report.finished, report.failed, report.accept_errors);
  co_return 0;
}

struct standing {
  std::uint64_t resident = 0;  // bytes
  std::size_t descriptors = 0;
};

task<standing> look_at(int id) {
  standing now;
  const std::string folder = "/proc/" + std::to_string(id);
  auto text = co_await fs::read_to_string(folder + "/status");
  if (const auto at = text.find("VmRSS:"); at != std::string::npos) {
    const auto digits = text.find_first_of("0123456789", at);
    std::from_chars(text.data() + digits, text.data() + text.size(), now.resident);
    now.resident *= 1024;
  }
  fs::directory_iterator open(folder + "/fd");
  for (;;) {
    auto entry = co_await open.next();
    if (!entry) break;
    ++now.descriptors;
  }
  co_return now;
}

// The server may still be busy with closing what we have closed.
task<standing> look_when_closed(int id, standing before) {
  standing now;
  for (int i = 0; i < 100; ++i) {
    now = co_await look_at(id);
    if (now.descriptors <= before.descriptors) break;
    co_await astd::this_task::sleep_for(50ms);
  }
  co_return now;
}

task<> echo_one(net::tcp_stream& stream) {
  std::array<char, 1> byte{'x'};
  co_await io::write_all(stream, byte);
  co_await io::read_exact(stream, byte);
}

task<bool> idle(int id, std::string address, std::size_t count) {
  const standing before = co_await look_at(id);
  standing meanwhile;
  {
    std::vector<net::tcp_stream> all;
    all.reserve(count);
    std::atomic<std::size_t> opened = 0;
    std::mutex lock;
    const auto begin = clock::now();
    auto opens = [&](astd::task_group& group) -> task<> {
      for (int i = 0; i < 64; ++i)
        group.spawn([&]() -> task<> {
          while (opened.fetch_add(1) < count) {
            auto stream = co_await net::tcp_stream::connect(address);
            co_await echo_one(stream);
            std::lock_guard guard(lock);
            all.push_back(std::move(stream));
          }
        });
      co_return;
    };
    co_await astd::task_group::run(opens);
    const std::chrono::duration<double> took = clock::now() - begin;
    co_await astd::this_task::sleep_for(200ms);
    meanwhile = co_await look_at(id);
    co_await astd::println("{} connections in {:.2f} s", all.size(), took.count());
    for (std::size_t i = 0; i < all.size(); i += 100) co_await echo_one(all[i]);
  }
  const standing after = co_await look_when_closed(id, before);
  const double more = static_cast<double>(meanwhile.resident) - static_cast<double>(before.resident);
  co_await astd::println(
      "server: {:.1f} MB before, {:.1f} MB meanwhile, {:.1f} MB afterwards; {:.0f} bytes a connection",
      static_cast<double>(before.resident) / 1e6, static_cast<double>(meanwhile.resident) / 1e6,
      static_cast<double>(after.resident) / 1e6, more / static_cast<double>(count));
  co_await astd::println("descriptors: {} before, {} meanwhile, {} afterwards", before.descriptors,
                         meanwhile.descriptors, after.descriptors);
  co_return meanwhile.descriptors >= before.descriptors + count&& after.descriptors == before.descriptors;
}

task<bool> churn(int id, std::string address, std::chrono::seconds length) {
  const standing before = co_await look_at(id);
  std::atomic<std::uint64_t> served = 0, refused = 0;
  const auto begin = clock::now();
  auto clients = [&](astd::task_group& group) -> task<> {
    for (int i = 0; i < 64; ++i)
      group.spawn([&]() -> task<> {
        while (clock::now() - begin < length) {
          auto stream = co_await astd::as_result(net::tcp_stream::connect(address));
          // Every port of ours may be waiting for its last packets to die out.
          if (!stream && stream.error() == std::errc::address_not_available) {
            ++refused;
            co_await astd::this_task::sleep_for(10ms);
            continue;
          }
          // With a reset instead of a farewell: no port has to wait.
          stream.value().set_linger(0s);
          co_await echo_one(*stream);
          ++served;
        }
      });
    co_return;
  };
  co_await astd::task_group::run(clients);
  const std::chrono::duration<double> took = clock::now() - begin;
  const standing after = co_await look_when_closed(id, before);
  co_await astd::println("{} connections in {:.1f} s: {:.0f} a second; {} times no port was free", served.load(),
                         took.count(), static_cast<double>(served.load()) / took.count(), refused.load());
  co_await astd::println("server: {:.1f} MB before, {:.1f} MB afterwards; descriptors: {} before, {} afterwards",
                         static_cast<double>(before.resident) / 1e6, static_cast<double>(after.resident) / 1e6,
                         before.descriptors, after.descriptors);
  co_return served > 0 && after.descriptors == before.descriptors;
}

}  // namespace

task<int> async_main(std::span<const std::string_view> args) {
  const std::string_view what = args.size() > 1 ? args[1] : "";
  if (what == "serve") {
    auto status = co_await serve();
    co_return status;
  }
  unsigned number = 0;
  if (args.size() != 3 || (what != "idle" && what != "churn") ||
      std::from_chars(args[2].data(), args[2].data() + args[2].size(), number).ec != std::errc()) {
    co_await astd::eprintln("usage: connections_bench idle CONNECTIONS | churn SECONDS");
    co_return 2;
  }
  process::command command("/proc/self/exe");
  command.arg("serve").standard_input(process::stdio::piped()).standard_output(process::stdio::piped());
  auto server = co_await command.spawn();
  io::buf_reader from_server(server.standard_output());
  std::string port;
  co_await io::read_line(from_server, port);
  while (!port.empty() && port.back() == '\n') port.pop_back();
  const std::string address = "127.0.0.1:" + port;
  bool well = false;
  if (what == "idle")
    well = co_await idle(server.id(), address, number);
  else
    well = co_await churn(server.id(), address, std::chrono::seconds(number));
  server.standard_input().close();
  auto status = co_await server.wait();
  co_return well&& status.success() ? 0 : 1;
}
