// read_exact and write_all, over readers and writers that do as little at a time as they may.
#include <astd/coro/as_result.hpp>
#include <astd/coro/ready.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/write_all.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace astd::io {
namespace {

// Gives `text`, at most three bytes at a time.
struct slow_source {
  std::string text;
  int reads = 0;
  auto read(mutable_bytes buffer) {
    ++reads;
    const std::size_t n = std::min({buffer.size(), text.size(), std::size_t{3}});
    std::memcpy(buffer.data(), text.data(), n);
    text.erase(0, n);
    return ready(n);
  }
};

// Takes two bytes at a time, `room` in all; then none.
struct slow_sink {
  std::size_t room;
  std::string text;
  auto write(const_bytes buffer) {
    const std::size_t n = std::min({buffer.size(), room, std::size_t{2}});
    room -= n;
    text.append(reinterpret_cast<const char*>(buffer.data()), n);
    return ready(n);
  }
};

struct broken {
  task<std::size_t> read(mutable_bytes) { co_await fail(std::make_error_code(std::errc::io_error)); }
  task<std::size_t> write(const_bytes) { co_await fail(std::make_error_code(std::errc::io_error)); }
};

static_assert(reader<slow_source> && !writer<slow_source>);
static_assert(writer<slow_sink> && !reader<slow_sink>);
static_assert(reader<broken> && writer<broken>);
static_assert(!reader<int> && !reader<std::string>);

ASTD_TEST(read_exact, fills_the_buffer_and_no_more) {
  slow_source source{"0123456789"};
  std::string buffer(7, '.');
  co_await read_exact(source, buffer);
  EXPECT_EQ(buffer, "0123456");
  EXPECT_EQ(source.text, "789");
}

ASTD_TEST(read_exact, reads_nothing_into_nothing) {
  slow_source source{""};
  co_await read_exact(source, mutable_bytes());
  EXPECT_EQ(source.reads, 0);
}

ASTD_TEST(read_exact, says_when_the_end_comes_too_early) {
  slow_source source{"0123"};
  std::string buffer(7, '.');
  const auto got = co_await as_result(read_exact(source, buffer));
  EXPECT_EQ(got.error(), errc::unexpected_end);
  EXPECT_EQ(got.error().message(), "Unexpected end of input");
}

ASTD_TEST(read_exact, passes_the_readers_error_on) {
  broken source;
  std::string buffer(7, '.');
  const auto got = co_await as_result(read_exact(source, buffer));
  EXPECT_EQ(got.error(), std::errc::io_error);
}

ASTD_TEST(write_all, writes_all) {
  slow_sink sink{100, {}};
  co_await write_all(sink, "0123456789");
  EXPECT_EQ(sink.text, "0123456789");
}

ASTD_TEST(write_all, does_not_go_on_for_ever_when_nothing_is_taken) {
  slow_sink sink{3, {}};
  const auto done = co_await as_result(write_all(sink, "0123456789"));
  EXPECT_EQ(done.error(), errc::nothing_written);
  EXPECT_EQ(done.error().message(), "Nothing could be written");
}

ASTD_TEST(write_all, passes_the_writers_error_on) {
  broken sink;
  const auto done = co_await as_result(write_all(sink, "x"));
  EXPECT_EQ(done.error(), std::errc::io_error);
}

}  // namespace
}  // namespace astd::io
