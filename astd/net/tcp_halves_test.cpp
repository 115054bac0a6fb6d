#include <astd/coro/join.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/test_support.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/testing/gtest.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace astd::net {
namespace {

static_assert(io::try_reader<tcp_read_half> && !io::writer<tcp_read_half>);
static_assert(io::try_writer<tcp_write_half> && !io::reader<tcp_write_half>);

using both_ends = std::pair<tcp_stream, tcp_stream>;

task<both_ends> connected() {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream ours = co_await tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  co_return both_ends(std::move(ours), std::move(accepted.first));
}

template <class Reader>
task<std::string> read_to_the_end(Reader& from) {
  std::string text;
  std::array<char, 1000> buffer;
  for (;;) {
    const std::size_t n = co_await from.read(buffer);
    if (n == 0) co_return text;
    text.append(buffer.data(), n);
  }
}

task<> echo(tcp_stream stream) {
  auto halves = std::move(stream).split();
  const std::string all = co_await read_to_the_end(halves.first);
  co_await io::write_all(halves.second, all);
}

task<> say(tcp_write_half to, std::string text) { co_await io::write_all(to, text); }

ASTD_TEST(tcp_halves, one_task_writes_while_another_reads) {
  both_ends ends = co_await connected();
  auto server = spawn(echo, std::move(ends.second));
  auto halves = std::move(ends.first).split();
  // The writing half is gone when the task is over: that is the end, for the server.
  auto writing = spawn(say, std::move(halves.second), std::string(200'000, 'e'));
  const std::string back = co_await read_to_the_end(halves.first);
  EXPECT_EQ(back.size(), 200'000u);
  co_await writing;
  co_await server;
}

ASTD_TEST(tcp_halves, of_a_stream_that_is_kept_say_no_end) {
  both_ends ends = co_await connected();
  {
    auto halves = ends.first.split();
    co_await io::write_all(halves.second, "by a half, ");
    EXPECT_EQ(halves.first.peer_address(), ends.first.peer_address());
    EXPECT_EQ(halves.second.local_address(), ends.first.local_address());
  }
  co_await io::write_all(ends.first, "by the stream");
  co_await ends.first.shutdown(shutdown_how::write);
  const std::string all = co_await read_to_the_end(ends.second);
  EXPECT_EQ(all, "by a half, by the stream");
}

ASTD_TEST(tcp_halves, keep_the_connection_after_the_stream) {
  both_ends ends = co_await connected();
  std::optional<std::pair<tcp_read_half, tcp_write_half>> halves;
  {
    tcp_stream stream = std::move(ends.first);
    halves.emplace(stream.split());
  }
  co_await io::write_all(halves->second, "still here");
  std::array<char, 10> got;
  co_await io::read_exact(ends.second, got);
  EXPECT_EQ(std::string_view(got.data(), got.size()), "still here");
  halves.reset();
  const std::string rest = co_await read_to_the_end(ends.second);
  EXPECT_EQ(rest, "");
}

ASTD_TEST(tcp_halves, make_a_stream_again) {
  both_ends ends = co_await connected();
  auto halves = std::move(ends.first).split();
  tcp_stream whole = reunite(std::move(halves.first), std::move(halves.second));
  co_await io::write_all(whole, "whole");
  co_await whole.shutdown(shutdown_how::write);
  const std::string all = co_await read_to_the_end(ends.second);
  EXPECT_EQ(all, "whole");

  auto mine = std::move(whole).split();
  auto theirs = std::move(ends.second).split();
  std::string error;
  try {
    reunite(std::move(mine.first), std::move(theirs.second));
  } catch (const std::system_error& e) {
    error = e.what();
  }
  EXPECT_EQ(error, "reunite halves of different connections: Invalid argument");
}

ASTD_TEST(tcp_halves, a_forgotten_half_says_no_end) {
  both_ends ends = co_await connected();
  auto halves = std::move(ends.first).split();
  std::move(halves.second).forget();
  co_await io::write_all(ends.second, "to the other half");
  std::array<char, 17> got;
  co_await io::read_exact(halves.first, got);
  EXPECT_TRUE(ends.second.try_read(got).is_not_ready());
}

}  // namespace
}  // namespace astd::net
