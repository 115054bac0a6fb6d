#include <astd/driver/sim/machine.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/print.hpp>
#include <astd/process.hpp>
#include <astd/random.hpp>
#include <astd/signal.hpp>
#include <astd/task.hpp>
#include <astd/testing/sim_gtest.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace {

using namespace std::chrono_literals;
using astd::task;
namespace io = astd::io;
namespace process = astd::process;
namespace sim = astd::sim;
using arguments = std::span<const std::string_view>;

// ---- programs

task<int> echo(arguments args) {
  std::string line;
  for (std::size_t i = 1; i < args.size(); ++i) line += (i > 1 ? " " : "") + std::string(args[i]);
  line += '\n';
  auto out = io::standard_output();
  co_await io::write_all(out, line);
  co_return 0;
}

task<int> exits_with(arguments args) { co_return std::stoi(std::string(args[1])); }

task<> upper() {
  auto in = io::standard_input();
  auto out = io::standard_output();
  std::array<char, 1000> some;
  for (;;) {
    const std::size_t n = co_await in.read(some);
    if (n == 0) co_return;
    for (std::size_t i = 0; i < n; ++i)
      if (some[i] >= 'a' && some[i] <= 'z') some[i] = static_cast<char>(some[i] - 'a' + 'A');
    co_await io::write_all(out, io::const_bytes(some.data(), n));
  }
}

task<> sleeps() { co_await astd::this_task::sleep_for(1h); }

task<int> ends_on_term() {
  astd::signal::stream terms(SIGTERM);
  co_await terms.next();
  co_return 5;
}

task<> fails() {
  co_await astd::this_task::sleep_for(1ms);
  throw std::runtime_error("no luck");
}

task<> prints_its_environment(arguments, arguments environment) {
  auto out = io::standard_output();
  for (const std::string_view one : environment) {
    const std::string line = std::string(one) + '\n';
    co_await io::write_all(out, line);
  }
}

task<> parent_of_echo() {
  process::command grandchild("echo");
  grandchild.arg("from").arg("below");
  co_await grandchild.status();
}

void add_all(sim::universe& universe) {
  universe.add_program("echo", echo);
  universe.add_program("exits", exits_with);
  universe.add_program("upper", upper);
  universe.add_program("sleeps", sleeps);
  universe.add_program("ends_on_term", ends_on_term);
  universe.add_program("fails", fails);
  universe.add_program("parent", parent_of_echo);
  universe.add_program("env", prints_its_environment);
}

template <class F>
task<> on_a_host(sim::universe& universe, F f) {
  add_all(universe);
  auto& h = universe.add_host("host");
  co_await h.run(f);
  co_await astd::this_task::sleep_for(1s);
  EXPECT_EQ(h.machine().descriptors_open(), 0);
}

// ---- what they show

ASTD_SIM_TEST(sim_process, has_arguments_output_and_a_status) {
  co_await on_a_host(universe, []() -> task<> {
    process::command say("echo");
    say.arg("two").arg("words");
    const process::output all = co_await say.output();
    EXPECT_EQ(all.standard_output, "two words\n");
    EXPECT_EQ(all.standard_error, "");
    EXPECT_TRUE(all.status.success());
    process::command ends("/usr/local/bin/exits");
    ends.arg("300");
    const process::exit_status status = co_await ends.status();
    EXPECT_EQ(status.code(), 300 & 0xff);
    process::command sad("fails");
    const process::output failure = co_await sad.output();
    EXPECT_EQ(failure.status.code(), 1);
    EXPECT_EQ(failure.standard_error, "fails: std::runtime_error: no luck\n");
  });
}

ASTD_SIM_TEST(sim_process, what_is_not_there_is_named) {
  co_await on_a_host(universe, []() -> task<> {
    process::command none("nonesuch");
    const auto started = co_await astd::as_result(none.spawn());
    EXPECT_FALSE(started);
    EXPECT_EQ(started.error(), std::errc::no_such_file_or_directory);
    try {
      co_await none.spawn();
    } catch (const std::system_error& e) {
      EXPECT_EQ(std::string(e.what()), "start nonesuch: No such file or directory");
    }
  });
}

