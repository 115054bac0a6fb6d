// A conversation with a program whose three streams are pipes, line by line, as over a remote shell.
#include <astd/io.hpp>
#include <astd/process.hpp>
#include <astd/process/test_children.hpp>
#include <astd/task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/this_task.hpp>

#include <optional>
#include <string>

namespace astd::process {
namespace {

// Answers each line on both streams; the answer on its output comes in two pieces.
constexpr const char* script =
    "while read -r line; do printf 'out '; printf '%s\\n' \"$line\"; printf 'err %s\\n' \"$line\" >&2; done; "
    "echo over; exit 7";

using lines = io::buf_reader<io::pipe_reader&>;

task<> next_line(lines& from, std::string& line) { co_await io::read_line(from, line); }

struct conversation {
  child other;
  lines output{other.standard_output()};
  lines errors{other.standard_error()};

  explicit conversation(child&& c) : other(std::move(c)) {}
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;

  task<> ask(int number) {
    const std::string question = "question " + std::to_string(number);
    std::string out;
    std::string err;
    // Every third answer is waited for before the question is asked; every fifth wait is given up on the way.
    std::optional<join_handle<>> early;
    if (number % 3 == 0) early.emplace(spawn(next_line(output, out)));
    for (int i = 0; i < number % 4; ++i) co_await this_task::yield();
    co_await io::write_all(other.standard_input(), question + "\n");
    for (int i = 0; i < number % 7; ++i) co_await this_task::yield();
    if (early && number % 5 == 0)
      co_await early->cancel();
    else if (early)
      co_await std::move(*early);
    // What was read before it was cancelled is in the line, or still to be read.
    if (!out.ends_with('\n')) co_await next_line(output, out);
    EXPECT_EQ(out, "out " + question + "\n");
    co_await next_line(errors, err);
    EXPECT_EQ(err, "err " + question + "\n");
  }
};

ASTD_TEST(process, a_conversation_by_lines_loses_none) {
  command shell("sh");
  shell.arg("-c").arg(script);
  shell.standard_input(stdio::piped()).standard_output(stdio::piped()).standard_error(stdio::piped());
  child started = co_await shell.spawn();
  conversation with(std::move(started));
  for (int number = 0; number < 300 && !::testing::Test::HasFailure(); ++number) co_await with.ask(number);
  co_await with.other.standard_input().close();
  std::string last;
  co_await next_line(with.output, last);
  EXPECT_EQ(last, "over\n");
  last.clear();
  co_await next_line(with.output, last);
  co_await next_line(with.errors, last);
  EXPECT_EQ(last, "") << "both have ended";
  const exit_status status = co_await with.other.wait();
  EXPECT_EQ(status.code(), 7);
}

}  // namespace
}  // namespace astd::process
