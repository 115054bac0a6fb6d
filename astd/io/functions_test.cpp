// The functions over readers and writers, one by one.
#include <astd/coro/as_result.hpp>
#include <astd/coro/ready.hpp>
#include <astd/io.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace astd::io {
namespace {

// Gives `text` three bytes at a time, then the end; or, asked for the nth time, an error.
struct slow_source {
  std::string text;
  int fails_at = -1;
  task<std::size_t> read(mutable_bytes buffer) {
    co_await this_task::yield();
    if (fails_at-- == 0) co_await fail(failure(std::make_error_code(std::errc::io_error), "read", "a slow source"));
    const std::size_t n = std::min({buffer.size(), text.size(), std::size_t{3}});
    std::memcpy(buffer.data(), text.data(), n);
    text.erase(0, n);
    co_return n;
  }
};

// Takes four bytes at a time, of one buffer only or of several.
struct slow_sink {
  std::string text;
  int calls = 0;
  auto write(const_bytes from) {
    ++calls;
    const const_bytes taken = from.take(4);
    text.append(reinterpret_cast<const char*>(taken.data()), taken.size());
    return ready(taken.size());
  }
};
struct vectored_sink : slow_sink {
  std::size_t most = 0;
  auto write_vectored(std::span<const const_bytes> buffers) {
    ++calls;
    most = std::max(most, buffers.size());
    std::size_t n = 0;
    for (const const_bytes& b : buffers) {
      const const_bytes taken = b.take(10 - n);
      text.append(reinterpret_cast<const char*>(taken.data()), taken.size());
      n += taken.size();
    }
    return ready(n);
  }
};

ASTD_TEST(read_to_end, appends_to_what_is_there) {
  slow_source source{"0123456789"};
  std::string all = "before ";
  const auto n = co_await read_to_end(source, all);
  EXPECT_EQ(n, 10u);
  EXPECT_EQ(all, "before 0123456789");
  std::vector<std::byte> bytes;
  cursor memory(std::string(100'000, 'x'));
  const auto m = co_await read_to_end(memory, bytes);
  EXPECT_EQ(m, 100'000u);
  EXPECT_EQ(bytes.size(), 100'000u);
}

ASTD_TEST(read_to_end, takes_little_more_memory_when_there_was_just_enough) {
  slow_source source{std::string(99, 'x')};
  std::vector<char> all;
  all.reserve(99);
  const auto n = co_await read_to_end(source, all);
  EXPECT_EQ(n, 99u);
  EXPECT_LE(all.capacity(), 99u + 32);
  slow_source more{std::string(100, 'x')};
  const auto m = co_await read_to_end(more, all);
  EXPECT_EQ(m, 100u);
  EXPECT_EQ(all, std::vector<char>(199, 'x'));
}

ASTD_TEST(read_to_string, keeps_what_was_read_when_it_fails) {
  slow_source source{"0123456789", 2};
  std::string all = "before ";
  const auto n = co_await as_result(read_to_string(source, all));
  EXPECT_EQ(n.error(), std::errc::io_error);
  EXPECT_EQ(all, "before 012345");
  const auto rest = co_await read_to_string(source, all);
  EXPECT_EQ(rest, 4u);
  EXPECT_EQ(all, "before 0123456789");
}

ASTD_TEST(read_to_string, keeps_what_was_read_when_it_is_cancelled) {
  auto ends = duplex(100);
  std::string all = "before ";
  co_await write_all(ends.second, "0123");
  auto reading = spawn(read_to_string(ends.first, all));
  co_await ends.second.writable();
  for (int i = 0; i < 20; ++i) co_await this_task::yield();
  const auto done = co_await reading.cancel();
  EXPECT_FALSE(done);
  co_await write_all(ends.second, "4567");
  co_await ends.second.shutdown_write();
  const auto n = co_await read_to_string(ends.first, all);
  EXPECT_GE(n, 4u);
  EXPECT_EQ(all, "before 01234567");
}

ASTD_TEST(read_exact, tells_how_far_it_came) {
  slow_source source{"0123456789", 2};
  std::string buffer(10, '.');
  std::size_t filled = 0;
  const auto failed = co_await as_result(read_exact(source, buffer, filled));
  EXPECT_FALSE(failed);
  EXPECT_EQ(filled, 6u);
  co_await read_exact(source, buffer, filled);
  EXPECT_EQ(filled, 10u);
  EXPECT_EQ(buffer, "0123456789");
}

ASTD_TEST(write_all, tells_how_far_it_came) {
  std::array<char, 5> room{};
  cursor out(room);
  std::size_t written = 0;
  const auto done = co_await as_result(write_all(out, "0123456789", written));
  EXPECT_EQ(done.error(), errc::nothing_written);
  EXPECT_EQ(written, 5u);
  EXPECT_EQ(std::string_view(room.data(), 5), "01234");
}

ASTD_TEST(read_line, appends_lines_with_their_ends) {
  buf_reader in(slow_source{"one\n\r\nlast"}, 4);
  std::string text = ">";
  const auto one = co_await read_line(in, text);
  EXPECT_EQ(one, 4u);
  const auto empty_one = co_await read_line(in, text);
  EXPECT_EQ(empty_one, 2u);
  const auto last = co_await read_line(in, text);
  EXPECT_EQ(last, 4u);
  const auto end = co_await read_line(in, text);
  EXPECT_EQ(end, 0u);
  EXPECT_EQ(text, ">one\n\r\nlast");
}

ASTD_TEST(read_line, keeps_what_was_read_when_it_fails) {
  buf_reader in(slow_source{"a long line\n", 2}, 4);
  std::string text = ">";
  const auto failed = co_await as_result(read_line(in, text));
  EXPECT_EQ(failed.error(), std::errc::io_error);
  EXPECT_EQ(text, ">a long");
  const auto n = co_await read_line(in, text);
  EXPECT_EQ(n, 6u);
  EXPECT_EQ(text, ">a long line\n");
}

ASTD_TEST(read_until, stops_behind_the_delimiter) {
  cursor in("key=value;next");
  std::vector<std::byte> key;
  const auto n = co_await read_until(in, std::byte('='), key);
  EXPECT_EQ(n, 4u);
  std::string value;
  const auto m = co_await read_until(in, ';', value);
  EXPECT_EQ(m, 6u);
  EXPECT_EQ(value, "value;");
  EXPECT_EQ(in.position(), 10u);
}

ASTD_TEST(lines, are_a_stream) {
  auto all = lines(buf_reader(slow_source{"one\r\ntwo\n\nlast", 3}, 3));
  std::vector<std::string> got;
  int failures = 0;
  for (;;) {
    const auto next = co_await as_result(all.next());
    if (!next) {
      ++failures;  // the beginning of a line is kept
      continue;
    }
    if (!*next) break;
    got.push_back(**next);
  }
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(got, (std::vector<std::string>{"one", "two", "", "last"}));
}

ASTD_TEST(split, gives_the_pieces_between_delimiters) {
  cursor in("a,b,,c,");
  auto all = split(in, ',');
  std::vector<std::string> got;
  for (;;) {
    const auto next = co_await all.next();
    if (!next) break;
    got.push_back(*next);
  }
  EXPECT_EQ(got, (std::vector<std::string>{"a", "b", "", "c"})) << "nothing comes behind a delimiter at the end";
}

ASTD_TEST(bytes, come_one_by_one) {
  slow_source source{"abc"};
  auto unbuffered = bytes(source);
  cursor memory("def");
  auto buffered = bytes(memory);
  std::string got;
  for (;;) {
    const auto next = co_await unbuffered.next();
    if (!next) break;
    got += static_cast<char>(*next);
  }
  for (;;) {
    const auto next = co_await buffered.next();
    if (!next) break;
    got += static_cast<char>(*next);
  }
  EXPECT_EQ(got, "abcdef");
}

ASTD_TEST(numbers, are_written_and_read_in_both_orders) {
  cursor out(std::string{});
  co_await write_u16_be(out, 0x0102);
  co_await write_u16_le(out, 0x0102);
  co_await write_int<std::uint32_t>(out, 0x01020304);
  EXPECT_EQ(out.get(), std::string_view("\x01\x02\x02\x01\x01\x02\x03\x04", 8));
  co_await write_i64_le(out, -2);
  co_await write_f32_be(out, 1.5F);
  co_await write_f64_le(out, -0.1);
  co_await write_u8(out, 200);
  co_await rewind(out);
  const auto a = co_await read_u16_be(out);
  const auto b = co_await read_u16_le(out);
  const auto c = co_await read_int<std::uint32_t>(out);
  slow_source rest{out.get().substr(8)};
  const auto d = co_await read_i64_le(rest);
  const auto e = co_await read_float<float>(rest);
  buf_reader buffered(rest, 4);
  const auto f = co_await read_f64_le(buffered);
  const auto g = co_await read_u8(buffered);
  EXPECT_EQ(a, 0x0102);
  EXPECT_EQ(b, 0x0102);
  EXPECT_EQ(c, 0x01020304u);
  EXPECT_EQ(d, -2);
  EXPECT_EQ(e, 1.5F);
  EXPECT_EQ(f, -0.1);
  EXPECT_EQ(g, 200);
  const auto none = co_await as_result(read_u8(buffered));
  EXPECT_EQ(none.error(), errc::unexpected_end);
}

ASTD_TEST(numbers, are_taken_whole_or_not_at_all_from_a_buffer) {
  buf_reader in(slow_source{"0123456", 1});
  const auto failed = co_await as_result(read_u64_be(in));
  EXPECT_EQ(failed.error(), std::errc::io_error);
  const auto early = co_await as_result(read_u64_be(in));
  EXPECT_EQ(early.error(), errc::unexpected_end);
  const auto four = co_await read_u32_be(in);
  EXPECT_EQ(four, 0x30313233u);
}

ASTD_TEST(vectored, writes_all_of_many_buffers) {
  std::vector<std::string> pieces;
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    pieces.push_back(std::string(static_cast<std::size_t>(i % 5), static_cast<char>('a' + i % 26)));
    expected += pieces.back();
  }
  const std::vector<const_bytes> views(pieces.begin(), pieces.end());
  slow_sink one_by_one;
  co_await write_all_vectored(one_by_one, views);
  EXPECT_EQ(one_by_one.text, expected);
  vectored_sink together;
  std::size_t written = 3;
  co_await write_all_vectored(together, views, written);
  EXPECT_EQ(together.text, expected.substr(3));
  EXPECT_EQ(written, expected.size());
  EXPECT_GT(together.most, 3u);
}

ASTD_TEST(vectored, reads_into_the_first_buffer_that_has_room) {
  cursor in("abcdef");
  std::string text(3, '.');
  const std::array<mutable_bytes, 2> buffers{mutable_bytes(), mutable_bytes(text)};
  const auto n = co_await read_vectored(in, buffers);
  EXPECT_EQ(n, 3u);
  EXPECT_EQ(text, "abc");
}

ASTD_TEST(chain, goes_on_with_the_second) {
  auto both = chain(cursor("one "), slow_source{"two"});
  const auto text = co_await read_to_string(both);
  EXPECT_EQ(text, "one two");
  auto buffered = chain(cursor("a\nb"), cursor("c\n"));
  static_assert(buffered_reader<decltype(buffered)>);
  std::string line;
  co_await read_line(buffered, line);
  co_await read_line(buffered, line);
  EXPECT_EQ(line, "a\nbc\n");
}

ASTD_TEST(take, ends_at_its_limit) {
  slow_source source{"0123456789"};
  auto first = take(source, 5);
  const auto text = co_await read_to_string(first);
  EXPECT_EQ(text, "01234");
  EXPECT_EQ(first.limit(), 0u);
  EXPECT_EQ(source.text, "56789");
  first.set_limit(2);
  const auto more = co_await read_to_string(first);
  EXPECT_EQ(more, "56");
  auto buffered = take(cursor("a\nb\nc\n"), 3);
  std::string all;
  const auto one = co_await read_line(buffered, all);
  const auto two = co_await read_line(buffered, all);
  const auto end = co_await read_line(buffered, all);
  EXPECT_EQ(one + two + end, 3u);
  EXPECT_EQ(all, "a\nb");
}

ASTD_TEST(cursor, reads_writes_and_goes_anywhere) {
  cursor memory(std::string("0123456789"));
  const auto end = co_await seek(memory, seek_from::end(-2));
  EXPECT_EQ(end, 8u);
  co_await write_all(memory, "abcd");
  EXPECT_EQ(memory.get(), "01234567abcd");
  const auto here = co_await stream_position(memory);
  EXPECT_EQ(here, 12u);
  const auto there = co_await seek(memory, seek_from::current(2));
  EXPECT_EQ(there, 14u);
  const auto nothing = co_await read_to_string(memory);
  EXPECT_EQ(nothing, "");
  co_await write_all(memory, "x");
  EXPECT_EQ(memory.get(), std::string_view("01234567abcd\0\0x", 15));
  const auto before = co_await as_result(seek(memory, seek_from::current(-16)));
  EXPECT_EQ(before.error(), std::errc::invalid_argument);
  EXPECT_EQ(memory.position(), 15u);
  co_await rewind(memory);
  const auto all = co_await read_to_string(take(memory, 8));
  EXPECT_EQ(all, "01234567");
}

ASTD_TEST(null, gives_and_takes_without_end) {
  repeat x(std::byte('x'));
  std::string text(5, '.');
  co_await read_exact(x, text);
  EXPECT_EQ(text, "xxxxx");
  sink nowhere;
  co_await write_all(nowhere, text);
  empty nothing;
  const auto none = co_await read_to_string(nothing);
  EXPECT_EQ(none, "");
  // It never waits, and can be stopped all the same.
  auto busy = spawn([](repeat from, sink to) -> task<> { co_await copy(from, to); }, x, nowhere);
  co_await this_task::yield();
  const auto stopped = co_await busy.cancel();
  EXPECT_FALSE(stopped);
}

ASTD_TEST(io_print, formats_for_any_writer) {
  cursor out(std::string{});
  co_await io::print(out, "{}-{}", 1, std::string("two"));
  co_await io::println(out, "{:>4}", 3);
  co_await io::println(out);
  EXPECT_EQ(out.get(), "1-two   3\n\n");
}

ASTD_TEST(any_reader, owns_or_refers) {
  slow_source source{"0123456789"};
  any_reader refers(source);
  const auto some = co_await read_to_string(take(refers, 4));
  EXPECT_EQ(some, "0123");
  std::vector<any_reader> several;
  several.emplace_back(std::move(source));
  several.emplace_back(cursor("abc"));
  std::string all;
  for (any_reader& each : several) co_await read_to_string(each, all);
  EXPECT_EQ(all, "456789abc");
}

}  // namespace
}  // namespace astd::io