ASTD_SIM_TEST(sim_process, is_talked_to_by_pipes) {
  co_await on_a_host(universe, []() -> task<> {
    process::command up("upper");
    up.standard_input(process::stdio::piped()).standard_output(process::stdio::piped());
    auto child = co_await up.spawn();
    // More than the pipes hold.
    const std::string text(200'000, 'x');
    auto writing = [](io::pipe_writer to, const std::string& what) -> task<> { co_await io::write_all(to, what); };
    auto feeding = astd::spawn(writing, std::move(child.standard_input()), text);
    std::string got(text.size(), '\0');
    co_await io::read_exact(child.standard_output(), got);
    EXPECT_EQ(got, std::string(text.size(), 'X'));
    co_await std::move(feeding);
    const std::size_t end = co_await child.standard_output().read(got);
    EXPECT_EQ(end, 0u);
    const process::exit_status status = co_await child.wait();
    EXPECT_TRUE(status.success());
  });
}

ASTD_SIM_TEST(sim_process, is_killed_or_asked_to_end) {
  co_await on_a_host(universe, []() -> task<> {
    for (const int number : {SIGKILL, SIGTERM}) {
      process::command slow("sleeps");
      auto child = co_await slow.spawn();
      co_await astd::this_task::sleep_for(1s);
      EXPECT_FALSE(child.try_wait());
      co_await child.send_signal(SIGCHLD);
      co_await child.send_signal(number);
      const process::exit_status status = co_await child.wait();
      EXPECT_EQ(status.signal(), number);
      EXPECT_EQ(child.try_wait(), status);
      co_await child.kill();
    }
    process::command polite("ends_on_term");
    auto child = co_await polite.spawn();
    co_await astd::this_task::sleep_for(1s);
    co_await child.send_signal(SIGTERM);
    const process::exit_status status = co_await child.wait();
    EXPECT_EQ(status.code(), 5);
    // A wait that is cancelled loses nothing.
    auto last = co_await polite.spawn();
    const auto early = co_await astd::as_result(astd::timeout(1s, last.wait()));
    EXPECT_EQ(early.error(), std::errc::timed_out);
    co_await last.kill();
    const process::exit_status killed = co_await last.wait();
    EXPECT_EQ(killed.signal(), SIGKILL);
  });
}

ASTD_SIM_TEST(sim_process, dropped_it_goes_on_or_is_killed) {
  int& ended = universe.make<int>(0);
  universe.add_program("counts", [&ended]() -> task<> {
    struct guard {
      int& n;
      ~guard() { ++n; }
    } const at_the_end{ended};
    co_await astd::this_task::sleep_for(100ms);
  });
  co_await on_a_host(universe, [&ended]() -> task<> {
    process::command counts("counts");
    for (const bool kills : {false, true}) {
      counts.kill_on_drop(kills);
      const int before = ended;
      {
        auto child = co_await counts.spawn();
        co_await astd::this_task::sleep_for(1ms);
      }
      co_await astd::this_task::sleep_for(10ms);
      EXPECT_EQ(ended, before + (kills ? 1 : 0));
      co_await astd::this_task::sleep_for(1s);
      EXPECT_EQ(ended, before + 1);
    }
  });
}

ASTD_SIM_TEST(sim_process, inherits_what_its_parent_has) {
  add_all(universe);
  universe.add_program("shows", []() -> task<> {
    process::command inner("parent"), environment("env");
    co_await inner.status();
    environment.env("SIZE", "small").env_remove("TASTE");
    co_await environment.status();
  });
  auto& h = universe.add_host("host");
  co_await h.run([]() -> task<> {
    process::command outer("shows");
    outer.env("COLOUR", "green").env("TASTE", "sour");
    const process::output all = co_await outer.output();
    EXPECT_EQ(all.standard_output, "from below\nCOLOUR=green\nSIZE=small\n");
    process::command plain("parent");
    co_await plain.status();
    plain.standard_output(process::stdio::null());
    co_await plain.status();
  });
  EXPECT_EQ(h.output(), "from below\n");
  EXPECT_EQ(h.machine().descriptors_open(), 0);
}

ASTD_SIM_TEST(sim_process, pipelines_run) {
  co_await on_a_host(universe, []() -> task<> {
    process::command say("echo"), up("upper");
    say.arg("quietly");
    auto all = co_await (say | up).output();
    EXPECT_EQ(all.standard_output, "QUIETLY\n");
  });
}

ASTD_SIM_TEST(sim_process, signals_of_a_host_are_its_own_programs) {
  universe.add_program("ends_on_term", ends_on_term);
  auto& h = universe.add_host("host");
  auto running = h.spawn([]() -> task<process::exit_status> {
    const astd::signal::stream terms(SIGTERM);
    process::command polite("ends_on_term");
    const process::exit_status status = co_await polite.status();
    co_return status;
  });
  co_await astd::this_task::sleep_for(1s);
  h.raise(SIGTERM);
  co_await astd::this_task::sleep_for(1s);
  EXPECT_FALSE(running.is_finished());
}

ASTD_SIM_TEST(sim_process, dies_with_its_host) {
  int& begun = universe.make<int>(0);
  int& ended = universe.make<int>(0);
  universe.add_program("counts", [&]() -> task<> {
    struct guard {
      int& n;
      ~guard() { ++n; }
    } const at_the_end{ended};
    ++begun;
    auto in = io::standard_input();
    std::array<char, 10> some;
    co_await in.read(some);
  });
  auto& h = universe.add_host("host", []() -> task<> {
    process::command counts("counts");
    counts.standard_input(process::stdio::piped());
    auto child = co_await counts.spawn();
    co_await astd::this_task::sleep_for(1h);
  });
  for (int life = 1; life <= 3; ++life) {
    co_await universe.eventually(1s, [&] { return begun == life; });
    EXPECT_EQ(ended, life - 1);
    universe.restart(h);
    co_await universe.eventually(1s, [&] { return ended == life; });
  }
}

task<> starts_late() {
  co_await astd::this_task::sleep_for(1ms);
  process::command waits("waits");
  co_await waits.spawn();
}

// The run is over after half of that: what starts then is asked to stop too.
ASTD_SIM_TEST(sim_process, that_starts_when_the_run_is_over_ends_as_well) {
  universe.add_program("waits", []() -> task<> { co_await astd::pending(); });
  universe.add_host("host", []() -> task<> { co_await astd::shield(starts_late()); });
  co_await astd::this_task::sleep_for(500us);
}

task<> again_and_again(int& good) {
  for (;;) {
    process::command say("echo"), up("upper"), slow("sleeps");
    say.arg("x");
    slow.kill_on_drop();
    auto sleeper = co_await astd::as_result(slow.spawn());
    const auto all = co_await astd::as_result((say | up).output());
    if (all && all->standard_output == "X\n") ++good;
    co_await astd::this_task::sleep_for(1ms);
  }
}

ASTD_SIM_TEST_WITH(sim_process, works_when_the_trouble_is_over, sim::swarm) {
  add_all(universe);
  int& good = universe.make<int>(0);
  auto& h = universe.add_host("host", [&good] { return again_and_again(good); });
  for (int i = 0; i < 5; ++i) {
    co_await astd::this_task::sleep_for(std::chrono::microseconds(astd::random::between(1, 5'000)));
    universe.restart(h);
  }
  co_await universe.quiet();
  const int before = good;
  co_await universe.eventually(10s, [&] { return good > before + 2; }, "pipelines that run");
}

ASTD_SIM_TEST(sim_process, what_cannot_be_is_refused) {
  auto& h = universe.add_host("host");
  h.add_program("tool", sleeps);
  EXPECT_THROW(h.add_program("tool", sleeps), std::invalid_argument);
  EXPECT_THROW(universe.add_program("", sleeps), std::invalid_argument);
  EXPECT_THROW(universe.add_program("bin/", sleeps), std::invalid_argument);
  co_await h.run([]() -> task<> {
    process::command tool("tool");
    tool.current_dir("/tmp");
    const auto started = co_await astd::as_result(tool.spawn());
    EXPECT_EQ(started.error(), std::errc::function_not_supported);
  });
}

TEST(sim_process, two_runs_are_one) {
  const auto scenario = [](sim::universe& universe) -> task<> {
    add_all(universe);
    auto& h = universe.add_host("host");
    co_await h.run([]() -> task<> {
      for (int i = 0; i < 5; ++i) {
        process::command say("echo"), up("upper"), slow("sleeps");
        say.arg(std::to_string(i));
        const auto all = co_await astd::as_result((say | up).output());
        auto killed = co_await astd::as_result(slow.spawn());
        static_cast<void>(all);
        if (!killed) continue;
        co_await killed->kill();
        const auto status = co_await astd::as_result(killed->wait());
        static_cast<void>(status);
      }
    });
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sim::report one, other;
    sim::run(sim::swarm(seed), scenario, &one);
    sim::run(sim::swarm(seed), scenario, &other);
    EXPECT_EQ(one.trace_hash, other.trace_hash) << seed;
  }
}

}  // namespace
