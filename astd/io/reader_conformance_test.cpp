// The contract of concepts.hpp, held to by everything that reads: those of test_kinds.cpp behind one face, and those that
// can be asked without waiting by their type.
#include <astd/coro/as_result.hpp>
#include <astd/io.hpp>
#include <astd/io/test_kinds.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <array>
#include <optional>
#include <string>

namespace astd::io {
namespace {

const std::string content = "the quick brown fox\njumps over the lazy dog, and is tired of it\n";

task<> feed(any_writer& to, std::string text) {
  co_await write_all(to, text);
  co_await to.shutdown_write();
}
// Where nobody has to feed it: a task that is over.
join_handle<> start_feeding(test::source& s) {
  if (s.feeder) return spawn(feed(*s.feeder, content));
  return spawn([]() -> task<> { co_return; });
}
// Reads on and on, `size` bytes at most, and notes what it got.
task<> read_on(any_reader& from, std::string& got, std::size_t size) {
  std::string buffer(size, '.');
  for (;;) {
    const std::size_t n = co_await from.read(buffer);
    if (n == 0) co_return;
    EXPECT_LE(n, size);
    got.append(buffer, 0, n);
  }
}

ASTD_TEST(reader_conformance, an_empty_buffer_takes_nothing_and_waits_for_nothing) {
  for (const auto& kind : test::sources()) {
    auto source = co_await kind.make(content);
    const auto none = co_await source.reader.read(mutable_bytes());
    EXPECT_EQ(none, 0u) << kind.name;
    const auto neither = co_await source.reader.read_vectored({});
    EXPECT_EQ(neither, 0u) << kind.name;
    auto feeding = start_feeding(source);
    std::string got;
    co_await read_on(source.reader, got, 9);
    EXPECT_EQ(got, content) << kind.name;
    co_await feeding;
  }
}

ASTD_TEST(reader_conformance, gives_all_in_order_and_stays_at_the_end) {
  for (const auto& kind : test::sources())
    for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
      auto source = co_await kind.make(content);
      auto feeding = start_feeding(source);
      std::string got;
      co_await read_on(source.reader, got, size);
      EXPECT_EQ(got, content) << kind.name << ", " << size;
      std::array<char, 5> more{};
      for (int i = 0; i < 2; ++i) {
        const auto end = co_await source.reader.read(more);
        EXPECT_EQ(end, 0u) << kind.name;
      }
      co_await feeding;
    }
}

ASTD_TEST(reader_conformance, fills_several_buffers_in_order) {
  for (const auto& kind : test::sources()) {
    auto source = co_await kind.make(content);
    auto feeding = start_feeding(source);
    std::string got;
    for (;;) {
      std::array<char, 3> first;
      std::array<char, 4> second;
      const std::array<mutable_bytes, 3> both{mutable_bytes(first), mutable_bytes(), mutable_bytes(second)};
      const auto n = co_await source.reader.read_vectored(both);
      if (n == 0) break;
      got.append(first.data(), std::min<std::size_t>(n, 3));
      if (n > 3) got.append(second.data(), n - 3);
    }
    EXPECT_EQ(got, content) << kind.name;
    co_await feeding;
  }
}

ASTD_TEST(reader_conformance, does_nothing_before_it_is_awaited) {
  for (const auto& kind : test::sources()) {
    auto source = co_await kind.make(content);
    auto feeding = start_feeding(source);
    std::array<char, 5> buffer{};
    {
      const auto never = source.reader.read(buffer);
    }
    std::string got;
    co_await read_on(source.reader, got, 5);
    EXPECT_EQ(got, content) << kind.name;
    EXPECT_EQ(buffer[0], '\0') << kind.name;
    co_await feeding;
  }
}

ASTD_TEST(reader_conformance, loses_nothing_when_it_is_cancelled_at_any_moment) {
  for (const auto& kind : test::sources())
    for (int turns = 0; turns < 16; ++turns) {
      auto source = co_await kind.make(content);
      auto feeding = start_feeding(source);
      std::string got;
      // Twice: the second one meets what the first has left.
      for (int again = 0; again < 2; ++again) {
        auto reading = spawn(read_on(source.reader, got, 4));
        for (int i = 0; i < turns; ++i) co_await this_task::yield();
        const auto done = co_await reading.cancel();
        static_cast<void>(done);
      }
      co_await read_on(source.reader, got, 4);
      EXPECT_EQ(got, content) << kind.name << ", cancelled after " << turns << " turns";
      co_await feeding;
    }
}

// A reader that can be asked: `feeder` writes at its other side.
template <try_reader R, class W>
task<> keeps_the_contract_of_attempts(R& reader, W& feeder) {
  std::array<char, 4> buffer{};
  for (int i = 0; i < 3; ++i) {
    const auto early = reader.try_read(buffer);
    EXPECT_TRUE(early.is_not_ready()) << "there is nothing yet";
  }
  EXPECT_EQ(reader.try_read(mutable_bytes()).value(), 0u);
  // Cancelled, readable() leaves no trace.
  auto waiting = spawn([](R& r) -> task<> { co_await r.readable(); }(reader));
  for (int i = 0; i < 4; ++i) co_await this_task::yield();
  const auto waited = co_await waiting.cancel();
  EXPECT_FALSE(waited);

  auto feeding = spawn([](W& to) -> task<> {
    co_await write_all(to, content);
    co_await to.shutdown_write();
  }(feeder));
  std::string got;
  for (;;) {
    const auto tried = reader.try_read(buffer);
    EXPECT_FALSE(tried.is_error());
    if (tried.is_not_ready()) {
      co_await reader.readable();
      continue;
    }
    if (tried.value() == 0) break;
    EXPECT_LE(tried.value(), buffer.size());
    got.append(buffer.data(), tried.value());
  }
  EXPECT_EQ(got, content);
  co_await feeding;
  co_await reader.readable();
  EXPECT_EQ(reader.try_read(buffer).value(), 0u) << "the end stays";
  const auto end = co_await reader.read(buffer);
  EXPECT_EQ(end, 0u);
}

ASTD_TEST(reader_conformance, attempts_on_a_duplex) {
  auto ends = duplex(7);
  co_await keeps_the_contract_of_attempts(ends.first, ends.second);
}

ASTD_TEST(reader_conformance, attempts_on_a_socket) {
  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  auto here = co_await net::tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  co_await keeps_the_contract_of_attempts(here, accepted.first);
}

ASTD_TEST(reader_conformance, attempts_on_memory) {
  cursor memory(content);
  std::array<char, 1000> buffer{};
  EXPECT_EQ(memory.try_read(mutable_bytes()).value(), 0u);
  EXPECT_EQ(memory.try_read(buffer).value(), content.size());
  co_await memory.readable();
  EXPECT_EQ(memory.try_read(buffer).value(), 0u);
}

}  // namespace
}  // namespace astd::io
