// Includes nothing else of fmt: formatting has to work with what the header brings.
#include <astd/net/address_error.hpp>
#include <astd/net/socket_address.hpp>

#include <gtest/gtest.h>

#include <compare>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>

namespace {

using namespace std::string_view_literals;
using astd::net::address_errc;
using astd::net::ip_address;
using astd::net::ipv4_address;
using astd::net::ipv6_address;
using astd::net::socket_address;

static_assert(socket_address(ipv4_address(1, 2, 3, 4), 80).ip() == ipv4_address(1, 2, 3, 4));
static_assert(socket_address(ipv6_address::loopback(), 80, 1, 2).scope_id() == 2);
static_assert(std::is_trivially_copyable_v<socket_address>);
static_assert(!std::is_convertible_v<const char*, socket_address>);

TEST(socket_address, holds_what_it_was_given) {
  socket_address none;
  EXPECT_EQ(none.to_string(), "0.0.0.0:0");
  EXPECT_EQ(none.ip(), ipv4_address::any());

  socket_address v4(ipv4_address(192, 0, 2, 1), 443);
  EXPECT_TRUE(v4.is_ipv4());
  EXPECT_FALSE(v4.is_ipv6());
  EXPECT_EQ(v4.port(), 443);
  EXPECT_EQ(v4.flow_info(), 0u);
  EXPECT_EQ(v4.scope_id(), 0u);

  socket_address v6(ipv6_address("fe80::1"), 443, 7, 3);
  EXPECT_FALSE(v6.is_ipv4());
  EXPECT_TRUE(v6.is_ipv6());
  EXPECT_EQ(v6.ip(), ip_address("fe80::1"));
  EXPECT_EQ(v6.port(), 443);
  EXPECT_EQ(v6.flow_info(), 7u);
  EXPECT_EQ(v6.scope_id(), 3u);
}

TEST(socket_address, can_be_changed) {
  socket_address address(ipv6_address("fe80::1"), 443, 7, 3);
  address.set_port(80);
  address.set_flow_info(8);
  address.set_scope_id(4);
  EXPECT_EQ(address, socket_address(ipv6_address("fe80::1"), 80, 8, 4));

  address.set_ip(ipv6_address("fe80::2"));
  EXPECT_EQ(address, socket_address(ipv6_address("fe80::2"), 80, 8, 4));

  address.set_ip(ipv4_address(192, 0, 2, 1));
  EXPECT_EQ(address, socket_address(ipv4_address(192, 0, 2, 1), 80));
  address.set_flow_info(8);
  address.set_scope_id(4);
  EXPECT_EQ(address, socket_address(ipv4_address(192, 0, 2, 1), 80));

  address.set_ip(ipv6_address("fe80::1"));
  EXPECT_EQ(address, socket_address(ipv6_address("fe80::1"), 80));
}

struct form {
  const char* text;
  socket_address address;
  const char* canonical;
};

const form forms[] = {
    {"1.2.3.4:80", {ipv4_address(1, 2, 3, 4), 80}, "1.2.3.4:80"},
    {"0.0.0.0:0", {ipv4_address::any(), 0}, "0.0.0.0:0"},
    {"255.255.255.255:65535", {ipv4_address::broadcast(), 65535}, "255.255.255.255:65535"},
    {"1.2.3.4:0080", {ipv4_address(1, 2, 3, 4), 80}, "1.2.3.4:80"},
    {"[::]:0", {ipv6_address::any(), 0}, "[::]:0"},
    {"[::1]:80", {ipv6_address::loopback(), 80}, "[::1]:80"},
    {"[2001:DB8:0:0:0:0:0:1]:65535", {ipv6_address("2001:db8::1"), 65535}, "[2001:db8::1]:65535"},
    {"[::ffff:1.2.3.4]:80", {ipv6_address("::ffff:1.2.3.4"), 80}, "[::ffff:1.2.3.4]:80"},
    {"[fe80::1%2]:80", {ipv6_address("fe80::1"), 80, 0, 2}, "[fe80::1%2]:80"},
    {"[fe80::1%0]:80", {ipv6_address("fe80::1"), 80, 0, 0}, "[fe80::1]:80"},
    {"[fe80::1%02]:80", {ipv6_address("fe80::1"), 80, 0, 2}, "[fe80::1%2]:80"},
    {"[ff02::1%4294967295]:80", {ipv6_address("ff02::1"), 80, 0, 4294967295}, "[ff02::1%4294967295]:80"},
};

TEST(socket_address, reads_every_form_and_writes_the_canonical_one) {
  for (const form& f : forms) {
    auto address = socket_address::parse(f.text);
    ASSERT_TRUE(address) << f.text << ": " << address.error().message();
    EXPECT_EQ(*address, f.address) << f.text;
    EXPECT_EQ(address->to_string(), f.canonical) << f.text;
    EXPECT_EQ(fmt::format("{}", *address), f.canonical) << f.text;
    EXPECT_EQ(socket_address::parse(f.canonical), f.address) << f.text;
    EXPECT_EQ(socket_address(std::string_view(f.text)), f.address) << f.text;
  }
}

struct failure {
  std::string_view text;
  address_errc error;
};

constexpr failure failures[] = {
    {"", address_errc::missing_host},
    {":", address_errc::missing_host},
    {":80", address_errc::missing_host},
    {"[]:80", address_errc::missing_host},
    {"1.2.3.4", address_errc::missing_port},
    {"1.2.3.4:", address_errc::missing_port},
    {"[::1]", address_errc::missing_port},
    {"[::1]:", address_errc::missing_port},
    {"[::1]80", address_errc::missing_port},
    {"[::1] :80", address_errc::missing_port},
    {"1.2.3.4:http", address_errc::invalid_port},
    {"1.2.3.4:+80", address_errc::invalid_port},
    {"1.2.3.4:-80", address_errc::invalid_port},
    {"1.2.3.4: 80", address_errc::invalid_port},
    {"1.2.3.4:80 ", address_errc::invalid_port},
    {"1.2.3.4:80\0"sv, address_errc::invalid_port},
    {"1.2.3.4:0x50", address_errc::invalid_port},
    {"1.2.3.4:8o", address_errc::invalid_port},
    {"1.2.3.4:80/", address_errc::invalid_port},
    {"1.2.3.4:\xd9\xa8", address_errc::invalid_port},
    {"1.2.3.4:99999999999x", address_errc::invalid_port},
    {"1.2.3.4:65536", address_errc::port_out_of_range},
    {"[::1]:65536", address_errc::port_out_of_range},
    {"1.2.3.4:4294967376", address_errc::port_out_of_range},
    {"1.2.3.4:18446744073709551696", address_errc::port_out_of_range},
    {"1.2.3:80", address_errc::invalid_ip_address},
    {"1.2.3.04:80", address_errc::invalid_ip_address},
    {"1.2.3.4.5:80", address_errc::invalid_ip_address},
    {" 1.2.3.4:80", address_errc::invalid_ip_address},
    {"1.2.3.4 :80", address_errc::invalid_ip_address},
    {"1.2.3.4%1:80", address_errc::invalid_ip_address},
    {"localhost:80", address_errc::invalid_ip_address},
    {"[1.2.3.4]:80", address_errc::invalid_ipv6_address},
    {"[localhost]:80", address_errc::invalid_ipv6_address},
    {"[::1::]:80", address_errc::invalid_ipv6_address},
    {"[ ::1]:80", address_errc::invalid_ipv6_address},
    {"[::1\0]:80"sv, address_errc::invalid_ipv6_address},
    {"[%1]:80", address_errc::invalid_ipv6_address},
    {"::1", address_errc::too_many_colons},
    {"::1:80", address_errc::too_many_colons},
    {"fe80::1%2:80", address_errc::too_many_colons},
    {"1.2.3.4:80:80", address_errc::too_many_colons},
    {"1.2.3.4::80", address_errc::too_many_colons},
    {"[::1]:80:80", address_errc::too_many_colons},
    {"[::1]::80", address_errc::too_many_colons},
    {"[::1:80", address_errc::unbalanced_brackets},
    {"[", address_errc::unbalanced_brackets},
    {"]", address_errc::unbalanced_brackets},
    {"::1]:80", address_errc::unbalanced_brackets},
    {"1.2.3.4]:80", address_errc::unbalanced_brackets},
    {"[[::1]]:80", address_errc::unbalanced_brackets},
    {"[::1]]:80", address_errc::unbalanced_brackets},
    {"[::1]:80]", address_errc::unbalanced_brackets},
    {"1.2.3.4:[80]", address_errc::unbalanced_brackets},
    {" [::1]:80", address_errc::unbalanced_brackets},
    {"[fe80::1%]:80", address_errc::invalid_scope},
    {"[fe80::1%4294967296]:80", address_errc::invalid_scope},
    {"[fe80::1%18446744073709551617]:80", address_errc::invalid_scope},
    {"[fe80::1%25%1]:80", address_errc::invalid_scope},
    {"[fe80::1% 1]:80", address_errc::invalid_scope},
    {"[fe80::1%1\0]:80"sv, address_errc::invalid_scope},
    {"[fe80::1%a/b]:80", address_errc::invalid_scope},
    {"[fe80::1%+1]:80", address_errc::unknown_interface},
    {"[fe80::1%no such]:80", address_errc::invalid_scope},
    {"[fe80::1%a-name-longer-than-any-interface-can-have]:80", address_errc::unknown_interface},
    {"[fe80::1%\xff\xfe]:80", address_errc::unknown_interface},
};

TEST(socket_address, says_what_is_wrong) {
  for (auto [text, error] : failures) {
    auto address = socket_address::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error(), make_error_code(error)) << text << ": " << address.error().message();
    EXPECT_EQ(address.error(),
              error == address_errc::unknown_interface ? std::errc::no_such_device : std::errc::invalid_argument)
        << text;
    try {
      socket_address made(text);
      FAIL() << text << " made " << made.to_string();
    } catch (const std::invalid_argument& thrown) {
      EXPECT_TRUE(std::string_view(thrown.what()).starts_with(make_error_code(error).message() + ": \"")) << text;
    }
  }
}

