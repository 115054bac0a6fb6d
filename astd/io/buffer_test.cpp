#include <astd/io/buffer.hpp>

#include <gtest/gtest.h>

#include <array>
#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace astd::io {
namespace {

using std::convertible_to;

// Into what can one read?
static_assert(convertible_to<std::string&, mutable_bytes>);
static_assert(convertible_to<std::vector<char>&, mutable_bytes>);
static_assert(convertible_to<std::vector<std::byte>&, mutable_bytes>);
static_assert(convertible_to<std::array<unsigned char, 3>&, mutable_bytes>);
static_assert(convertible_to<char (&)[3], mutable_bytes>);
static_assert(convertible_to<std::span<char>, mutable_bytes>);
static_assert(convertible_to<const std::span<std::byte>&, mutable_bytes>);
static_assert(!convertible_to<const std::string&, mutable_bytes>);
static_assert(!convertible_to<std::string, mutable_bytes>, "a temporary is gone before anybody looks at it");
static_assert(!convertible_to<std::span<const char>, mutable_bytes>);
static_assert(!convertible_to<std::string_view, mutable_bytes>);
static_assert(!convertible_to<std::vector<int>&, mutable_bytes>);
static_assert(!convertible_to<const_bytes, mutable_bytes>);

static_assert(convertible_to<std::string, const_bytes>);
static_assert(convertible_to<std::string_view, const_bytes>);
static_assert(convertible_to<const std::vector<std::byte>&, const_bytes>);
static_assert(convertible_to<std::span<const char>, const_bytes>);
static_assert(convertible_to<mutable_bytes, const_bytes>);
static_assert(convertible_to<std::u8string_view, const_bytes>);
static_assert(!convertible_to<std::vector<int>, const_bytes>);
static_assert(!convertible_to<const char*, const_bytes>, "how long it is nobody knows");

std::string_view text_of(const_bytes b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

TEST(buffer, views_the_whole_of_what_it_is_made_from) {
  std::array<char, 5> array{};
  std::string string(7, 'x');
  char plain[9] = {};
  EXPECT_EQ(mutable_bytes(array).size(), 5u);
  EXPECT_EQ(mutable_bytes(string).size(), 7u);
  EXPECT_EQ(mutable_bytes(plain).size(), 9u);
  EXPECT_EQ(static_cast<void*>(mutable_bytes(string).data()), string.data());
  EXPECT_EQ(const_bytes(plain).size(), 9u) << "an array that can be written to is no literal";
  EXPECT_TRUE(mutable_bytes().empty());
  EXPECT_TRUE(const_bytes().empty());
}

TEST(buffer, takes_a_literal_without_its_zero) {
  EXPECT_EQ(text_of("hello"), "hello");
  EXPECT_EQ(text_of(""), "");
  EXPECT_EQ(text_of("a\0b"), std::string_view("a\0b", 3));
  static constexpr char numbers[3] = {1, 2, 3};
  EXPECT_EQ(const_bytes(numbers).size(), 3u);
}

TEST(buffer, is_taken_apart) {
  const const_bytes all = "hello";
  EXPECT_EQ(text_of(all.drop(2)), "llo");
  EXPECT_EQ(text_of(all.drop(5)), "");
  EXPECT_EQ(text_of(all.take(2)), "he");
  EXPECT_EQ(text_of(all.take(9)), "hello");
  std::string string = "hello";
  const mutable_bytes bytes = string;
  *bytes.drop(1).data() = std::byte('a');
  EXPECT_EQ(string, "hallo");
  EXPECT_EQ(bytes.take(9).size(), 5u);
  EXPECT_EQ(bytes.end() - bytes.begin(), 5);
}

}  // namespace
}  // namespace astd::io
