// Sockets and names under fault: every byte, datagram and connection is delivered or still there. See
// tests/faults/faults.hpp.
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <tests/faults/faults.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using faults::ending;
using faults::report;
using faults::scenario;

void must(bool good, const char* what) {
  if (!good) throw std::system_error(errno, std::system_category(), what);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A plain socket, closed so that no address of ours lingers.
class plain_socket {
 public:
  struct accepted_tag {};
  explicit plain_socket(int type) : fd_(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    must(fd_ >= 0, "socket");
  }
  plain_socket(accepted_tag, int fd) : fd_(fd) {}
  plain_socket(plain_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  plain_socket& operator=(plain_socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~plain_socket() {
    if (fd_ < 0) return;
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }
  void bind() const {
    const sockaddr_in any = loopback(0);
    must(::bind(fd_, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0, "bind");
  }
  void listen() const {
    bind();
    must(::listen(fd_, 64) == 0, "listen");
  }
  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    must(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
    return ntohs(address.sin_port);
  }
  void dial(std::uint16_t port) const {
    const sockaddr_in to = loopback(port);
    must(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 || errno == EINPROGRESS, "connect");
  }
  [[nodiscard]] std::optional<plain_socket> accept() const {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return {};
    return plain_socket(accepted_tag(), fd);
  }
  [[nodiscard]] net::socket_address address() const { return {net::ipv4_address(127, 0, 0, 1), port()}; }

 private:
  int fd_;
};

template <class Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// A connection of ours with a plain socket.
struct connection : scenario {
  explicit connection(runtime& on, int their_room = 0) : rt(on) {
    const plain_socket listener(SOCK_STREAM);
    if (their_room != 0) ::setsockopt(listener.fd(), SOL_SOCKET, SO_RCVBUF, &their_room, sizeof their_room);
    listener.listen();
    ours.emplace(rt.block_on(net::tcp_stream::connect(listener.address())));
    std::optional<plain_socket> accepted;
    must(comes_true([&] {
           accepted = listener.accept();
           return accepted.has_value();
         }),
         "accept");
    theirs.emplace(std::move(*accepted));
  }
  ~connection() override {
    theirs.reset();
    ours.reset();
  }
  runtime& rt;
  std::optional<net::tcp_stream> ours;
  std::optional<plain_socket> theirs;
};

constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

struct tcp_read final : connection {
  explicit tcp_read(runtime& on) : connection(on) { got.reserve(64); }
  task<> operation() override {
    while (got.size() < wanted) {
      std::array<char, 4> buffer;
      const auto n = co_await ours->read(buffer);
      got.append(buffer.data(), n);
      if (n == 0) break;
    }
  }
  void meanwhile() override {
    if (sent >= wanted || ++calls % 4 != 0) return;
    const auto n =
        ::send(theirs->fd(), alphabet.data() + sent, std::min<std::size_t>(3, wanted - sent), MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
  void check(const report&) override {
    ::shutdown(theirs->fd(), SHUT_WR);
    std::array<char, 64> rest;
    for (;;) {
      const std::size_t n = rt.block_on(ours->read(rest));
      if (n == 0) break;
      got.append(rest.data(), n);
    }
    EXPECT_EQ(got, alphabet.substr(0, sent)) << "every byte that was sent, once and in order";
  }
  static constexpr std::size_t wanted = 9;
  int calls = 0;
  std::size_t sent = 0;
  std::string got;
};
ASTD_SCENARIO(tcp_read);

// As above, in select: what both branches have is given.
struct tcp_read_in_a_select final : connection {
  using connection::connection;
  task<> operation() override {
    while (got < wanted) {
      std::array<char, 4> buffer;
      const auto some = co_await select(ours->read(buffer), this_task::sleep_for(30us));
      if (std::get<0>(some)) got += *std::get<0>(some);
    }
  }
  void meanwhile() override {
    if (sent >= wanted || ++calls % 4 != 0) return;
    if (::send(theirs->fd(), "xy", 2, MSG_NOSIGNAL) == 2) sent += 2;
  }
  void check(const report&) override {
    ::shutdown(theirs->fd(), SHUT_WR);
    std::array<char, 64> rest;
    for (std::size_t n = 1; n != 0; got += n) n = rt.block_on(ours->read(rest));
    EXPECT_EQ(got, sent);
  }
  static constexpr std::size_t wanted = 8;
  int calls = 0;
  std::size_t sent = 0, got = 0;
};
ASTD_SCENARIO(tcp_read_in_a_select);

struct tcp_write final : connection {
  explicit tcp_write(runtime& on) : connection(on, 64 * 1024), data(wanted, 'x') {}
  task<> operation() override {
    while (reported < wanted) {
      const auto n = co_await ours->write(io::const_bytes(data).drop(reported));
      reported += n;
    }
  }
  void take() {
    static char sink[256 * 1024];
    const auto n = ::recv(theirs->fd(), sink, sizeof sink, 0);
    if (n > 0) arrived += static_cast<std::size_t>(n);
  }
  void meanwhile() override { take(); }
  void check(const report&) override {
    EXPECT_TRUE(comes_true([this] {
      take();
      return arrived >= reported;
    }));
    take();
    EXPECT_EQ(arrived, reported) << "what was written was reported, and the reverse";
  }
  static constexpr std::size_t wanted = 1'500'000;
  std::string data;
  std::size_t reported = 0, arrived = 0;
};
ASTD_SCENARIO(tcp_write);

struct tcp_whole_messages final : connection {
  using connection::connection;
  task<> operation() override {
    std::array<char, 8> question;
    co_await io::read_exact(*ours, question);
    co_await io::write_all(*ours, question);
    co_await ours->shutdown(net::shutdown_how::write);
    ended = true;
  }
  void meanwhile() override {
    if (sent < 8 && ::send(theirs->fd(), "q", 1, MSG_NOSIGNAL) == 1) ++sent;
  }
  void check(const report&) override {
    if (!ended) return;
    std::size_t answered = 0;
    char buffer[16];
    EXPECT_TRUE(comes_true([&] {
      const auto n = ::recv(theirs->fd(), buffer, sizeof buffer, 0);
      if (n > 0) answered += static_cast<std::size_t>(n);
      return n == 0;
    }));
    EXPECT_EQ(answered, 8u);
  }
  int sent = 0;
  bool ended = false;
};
ASTD_SCENARIO(tcp_whole_messages);

struct tcp_names_and_options final : connection {
  using connection::connection;
  task<> operation() override {
    ours->set_nodelay(true);
    EXPECT_TRUE(ours->nodelay());
    EXPECT_NE(ours->local_address(), ours->peer_address());
    const std::string text = ours->peer_address().to_string();
    EXPECT_FALSE(text.empty());
    co_return;
  }
};
ASTD_SCENARIO(tcp_names_and_options);

struct tcp_bind final : scenario {
  task<> operation() override {
    auto first = co_await net::tcp_listener::bind("127.0.0.1:0");
    const auto taken = first.local_address();
    // Two addresses, the first of which is taken.
    const std::vector<net::socket_address> both = {taken, {net::ipv4_address(127, 0, 0, 1), 0}};
    auto second = co_await net::tcp_listener::bind(both);
    EXPECT_NE(second.local_address(), taken);
    const auto refused = co_await as_result(net::tcp_listener::bind(taken));
    EXPECT_FALSE(refused);
  }
};
ASTD_SCENARIO(tcp_bind);

// A connection that has come is given to whoever accepts, now or later.
struct tcp_accept final : scenario {
  explicit tcp_accept(runtime& on) : rt(on) {
    listener.emplace(rt.block_on(net::tcp_listener::bind("127.0.0.1:0")));
    port = listener->local_address().port();
  }
  ~tcp_accept() override { dialed.clear(); }
  task<> operation() override {
    while (accepted < 3) {
      const auto one = co_await listener->accept();
      ++accepted;
    }
  }
  void meanwhile() override {
    if (dialed.size() >= 3 || ++calls % 4 != 0) return;
    dialed.emplace_back(SOCK_STREAM);
    dialed.back().dial(port);
  }
  void check(const report&) override {
    for (; accepted < dialed.size(); ++accepted) {
      const auto late = rt.block_on(as_result(timeout(10s, listener->accept())));
      EXPECT_TRUE(late) << "a connection was lost";
    }
  }
  runtime& rt;
  std::optional<net::tcp_listener> listener;
  std::uint16_t port = 0;
  int calls = 0;
  std::size_t accepted = 0;
  std::vector<plain_socket> dialed;
};
ASTD_SCENARIO(tcp_accept);

struct tcp_connect final : scenario {
  explicit tcp_connect(runtime&) : listener(SOCK_STREAM) { listener.listen(); }
  task<> operation() override {
    auto first = co_await net::tcp_stream::connect(listener.address());
    // By a name's two addresses, nobody at the first.
    const std::vector<net::socket_address> both = {{net::ipv4_address(127, 0, 0, 1), 1}, listener.address()};
    auto second = co_await net::tcp_stream::connect(both);
    const auto refused = co_await as_result(net::tcp_stream::connect("127.0.0.1:1"));
    EXPECT_FALSE(refused);
    meanwhile();
    const std::lock_guard guard(lock);
    peers.clear();  // they reset: no address of ours lingers
  }
  void meanwhile() override {
    const std::lock_guard guard(lock);
    while (auto one = listener.accept()) peers.push_back(std::move(*one));
  }
  void check(const report&) override { meanwhile(); }
  std::mutex lock;
  plain_socket listener;
  std::vector<plain_socket> peers;
};
ASTD_SCENARIO(tcp_connect);

struct lookup_of_addresses_and_names final : scenario {
  task<> operation() override {
    const auto known = co_await net::lookup_host("127.0.0.1:80");
    EXPECT_EQ(known.size(), 1u);
    const auto found = co_await net::lookup_host("localhost:80");
    EXPECT_FALSE(found.empty());
    const auto wrong = co_await as_result(net::lookup_host("a host name that cannot be:80"));
    EXPECT_FALSE(wrong);
  }
};
ASTD_SCENARIO(lookup_of_addresses_and_names);

struct lookup_by_several final : scenario {
  task<> operation() override {
    const auto all = co_await join(net::lookup_host("localhost:1"), net::lookup_host("localhost:2"),
                                   net::lookup_host("localhost:3"));
    static_cast<void>(all);
  }
};
ASTD_SCENARIO(lookup_by_several);

// Every datagram that was sent is received, now or later; every one that was reported as sent arrives.
struct udp_both_ways final : scenario {
  explicit udp_both_ways(runtime& on) : rt(on), theirs(SOCK_DGRAM) {
    theirs.bind();
    ours.emplace(rt.block_on(net::udp_socket::bind("127.0.0.1:0")));
    theirs.dial(ours->local_address().port());
  }
  task<> operation() override {
    std::array<char, 16> buffer;
    while (received < 3) {
      const auto got = co_await ours->recv_from(buffer);
      ++received;
      const auto n = co_await ours->send_to(io::const_bytes(buffer).take(got.first), got.second);
      reported += n > 0;
    }
    co_await ours->connect(theirs.address());
    const auto n = co_await ours->send("last");
    reported += n > 0;
  }
  void meanwhile() override {
    if (sent < 3 && ++calls % 3 == 0 && ::send(theirs.fd(), "datagram", 8, 0) == 8) ++sent;
  }
  void check(const report&) override {
    for (; received < sent; ++received) {
      std::array<char, 16> buffer;
      const auto late = rt.block_on(as_result(timeout(10s, ours->recv_from(buffer))));
      EXPECT_TRUE(late) << "a datagram was lost";
    }
    int arrived = 0;
    char buffer[16];
    EXPECT_TRUE(comes_true([&] {
      while (::recv(theirs.fd(), buffer, sizeof buffer, 0) >= 0) ++arrived;
      return arrived >= reported;
    }));
    EXPECT_EQ(arrived, reported);
  }
  runtime& rt;
  plain_socket theirs;
  std::optional<net::udp_socket> ours;
  int calls = 0, sent = 0, received = 0, reported = 0;
};
ASTD_SCENARIO(udp_both_ways);

struct udp_connected final : scenario {
  task<> operation() override {
    auto one = co_await net::udp_socket::bind("127.0.0.1:0");
    auto other = co_await net::udp_socket::bind("127.0.0.1:0");
    co_await one.connect(other.local_address());
    co_await other.connect(one.local_address());
    EXPECT_EQ(one.peer_address(), other.local_address());
    std::array<char, 16> buffer;
    const auto sent = co_await one.send("ping");
    const auto got = co_await other.recv(buffer);
    EXPECT_EQ(sent, got);
    auto third = co_await net::udp_socket::bind("127.0.0.1:0");
    const auto to_a_name = co_await third.send_to("ping", third.local_address().to_string());
    const auto back = co_await third.recv_from(buffer);
    EXPECT_EQ(to_a_name, back.first);
  }
};
ASTD_SCENARIO(udp_connected);

}  // namespace
