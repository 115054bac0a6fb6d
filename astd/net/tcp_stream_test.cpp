#include <astd/base/test_descriptors.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/test_support.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace astd::net {
namespace {

static_assert(io::reader<tcp_stream> && io::writer<tcp_stream>);
static_assert(std::is_nothrow_move_constructible_v<tcp_stream> && !std::is_copy_constructible_v<tcp_stream>);

using both_ends = std::pair<tcp_stream, tcp_stream>;

task<both_ends> connected() {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream ours = co_await tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  co_return both_ends(std::move(ours), std::move(accepted.first));
}

task<> echo(tcp_stream stream) {
  std::array<char, 1000> buffer;
  for (;;) {
    const std::size_t n = co_await stream.read(buffer);
    if (n == 0) break;
    co_await io::write_all(stream, std::string_view(buffer.data(), n));
  }
}

task<> write_in_pieces(tcp_stream& to, const std::string& text) {
  std::minstd_rand random(1);
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t n = co_await to.write(rest.substr(0, random() % 5000 + 1));
    rest.remove_prefix(n);
  }
  co_await to.shutdown(shutdown_how::write);
}

task<std::string> read_in_pieces(tcp_stream& from) {
  std::minstd_rand random(2);
  std::string text;
  std::array<char, 5000> buffer;
  for (;;) {
    const std::size_t n = co_await from.read(io::mutable_bytes(buffer).take(random() % 5000 + 1));
    if (n == 0) break;
    text.append(buffer.data(), n);
  }
  co_return text;
}

ASTD_TEST(tcp_stream, carries_a_mebibyte_both_ways) {
  both_ends ends = co_await connected();
  auto server = spawn(echo, std::move(ends.second));
  std::string sent(1 << 20, ' ');
  std::minstd_rand random(3);
  for (char& c : sent) c = static_cast<char>(random());
  auto both = co_await join(write_in_pieces(ends.first, sent), read_in_pieces(ends.first));
  co_await server;
  EXPECT_TRUE(std::get<1>(both) == sent);
}

ASTD_TEST(tcp_stream, ends_one_direction_at_a_time) {
  both_ends ends = co_await connected();
  co_await io::write_all(ends.first, "question");
  co_await ends.first.shutdown(shutdown_how::write);
  std::string question = co_await read_in_pieces(ends.second);
  EXPECT_EQ(question, "question");
  co_await io::write_all(ends.second, "answer");
  co_await ends.second.shutdown(shutdown_how::both);
  const std::string answer = co_await read_in_pieces(ends.first);
  EXPECT_EQ(answer, "answer");
  const auto broken = co_await as_result(ends.first.write("more"));
  EXPECT_EQ(broken.error(), std::errc::broken_pipe);
}

ASTD_TEST(tcp_stream, reads_and_writes_nothing_at_once) {
  both_ends ends = co_await connected();
  const std::size_t read = co_await ends.first.read(io::mutable_bytes());
  EXPECT_EQ(read, 0u);
  const std::size_t written = co_await ends.first.write("");
  EXPECT_EQ(written, 0u);
}

// No buffer while nothing comes.
task<std::string> read_when_there_is_something(tcp_stream& from) {
  std::string text;
  for (;;) {
    co_await from.readable();
    std::array<char, 100> buffer;
    const std::size_t n = co_await from.read(buffer);
    if (n == 0) co_return text;
    text.append(buffer.data(), n);
  }
}

ASTD_TEST(tcp_stream, says_when_there_is_something_to_read) {
  both_ends ends = co_await connected();
  auto reading = spawn(read_when_there_is_something, std::ref(ends.second));
  for (int i = 0; i < 10; ++i) {
    co_await ends.first.writable();
    co_await io::write_all(ends.first, "hello, ");
    for (int k = 0; k < i; ++k) co_await this_task::yield();
  }
  co_await ends.first.shutdown(shutdown_how::write);
  const std::string text = co_await std::move(reading);
  EXPECT_EQ(text.size(), 70u);
}

