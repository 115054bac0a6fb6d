// GoogleTest tests that are tasks.
//
//   ASTD_TEST(echo, gives_back_what_it_gets) {
//     auto server = co_await astd::net::tcp_listener::bind("127.0.0.1:0");
//     ...
//     EXPECT_EQ(answer, "hello");
//   }
//
// The body runs as a task on the workers of the default runtime. Use EXPECT_*: ASSERT_* returns, which a task cannot. An
// exception that leaves the body fails the test; GoogleTest reports it.
#pragma once

#include <astd/runtime/block_on.hpp>
#include <astd/runtime/task_builder.hpp>

#include <gtest/gtest.h>

#define ASTD_TEST(suite, test)                                                                           \
  static ::astd::task<> astd_test_##suite##_##test();                                                    \
  TEST(suite, test) {                                                                                    \
    ::astd::block_on(::astd::task_builder().name(#suite "." #test).spawn(astd_test_##suite##_##test())); \
  }                                                                                                      \
  static ::astd::task<> astd_test_##suite##_##test()
