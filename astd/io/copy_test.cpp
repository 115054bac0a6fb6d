// copy, copy_bidirectional, duplex pipes, and streams that are split.
#include <astd/coro/as_result.hpp>
#include <astd/io.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace astd::io {
namespace {

std::string numbers(int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += std::to_string(i) + ' ';
  return text;
}

ASTD_TEST(duplex, is_a_connection_in_memory) {
  auto ends = duplex(4);
  const auto first = co_await ends.first.write("0123456");
  EXPECT_EQ(first, 4u);
  const auto full = ends.first.try_write("x");
  EXPECT_TRUE(full.is_not_ready());
  std::string some(3, '.');
  const auto got = ends.second.try_read(some);
  EXPECT_EQ(got.value(), 3u);
  const auto more = ends.first.try_write("abcd");
  EXPECT_EQ(more.value(), 3u);
  co_await ends.first.shutdown_write();
  const auto rest = co_await read_to_string(ends.second);
  EXPECT_EQ(some + rest, "0123abc");
  const auto late = co_await as_result(ends.first.write("x"));
  EXPECT_EQ(late.error(), std::errc::broken_pipe);
  co_await write_all(ends.second, "back");
  std::string back(4, '.');
  co_await read_exact(ends.first, back);
  EXPECT_EQ(back, "back");
}

ASTD_TEST(duplex, tells_when_the_other_end_is_gone) {
  auto ends = duplex(4);
  co_await write_all(ends.second, "abc");
  auto writing = spawn(
      [](duplex_stream to) -> task<duplex_stream> {
        const auto refused = co_await as_result(write_all(to, "01234567"));
        EXPECT_EQ(refused.error(), std::errc::broken_pipe);
        co_return std::move(to);
      },
      std::move(ends.first));
  for (int i = 0; i < 5; ++i) co_await this_task::yield();
  {
    const auto gone = std::move(ends.second);
  }
  auto back = co_await writing;
  co_await back.readable();
  const auto rest = co_await read_to_string(back);
  EXPECT_EQ(rest, "abc") << "what was written before is still read";
}

ASTD_TEST(duplex, carries_much_between_tasks) {
  auto ends = duplex(7);
  const std::string text = numbers(2000);
  auto writing = spawn([](duplex_stream to, std::string all) -> task<> { co_await write_all(to, all); },
                       std::move(ends.first), text);
  const auto got = co_await read_to_string(ends.second);
  co_await writing;
  EXPECT_EQ(got, text);
}

ASTD_TEST(copy, carries_everything_and_counts) {
  const std::string text = numbers(20'000);
  cursor from(text);
  auto ends = duplex(1000);
  auto reading = spawn(read_to_string(std::move(ends.second)));
  const auto copied = co_await copy(from, ends.first);
  co_await ends.first.shutdown_write();
  const auto got = co_await reading;
  EXPECT_EQ(copied, text.size());
  EXPECT_EQ(got, text);
}

ASTD_TEST(copy, flushes_before_it_waits) {
  auto from = duplex(100);
  auto to = duplex(100);
  auto copying = spawn([](duplex_stream& in, duplex_stream& out) -> task<std::uint64_t> {
    buf_writer buffered(out);
    const auto n = co_await copy(in, buffered);
    co_return n;
  }(from.second, to.first));
  co_await write_all(from.first, "ping");
  std::string answer(4, '.');
  co_await read_exact(to.second, answer);
  EXPECT_EQ(answer, "ping");
  co_await from.first.shutdown_write();
  const auto n = co_await copying;
  EXPECT_EQ(n, 4u);
}

// However it is cut off, what it says was copied has arrived, and the rest is where it was.
ASTD_TEST(copy, from_a_buffer_loses_nothing_when_it_is_cancelled) {
  const std::string text = numbers(300);
  for (int turns = 0; turns < 25; ++turns) {
    auto source = duplex(64);
    auto target = duplex(16);
    auto feeding = spawn(write_all(source.first, const_bytes(text)));
    buf_reader in(source.second, 32);
    std::uint64_t copied = 0;
    auto copying = spawn(copy(in, target.first, copied));
    std::string got;
    for (int i = 0; i < turns; ++i) {
      char some[10];
      const auto n = target.second.try_read(some);
      if (n.is_ready()) got.append(some, n.value());
      co_await this_task::yield();
    }
    const auto done = co_await copying.cancel();
    EXPECT_FALSE(done);
    co_await target.first.shutdown_write();
    co_await read_to_string(target.second, got);
    EXPECT_EQ(got.size(), copied);
    auto rest = spawn(read_to_string(in));
    co_await feeding;
    co_await source.first.shutdown_write();
    const auto behind = co_await rest;
    EXPECT_EQ(got + behind, text);
  }
}

ASTD_TEST(copy, tries_once_more_to_deliver_what_it_has_read) {
  auto source = duplex(64);
  auto target = duplex(4);
  co_await write_all(source.first, "0123456789");
  std::uint64_t copied = 0;
  auto copying = spawn(copy(source.second, target.first, copied));
  std::string got(2, '.');
  co_await read_exact(target.second, got);
  const auto done = co_await copying.cancel();
  EXPECT_FALSE(done);
  co_await target.first.shutdown_write();
  co_await read_to_string(target.second, got);
  EXPECT_EQ(got.size(), copied);
  EXPECT_GE(copied, 6u) << "there was room for it";
  EXPECT_EQ(got, std::string("0123456789").substr(0, got.size()));
}

#if ASTD_HAS_EXCEPTIONS
// Whose attempts throw, and whose writes wait for ever.
struct stubborn_writer {
  task<std::size_t> write(const_bytes) {
    co_await astd::pending<>();
    co_return 0;
  }
  poll_result<std::size_t> try_write(const_bytes) { throw std::bad_alloc(); }
  auto writable() { return ready(); }
};

ASTD_TEST(copy, is_cancelled_though_the_writers_attempt_throws) {
  auto source = duplex(64);
  co_await write_all(source.first, "abc");
  stubborn_writer out;
  std::uint64_t copied = 0;
  auto copying = spawn(copy(source.second, out, copied));
  for (int i = 0; i < 5; ++i) co_await this_task::yield();
  const auto done = co_await copying.cancel();
  EXPECT_FALSE(done);
  EXPECT_EQ(copied, 0u);
}
#endif

ASTD_TEST(copy_bidirectional, half_closes) {
  auto client = duplex(10);
  auto server = duplex(10);
  auto proxying = spawn(
      [](duplex_stream a, duplex_stream b) -> task<std::pair<std::uint64_t, std::uint64_t>> {
        const auto both = co_await copy_bidirectional(a, b);
        co_return both;
      },
      std::move(client.second), std::move(server.second));
  // The server answers only when it has heard all.
  auto serving = spawn(
      [](duplex_stream peer) -> task<> {
        const auto asked = co_await read_to_string(peer);
        co_await io::print(peer, "you said {}", asked);
      },
      std::move(server.first));
  co_await write_all(client.first, "something longer than the pipe");
  co_await client.first.shutdown_write();
  const auto answer = co_await read_to_string(client.first);
  EXPECT_EQ(answer, "you said something longer than the pipe");
  const auto both = co_await proxying;
  EXPECT_EQ(both.first, 30u);
  EXPECT_EQ(both.second, 39u);
  co_await serving;
}

ASTD_TEST(copy_bidirectional, ends_with_the_first_error) {
  auto client = duplex(10);
  auto server = duplex(10);
  {
    const auto gone = std::move(server.first);
  }
  co_await write_all(client.first, "x");
  const auto both = co_await as_result(copy_bidirectional(client.second, server.second));
  EXPECT_EQ(both.error(), std::errc::broken_pipe);
}

ASTD_TEST(halves, go_apart_and_together_again) {
  auto ends = duplex(10);
  auto halves = split(std::move(ends.first));
  EXPECT_TRUE(halves.first.is_pair_of(halves.second));
  auto writing = spawn(
      [](write_half<duplex_stream> out) -> task<write_half<duplex_stream>> {
        co_await write_all(out, "a text that is longer");
        co_await out.shutdown_write();
        co_return std::move(out);
      },
      std::move(halves.second));
  const auto text = co_await read_to_string(ends.second);
  EXPECT_EQ(text, "a text that is longer");
  auto out = co_await writing;
  duplex_stream whole = reunite(std::move(halves.first), std::move(out));
  co_await write_all(ends.second, "abc");
  std::string got(3, '.');
  co_await read_exact(whole, got);
  EXPECT_EQ(got, "abc");
}

}  // namespace
}  // namespace astd::io