TEST(socket_address, constructor_from_text_throws_with_the_text) {
  try {
    socket_address made("1.2.3.4:65536"sv);
    FAIL() << made.to_string();
  } catch (const std::invalid_argument& thrown) {
    EXPECT_STREQ(thrown.what(), R"(port above 65535: "1.2.3.4:65536")");
  }
}

TEST(socket_address, refuses_very_long_texts) {
  for (char c : {'1', '0', ':', '.', '[', ']', '%'}) {
    std::string text(1'000'000, c);
    EXPECT_FALSE(socket_address::parse(text)) << c;
    EXPECT_FALSE(socket_address::parse("[::1" + text + "]:80")) << c;
    EXPECT_EQ(socket_address::parse("[::1%" + text + "]:80").has_value(), c == '0') << c;
    EXPECT_EQ(socket_address::parse("[::1]:" + text + "80").has_value(), c == '0') << c;
  }
}

TEST(socket_address, is_ordered_by_ip_port_flow_and_scope) {
  const socket_address ascending[] = {
      {ipv4_address(1, 2, 3, 4), 80},
      {ipv4_address(1, 2, 3, 4), 81},
      {ipv4_address(1, 2, 3, 5), 79},
      {ipv4_address(255, 2, 3, 5), 0},
      {ipv6_address::any(), 0},
      {ipv6_address::loopback(), 80},
      {ipv6_address::loopback(), 80, 0, 1},
      {ipv6_address::loopback(), 80, 1, 0},
      {ipv6_address::loopback(), 81, 0, 0},
      {ipv6_address("fe80::1"), 0},
  };
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      EXPECT_EQ(ascending[i] <=> ascending[j], i <=> j) << i << ' ' << j;
      EXPECT_EQ(ascending[i] == ascending[j], i == j) << i << ' ' << j;
    }
  }
}

