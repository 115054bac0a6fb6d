#include <astd/base/test_descriptors.hpp>
#include <astd/future.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/test_support.hpp>
#include <astd/io/write_all.hpp>
#include <astd/process.hpp>
#include <astd/process/test_children.hpp>
#include <astd/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace astd::process {
namespace {

using namespace std::chrono_literals;

command shell(std::string script) {
  command c("sh");
  c.arg("-c").arg(std::move(script));
  return c;
}

task<std::string> read_whole(io::pipe_reader& from) {
  std::string all;
  std::array<char, 4096> buffer;
  for (;;) {
    const std::size_t n = co_await from.read(buffer);
    if (n == 0) co_return all;
    all.append(buffer.data(), n);
  }
}

ASTD_TEST(process, collects_what_a_program_writes) {
  const output all = co_await shell("echo out; echo err >&2; exit 3").output();
  EXPECT_EQ(all.standard_output, "out\n");
  EXPECT_EQ(all.standard_error, "err\n");
  EXPECT_EQ(all.status.code(), 3);
  EXPECT_FALSE(all.status.success());
  EXPECT_EQ(all.status.to_string(), "exit code 3");
}

ASTD_TEST(process, tells_the_signal_that_ended_it) {
  const exit_status status = co_await shell("kill -TERM $$").status();
  EXPECT_EQ(status.signal(), SIGTERM);
  EXPECT_EQ(status.code(), std::nullopt);
  EXPECT_FALSE(status.success());
  EXPECT_EQ(fmt::format("{}", status), "signal 15 (Terminated)");
}

ASTD_TEST(process, gives_arguments_environment_and_directory) {
  command c = shell("echo \"$1|$2|$A|$B|$HOME|$(pwd)\"");
  c.arg("sh").arg("a b").arg("*").env("A", "1").env("B", "2").env_remove("B").env_remove("HOME").current_dir("/");
  const output all = co_await c.output();
  EXPECT_EQ(all.standard_output, "a b|*|1|||/\n");
  const std::vector<std::pair<std::string, std::string>> more{{"E", "1"}, {"F", ""}};
  const output bare =
      co_await command("/usr/bin/env").env("C", "0").env_clear().env("D", "=x=").envs(more).output();
  EXPECT_EQ(bare.standard_output, "D==x=\nE=1\nF=\n");
  const output named = co_await command("sh").arg0("other").arg("-c").arg("echo $0").output();
  EXPECT_EQ(named.standard_output, "other\n");
}

ASTD_TEST(process, names_a_program_that_does_not_exist) {
  const std::string by_name = co_await test::error_of(command("no such program").spawn());
  EXPECT_EQ(by_name, "start no such program: No such file or directory");
  const std::string by_path = co_await test::error_of(command("/dev/null/x").status());
  EXPECT_EQ(by_path, "start /dev/null/x: Not a directory");
  const std::string folder = co_await test::error_of(command("/tmp").output());
  EXPECT_EQ(folder, "start /tmp: Permission denied");
  const std::string nowhere = co_await test::error_of(command("true").current_dir("/no/such").spawn());
  EXPECT_EQ(nowhere, "change directory for true to /no/such: No such file or directory");
  co_await test::no_children();
}

ASTD_TEST(process, errors_name_the_program) {
  const std::string nameless = co_await test::error_of(command("").spawn());
  EXPECT_EQ(nameless, "start '', a command without a program's name: No such file or directory");
  child gone = co_await command("true").standard_input(stdio::piped()).spawn();
  io::pipe_writer input = std::move(gone.standard_input());
  co_await gone.wait();
  auto one_more = [](io::pipe_writer& to) -> task<> { co_await to.write("x"); };
  const std::string broken = co_await test::error_of(one_more(input));
  EXPECT_EQ(broken, "write standard input of true: Broken pipe");
}

// In a process of its own, which has closed its standard descriptors.
[[noreturn]] void start_without_standard_descriptors() {
  for (int i = 0; i < 3; ++i) ::close(i);
  bool high = true;
  runtime rt({.workers = 1});
  rt.block_on([](bool& all) -> task<> {
    command c("cat");
    c.standard_input(stdio::piped()).standard_output(stdio::piped()).standard_error(stdio::null());
    child cat = co_await c.spawn();
    all = cat.standard_input().as_native_handle() > 2 && cat.standard_output().as_native_handle() > 2;
    co_await io::write_all(cat.standard_input(), "hello");
    co_await cat.standard_input().close();
    const std::string echoed = co_await read_whole(cat.standard_output());
    all = all && echoed == "hello";
    const exit_status status = co_await cat.wait();
    all = all && status.success();
    // The reaper's.
    child late = co_await command("sleep").arg("1000").standard_output(stdio::null()).kill_on_drop(true).spawn();
  }(high));
  for (int i = 0; i < 3; ++i) high = high && ::fcntl(i, F_GETFD) == -1;
  std::_Exit(high ? 0 : 1);
}

TEST(process_death, keeps_off_the_numbers_of_standard_descriptors) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(start_without_standard_descriptors(), testing::ExitedWithCode(0), "");
}