ASTD_TEST(tcp_stream, knows_both_addresses) {
  both_ends ends = co_await connected();
  EXPECT_EQ(ends.first.local_address(), ends.second.peer_address());
  EXPECT_EQ(ends.first.peer_address(), ends.second.local_address());
  EXPECT_TRUE(ends.first.peer_address().ip().is_loopback());
}

ASTD_TEST(tcp_stream, sets_nodelay) {
  both_ends ends = co_await connected();
  EXPECT_FALSE(ends.first.nodelay());
  ends.first.set_nodelay(true);
  EXPECT_TRUE(ends.first.nodelay());
  ends.first.set_nodelay(false);
  EXPECT_FALSE(ends.first.nodelay());
}

ASTD_TEST(tcp_stream, names_who_refused) {
  std::optional<tcp_listener> listener = co_await tcp_listener::bind("127.0.0.1:0");
  const socket_address nobody = listener->local_address();
  listener.reset();
  const std::string port = std::to_string(nobody.port());
  const auto refused = co_await as_result(tcp_stream::connect(nobody));
  EXPECT_EQ(refused.error(), std::errc::connection_refused);
  std::string what = co_await test::error_of(tcp_stream::connect(nobody));
  EXPECT_EQ(what, "connect 127.0.0.1:" + port + ": Connection refused");
  what = co_await test::error_of(tcp_stream::connect("127.0.0.1:" + port));
  EXPECT_EQ(what, "connect 127.0.0.1:" + port + ": Connection refused");
  what = co_await test::error_of(tcp_stream::connect({"localhost", nobody.port()}));
  EXPECT_TRUE(what.starts_with("connect localhost:" + port + " (")) << what;
  EXPECT_TRUE(what.ends_with("): Connection refused")) << what;
}

ASTD_TEST(tcp_stream, names_what_is_no_address) {
  const std::string no_port = co_await test::error_of(tcp_stream::connect("localhost"));
  EXPECT_TRUE(no_port.starts_with("resolve localhost: ")) << no_port;
  const std::string empty = co_await test::error_of(tcp_stream::connect(std::vector<socket_address>()));
  EXPECT_EQ(empty, "resolve no address: Invalid argument");
}

ASTD_TEST(tcp_stream, tries_each_address_in_turn) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  std::optional<tcp_listener> other = co_await tcp_listener::bind("127.0.0.1:0");
  const socket_address nobody = other->local_address();
  other.reset();
  const std::vector places{nobody, nobody, listener.local_address()};
  const tcp_stream stream = co_await tcp_stream::connect(places);
  EXPECT_EQ(stream.peer_address(), listener.local_address());
  const std::vector bad{socket_address("[::ffff:0:0]:1"), nobody};
  const std::string last = co_await test::error_of(tcp_stream::connect(bad));
  EXPECT_EQ(last, "connect [::ffff:0.0.0.0]:1, " + nobody.to_string() + ": Connection refused");
}

ASTD_TEST(tcp_stream, names_the_peer_that_is_gone) {
  both_ends ends = co_await connected();
  const std::string peer = ends.first.peer_address().to_string();
  co_await io::write_all(ends.first, "unread");
  std::optional<tcp_stream> theirs = std::move(ends.second);
  co_await theirs->readable();  // it has them
  theirs.reset();               // with bytes unread: a reset
  std::array<char, 10> buffer;
  const std::string read = co_await test::error_of(ends.first.read(buffer));
  EXPECT_EQ(read, "read " + peer + ": Connection reset by peer");
  const std::string write = co_await test::error_of(ends.first.write("more"));
  EXPECT_EQ(write, "write " + peer + ": Broken pipe");
  EXPECT_EQ(ends.first.peer_address().to_string(), peer);
}

// Reads one byte; what it has read it returns without a further suspension, so a byte is lost only if the read loses it.
task<char> read_byte(tcp_stream& from) {
  std::array<char, 1> byte;
  const std::size_t n = co_await from.read(byte);
  co_return n == 0 ? '\0' : byte[0];
}

task<> write_alphabet(tcp_stream& to, int times) {
  for (int i = 0; i < times; ++i) {
    for (char c = 'a'; c <= 'z'; ++c) {
      co_await io::write_all(to, std::string_view(&c, 1));
      if (c % 5 == 0) co_await this_task::yield();
    }
  }
  co_await to.shutdown(shutdown_how::write);
}

