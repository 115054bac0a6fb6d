// The codecs by themselves, and framed() over pipes.
#include <astd/codec.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/lost.hpp>
#include <astd/io.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace astd::codec {
namespace {

// All frames of `text`, which arrives `piece` bytes at a time; "!" with the message for a failure.
template <class C>
std::vector<std::string> frames(C codec, std::string_view text, std::size_t piece, bool to_the_end = true) {
  std::vector<std::string> all;
  io::byte_buffer in(4);
  auto take = [&](auto got) {
    if (!got)
      all.push_back("!" + got.error().code().message());
    else if (*got)
      all.push_back(**got);
    return !got || *got;
  };
  while (!text.empty()) {
    in.append(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
    while (all.size() < 20 && take(codec.decode(in))) {
    }
  }
  if constexpr (requires { codec.decode_end(in); })
    while (to_the_end && all.size() < 20 && take(codec.decode_end(in))) {
    }
  return all;
}
using texts = std::vector<std::string>;

TEST(codec, lines_come_out_however_they_come_in) {
  for (const std::size_t piece : {1, 2, 3, 100}) {
    EXPECT_EQ(frames(lines(), "one\ntwo\r\n\n\r\nlast", piece), (texts{"one", "two", "", "", "last"}));
    EXPECT_EQ(frames(lines(), "one\n", piece), (texts{"one"}));
    EXPECT_EQ(frames(lines(), "", piece), texts());
    EXPECT_EQ(frames(delimiter("--"), "a-b--c----d-", piece), (texts{"a-b", "c", "", "d-"}));
    EXPECT_EQ(frames(bytes(), "abcdefg", 3), (texts{"abc", "def", "g"}));
  }
}

TEST(codec, lines_that_are_too_long_are_passed_over) {
  for (const std::size_t piece : {1, 2, 3, 100}) {
    EXPECT_EQ(frames(lines(4), "1234\n12345\nab\n123456789", piece),
              (texts{"1234", "!The frame is too large", "ab", "!The frame is too large"}))
        << piece;
    EXPECT_EQ(frames(delimiter("--", 3), "123--1-3--12-4--x", piece),
              (texts{"123", "1-3", "!The frame is too large", "x"}))
        << piece;
  }
  // Memory: no more than the limit and one read.
  delimiter by_newline("\n", 10);
  io::byte_buffer in;
  int failures = 0;
  for (int i = 0; i < 1000; ++i) {
    in.append("0123456789");
    failures += !by_newline.decode(in);
    EXPECT_LE(in.size(), 20u);
  }
  EXPECT_EQ(failures, 1);
}

TEST(codec, what_cannot_be_read_again_is_not_written) {
  io::byte_buffer out;
  EXPECT_EQ(lines().encode("a\nb", out).error().code(), io::errc::invalid_frame);
  const auto large = lines(3).encode("abcd", out);
  EXPECT_EQ(large.error().code(), io::errc::frame_too_large);
  EXPECT_EQ(large.error().subject(), "write a frame of 4 bytes, more than 3");
  length_options one_byte;
  one_byte.length_size = 1;
  EXPECT_EQ(length_delimited(one_byte).encode(std::string(256, 'x'), out).error().code(),
            io::errc::frame_too_large);
  EXPECT_TRUE(out.empty());
  EXPECT_THROW(delimiter(""), std::invalid_argument);
  length_options none;
  none.length_size = 0;
  EXPECT_THROW((length_delimited(none)), std::invalid_argument);
}

TEST(codec, lengths_of_all_kinds) {
  for (const std::size_t size : {1, 2, 3, 4, 8})
    for (const std::endian order : {std::endian::big, std::endian::little})
      for (const bool counts_itself : {false, true}) {
        length_options options;
        options.length_size = size;
        options.order = order;
        options.counts_itself = counts_itself;
        length_delimited codec(options);
        io::byte_buffer out;
        EXPECT_TRUE(codec.encode("hello", out));
        EXPECT_TRUE(codec.encode("", out));
        EXPECT_TRUE(codec.encode(std::string(200, 'x'), out));
        const auto at = order == std::endian::big ? size - 1 : 0;
        EXPECT_EQ(out.bytes().data()[at], std::byte(5 + (counts_itself ? size : 0)));
        for (const std::size_t piece : {1, 7, 1000})
          EXPECT_EQ(frames(codec, out.text(), piece), (texts{"hello", "", std::string(200, 'x')}));
      }
}

TEST(codec, a_length_beyond_the_limit_is_refused_before_it_costs_anything) {
  length_options options;
  options.limit = 1000;
  length_delimited codec(options);
  io::byte_buffer in;
  in.append("\xff\xff\xff\xff");
  for (int i = 0; i < 2; ++i) {
    const auto got = codec.decode(in);
    EXPECT_EQ(got.error().code(), io::errc::frame_too_large);
    EXPECT_EQ(got.error().subject(), "read a frame of 4294967295 bytes, more than 1000");
  }
  options.counts_itself = true;
  length_delimited counting(options);
  io::byte_buffer small;
  small.append(std::string_view("\0\0\0\3", 4));
  EXPECT_EQ(counting.decode(small).error().code(), io::errc::invalid_frame);
}

ASTD_TEST(framed, talks_in_messages) {
  auto ends = io::duplex(5);
  auto echoing = spawn(
      [](io::duplex_stream peer) -> task<> {
        auto messages = astd::framed(std::move(peer), lines());
        for (;;) {
          const auto line = co_await messages.next();
          if (!line) break;
          const std::string answer = "you said " + *line;
          co_await messages.send(answer);
        }
        co_await messages.close();
      },
      std::move(ends.second));
  framed here(ends.first, lines());
  co_await here.send("hello");
  co_await here.feed("a");
  co_await here.feed("b");
  EXPECT_EQ(here.accepted(), 3u);
  co_await here.flush();
  co_await here.shutdown_write();
  texts got;
  for (;;) {
    const auto line = co_await here.next();
    if (!line) break;
    got.push_back(*line);
  }
  EXPECT_EQ(got, (texts{"you said hello", "you said a", "you said b"}));
  co_await echoing;
}

ASTD_TEST(framed, says_when_the_input_ends_within_a_frame) {
  io::cursor memory(std::string("\0\0\0\5hello\0\0\0\5hel", 16));
  framed_read<io::cursor<std::string>&, length_delimited> in(memory, length_delimited());
  const auto first = co_await in.next();
  EXPECT_EQ(first, "hello");
  const auto second = co_await as_result(in.next());
  EXPECT_EQ(second.error(), io::errc::unexpected_end);
}

// A codec of one's own: numbers, one byte each, 255 is an error.
struct small_numbers {
  std::expected<std::optional<int>, failure> decode(io::byte_buffer& in) {
    using result = std::expected<std::optional<int>, failure>;
    if (in.empty()) return std::nullopt;
    const int n = std::to_integer<int>(*in.bytes().data());
    in.consume(1);
    if (n == 255)
      return result(std::unexpect, std::make_error_code(std::errc::protocol_error), "read", "number 255");
    return n;
  }
  std::expected<void, failure> encode(int n, io::byte_buffer& out) {
    const std::byte one[1] = {static_cast<std::byte>(n)};
    out.append(one);
    return {};
  }
};

ASTD_TEST(framed, takes_a_codec_of_ones_own) {
  auto ends = io::duplex(10);
  framed out(ends.first, small_numbers());
  co_await out.send(7);
  co_await out.send(255);
  co_await out.send(8);
  framed in(ends.second, small_numbers());
  const auto seven = co_await in.next();
  EXPECT_EQ(seven, 7);
  const auto bad = co_await as_result(in.next());
  EXPECT_EQ(bad.error(), std::errc::protocol_error);
  const auto eight = co_await in.next();
  EXPECT_EQ(eight, 8);
}

// Whatever is cancelled on either side, whole frames arrive, in order, each that was accepted, once.
ASTD_TEST(framed, loses_and_tears_nothing_when_it_is_cancelled) {
  auto ends = io::duplex(7);
  framed out(std::move(ends.first), length_delimited());
  framed in(std::move(ends.second), length_delimited());
  texts sent, got;
  auto receive = [](auto& from, texts& to) -> task<> {
    for (;;) {
      auto next = co_await from.next();
      if (!next) co_return;
      to.push_back(std::move(*next));
    }
  };
  auto send_one = [](auto& to, std::string text) -> task<> { co_await to.send(std::move(text)); };
  for (int i = 0; i < 200; ++i) {
    const std::string text = "message " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 40), '.');
    auto receiving = spawn(receive(in, got));
    auto sending = spawn(send_one(out, text));
    for (int k = 0; k < i % 9; ++k) co_await this_task::yield();
    co_await sending.cancel();
    co_await receiving.cancel();
    if (out.accepted() > sent.size()) sent.push_back(text);
  }
  auto receiving = spawn(receive(in, got));
  co_await out.flush();
  co_await out.shutdown_write();
  co_await receiving;
  EXPECT_EQ(got, sent);
  EXPECT_GT(sent.size(), 20u);
}

std::atomic<int> lost_reports{0};

ASTD_TEST(framed, says_what_is_lost_with_it) {
  lost_reports = 0;
  const auto before =
      set_lost_exception_handler([](std::exception_ptr, std::string_view) noexcept { ++lost_reports; });
  {
    framed out(io::sink{}, lines{});
    co_await out.feed("never flushed");
  }
  set_lost_exception_handler(before);
  EXPECT_EQ(lost_reports, 1);
}

}  // namespace
}  // namespace astd::codec