ASTD_TEST(process, refuses_what_the_system_would_cut_off) {
  using namespace std::string_literals;
  const std::string by_name = co_await test::error_of(command("true\0x"s).spawn());
  EXPECT_EQ(by_name, "start true with its name: Invalid argument");
  const std::string folder = co_await test::error_of(command("true").current_dir("/\0x"s).status());
  EXPECT_EQ(folder, "start true with its directory: Invalid argument");
  const std::string argument = co_await test::error_of(command("true").arg("a").arg("b\0c"s).output());
  EXPECT_EQ(argument, "start true with argument 2: Invalid argument");
  const std::string value = co_await test::error_of(command("true").env("A", "b\0c"s).spawn());
  EXPECT_EQ(value, "start true with variable 'A': Invalid argument");
  const std::string equals = co_await test::error_of(command("true").env("A=B", "c").spawn());
  EXPECT_EQ(equals, "start true with variable 'A=B': Invalid argument");
  const std::string nameless = co_await test::error_of(command("true").env("", "c").spawn());
  EXPECT_EQ(nameless, "start true with variable '': Invalid argument");
  const exit_status taken_back = co_await command("true").env("A=B", "c").env_clear().status();
  EXPECT_TRUE(taken_back.success());
  co_await test::no_children();
}

ASTD_TEST(process, converses_through_pipes) {
  child upper = co_await command("tr")
                    .arg("a-z")
                    .arg("A-Z")
                    .standard_input(stdio::piped())
                    .standard_output(stdio::piped())
                    .spawn();
  EXPECT_GT(upper.id(), 0);
  EXPECT_FALSE(upper.try_wait());
  EXPECT_FALSE(upper.standard_error().is_open());
  co_await io::write_all(upper.standard_input(), "hello\n");
  co_await upper.standard_input().close();
  const std::string all = co_await read_whole(upper.standard_output());
  EXPECT_EQ(all, "HELLO\n");
  const exit_status status = co_await upper.wait();
  EXPECT_TRUE(status.success());
  EXPECT_EQ(upper.try_wait(), status);
  const exit_status again = co_await upper.wait();
  EXPECT_EQ(again, status);
}

ASTD_TEST(process, output_may_be_larger_than_any_pipe) {
  constexpr std::size_t size = 3'000'000;
  const output all = co_await shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2").output();
  EXPECT_EQ(all.standard_output.size(), size);
  EXPECT_EQ(all.standard_error.size(), size);
  EXPECT_TRUE(std::ranges::all_of(all.standard_error, [](char c) { return c == 0; }));
}

ASTD_TEST(process, a_child_that_never_reads_holds_up_its_writer_alone) {
  child deaf = co_await command("sleep").arg("1000").standard_input(stdio::piped()).spawn();
  const std::string much(1'000'000, 'x');
  auto writing =
      spawn([](child& to, std::string_view text) -> task<> { co_await io::write_all(to.standard_input(), text); },
            std::ref(deaf), std::string_view(much));
  for (int i = 0; i < 20; ++i) co_await this_task::yield();
  EXPECT_FALSE(writing.is_finished());
  co_await deaf.kill();
  const auto written = co_await as_result(writing);
  EXPECT_EQ(written.error(), std::errc::broken_pipe);
  const exit_status status = co_await deaf.wait();
  EXPECT_EQ(status.signal(), SIGKILL);
  co_await deaf.kill();  // does nothing
}

