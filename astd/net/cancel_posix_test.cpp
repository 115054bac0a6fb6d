// Sockets whose tasks are cancelled, at every suspension, or are left behind when their runtime ends: each operation has
// really ended, no descriptor stays, nothing that was received or sent is lost or told twice.
#include <astd/coro/as_result.hpp>
#include <astd/coro/race.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/test_support.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net/socket_address_posix.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/net/udp_socket.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace astd::net {
namespace {

using namespace std::chrono_literals;
using test::counted;

// A listener whose queue is full, so that connecting to it waits.
class deaf_listener {
 public:
  deaf_listener() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage native;
    const socklen_t size = detail::to_native(socket_address("127.0.0.1:0"), native);
    auto* const name = reinterpret_cast<sockaddr*>(&native);
    EXPECT_EQ(::bind(listener_, name, size), 0);
    EXPECT_EQ(::listen(listener_, 0), 0);
    socklen_t length = sizeof native;
    EXPECT_EQ(::getsockname(listener_, name, &length), 0);
    where_ = *detail::from_native(name, length);
    for (int& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      static_cast<void>(::connect(filler, name, length));
    }
  }
  ~deaf_listener() {
    for (int filler : fillers_) ::close(filler);
    ::close(listener_);
  }
  deaf_listener(const deaf_listener&) = delete;
  deaf_listener& operator=(const deaf_listener&) = delete;
  [[nodiscard]] socket_address where() const { return where_; }

 private:
  int listener_;
  std::array<int, 3> fillers_;
  socket_address where_;
};

task<> connect(socket_address to, counted) { const tcp_stream stream = co_await tcp_stream::connect(to); }
task<> accept(counted) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  const auto accepted = co_await listener.accept();
}
task<std::pair<tcp_stream, tcp_stream>> connected() {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream ours = co_await tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  co_return std::pair(std::move(ours), std::move(accepted.first));
}
task<> read(counted) {
  auto ends = co_await connected();
  std::array<char, 10> buffer;
  co_await ends.first.read(buffer);
}
task<> wait_for_bytes(counted) {
  auto ends = co_await connected();
  co_await ends.first.readable();
}
task<> write(counted) {
  auto ends = co_await connected();
  const std::string much(1 << 20, 'x');
  for (;;) co_await io::write_all(ends.first, much);
}
task<> recv_from(counted) {
  udp_socket socket = co_await udp_socket::bind("127.0.0.1:0");
  std::array<char, 10> buffer;
  co_await socket.recv_from(buffer);
}
task<> recv(counted) {
  udp_socket socket = co_await udp_socket::bind("127.0.0.1:0");
  co_await socket.connect(socket.local_address());
  std::array<char, 10> buffer;
  co_await socket.recv(buffer);
}

// Each waits for what does not come.
std::vector<task<>> everything_that_waits(socket_address nobody) {
  std::vector<task<>> all;
  all.push_back(connect(nobody, {}));
  all.push_back(accept({}));
  all.push_back(read({}));
  all.push_back(wait_for_bytes({}));
  all.push_back(write({}));
  all.push_back(recv_from({}));
  all.push_back(recv({}));
  return all;
}

ASTD_TEST(cancelled_sockets, end_wherever_they_are) {
  const deaf_listener nobody;
  const std::size_t before = test::open_descriptors("socket:");
  const long live = counted::live();
  // From "not yet begun" to "waiting for long".
  for (int turns = 0; turns < 40; ++turns) {
    std::vector<join_handle<>> running;
    for (task<>& one : everything_that_waits(nobody.where())) running.push_back(spawn(std::move(one)));
    for (int i = 0; i < turns; ++i) co_await this_task::yield();
    if (turns == 39) co_await this_task::sleep_for(20ms);
    for (auto& one : running) one.request_cancel();
    for (auto& one : running) {
      const auto ended_by_itself = co_await one.cancel();
      EXPECT_FALSE(ended_by_itself);
    }
    EXPECT_EQ(counted::live(), live);
    EXPECT_EQ(test::open_descriptors("socket:"), before) << turns;
  }
}

ASTD_TEST(cancelled_sockets, lose_a_race_and_have_ended) {
  const deaf_listener nobody;
  const std::size_t before = test::open_descriptors("socket:");
  const long live = counted::live();
  for (std::size_t i = 0; i < everything_that_waits(nobody.where()).size(); ++i) {
    auto all = everything_that_waits(nobody.where());
    co_await race(std::move(all[i]), this_task::sleep_for(5ms));
    all.clear();
    EXPECT_EQ(counted::live(), live);
    EXPECT_EQ(test::open_descriptors("socket:"), before) << i;
    auto again = everything_that_waits(nobody.where());
    const auto late = co_await as_result(timeout(5ms, std::move(again[i])));
    EXPECT_EQ(late.error(), std::errc::timed_out);
    again.clear();
    EXPECT_EQ(test::open_descriptors("socket:"), before) << i;
  }
}