TEST(socket_address, hashes_all_its_parts) {
  std::hash<socket_address> hash;
  EXPECT_EQ(hash(socket_address("[::1]:80"sv)), hash({ipv6_address::loopback(), 80}));
  std::unordered_set<std::size_t> hashes = {
      hash({ipv6_address::loopback(), 80}),
      hash({ipv6_address::loopback(), 81}),
      hash({ipv6_address::any(), 80}),
      hash({ipv4_address::any(), 80}),
      hash({ipv6_address::loopback(), 80, 1, 0}),
      hash({ipv6_address::loopback(), 80, 0, 1}),
  };
  EXPECT_EQ(hashes.size(), 6u);
  std::unordered_set<socket_address> set;
  for (const form& f : forms) set.insert(f.address);
  for (const form& f : forms) EXPECT_TRUE(set.contains(socket_address(std::string_view(f.canonical)))) << f.text;
}

TEST(socket_address, is_formatted_as_a_string_is) {
  socket_address address(ipv6_address("fe80::1"), 80, 0, 2);
  EXPECT_EQ(fmt::format("{}", address), "[fe80::1%2]:80");
  EXPECT_EQ(fmt::format("{:>16}|{:.<16}", address, address), "  [fe80::1%2]:80|[fe80::1%2]:80..");
  EXPECT_EQ(fmt::format("{} {}", address.ip(), address.port()), "fe80::1 80");
}

TEST(socket_address, longest_text_fits) {
  socket_address longest(ipv6_address::from_bits(~0ull, ~0ull), 65535, 0, 4294967295);
  EXPECT_EQ(longest.to_string(), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
  EXPECT_EQ(fmt::format("{}", longest).size(), 58u);
}

}  // namespace