ASTD_TEST(process, wait_closes_the_childs_input) {
  child cat = co_await command("cat").standard_input(stdio::piped()).spawn();
  const exit_status status = co_await cat.wait();
  EXPECT_TRUE(status.success());
}

ASTD_TEST(process, a_cancelled_wait_loses_nothing) {
  for (int turns = 0; turns < 12; ++turns) {
    child one = co_await shell("read x; exit 7").standard_input(stdio::piped()).spawn();
    // wait() would close it.
    io::pipe_writer input = std::move(one.standard_input());
    auto waiting = spawn(
        [](child& c) -> task<exit_status> {
          const exit_status status = co_await c.wait();
          co_return status;
        },
        std::ref(one));
    for (int i = 0; i < turns; ++i) co_await this_task::yield();
    if (turns % 3 == 0) co_await input.close();
    const auto ended = co_await waiting.cancel();
    co_await input.close();
    const exit_status status = co_await one.wait();
    EXPECT_EQ(status.code(), 7);
    if (ended) {
      EXPECT_EQ(*ended, status);
    }
  }
}

ASTD_TEST(process, a_cancelled_spawn_leaves_nothing) {
  for (int turns = 0; turns < 8; ++turns) {
    auto starting = spawn([]() -> task<int> {
      child one = co_await command("sleep").arg("1000").kill_on_drop().spawn();
      const int pid = one.id();
      co_await this_task::yield();
      co_return pid;
    });
    for (int i = 0; i < turns; ++i) co_await this_task::yield();
    const auto pid = co_await starting.cancel();
    if (pid) co_await test::no_child(*pid);
  }
  co_await test::no_children();
}

ASTD_TEST(process, of_a_task_that_was_asked_to_stop_is_not_started) {
  test::pipe_ends said;
  auto stopped = spawn([&]() -> task<> {
    this_task::request_cancel();
    co_await command("echo").standard_output(stdio::from(said.write_end)).status();
  });
  while (!stopped.is_finished()) co_await this_task::yield();
  said.close_write();
  co_await test::no_children();
  io::pipe_reader from = io::pipe_reader::from_native_handle(said.read_end);
  said.read_end = -1;
  const std::string text = co_await read_whole(from);
  EXPECT_EQ(text, "");
}

ASTD_TEST(process, kill_on_drop_kills_and_nothing_is_left_defunct) {
  int pid;
  {
    child one = co_await command("sleep").arg("1000").kill_on_drop().spawn();
    pid = one.id();
    EXPECT_TRUE(test::has_child(pid));
  }
  co_await test::no_child(pid);
  EXPECT_FALSE(test::has_child(pid));
}

// Wherever the start has come to: who has kept nobody's handle has killed.
ASTD_TEST(process, kill_on_drop_holds_for_a_start_that_is_cancelled) {
  for (int turns = 0; turns < 12; ++turns) {
    test::pipe_ends said;
    auto start = [](int out) -> task<> {
      child one = co_await command("sleep").arg("1000").standard_output(stdio::from(out)).kill_on_drop().spawn();
      co_await one.wait();
    };
    auto starting = spawn(start(said.write_end));
    for (int i = 0; i < turns; ++i) co_await this_task::yield();
    co_await starting.cancel();
    said.close_write();
    io::pipe_reader from = io::pipe_reader::from_native_handle(said.read_end);
    said.read_end = -1;
    const std::string text = co_await timeout(20s, read_whole(from));  // ends when the child has
    EXPECT_EQ(text, "");
    co_await test::no_children();
  }
}

