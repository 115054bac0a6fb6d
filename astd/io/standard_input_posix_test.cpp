#include <astd/coro/as_result.hpp>
#include <astd/io.hpp>
#include <astd/io/test_support.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

namespace astd::io {
namespace {

using namespace std::chrono_literals;
using line = std::optional<std::string>;

static_assert(reader<standard_input_stream> && writer<standard_output_stream>);

ASTD_TEST(standard_input, gives_lines_to_the_end) {
  test::pipe_ends in;
  test::redirected standard(0, in.read_end);
  in.say("one\ntwo\r\n\n\r\nlast");
  in.close_write();
  auto input = standard_input();
  std::vector<std::string> lines;
  for (;;) {
    const auto next = co_await input.read_line();
    if (!next) break;
    lines.push_back(*next);
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "", "", "last"}));
  const auto after = co_await input.read_line();
  EXPECT_EQ(after, line());
}

ASTD_TEST(standard_input, gives_bytes_and_lines_from_one_buffer) {
  test::pipe_ends in;
  test::redirected standard(0, in.read_end);
  in.say("one\ntwo\nthree");
  in.close_write();
  auto input = standard_input();
  const auto first = co_await input.read_line();
  EXPECT_EQ(first, "one");
  std::string bytes(2, ' ');
  co_await read_exact(input, bytes);
  EXPECT_EQ(bytes, "tw");
  const auto rest = co_await input.read_line();
  EXPECT_EQ(rest, "o");
  std::array<char, 100> buffer;
  const auto size = co_await input.read(buffer);
  EXPECT_EQ(std::string(buffer.data(), size), "three");
  const auto end = co_await input.read(buffer);
  EXPECT_EQ(end, 0u);
  const auto nothing = co_await input.read(mutable_bytes());
  EXPECT_EQ(nothing, 0u);
}

ASTD_TEST(standard_input, reads_a_line_longer_than_any_buffer) {
  test::pipe_ends in;
  test::redirected standard(0, in.read_end);
  const std::string longest(300'000, 'x');
  std::thread speaker([&] {
    in.say(longest + "\nshort\n");
    in.close_write();
  });
  auto input = standard_input();
  const auto first = co_await input.read_line();
  const auto second = co_await input.read_line();
  const auto end = co_await input.read_line();
  speaker.join();
  EXPECT_EQ(first, longest);
  EXPECT_EQ(second, "short");
  EXPECT_EQ(end, line());
}

// A timeout between the halves of a line, and one before it, cost nothing.
task<> loses_nothing_to_timeouts(int write_end) {
  auto say = [&](std::string_view text) {
    EXPECT_EQ(::write(write_end, text.data(), text.size()), ssize_t(text.size()));
  };
  auto input = standard_input();
  const auto nothing = co_await as_result(timeout(5ms, input.read_line()));
  EXPECT_EQ(nothing.error(), std::errc::timed_out);
  say("par");
  const auto half = co_await as_result(timeout(5ms, input.read_line()));
  EXPECT_EQ(half.error(), std::errc::timed_out);
  say("tial\nnext\n");
  const auto whole = co_await input.read_line();
  EXPECT_EQ(whole, "partial");
  const auto next = co_await as_result(timeout(0ms, input.read_line()));
  EXPECT_EQ(next, "next") << "what is there beats the deadline";
  const auto again = co_await as_result(timeout(5ms, input.read_line()));
  EXPECT_EQ(again.error(), std::errc::timed_out);
}

ASTD_TEST(standard_input, loses_nothing_to_timeouts_on_a_pipe) {
  test::pipe_ends in;
  test::redirected standard(0, in.read_end);
  co_await loses_nothing_to_timeouts(in.write_end);
}

ASTD_TEST(standard_input, loses_nothing_to_timeouts_on_a_terminal) {
  const int keyboard = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  EXPECT_EQ(::grantpt(keyboard), 0);
  EXPECT_EQ(::unlockpt(keyboard), 0);
  const int terminal = ::open(::ptsname(keyboard), O_RDWR | O_NOCTTY | O_CLOEXEC);
  EXPECT_GE(terminal, 0);
  // As a full-screen program has it: every key arrives at once, so that half a line can.
  termios settings;
  EXPECT_EQ(::tcgetattr(terminal, &settings), 0);
  const termios cooked = settings;
  settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  EXPECT_EQ(::tcsetattr(terminal, TCSANOW, &settings), 0);
  {
    test::redirected standard(0, terminal);
    co_await loses_nothing_to_timeouts(keyboard);
    // And as a shell has it: the line is edited until Enter, Ctrl-D ends the input, once.
    EXPECT_EQ(::tcsetattr(terminal, TCSANOW, &cooked), 0);
    auto input = standard_input();
    EXPECT_EQ(::write(keyboard, "hal", 3), 3);
    const auto unfinished = co_await as_result(timeout(5ms, input.read_line()));
    EXPECT_EQ(unfinished.error(), std::errc::timed_out);
    EXPECT_EQ(::write(keyboard, "\177llo\n", 5), 5);
    const auto edited = co_await input.read_line();
    EXPECT_EQ(edited, "hallo");
    EXPECT_TRUE(input.is_terminal());
    EXPECT_EQ(::write(keyboard, "\4", 1), 1);
    const auto end = co_await input.read_line();
    EXPECT_EQ(end, line());
    EXPECT_EQ(::write(keyboard, "more\n", 5), 5);
    const auto more = co_await input.read_line();
    EXPECT_EQ(more, "more");
  }
  ::close(terminal);
  ::close(keyboard);
}

ASTD_TEST(standard_input, reads_a_file) {
  char name[] = "/tmp/astd-input-XXXXXX";
  const int file = ::mkstemp(name);
  ::unlink(name);
  EXPECT_EQ(::write(file, "one\ntwo", 7), 7);
  ::lseek(file, 0, SEEK_SET);
  {
    test::redirected standard(0, file);
    auto input = standard_input();
    const auto first = co_await as_result(timeout(1h, input.read_line()));
    const auto second = co_await input.read_line();
    const auto end = co_await input.read_line();
    EXPECT_EQ(first, "one");
    EXPECT_EQ(second, "two");
    EXPECT_EQ(end, line());
  }
  ::close(file);
}

task<line> read_one_line() {
  auto input = standard_input();
  const auto next = co_await input.read_line();
  co_return next;
}

ASTD_TEST(standard_input, loses_no_line_to_cancellations_at_any_moment) {
  test::pipe_ends in;
  test::redirected standard(0, in.read_end);
  constexpr int count = 2000;
  std::thread speaker([&] {
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(i);
      // In two pieces, so that half lines are left when a reader is cancelled.
      in.say(number.substr(0, 1));
      in.say(number.substr(1) + '\n');
    }
    in.close_write();
  });
  std::vector<std::string> lines;
  for (unsigned turn = 0;; ++turn) {
    auto reading = spawn(read_one_line);
    for (unsigned k = 0; k < turn % 5; ++k) co_await this_task::yield();
    auto got = co_await reading.cancel();
    if (!got) continue;
    if (!*got) break;
    lines.push_back(**got);
  }
  speaker.join();
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(count));
  int wrong = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) wrong += lines[i] != std::to_string(i);
  EXPECT_EQ(wrong, 0);
}

