// GoogleTest tests that are tasks.
//
//   ASTD_TEST(echo, gives_back_what_it_gets) {
//     auto server = co_await astd::net::tcp_listener::bind("127.0.0.1:0");
//     ...
//     EXPECT_EQ(answer, "hello");
//   }
//
// The body runs as a task on the workers of the default runtime, or, with ASTD_TEST_WITH, of one of its own: such as one
// whose clock jumps when everything sleeps, so that hours pass in no time and exactly:
//
//   ASTD_TEST_WITH(reminder, comes_daily, astd::test::virtual_time()) {
//     co_await astd::this_task::sleep_for(24h);
//     ...
//   }
//
// Use EXPECT_*: ASSERT_* returns, which a task cannot. An
// exception that leaves the body fails the test; GoogleTest reports it.
#pragma once

#include <astd/runtime/block_on.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_builder.hpp>

#include <gtest/gtest.h>

#include <utility>

namespace astd::test {

/// Options for a runtime in virtual time; for the rest, what the environment says.
[[nodiscard]] inline runtime_options virtual_time() {
  runtime_options options = runtime_options::from_environment();
  options.clock = clock_kind::virtual_time;
  return options;
}

}  // namespace astd::test

namespace astd::detail {

/// Spawns a test's body under its name, where this is awaited.
inline task<> run_test(const char* name, task<> body) {
  auto running = task_builder().name(name).spawn(std::move(body));
  co_await std::move(running);
}

}  // namespace astd::detail

#define ASTD_TEST(suite, test)                                                                           \
  static ::astd::task<> astd_test_##suite##_##test();                                                    \
  TEST(suite, test) {                                                                                    \
    ::astd::block_on(::astd::task_builder().name(#suite "." #test).spawn(astd_test_##suite##_##test())); \
  }                                                                                                      \
  static ::astd::task<> astd_test_##suite##_##test()

/// `...`: the astd::runtime_options of a runtime made for this test, which ends with it.
#define ASTD_TEST_WITH(suite, test, ...)                                                                  \
  static ::astd::task<> astd_test_##suite##_##test();                                                     \
  TEST(suite, test) {                                                                                     \
    ::astd::runtime astd_test_runtime(__VA_ARGS__);                                                       \
    astd_test_runtime.block_on(::astd::detail::run_test(#suite "." #test, astd_test_##suite##_##test())); \
  }                                                                                                       \
  static ::astd::task<> astd_test_##suite##_##test()
