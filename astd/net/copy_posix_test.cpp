// io::copy() and io::copy_bidirectional() between sockets and files, where the kernel moves the bytes: nothing is lost,
// doubled or out of order, however it ends.
#include <astd/coro/as_result.hpp>
#include <astd/fs.hpp>
#include <astd/io.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace astd::net {
namespace {

static_assert(io::detail::kernel_reader<tcp_stream&> && io::detail::kernel_writer<tcp_write_half>);
static_assert(io::detail::kernel_reader<io::read_half<tcp_stream>> &&
              !io::detail::kernel_reader<io::buf_reader<tcp_stream>>);
static_assert(!io::detail::kernel_reader<io::read_half<io::duplex_stream>>);

// With a read() of its own, which a copy must not pass by.
class counting_stream : public tcp_stream {
 public:
  explicit counting_stream(tcp_stream of) : tcp_stream(std::move(of)) {}
  auto read(io::mutable_bytes to) {
    ++reads;
    return tcp_stream::read(to);
  }
  int reads = 0;
};
static_assert(io::reader<counting_stream> && !io::detail::kernel_reader<counting_stream>);

// No two places of it look the same.
std::string text_of(std::size_t size) {
  std::string text;
  text.reserve(size + 8);
  for (std::uint32_t i = 0; text.size() < size; ++i) {
    const std::uint32_t mixed = i * 2'654'435'761u;
    text.append(reinterpret_cast<const char*>(&mixed), sizeof mixed);
  }
  text.resize(size);
  return text;
}

using ends = std::pair<tcp_stream, tcp_stream>;

task<ends> connected() {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream ours = co_await tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  co_return ends(std::move(ours), std::move(accepted.first));
}

task<> send_all(tcp_stream& to, const std::string& text) {
  co_await io::write_all(to, text);
  co_await to.shutdown_write();
}

ASTD_TEST(copy_between_sockets, carries_everything_and_counts) {
  const std::string text = text_of(3'000'000);
  ends source = co_await connected();
  ends target = co_await connected();
  auto sending = spawn(send_all(source.first, text));
  auto receiving = spawn(io::read_to_string(target.second));
  const auto copied = co_await io::copy(source.second, target.first);
  co_await target.first.shutdown_write();
  const std::string got = co_await receiving;
  co_await sending;
  EXPECT_EQ(copied, text.size());
  EXPECT_TRUE(got == text);
}

ASTD_TEST(copy_between_sockets, asks_a_reader_of_ones_own) {
  const std::string text = text_of(300'000);
  ends source = co_await connected();
  ends target = co_await connected();
  counting_stream from(std::move(source.second));
  auto sending = spawn(send_all(source.first, text));
  auto receiving = spawn(io::read_to_string(target.second));
  const auto copied = co_await io::copy(from, target.first);
  co_await target.first.shutdown_write();
  const std::string got = co_await receiving;
  co_await sending;
  EXPECT_EQ(copied, text.size());
  EXPECT_GE(from.reads, 10);
  EXPECT_TRUE(got == text);
}

// What it says was copied has arrived, in order and nothing more; what was lost lies between that and what is still to
// be read, and is not more than it may be.
ASTD_TEST(copy_between_sockets, tells_exactly_what_arrived_when_it_is_cancelled) {
  const std::string text = text_of(3'000'000);
  for (int turns = 0; turns < 24; ++turns) {
    ends source = co_await connected();
    ends target = co_await connected();
    target.first.set_send_buffer_size(16 * 1024);
    target.second.set_receive_buffer_size(16 * 1024);
    auto sending = spawn(send_all(source.first, text));
    std::uint64_t copied = 0;
    auto copying = spawn(io::copy(source.second, target.first, copied));
    std::string got;
    std::string some(48 * 1024, '.');
    for (int i = 0; i < turns; ++i) {
      const auto n = target.second.try_read(some);
      if (n.is_ready()) got.append(some, 0, n.value());
      co_await this_task::yield();
    }
    const auto done = co_await copying.cancel();
    EXPECT_FALSE(done);
    auto rest = spawn(io::read_to_string(source.second));
    co_await target.first.shutdown_write();
    co_await io::read_to_string(target.second, got);
    EXPECT_EQ(got.size(), copied);
    EXPECT_TRUE(text.starts_with(got));
    const std::string behind = co_await rest;
    co_await sending;
    EXPECT_TRUE(text.ends_with(behind));
    EXPECT_LE(got.size() + behind.size(), text.size());
    EXPECT_GE(got.size() + behind.size() + 1024 * 1024, text.size());
  }
}

ASTD_TEST(copy_between_sockets, fails_with_the_end_that_failed) {
  const std::string text = text_of(4'000'000);
  for (const bool writer_fails : {true, false}) {
    ends source = co_await connected();
    ends target = co_await connected();
    // So that the copy stands with something to write, whatever the system has room for.
    target.first.set_send_buffer_size(16 * 1024);
    target.second.set_receive_buffer_size(16 * 1024);
    const std::string peer = (writer_fails ? target.first : source.second).peer_address().to_string();
    auto sending = spawn(io::write_all(source.first, text));
    std::uint64_t copied = 0;
    auto copying = spawn(io::copy(source.second, target.first, copied));
    std::string some(200'000, '.');
    co_await io::read_exact(target.second, some);
    if (writer_fails) {
      const tcp_stream gone = std::move(target.second);
    } else {
      static_cast<void>(co_await sending.cancel());
      source.first.set_linger(std::chrono::seconds(0));
      const tcp_stream gone = std::move(source.first);
    }
    auto draining = spawn([](tcp_stream& from) -> task<> {
      std::string all;
      static_cast<void>(co_await as_result(io::read_to_string(from, all)));
    }(writer_fails ? source.first : target.second));
    std::string what;
    try {
      co_await copying;
    } catch (const std::system_error& e) {
      what = e.what();
      EXPECT_TRUE(e.code() == std::errc::broken_pipe || e.code() == std::errc::connection_reset) << what;
    }
    EXPECT_TRUE(what.contains((writer_fails ? "write " : "read ") + peer)) << what << ", not " << peer;
    EXPECT_GE(copied, 200'000u);
    if (writer_fails) static_cast<void>(co_await sending.cancel());
    static_cast<void>(co_await draining.cancel());
  }
}

ASTD_TEST(copy_between_sockets, goes_both_ways_and_half_closes) {
  const std::string there = text_of(2'000'000);
  const std::string back = text_of(1'500'000);
  ends client = co_await connected();
  ends server = co_await connected();
  auto proxying = spawn(
      [](tcp_stream a, tcp_stream b) -> task<std::pair<std::uint64_t, std::uint64_t>> {
        const auto both = co_await io::copy_bidirectional(a, b);
        co_return both;
      },
      std::move(client.second), std::move(server.first));
  // The server answers at length only when it has heard all.
  auto serving = spawn(
      [](tcp_stream peer, std::string answer) -> task<std::string> {
        std::string heard = co_await io::read_to_string(peer);
        co_await send_all(peer, answer);
        co_return heard;
      },
      std::move(server.second), back);
  co_await send_all(client.first, there);
  const std::string answer = co_await io::read_to_string(client.first);
  const std::string heard = co_await serving;
  const auto both = co_await proxying;
  EXPECT_EQ(both.first, there.size());
  EXPECT_EQ(both.second, back.size());
  EXPECT_TRUE(heard == there);
  EXPECT_TRUE(answer == back);
}

// --- Files -----------------------------------------------------------------------------------------------------

task<fs::file> file_with(const fs::path& name, const std::string& text) {
  co_await fs::write(name, text);
  fs::file made = co_await fs::file::open(name);
  co_return made;
}

ASTD_TEST(copy_of_files, to_a_socket) {
  fs::temporary_directory room = co_await fs::temporary_directory::create();
  const std::string text = text_of(1'500'000);
  fs::file from = co_await file_with(room.path() / "a", text);
  co_await from.seek(io::seek_from::start(1000));
  ends target = co_await connected();
  auto receiving = spawn(io::read_to_string(target.second));
  const auto copied = co_await io::copy(from, target.first);
  co_await target.first.shutdown_write();
  const std::string got = co_await receiving;
  EXPECT_EQ(copied, text.size() - 1000);
  EXPECT_TRUE(got == std::string_view(text).substr(1000));
  const auto position = co_await from.stream_position();
  EXPECT_EQ(position, text.size());
}

ASTD_TEST(copy_of_files, to_a_socket_tells_exactly_what_was_sent_when_it_is_cancelled) {
  fs::temporary_directory room = co_await fs::temporary_directory::create();
  const std::string text = text_of(1'000'000);
  fs::file from = co_await file_with(room.path() / "a", text);
  for (int turns = 0; turns < 16; ++turns) {
    co_await from.rewind();
    ends target = co_await connected();
    target.first.set_send_buffer_size(16 * 1024);
    target.second.set_receive_buffer_size(16 * 1024);
    std::uint64_t copied = 0;
    auto copying = spawn(io::copy(from, target.first, copied));
    std::string got;
    std::string some(64 * 1024, '.');
    for (int i = 0; i < turns; ++i) {
      const auto n = target.second.try_read(some);
      if (n.is_ready()) got.append(some, 0, n.value());
      co_await this_task::yield();
    }
    const auto done = co_await copying.cancel();
    EXPECT_FALSE(done);
    const auto position = co_await from.stream_position();
    co_await target.first.shutdown_write();
    co_await io::read_to_string(target.second, got);
    EXPECT_EQ(got.size(), copied);
    EXPECT_TRUE(text.starts_with(got));
    // Behind what was sent there is at most what the buffer held.
    EXPECT_GE(position, copied);
    EXPECT_LE(position, copied + 32 * 1024);
  }
}

ASTD_TEST(copy_of_files, to_a_socket_whose_reader_hangs_up) {
  fs::temporary_directory room = co_await fs::temporary_directory::create();
  const std::string text = text_of(4'000'000);
  fs::file from = co_await file_with(room.path() / "a", text);
  ends target = co_await connected();
  // So that the copy stands with something to write, whatever the system has room for.
  target.first.set_send_buffer_size(16 * 1024);
  target.second.set_receive_buffer_size(16 * 1024);
  const std::string peer = target.first.peer_address().to_string();
  std::uint64_t copied = 0;
  auto copying = spawn(io::copy(from, target.first, copied));
  std::string some(200'000, '.');
  co_await io::read_exact(target.second, some);
  {
    const tcp_stream gone = std::move(target.second);
  }
  std::string what;
  try {
    co_await copying;
  } catch (const std::system_error& e) {
    what = e.what();
    EXPECT_TRUE(e.code() == std::errc::broken_pipe || e.code() == std::errc::connection_reset) << what;
  }
  EXPECT_TRUE(what.contains("write " + peer)) << what << ", not " << peer;
  EXPECT_GE(copied, 200'000u);
}

ASTD_TEST(copy_of_files, to_a_file) {
  fs::temporary_directory room = co_await fs::temporary_directory::create();
  const std::string text = text_of(1'200'000);
  fs::file from = co_await file_with(room.path() / "a", text);
  fs::file to = co_await fs::file::create(room.path() / "b");
  co_await io::write_all(to, "first");
  const auto copied = co_await io::copy(from, to);
  co_await io::write_all(to, "last");
  EXPECT_EQ(copied, text.size());
  co_await from.rewind();
  // Where it appends, the system refuses to copy by itself.
  fs::file behind = co_await fs::open_options().append(true).open(room.path() / "b");
  const auto appended = co_await io::copy(from, behind);
  EXPECT_EQ(appended, text.size());
  const std::string got = co_await fs::read_to_string(room.path() / "b");
  EXPECT_TRUE(got == "first" + text + "last" + text);
}

ASTD_TEST(copy_of_files, from_a_socket) {
  fs::temporary_directory room = co_await fs::temporary_directory::create();
  const std::string text = text_of(700'000);
  ends source = co_await connected();
  auto sending = spawn(send_all(source.first, text));
  fs::file to = co_await fs::file::create(room.path() / "a");
  const auto copied = co_await io::copy(source.second, to);
  co_await sending;
  EXPECT_EQ(copied, text.size());
  const std::string got = co_await fs::read_to_string(room.path() / "a");
  EXPECT_TRUE(got == text);
}

}  // namespace
}  // namespace astd::net
