// A program that knows nothing of simulations, run in one.
#include <astd/print.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using astd::task;

task<> program() {
  co_await astd::println("one {}", 1);
  co_await astd::println("and two");
}

TEST(simulated_program, prints_where_its_process_prints) {
  testing::internal::CaptureStdout();
  {
    astd::runtime rt({.workers = 1, .driver = astd::driver::choice::sim});
    rt.block_on(program());
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "one 1\nand two\n");
}

}  // namespace