ASTD_TEST(standard_input, gives_whole_lines_to_readers_that_come_together) {
  test::pipe_ends in;
  test::redirected standard(0, in.read_end);
  std::vector<join_handle<line>> readers;
  for (int i = 0; i < 10; ++i) readers.push_back(spawn(read_one_line));
  for (int i = 0; i < 10; ++i) in.say("x" + std::to_string(i) + "\n");
  std::vector<std::string> lines;
  for (auto& r : readers) {
    auto got = co_await r;
    if (got) lines.push_back(*got);
  }
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, (std::vector<std::string>{"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9"}));
}

ASTD_TEST(standard_input, appends_lines_to_a_string_and_is_a_stream_of_them) {
  test::pipe_ends in;
  test::redirected standard(0, in.read_end);
  in.say("one\ntwo\nthree\r\nfour\nfi");
  auto input = standard_input();
  EXPECT_FALSE(input.is_terminal());
  EXPECT_EQ(input.as_native_handle(), 0);
  std::string text = ">";
  const auto first = co_await input.read_line(text);
  EXPECT_EQ(first, 4u);
  const auto second = co_await io::read_line(input, text);
  EXPECT_EQ(second, 4u);
  EXPECT_EQ(text, ">one\ntwo\n");
  auto lines = input.lines();
  const auto third = co_await lines.next();
  EXPECT_EQ(third, "three");
  auto also = io::lines(input);
  const auto fourth = co_await also.next();
  EXPECT_EQ(fourth, "four");
  // Of what is cut off nothing is taken, not into the string either.
  const auto cut = co_await as_result(timeout(2ms, input.read_line(text)));
  EXPECT_EQ(cut.error(), std::errc::timed_out);
  EXPECT_EQ(text, ">one\ntwo\n");
  in.say("ve");
  in.close_write();
  const auto fifth = co_await also.next();
  EXPECT_EQ(fifth, "five");
  const auto end = co_await lines.next();
  EXPECT_EQ(end, line());
}

ASTD_TEST(standard_output, is_a_writer) {
  test::pipe_ends out;
  std::string got(20, '.');
  bool terminal = true;
  {
    test::redirected standard(1, out.write_end);
    auto output = standard_output();
    terminal = output.is_terminal() || output.as_native_handle() != 1;
    co_await write_all(output, "plain ");
    line_writer lines(output);
    co_await io::print(lines, "and {}\n", "by lines");
    const auto none = co_await output.write(const_bytes());
    got.resize(got.size() + none);
  }
  EXPECT_FALSE(terminal);
  EXPECT_EQ(::read(out.read_end, got.data(), got.size()), 19);
  EXPECT_EQ(got, "plain and by lines\n.");
}

ASTD_TEST(standard_error, names_itself_when_nobody_reads) {
  test::pipe_ends out;
  std::string what;
  {
    test::redirected standard(2, out.write_end);
    out.close_read();
    auto error = standard_error();
    EXPECT_EQ(error.as_native_handle(), 2);
    what = co_await test::error_of(error.write("x"));
  }
  EXPECT_EQ(what, "write standard error: Broken pipe");
}

ASTD_TEST(standard_input, says_what_is_wrong) {
  const int directory = ::open("/tmp", O_RDONLY | O_CLOEXEC);
  std::string what;
  {
    test::redirected standard(0, directory);
    auto input = standard_input();
    what = co_await test::error_of(input.read_line());
  }
  ::close(directory);
  EXPECT_EQ(what, "read standard input: Is a directory");
}

}  // namespace
}  // namespace astd::io
