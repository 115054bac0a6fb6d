#include <astd/coro/as_result.hpp>
#include <astd/future.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/test_support.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/this_task.hpp>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include <unistd.h>

namespace astd::net {
namespace {

std::string_view text(const std::array<char, 64>& buffer, std::size_t n) { return {buffer.data(), n}; }

// A path that goes with it.
class test_path {
 public:
  test_path() : path_(std::filesystem::temp_directory_path() / ("astd-unix-" + std::to_string(::getpid()))) {
    std::filesystem::remove(path_);
  }
  ~test_path() {
    std::error_code none;
    std::filesystem::remove(path_, none);
  }
  [[nodiscard]] const std::filesystem::path& get() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string refusal(const std::string& path) {
  try {
    static_cast<void>(unix_address(path));
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "none";
}

TEST(unix_address, says_what_it_is) {
  EXPECT_EQ(unix_address("/a/b").to_string(), "/a/b");
  EXPECT_EQ(unix_address("/a/b").path(), std::filesystem::path("/a/b"));
  EXPECT_EQ(unix_address::abstract("x").to_string(), "@x");
  EXPECT_EQ(unix_address::abstract("x").abstract_name(), "x");
  EXPECT_TRUE(unix_address().is_unnamed());
  EXPECT_NE(unix_address("x"), unix_address::abstract("x"));
  EXPECT_THROW(unix_address(""), std::invalid_argument);
  EXPECT_THROW(unix_address(std::string(108, 'x')), std::invalid_argument);
  EXPECT_EQ(refusal(std::string("/a\0b", 4)),
            "the path of a local socket has 1 to 107 bytes, none of them zero: \"/a?b\"");
  for (const unix_address& a : {unix_address(), unix_address(std::string(107, 'x')),
                                unix_address::abstract(std::string_view("\0y", 2)), unix_address::abstract("")}) {
    std::array<char, unix_address::native_size> native;
    const unsigned length = a.to_native(native.data());
    EXPECT_EQ(unix_address::from_native(native.data(), length), a);
  }
}

ASTD_TEST(unix_stream, goes_through_a_path) {
  const test_path path;
  unix_listener listener = co_await unix_listener::bind(path.get());
  EXPECT_EQ(listener.local_address(), unix_address(path.get()));
  unix_stream client = co_await unix_stream::connect(path.get());
  auto accepted = co_await listener.accept();
  unix_stream& server = accepted.first;
  EXPECT_TRUE(accepted.second.is_unnamed());
  EXPECT_EQ(client.peer_address(), unix_address(path.get()));
  const unix_credentials who = server.peer_credentials();
  EXPECT_EQ(who.process_id, ::getpid());
  EXPECT_EQ(who.user_id, ::getuid());
  co_await io::write_all(client, "hello");
  co_await client.shutdown_write();
  std::array<char, 64> buffer;
  const std::size_t n = co_await server.read(buffer);
  EXPECT_EQ(text(buffer, n), "hello");
  const std::size_t end = co_await server.read(buffer);
  EXPECT_EQ(end, 0u);
  const std::string taken = co_await test::error_of(unix_listener::bind(path.get()));
  EXPECT_EQ(taken, "bind " + path.get().string() + ": Address already in use");
}

ASTD_TEST(unix_stream, goes_through_an_abstract_name) {
  const unix_address name = unix_address::abstract("astd-test-" + std::to_string(::getpid()));
  {
    unix_listener listener = co_await unix_listener::bind(name);
    auto incoming = listener.incoming();
    unix_stream client = co_await unix_stream::connect(name);
    auto server = co_await incoming.next();
    EXPECT_TRUE(server);
    EXPECT_EQ(client.peer_address(), name);
    EXPECT_TRUE(listener.try_accept().is_not_ready());
  }
  const std::string gone = co_await test::error_of(unix_stream::connect(name));
  EXPECT_EQ(gone, "connect " + name.to_string() + ": Connection refused");
}

ASTD_TEST(unix_stream, can_be_tried_and_awaited) {
  auto [a, b] = unix_stream::pair();
  std::array<char, 64> buffer;
  EXPECT_TRUE(b.try_read(buffer).is_not_ready());
  auto waiting = spawn([](unix_stream& s) -> task<> { co_await s.readable(); }, std::ref(b));
  for (int i = 0; i < 5; ++i) co_await this_task::yield();
  EXPECT_FALSE(waiting.is_finished());
  co_await a.write("x");
  co_await std::move(waiting);
  const auto got = b.try_read(buffer);
  EXPECT_TRUE(got.is_ready());
  EXPECT_EQ(got.value(), 1u);
  const std::string much(100'000, 'y');
  while (a.try_write(much).is_ready()) {
  }
  EXPECT_TRUE(a.try_write(much).is_not_ready());
  b = std::move(unix_stream::pair().first);
  const auto broken = co_await as_result(a.write("x"));
  EXPECT_FALSE(broken);
}

ASTD_TEST(unix_stream, passes_descriptors) {
  auto ends = unix_stream::pair();
  test::pipe_ends pipe;
  const os::native_handle both[] = {pipe.read_end, pipe.write_end};
  co_await ends.first.send_with("two", both);
  std::array<char, 64> buffer;
  received_handles got = co_await ends.second.recv_with(buffer, 2);
  EXPECT_EQ(text(buffer, got.size), "two");
  EXPECT_EQ(got.handles.size(), 2u);
  EXPECT_FALSE(got.truncated);
  EXPECT_EQ(::write(got.handles[1].get(), "!", 1), 1);
  EXPECT_EQ(::read(pipe.read_end, buffer.data(), 1), 1);
  EXPECT_EQ(buffer[0], '!');
  // More than were asked for are closed, and it is said.
  const std::size_t before = test::open_descriptors("pipe:");
  co_await ends.first.send_with("x", both);
  received_handles one = co_await ends.second.recv_with(buffer, 1);
  EXPECT_EQ(one.handles.size(), 1u);
  EXPECT_TRUE(one.truncated);
  EXPECT_EQ(test::open_descriptors("pipe:"), before + 1);
  const std::vector<os::native_handle> too_many(300, pipe.read_end);
  const auto refused = co_await as_result(ends.first.send_with("x", too_many));
  EXPECT_EQ(refused.error(), std::errc::invalid_argument);
  // The system would say nothing, and drop the descriptors.
  const auto lost = co_await as_result(ends.first.send_with("", both));
  EXPECT_EQ(lost.error(), std::errc::invalid_argument);
}

task<std::size_t> take_one(unix_stream& from) {
  std::array<char, 64> buffer;
  const received_handles got = co_await from.recv_with(buffer, 1);
  co_return got.handles.size();
}

ASTD_TEST(unix_stream, receives_nothing_into_nothing_at_once) {
  auto ends = unix_stream::pair();
  const auto got = co_await ends.first.recv_with(io::mutable_bytes(), 1);
  EXPECT_EQ(got.size, 0u);
  EXPECT_TRUE(got.handles.empty());
  EXPECT_FALSE(got.truncated);
}

ASTD_TEST(unix_stream, a_cancelled_receive_leaks_no_descriptor_and_loses_none) {
  auto ends = unix_stream::pair();
  test::pipe_ends pipe;
  const os::native_handle one[] = {pipe.read_end};
  const std::size_t before = test::open_descriptors("pipe:");
  for (int turns = 0; turns < 40; ++turns) {
    auto taking = spawn(take_one, std::ref(ends.second));
    for (int i = 0; i < turns % 5; ++i) co_await this_task::yield();
    if (turns % 2) {
      co_await ends.first.send_with("x", one);
      if (turns % 3 == 0) co_await this_task::yield();
    }
    const auto got = co_await taking.cancel();
    EXPECT_EQ(test::open_descriptors("pipe:"), before);
    if (got) {
      EXPECT_EQ(*got, 1u);
    } else if (turns % 2) {
      const std::size_t left = co_await take_one(ends.second);
      EXPECT_EQ(left, 1u);
    }
  }
  EXPECT_EQ(test::open_descriptors("pipe:"), before);
}

ASTD_TEST(unix_datagram, sends_and_receives) {
  const unix_address here = unix_address::abstract("astd-dgram-" + std::to_string(::getpid()));
  unix_datagram receiver = co_await unix_datagram::bind(here);
  unix_datagram sender = unix_datagram::unbound();
  co_await sender.send_to("one", here);
  std::array<char, 64> buffer;
  auto [size, from] = co_await receiver.recv_from(buffer);
  EXPECT_EQ(text(buffer, size), "one");
  EXPECT_TRUE(from.is_unnamed());
  co_await sender.connect(here);
  co_await sender.send("two");
  const std::size_t n = co_await receiver.recv(buffer);
  EXPECT_EQ(text(buffer, n), "two");
  EXPECT_TRUE(receiver.try_recv(buffer).is_not_ready());
  const std::string nobody = co_await test::error_of(unix_datagram::unbound().send_to("x", "/no/such/socket"));
  EXPECT_EQ(nobody, "send to /no/such/socket: No such file or directory");
}

ASTD_TEST(unix_seqpacket, keeps_messages_apart) {
  const unix_address here = unix_address::abstract("astd-seq-" + std::to_string(::getpid()));
  unix_seqpacket_listener listener = co_await unix_seqpacket_listener::bind(here);
  unix_seqpacket client = co_await unix_seqpacket::connect(here);
  auto accepted = co_await listener.accept();
  co_await client.send("one");
  co_await client.send("three");
  std::array<char, 64> buffer;
  const std::size_t first = co_await accepted.first.recv(buffer);
  EXPECT_EQ(text(buffer, first), "one");
  const std::size_t second = co_await accepted.first.recv(buffer);
  EXPECT_EQ(text(buffer, second), "three");
}

ASTD_TEST(unix_stream, changes_hands_as_a_native_handle) {
  auto ends = unix_stream::pair();
  const os::native_handle raw = std::move(ends.first).into_native_handle();
  unix_stream again = unix_stream::from_native_handle(raw);
  EXPECT_EQ(again.as_native_handle(), raw);
  co_await again.write("x");
  std::array<char, 64> buffer;
  const std::size_t n = co_await ends.second.read(buffer);
  EXPECT_EQ(n, 1u);
}

ASTD_TEST(unix_handles, change_hands) {
  auto [a, b] = unix_datagram::pair();
  EXPECT_TRUE(a.local_address().is_unnamed());
  EXPECT_TRUE(a.peer_address().is_unnamed());
  unix_datagram again = unix_datagram::from_native_handle(std::move(a).into_native_handle());
  EXPECT_EQ(again.as_native_handle(), again.as_native_handle());
  co_await again.send("x");
  std::array<char, 64> buffer;
  const std::size_t n = co_await b.recv(buffer);
  EXPECT_EQ(n, 1u);
  co_await b.shutdown(shutdown_how::both);
  const auto refused = co_await as_result(again.send("x"));
  EXPECT_EQ(refused.error(), std::errc::broken_pipe);
  const unix_address name = unix_address::abstract("astd-hands-" + std::to_string(::getpid()));
  unix_listener first = co_await unix_listener::bind(name);
  unix_listener listener = unix_listener::from_native_handle(std::move(first).into_native_handle());
  EXPECT_EQ(listener.local_address(), name);
  unix_stream client = co_await unix_stream::connect(name);
  auto accepted = co_await listener.accept();
  EXPECT_EQ(accepted.first.local_address(), name);
  co_await client.shutdown(shutdown_how::write);
  const std::size_t end = co_await accepted.first.read(buffer);
  EXPECT_EQ(end, 0u);
}

}  // namespace
}  // namespace astd::net
