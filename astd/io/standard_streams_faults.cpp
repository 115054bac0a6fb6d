// Standard input and output under fault: no line is lost, none is torn. See tests/faults/faults.hpp.
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/io/test_support.hpp>
#include <astd/print.hpp>

#include <tests/faults/faults.hpp>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace astd;
using faults::report;
using faults::scenario;

struct lines_of_standard_input final : scenario {
  explicit lines_of_standard_input(runtime& on) : rt(on), standard(std::in_place, 0, in.read_end) {
    got.reserve(64 * 1024);
  }
  task<> operation() override {
    auto input = io::standard_input();
    for (int i = 0; i < 3; ++i) {
      auto line = co_await input.read_line();
      if (line) got.append(*line).append(1, '\n');  // there is room
    }
    std::array<char, 4> buffer;
    const auto n = co_await input.read(buffer);
    got.append(buffer.data(), n);
  }
  void meanwhile() override {
    if (sent.size() >= 16 * 20 || ++calls % 2 != 0) return;
    const std::string next = std::to_string(calls) + (calls % 3 == 0 ? " and a tail longer than small\n" : ", ");
    in.say(next);
    sent += next;
  }
  void check(const report&) override {
    in.say("\n");
    sent += "\n";
    in.close_write();
    auto input = io::standard_input();
    std::array<char, 256> rest;
    for (;;) {
      const std::size_t n = rt.block_on(input.read(rest));
      if (n == 0) break;
      got.append(rest.data(), n);
    }
    standard.reset();
    EXPECT_EQ(got, sent);
  }
  runtime& rt;
  test::pipe_ends in;
  std::optional<test::redirected> standard;
  int calls = 0;
  std::string sent, got;
};
ASTD_SCENARIO(lines_of_standard_input);

struct print_of_lines final : scenario {
  print_of_lines() : output(std::in_place, 1, out.write_end), error(std::in_place, 2, out.write_end) {
    ::fcntl(out.read_end, F_SETFL, O_NONBLOCK);
  }
  task<> operation() override {
    for (int i = 0; i < 3; ++i) {
      co_await println("line {} of several, longer than any small string", i);
      ++reported;
      co_await eprintln("line {} of several, longer than any small string", i);
      ++reported;
    }
    co_await join(print("line {} of several, longer than any small string\n", 0),
                  eprint("line {} of several, longer than any small string\n", 0));
    reported += 2;
  }
  void check(const report&) override {
    output.reset();
    error.reset();
    std::string all(4096, ' ');
    const auto n = ::read(out.read_end, all.data(), all.size());
    all.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    const std::string line = "line 0 of several, longer than any small string\n";
    EXPECT_EQ(all.size() % line.size(), 0u) << "torn: " << all;
    EXPECT_GE(all.size() / line.size(), reported);
    // What was cancelled at the moment when it was written may be there too: both halves of the join at most.
    EXPECT_LE(all.size() / line.size(), reported + 2);
  }
  test::pipe_ends out;
  std::optional<test::redirected> output, error;
  std::size_t reported = 0;
};
ASTD_SCENARIO(print_of_lines);

}  // namespace
