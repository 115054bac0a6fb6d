#include <astd/base/error.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using astd::failure;

const std::error_code timed_out = std::make_error_code(std::errc::timed_out);
const std::error_code no_entry = std::make_error_code(std::errc::no_such_file_or_directory);

static_assert(std::is_nothrow_copy_constructible_v<failure> && std::is_nothrow_move_constructible_v<failure>);
static_assert(std::is_nothrow_copy_constructible_v<astd::system_error>, "as an exception must be");

TEST(failure, is_made_from_a_code) {
  const failure none;
  EXPECT_FALSE(none.code());
  EXPECT_EQ(none.subject(), "");
  const failure from_code = timed_out;
  EXPECT_EQ(from_code.code(), timed_out);
  EXPECT_EQ(from_code.subject(), "");
  const failure from_condition = std::errc::timed_out;
  EXPECT_EQ(from_condition.code(), timed_out);
}

TEST(failure, names_its_subject) {
  EXPECT_EQ(failure(no_entry, "open", "/tmp/x y").subject(), "open /tmp/x y");
  EXPECT_EQ(failure(no_entry, "/tmp/x").subject(), "/tmp/x");
  EXPECT_EQ(failure(no_entry, "", "/tmp/x").subject(), "/tmp/x");
  EXPECT_EQ(failure(no_entry, "accept", "").subject(), "accept") << "no blank behind it";
  EXPECT_EQ(failure(no_entry, "", "").subject(), "");
  EXPECT_EQ(failure(no_entry, "").subject(), "");
  const std::string with_zero("a\0b", 3);
  EXPECT_EQ(failure(no_entry, "open", with_zero).subject(), "open " + with_zero);
  const std::string long_one(100'000, 'x');
  EXPECT_EQ(failure(no_entry, "open", long_one).subject().size(), 100'005u);
}

TEST(failure, copies_its_argument) {
  std::string path = "/tmp/x";
  const failure f(no_entry, "open", path);
  path = "xxxxxx";
  EXPECT_EQ(f.subject(), "open /tmp/x");
}

TEST(failure, shares_its_text) {
  failure a(no_entry, "open", "/tmp/x");
  const failure b = a;
  EXPECT_EQ(a.subject().data(), b.subject().data());
  failure c = std::move(a);
  EXPECT_EQ(a.subject(), "");  // NOLINT: moved from
  EXPECT_EQ(c.subject(), "open /tmp/x");
  c = timed_out;
  EXPECT_EQ(c.code(), timed_out);
  EXPECT_EQ(c.subject(), "");
  EXPECT_EQ(b.subject(), "open /tmp/x");
  c = b;
  failure& self = c;
  c = self;
  EXPECT_EQ(c.subject(), "open /tmp/x");
  EXPECT_EQ(c.code(), no_entry);
}

TEST(failure, is_shared_by_threads) {
  const failure original(no_entry, "open", "/tmp/x");
  std::vector<std::thread> threads;
  for (int i = 0; i != 4; ++i)
    threads.emplace_back([copy = original] {
      for (int k = 0; k != 10'000; ++k) {
        failure mine = copy;
        failure other = std::move(mine);
        if (other.subject() != "open /tmp/x") std::abort();
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(original.subject(), "open /tmp/x");
}

TEST(system_error, is_a_std_system_error_with_the_subject) {
  try {
    astd::detail::throw_failure(failure(no_entry, "open", "/tmp/x"));
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), no_entry);
    EXPECT_EQ(std::string(e.what()), "open /tmp/x: No such file or directory");
    const auto* ours = dynamic_cast<const astd::system_error*>(&e);
    ASSERT_TRUE(ours);
    EXPECT_EQ(ours->failure().subject(), "open /tmp/x");
  }
  EXPECT_STREQ(astd::system_error(timed_out).what(), "Connection timed out");
}

TEST(task_cancelled, names_the_task) {
  const astd::task_cancelled e("task 'reader'");
  EXPECT_EQ(e.code(), std::errc::operation_canceled);
  EXPECT_STREQ(e.what(), "task 'reader': Operation canceled");
  EXPECT_THROW(astd::detail::throw_task_cancelled("task 7"), astd::task_cancelled);
}

TEST(throw_invalid_argument, throws_what_it_says) {
  EXPECT_THROW(astd::detail::throw_invalid_argument("x"), std::invalid_argument);
}

TEST(code_of, gives_the_code_of_a_system_error_and_throws_the_rest) {
  EXPECT_EQ(astd::detail::code_of(std::make_exception_ptr(std::system_error(timed_out))), timed_out);
  EXPECT_EQ(astd::detail::code_of(std::make_exception_ptr(astd::system_error(no_entry))), no_entry);
  EXPECT_THROW(astd::detail::code_of(std::make_exception_ptr(std::runtime_error("x"))), std::runtime_error);
  EXPECT_THROW(astd::detail::code_of(std::make_exception_ptr(1)), int);
}

namespace inner {
struct strange {};
}  // namespace inner

TEST(describe_exception, names_type_and_text) {
  auto describe = [](const std::exception_ptr& e, std::size_t size = 200) {
    std::string text(200, '#');
    astd::detail::describe_exception(e, text.data(), size);
    return std::string(text.c_str());
  };
  EXPECT_EQ(describe(std::make_exception_ptr(std::runtime_error("text"))), "std::runtime_error: text");
  EXPECT_EQ(describe(std::make_exception_ptr(astd::system_error(timed_out))),
            "astd::system_error: Connection timed out");
  EXPECT_EQ(describe(std::make_exception_ptr(1)), "int");
  EXPECT_NE(describe(std::make_exception_ptr(inner::strange())).find("inner::strange"), std::string::npos);
  EXPECT_EQ(describe(std::make_exception_ptr(std::runtime_error("text")), 10), "std::runt")
      << "cut off, and terminated";
}

}  // namespace
