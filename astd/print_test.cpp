#include <astd/coro/as_result.hpp>
#include <astd/io/test_support.hpp>
#include <astd/print.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace astd {
namespace {

// Reads a pipe to its end on a thread of its own.
class collector {
 public:
  explicit collector(test::pipe_ends& pipe)
      : thread_([this, fd = pipe.read_end] {
          char buffer[1000];
          for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
            text_.append(buffer, static_cast<std::size_t>(n));
        }) {}
  ~collector() {
    if (thread_.joinable()) thread_.join();
  }
  /// When the last write end is closed.
  std::string all() {
    thread_.join();
    return text_;
  }

 private:
  std::string text_;
  std::thread thread_;
};

ASTD_TEST(print, writes_what_was_formatted) {
  test::pipe_ends out;
  test::pipe_ends err;
  {
    test::redirected standard_output(1, out.write_end);
    test::redirected standard_error(2, err.write_end);
    co_await print("{} and ", 1);
    co_await println("{}", std::string("two"));
    co_await println();
    co_await eprint("{:.1f}, ", 3.0);
    co_await eprintln("four");
    co_await eprintln();
    co_await print("");
  }
  out.close_write();
  err.close_write();
  collector o(out);
  collector e(err);
  EXPECT_EQ(o.all(), "1 and two\n\n");
  EXPECT_EQ(e.all(), "3.0, four\n\n");
}

ASTD_TEST(print, keeps_no_reference_to_its_arguments) {
  test::pipe_ends out;
  {
    test::redirected standard_output(1, out.write_end);
    task<> later;
    {
      const std::string gone = "a text that is longer than a short string";
      later = println("{}", gone);
    }
    co_await std::move(later);
  }
  out.close_write();
  collector o(out);
  EXPECT_EQ(o.all(), "a text that is longer than a short string\n");
}

task<> print_lines(char letter) {
  // Longer than what a pipe takes in one piece.
  for (int i = 0; i < 20; ++i) co_await println("{}", std::string(20'000, letter));
}

void lines_do_not_mix(int more_flags) {
  test::pipe_ends out;
  ::fcntl(out.write_end, F_SETFL, ::fcntl(out.write_end, F_GETFL) | more_flags);
  collector o(out);
  block_on([](int write_end) -> task<> {
    test::redirected standard_output(1, write_end);
    std::vector<join_handle<>> tasks;
    for (char letter : {'a', 'b', 'c', 'd'}) tasks.push_back(spawn(print_lines, letter));
    for (auto& t : tasks) co_await t;
  }(out.write_end));
  out.close_write();
  const std::string text = o.all();
  EXPECT_EQ(text.size(), 4u * 20 * 20'001);
  std::size_t whole = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (text.substr(begin, end - begin) == std::string(20'000, text[begin])) ++whole;
    begin = end + 1;
  }
  EXPECT_EQ(whole, 80u);
}

TEST(print, keeps_the_lines_of_tasks_apart) { lines_do_not_mix(0); }
TEST(print, waits_where_standard_output_does_not_block) { lines_do_not_mix(O_NONBLOCK); }

ASTD_TEST(print, says_that_nobody_reads_any_more) {
  test::pipe_ends out;
  out.close_read();
  std::string what;
  std::error_code code;
  {
    test::redirected standard_output(1, out.write_end);
    what = co_await test::error_of(println("to nobody"));
    const auto again = co_await as_result(println("to nobody"));
    code = again.error();
  }
  EXPECT_EQ(what, "write standard output: Broken pipe");
  EXPECT_EQ(code, std::errc::broken_pipe);
}

ASTD_TEST(print, can_be_cancelled_while_nobody_reads) {
  test::pipe_ends out;
  bool ended = true;
  {
    test::redirected standard_output(1, out.write_end);
    auto stuck = spawn(println("{}", std::string(1'000'000, 'x')));
    co_await this_task::sleep_for(std::chrono::milliseconds(5));
    auto waiting = spawn(println("behind it"));
    co_await this_task::sleep_for(std::chrono::milliseconds(5));
    const auto first = co_await waiting.cancel();
    const auto second = co_await stuck.cancel();
    ended = first || second;
  }
  EXPECT_FALSE(ended);
  out.close_write();
  collector o(out);
  const std::string text = o.all();
  EXPECT_EQ(text, std::string(text.size(), 'x'));
}

}  // namespace
}  // namespace astd