ASTD_TEST(process, a_child_outlives_its_handle) {
  test::pipe_ends said;
  int pid;
  {
    // Its standard input is ours, to let it go.
    child one = co_await shell("read x; echo done")
                    .standard_input(stdio::piped())
                    .standard_output(stdio::from(said.write_end))
                    .spawn();
    pid = one.id();
    io::pipe_writer input = std::move(one.standard_input());
    {
      child gone = std::move(one);
    }
    EXPECT_TRUE(test::has_child(pid));
    co_await io::write_all(input, "x\n");
  }
  said.close_write();
  io::pipe_reader from = io::pipe_reader::from_native_handle(said.read_end);
  said.read_end = -1;
  const std::string text = co_await read_whole(from);
  EXPECT_EQ(text, "done\n");
  co_await test::no_child(pid);
}

ASTD_TEST(process, steals_nobodys_children) {
  const pid_t other = ::fork();
  if (other == 0) ::_exit(42);
  const exit_status mine = co_await command("true").status();
  EXPECT_TRUE(mine.success());
  int status = 0;
  EXPECT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

ASTD_TEST(process, children_have_no_signal_blocked_and_no_descriptor_of_ours) {
  test::pipe_ends ours;
  const output masks = co_await command("grep").arg("^SigBlk").arg("/proc/self/status").output();
  EXPECT_EQ(masks.standard_output, "SigBlk:\t0000000000000000\n");
  char name[64] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(ours.read_end);
  EXPECT_GT(::readlink(link.c_str(), name, sizeof name - 1), 0);
  const output open = co_await shell("ls -l /proc/$$/fd").output();
  EXPECT_FALSE(open.standard_output.empty());
  EXPECT_EQ(open.standard_output.find(name), std::string::npos) << open.standard_output;
}

ASTD_TEST(process, groups_sessions_and_limits) {
  child own = co_await command("sleep").arg("1000").process_group(0).kill_on_drop().spawn();
  EXPECT_EQ(::getpgid(own.id()), own.id());
  child same = co_await command("sleep").arg("1000").process_group(own.id()).kill_on_drop().spawn();
  EXPECT_EQ(::getpgid(same.id()), own.id());
  child far = co_await command("sleep").arg("1000").new_session().kill_on_drop().spawn();
  EXPECT_EQ(::getsid(far.id()), far.id());
  const output self = co_await shell("id -u; id -g").user_id(::getuid()).group_id(::getgid()).output();
  EXPECT_EQ(self.standard_output, fmt::format("{}\n{}\n", ::getuid(), ::getgid()));
  const output limit = co_await shell("ulimit -n").limit(resource::open_files, 17).output();
  EXPECT_EQ(limit.standard_output, "17\n");
  const std::string refused = co_await test::error_of(command("true").limit(resource::open_files, 5, 4).spawn());
  EXPECT_EQ(refused, "set limits of true: Invalid argument");
}

ASTD_TEST(process, standard_streams_may_be_one) {
  test::pipe_ends both;
  command c = shell("echo a; echo b >&2");
  const stdio to = stdio::from(both.write_end);
  const exit_status status = co_await c.standard_output(to).standard_error(to).status();
  EXPECT_TRUE(status.success());
  std::array<char, 8> buffer;
  EXPECT_EQ(::read(both.read_end, buffer.data(), 8), 4);
  EXPECT_EQ(std::string_view(buffer.data(), 4), "a\nb\n");
}

ASTD_TEST(process, errors_and_questions_name_the_program) {
  const command none("/no/such/program");
  EXPECT_EQ(none.program(), "/no/such/program");
  const std::string error = co_await test::error_of(none.spawn());
  EXPECT_EQ(error, "start /no/such/program: No such file or directory");
}

ASTD_TEST(process, a_childs_output_may_be_anothers_input) {
  child first = co_await command("echo").arg("hello").standard_output(stdio::piped()).spawn();
  command second("cat");
  second.standard_input(stdio::from(std::move(first.standard_output())));
  const output all = co_await second.output();
  EXPECT_EQ(all.standard_output, "hello\n");
  const exit_status status = co_await first.wait();
  EXPECT_TRUE(status.success());
}

}  // namespace
}  // namespace astd::process