ASTD_TEST(tcp_stream, loses_no_byte_to_cancelled_reads) {
  both_ends ends = co_await connected();
  auto writer = spawn(write_alphabet, std::ref(ends.second), 50);
  std::string got;
  for (unsigned turn = 0;; ++turn) {
    auto reading = spawn(read_byte, std::ref(ends.first));
    for (unsigned k = 0; k < turn % 6; ++k) co_await this_task::yield();
    const auto byte = co_await reading.cancel();
    if (!byte) continue;
    if (*byte == '\0') break;
    got += *byte;
  }
  co_await writer;
  EXPECT_EQ(got.size(), 50u * 26);
  int wrong = 0;
  for (std::size_t i = 0; i < got.size(); ++i) wrong += got[i] != static_cast<char>('a' + i % 26);
  EXPECT_EQ(wrong, 0);
}

task<std::size_t> write_once(tcp_stream& to, std::string_view text) {
  const std::size_t n = co_await to.write(text);
  co_return n;
}

ASTD_TEST(tcp_stream, says_truly_what_cancelled_writes_have_written) {
  both_ends ends = co_await connected();
  auto reader = spawn(read_in_pieces, std::ref(ends.second));
  const std::string block(200'000, 'x');
  std::size_t written = 0;
  for (unsigned turn = 0; turn < 300; ++turn) {
    auto writing = spawn(write_once, std::ref(ends.first), std::string_view(block));
    for (unsigned k = 0; k < turn % 6; ++k) co_await this_task::yield();
    const auto n = co_await writing.cancel();
    if (n) written += *n;
  }
  co_await ends.first.shutdown(shutdown_how::write);
  const std::string read = co_await reader;
  EXPECT_EQ(read.size(), written);
}

task<tcp_stream> connect_to(endpoint where) {
  tcp_stream stream = co_await tcp_stream::connect(std::move(where));
  co_return stream;
}

ASTD_TEST(tcp_stream, leaves_nothing_behind_when_connecting_is_cancelled) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  const socket_address where = listener.local_address();
  {
    const tcp_stream warm = co_await tcp_stream::connect({"localhost", where.port()});
    auto accepted = co_await listener.accept();
  }
  const std::size_t before = test::open_descriptors("socket:");
  for (unsigned turn = 0; turn < 400; ++turn) {
    auto connecting = spawn(connect_to, turn % 2 ? endpoint(where) : endpoint("localhost", where.port()));
    for (unsigned k = 0; k < turn % 9; ++k) co_await this_task::yield();
    const auto stream = co_await connecting.cancel();
    if (!stream) continue;
    EXPECT_EQ(stream->peer_address(), where);
  }
  EXPECT_EQ(test::open_descriptors("socket:"), before);
}

ASTD_TEST(tcp_stream, a_thousand_at_a_time) {
  if (test::lacks_descriptors(2100)) co_return;
  constexpr std::size_t count = 1000;
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  const socket_address where = listener.local_address();
  auto server = spawn(
      [](tcp_listener& at) -> task<> {
        std::vector<join_handle<>> all;
        while (all.size() < count) {
          auto accepted = co_await at.accept();
          all.push_back(spawn(echo, std::move(accepted.first)));
        }
        for (auto& one : all) co_await one;
      },
      std::ref(listener));
  auto client = [](socket_address to, std::size_t i) -> task<bool> {
    tcp_stream stream = co_await tcp_stream::connect(to);
    const std::string question = "number " + std::to_string(i);
    std::string answer(question.size(), ' ');
    co_await io::write_all(stream, question);
    co_await io::read_exact(stream, answer);
    co_return answer == question;
  };
  std::vector<join_handle<bool>> clients;
  for (std::size_t i = 0; i < count; ++i) clients.push_back(spawn(client, where, i));
  std::size_t right = 0;
  for (auto& c : clients) {
    const bool ok = co_await c;
    right += ok;
  }
  co_await server;
  EXPECT_EQ(right, count);
}

}  // namespace
}  // namespace astd::net
