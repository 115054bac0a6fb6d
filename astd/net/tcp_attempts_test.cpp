// What does not wait: try_read and its like, and the readiness that goes with them.
#include <astd/coro/as_result.hpp>
#include <astd/coro/race.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace astd::net {
namespace {

static_assert(io::try_reader<tcp_stream> && io::try_writer<tcp_stream>);
static_assert(io::vectored_reader<tcp_stream> && io::vectored_writer<tcp_stream> && io::write_closable<tcp_stream>);

using both_ends = std::pair<tcp_stream, tcp_stream>;

task<both_ends> connected() {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream ours = co_await tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  co_return both_ends(std::move(ours), std::move(accepted.first));
}

task<> read_one(tcp_stream& from) {
  std::array<char, 1> buffer;
  co_await from.read(buffer);
}

/// Leaves the driver knowing that there is nothing to read.
task<> wait_in_vain(tcp_stream& from) { co_await race(read_one(from), this_task::yield()); }

// epoll's driver once answered from memory until somebody waited, which a task that only tries never does.
ASTD_TEST(tcp_attempts, a_task_that_only_tries_sees_what_comes) {
  both_ends ends = co_await connected();
  co_await wait_in_vain(ends.first);
  std::array<char, 8> buffer;
  EXPECT_TRUE(ends.first.try_read(buffer).is_not_ready());
  co_await io::write_all(ends.second, "news");
  // No await in between: nobody fetches events.
  const auto got = ends.first.try_read(buffer);
  EXPECT_TRUE(got.is_ready());
  EXPECT_EQ(std::string_view(buffer.data(), 4), "news");
}

ASTD_TEST(tcp_attempts, reads_in_a_loop_with_readable_to_the_end) {
  both_ends ends = co_await connected();
  auto writing = spawn(
      [](tcp_stream to) -> task<> {
        for (int i = 0; i < 50; ++i) {
          co_await io::write_all(to, std::string(1000, 'x'));
          co_await this_task::yield();
        }
      },
      std::move(ends.second));
  std::size_t all = 0;
  std::array<char, 300> buffer;
  for (;;) {
    const auto got = ends.first.try_read(buffer);
    if (got.is_not_ready()) {
      co_await ends.first.readable();
      continue;
    }
    EXPECT_TRUE(got.is_ready());
    if (!got.is_ready() || got.value() == 0) break;
    all += got.value();
  }
  EXPECT_EQ(all, 50'000u);
  co_await writing;
  EXPECT_EQ(ends.first.try_read(buffer).value(), 0u) << "the end stays the end";
  EXPECT_EQ(ends.first.try_read(io::mutable_bytes()).value(), 0u);
}

ASTD_TEST(tcp_attempts, writes_until_there_is_no_room_and_goes_on_when_there_is) {
  both_ends ends = co_await connected();
  const std::string piece(1 << 16, 'w');
  std::size_t written = 0;
  int full = 0;
  auto reading = spawn(
      [](tcp_stream from) -> task<std::size_t> {
        std::vector<char> buffer(1 << 16);
        for (std::size_t all = 0;;) {
          const std::size_t n = co_await from.read(buffer);
          if (n == 0) co_return all;
          all += n;
        }
      },
      std::move(ends.second));
  while (full < 3) {
    const auto some = ends.first.try_write(piece);
    EXPECT_FALSE(some.is_error());
    if (some.is_ready()) {
      written += some.value();
    } else {
      ++full;
      co_await ends.first.writable();
    }
  }
  co_await ends.first.shutdown_write();
  const std::size_t read = co_await reading;
  EXPECT_EQ(read, written);
}

ASTD_TEST(tcp_attempts, errors_are_no_readiness) {
  both_ends ends = co_await connected();
  co_await ends.first.shutdown_write();
  const auto broken = ends.first.try_write("more");
  EXPECT_TRUE(broken.is_error());
  EXPECT_EQ(broken.error(), std::errc::broken_pipe);
  EXPECT_EQ(ends.first.try_write("").value(), 0u);
}

ASTD_TEST(tcp_attempts, peeked_bytes_are_still_there) {
  both_ends ends = co_await connected();
  co_await io::write_all(ends.second, "once and twice");
  std::array<char, 4> buffer;
  std::size_t n = co_await ends.first.peek(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), n), "once");
  buffer = {};
  EXPECT_EQ(ends.first.try_peek(buffer).value(), 4u);
  EXPECT_EQ(std::string_view(buffer.data(), 4), "once");
  n = co_await ends.first.read(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), n), "once");
  n = co_await ends.first.peek(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), n), " and");
}

ASTD_TEST(tcp_attempts, a_peek_waits_and_can_be_cancelled) {
  both_ends ends = co_await connected();
  auto waiting = spawn(
      [](tcp_stream& from) -> task<std::size_t> {
        std::array<char, 4> buffer;
        co_return co_await from.peek(buffer);
      },
      std::ref(ends.first));
  co_await this_task::yield();
  const auto ended = co_await waiting.cancel();
  EXPECT_FALSE(ended.has_value());
  co_await io::write_all(ends.second, "x");
  std::array<char, 4> buffer;
  const std::size_t n = co_await ends.first.peek(buffer);
  EXPECT_EQ(n, 1u);
}

ASTD_TEST(tcp_attempts, several_buffers_at_once) {
  both_ends ends = co_await connected();
  const std::array<io::const_bytes, 4> pieces{io::const_bytes("one,"), io::const_bytes(""), io::const_bytes("two,"),
                                              io::const_bytes("three")};
  const std::size_t written = co_await ends.first.write_vectored(pieces);
  EXPECT_EQ(written, 13u);
  std::array<char, 4> head;
  std::array<char, 32> rest;
  const std::array<io::mutable_bytes, 3> into{io::mutable_bytes(head), io::mutable_bytes(),
                                              io::mutable_bytes(rest)};
  const std::size_t read = co_await ends.second.read_vectored(into);
  EXPECT_GE(read, 1u);
  std::string all = std::string(head.data(), std::min<std::size_t>(read, 4));
  if (read > 4) all.append(rest.data(), read - 4);
  while (all.size() < written) {
    const std::size_t n = co_await ends.second.read(rest);
    all.append(rest.data(), n);
  }
  EXPECT_EQ(all, "one,two,three");
  EXPECT_TRUE(ends.second.try_read_vectored(into).is_not_ready());
  EXPECT_EQ(ends.second.try_write_vectored(pieces).value(), 13u);
  const std::size_t none = co_await ends.second.read_vectored(std::span<const io::mutable_bytes>());
  EXPECT_EQ(none, 0u) << "nothing to read into: nothing to wait for";
}

ASTD_TEST(tcp_attempts, more_buffers_than_the_system_is_given_at_once) {
  both_ends ends = co_await connected();
  const std::vector<io::const_bytes> pieces(40, io::const_bytes("ab"));
  const std::size_t written = co_await ends.first.write_vectored(pieces);
  EXPECT_EQ(written, 32u);
}

ASTD_TEST(tcp_attempts, accepts_what_has_come) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  EXPECT_TRUE(listener.try_accept().is_not_ready());
  auto connecting = spawn(tcp_stream::connect(listener.local_address()));
  co_await listener.readable();
  auto accepted = listener.try_accept();
  EXPECT_TRUE(accepted.is_ready());
  tcp_stream ours = co_await connecting;
  EXPECT_EQ(accepted.value().second, ours.local_address());
  EXPECT_TRUE(listener.try_accept().is_not_ready());
}

}  // namespace
}  // namespace astd::net