TEST(cancelled_sockets, end_with_their_runtime) {
  const deaf_listener nobody;
  const std::size_t before = test::open_descriptors("socket:");
  const long live = counted::live();
  for (unsigned workers : {0u, 1u, 3u}) {
    for (int turns : {0, 1, 3, 10, 30}) {
      runtime_options options = runtime_options::from_environment();
      options.workers = workers;
      runtime rt(options);
      auto start = [&]() -> task<> {
        for (int i = 0; i < 5; ++i)
          for (task<>& one : everything_that_waits(nobody.where())) rt.spawn(std::move(one)).detach();
        for (int i = 0; i < turns; ++i) co_await this_task::yield();
      };
      rt.block_on(start());
      const shutdown_report report = rt.shutdown(30s);
      EXPECT_TRUE(report.complete) << report.text;
    }
    EXPECT_EQ(counted::live(), live);
  }
  EXPECT_EQ(test::open_descriptors("socket:"), before);
}

// A conversation of which one side is cancelled after each number of turns: the other sees its end or an error, and does
// not wait for ever.
ASTD_TEST(cancelled_sockets, are_noticed_by_the_other_side) {
  auto ask = [](tcp_stream stream, counted) -> task<> {
    std::array<char, 3> answer;
    for (;;) {
      co_await io::write_all(stream, "ask");
      co_await io::read_exact(stream, answer);
    }
  };
  auto answer = [](tcp_stream stream, counted) -> task<> {
    std::array<char, 3> question;
    for (;;) {
      co_await io::read_exact(stream, question);
      co_await io::write_all(stream, "say");
    }
  };
  const std::size_t before = test::open_descriptors("socket:");
  const long live = counted::live();
  for (int turns = 0; turns < 60; ++turns) {
    auto ends = co_await connected();
    auto asks = spawn(ask, std::move(ends.first), counted());
    auto answers = spawn(answer, std::move(ends.second), counted());
    for (int i = 0; i < turns / 2; ++i) co_await this_task::yield();
    auto& cancelled = turns % 2 ? asks : answers;
    auto& other = turns % 2 ? answers : asks;
    const auto ended_by_itself = co_await cancelled.cancel();
    EXPECT_FALSE(ended_by_itself);
    const auto noticed = co_await as_result(other);
    EXPECT_FALSE(noticed);
  }
  EXPECT_EQ(counted::live(), live);
  EXPECT_EQ(test::open_descriptors("socket:"), before);
}

task<std::size_t> send_one(udp_socket& from, socket_address to, bool by_address) {
  if (by_address) {
    const std::size_t n = co_await from.send_to("datagram", to);
    co_return n;
  }
  const std::size_t n = co_await from.send("datagram");
  co_return n;
}

ASTD_TEST(cancelled_sockets, have_sent_what_they_say_and_no_more) {
  udp_socket receiver = co_await udp_socket::bind("127.0.0.1:0");
  udp_socket sender = co_await udp_socket::bind("127.0.0.1:0");
  co_await sender.connect(receiver.local_address());
  std::array<char, 10> buffer;
  int said = 0;
  for (int turn = 0; turn < 300; ++turn) {
    auto sending = spawn(send_one, std::ref(sender), receiver.local_address(), turn % 2 == 0);
    for (int k = 0; k < turn % 6; ++k) co_await this_task::yield();
    const auto sent = co_await sending.cancel();
    if (!sent) continue;
    ++said;
    const std::size_t got = co_await receiver.recv(buffer);
    EXPECT_EQ(got, 8u);
  }
  EXPECT_GT(said, 0);
  const auto more = co_await as_result(timeout(20ms, receiver.recv(buffer)));
  EXPECT_EQ(more.error(), std::errc::timed_out);
}

task<unsigned> receive(udp_socket& at) {
  std::array<unsigned char, 2> number;
  const std::size_t n = co_await at.recv(number);
  co_return n == 2 ? number[0] * 256u + number[1] : ~0u;
}

ASTD_TEST(cancelled_sockets, lose_no_datagram_when_connected) {
  udp_socket one = co_await udp_socket::bind("127.0.0.1:0");
  udp_socket two = co_await udp_socket::bind("127.0.0.1:0");
  co_await one.connect(two.local_address());
  co_await two.connect(one.local_address());
  unsigned sent = 0;
  unsigned received = 0;
  unsigned wrong = 0;
  for (unsigned turn = 0; received < 500; ++turn) {
    if (sent < 500 && sent - received < 20 && turn % 3 != 0) {
      const std::array number{static_cast<unsigned char>(sent >> 8), static_cast<unsigned char>(sent)};
      co_await one.send(number);
      ++sent;
    }
    auto receiving = spawn(receive, std::ref(two));
    for (unsigned k = 0; k < turn % 6; ++k) co_await this_task::yield();
    const auto got = co_await receiving.cancel();
    if (got) wrong += *got != received++;
  }
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace astd::net
