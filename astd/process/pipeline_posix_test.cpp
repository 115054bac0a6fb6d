#include <astd/base/test_descriptors.hpp>
#include <astd/future.hpp>
#include <astd/io/test_support.hpp>
#include <astd/io/write_all.hpp>
#include <astd/process.hpp>
#include <astd/process/test_children.hpp>
#include <astd/task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <sys/wait.h>

namespace astd::process {
namespace {

using namespace std::chrono_literals;

ASTD_TEST(pipeline, joins_programs) {
  const output all = co_await (command("printf").arg("b\\na\\nb\\n") | command("sort") | command("uniq")).output();
  EXPECT_EQ(all.standard_output, "a\nb\n");
  EXPECT_TRUE(all.status.success());
}

ASTD_TEST(pipeline, ends_when_its_last_program_has_enough) {
  running_pipeline some =
      co_await (command("yes") | command("head").arg("-n").arg("1").standard_output(stdio::null())).spawn();
  const std::vector<exit_status> all = co_await some.wait();
  EXPECT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].signal(), SIGPIPE);
  EXPECT_TRUE(all[1].success());
}

ASTD_TEST(pipeline, is_fed_and_gives_the_status_of_its_last) {
  running_pipeline counting = co_await (command("cat").standard_input(stdio::piped()) |
                                        command("wc").arg("-c").standard_output(stdio::piped()))
                                  .spawn();
  const std::string much(200'000, 'x');
  co_await io::write_all(counting.standard_input(), much);
  co_await counting.standard_input().close();
  std::string buffer(64, '\0');
  const std::size_t n = co_await counting.standard_output().read(buffer);
  EXPECT_EQ(buffer.substr(0, n), "200000\n");
  co_await counting.wait();
  const exit_status status = co_await (command("true") | command("false")).status();
  EXPECT_EQ(status.code(), 1);
}

ASTD_TEST(pipeline, that_cannot_begin_leaves_nothing) {
  const std::string error = co_await test::error_of((command("yes") | command("no such program")).status());
  EXPECT_EQ(error, "start no such program: No such file or directory");
  co_await test::no_children();
}

task<int> one_of_many() {
  const exit_status status = co_await command("true").status();
  co_return status.success() ? 1 : 0;
}

ASTD_TEST(process, a_thousand_children_at_once) {
  constexpr int many = 1000;
  if (test::lacks_descriptors(many + 200)) co_return;
  const std::size_t before = test::open_descriptors("anon_inode:[pidfd]");
  std::vector<task<int>> all;
  for (int i = 0; i < many; ++i) all.push_back(one_of_many());
  const std::vector<int> good = co_await join(std::move(all));
  EXPECT_EQ(std::ranges::count(good, 1), many);
  EXPECT_LE(test::open_descriptors("anon_inode:[pidfd]"), before);
  co_await test::no_children();
}

ASTD_TEST(process, without_descriptors_it_says_so_and_leaves_nothing) {
  {
    const test::no_more_descriptors none(2);
    const std::string error = co_await test::error_of(command("true").output());
    EXPECT_EQ(error, "pipe for true: Too many open files");
  }
  const output after = co_await command("echo").arg("again").output();
  EXPECT_EQ(after.standard_output, "again\n");
}

}  // namespace
}  // namespace astd::process
