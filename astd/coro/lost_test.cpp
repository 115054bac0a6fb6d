#include <astd/coro/lost.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace astd;

std::string seen;

void keep(std::exception_ptr e, std::string_view whose) noexcept {
  char text[256];
  detail::describe_exception(e, text, sizeof text);
  seen = std::string(whose) + " | " + text;
}

TEST(lost_exceptions, go_to_the_handler) {
  const lost_exception_handler before = set_lost_exception_handler(&keep);
  detail::report_lost(std::make_exception_ptr(std::runtime_error("text")), "task 'x' (id 1)");
  EXPECT_EQ(seen, "task 'x' (id 1) | std::runtime_error: text");
  detail::report_lost(failure(std::make_error_code(std::errc::timed_out), "connect", "there"), "a cleanup");
  EXPECT_EQ(seen.substr(0, 46), "a cleanup | astd::system_error: connect there:") << seen;
  EXPECT_EQ(set_lost_exception_handler(before), &keep);
}

TEST(lost_exceptions, are_printed_without_a_handler) {
  const lost_exception_handler before = set_lost_exception_handler(nullptr);
  testing::internal::CaptureStderr();
  detail::report_lost(std::make_exception_ptr(std::runtime_error("text")), "task 'x' (id 1)");
  detail::report_lost(std::make_exception_ptr(42), "task 2");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "astd: task 'x' (id 1) ended with an exception that nobody awaits: std::runtime_error: text\n"
            "astd: task 2 ended with an exception that nobody awaits: int\n");
  set_lost_exception_handler(before);
}

TEST(lost_exceptions, of_an_outcome_are_reported_once) {
  const lost_exception_handler before = set_lost_exception_handler(&keep);
  detail::outcome<int> o;
  seen = "";
  detail::report_lost(o, "x");
  o.set_value(1);
  detail::report_lost(o, "x");
  EXPECT_EQ(seen, "");
  o.set_exception(std::make_exception_ptr(1));
  detail::report_lost(o, "x");
  EXPECT_EQ(seen, "x | int");
  set_lost_exception_handler(before);
}

}  // namespace
