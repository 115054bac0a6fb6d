#include <astd/net/address_error.hpp>
#include <astd/net/ip_address.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bitset>
#include <compare>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <vector>

namespace {

using namespace std::string_view_literals;
using astd::net::address_errc;
using astd::net::ip_address;
using astd::net::ipv4_address;
using astd::net::ipv6_address;

// What is constant needs no run.
static_assert(ipv4_address().is_unspecified() && ipv6_address().is_unspecified() && ip_address().is_ipv4());
static_assert(ipv4_address(1, 2, 3, 4).to_bits() == 0x01020304);
static_assert(ipv4_address::from_bits(0xc0000201) == ipv4_address(192, 0, 2, 1));
static_assert(ipv4_address(ipv4_address(9, 8, 7, 6).octets()) == ipv4_address(9, 8, 7, 6));
static_assert(ipv6_address(1, 2, 3, 4, 5, 6, 7, 8) ==
              ipv6_address::from_bits(0x0001'0002'0003'0004, 0x0005'0006'0007'0008));
static_assert(ipv6_address(ipv6_address(1, 2, 3, 4, 5, 6, 7, 8).octets()) == ipv6_address(1, 2, 3, 4, 5, 6, 7, 8));
static_assert(ipv6_address(ipv6_address(1, 2, 3, 4, 5, 6, 7, 8).segments()) ==
              ipv6_address(1, 2, 3, 4, 5, 6, 7, 8));
static_assert(ipv4_address(1, 2, 3, 4).to_ipv6_mapped().to_ipv4_mapped() == ipv4_address(1, 2, 3, 4));
static_assert(ip_address(ipv4_address(1, 2, 3, 4).to_ipv6_mapped()).to_canonical() == ipv4_address(1, 2, 3, 4));
static_assert(ipv4_address::bits == 32 && ipv6_address::bits == 128);
static_assert(std::is_trivially_copyable_v<ip_address> && std::is_nothrow_default_constructible_v<ip_address>);
static_assert(!std::is_convertible_v<const char*, ip_address> && !std::is_convertible_v<const char*, ipv4_address>);

TEST(ipv4_address, constants) {
  EXPECT_EQ(ipv4_address::any().to_string(), "0.0.0.0");
  EXPECT_EQ(ipv4_address::loopback().to_string(), "127.0.0.1");
  EXPECT_EQ(ipv4_address::broadcast().to_string(), "255.255.255.255");
}

TEST(ipv6_address, constants) {
  EXPECT_EQ(ipv6_address::any().to_string(), "::");
  EXPECT_EQ(ipv6_address::loopback().to_string(), "::1");
}

TEST(ipv4_address, octets_are_in_the_order_of_the_text) {
  ipv4_address address("192.0.2.33");
  EXPECT_EQ(address.octets(), (std::array<std::uint8_t, 4>{192, 0, 2, 33}));
  EXPECT_EQ(address.to_bits(), 0xc0000221u);
  EXPECT_EQ(ipv4_address(std::array<std::uint8_t, 4>{192, 0, 2, 33}), address);
}

TEST(ipv6_address, octets_and_segments_are_in_the_order_of_the_text) {
  ipv6_address address("102:304:506:708:90a:b0c:d0e:f10");
  EXPECT_EQ(address.octets(),
            (std::array<std::uint8_t, 16>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}));
  EXPECT_EQ(address.segments(),
            (std::array<std::uint16_t, 8>{0x102, 0x304, 0x506, 0x708, 0x90a, 0xb0c, 0xd0e, 0xf10}));
  EXPECT_EQ(address.to_bits(), (std::array<std::uint64_t, 2>{0x0102030405060708, 0x090a0b0c0d0e0f10}));
  EXPECT_EQ(ipv6_address(0x102, 0x304, 0x506, 0x708, 0x90a, 0xb0c, 0xd0e, 0xf10), address);
  EXPECT_EQ(ipv6_address(address.octets()), address);
  EXPECT_EQ(ipv6_address(address.segments()), address);
  EXPECT_EQ(ipv6_address::from_bits(0x0102030405060708, 0x090a0b0c0d0e0f10), address);
}

TEST(ipv4_address, reads_and_writes_the_same_text) {
  for (auto text : {"0.0.0.0", "1.2.3.4", "9.10.99.100", "127.0.0.1", "199.200.249.250", "255.255.255.255"}) {
    auto address = ipv4_address::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
    EXPECT_EQ(ip_address::parse(text), ip_address(*address)) << text;
  }
}

constexpr std::string_view not_ipv4[] = {
    "", " ", ".", "...", "1", "1.2", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2..4", "1.2.3..4", "1.2.3.4.",
    ".1.2.3.4", "1.2.3.4.5", "1.2.3.4..", "256.1.1.1", "1.256.1.1", "1.1.256.1", "1.1.1.256", "1.1.1.999",
    "1.1.1.1000", "1.1.1.4294967297", "1.1.1.18446744073709551617",
    // Leading zeros, octal, hexadecimal and the short forms of inet_aton.
    "01.2.3.4", "1.02.3.4", "1.2.03.4", "1.2.3.04", "1.2.3.00", "00.0.0.0", "000.0.0.0", "0127.0.0.1", "0177.0.0.1",
    "0x7f.0.0.1", "0x7f000001", "2130706433", "127.1", "127.0.1", "1.2.3.0x4", "1.2.3.a",
    // Signs, spaces and other characters; other scripts' digits.
    "-1.2.3.4", "+1.2.3.4", "1.2.3.+4", "1.2.3.-4", " 1.2.3.4", "1.2.3.4 ", "1.2. 3.4", "1.2.3.4\n", "\t1.2.3.4",
    "1,2,3,4", "1:2:3:4", "1.2.3.4/32", "1.2.3.4:80", "1.2.3.4%lo", "[1.2.3.4]", "1.2.3.4\0"sv, "1.2.3\0.4"sv,
    "\0001.2.3.4"sv, "1.2.3.4\0x"sv, "1.2.3.\xd9\xa4", "\xef\xbc\x91.2.3.4",
    "1\xe3\x80\x82"
    "2.3.4",
    "1.2.3.4\xff", "localhost", "a.b.c.d"};

TEST(ipv4_address, refuses_what_is_none) {
  for (auto text : not_ipv4) {
    auto address = ipv4_address::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error(), address_errc::invalid_ipv4_address) << text;
    EXPECT_EQ(address.error(), std::errc::invalid_argument) << text;
    EXPECT_FALSE(ip_address::parse(text)) << text;
    EXPECT_FALSE(ipv6_address::parse(text)) << text;
  }
}

struct form {
  const char* text;
  const char* canonical;
};

// RFC 4291, 2.2; RFC 5952, 1, 2, 4 and 5; and the corners of "::".
constexpr form ipv6_forms[] = {
    {"ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"},
    {"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
    {"2001:DB8::8:800:200C:417A", "2001:db8::8:800:200c:417a"},
    {"FF01:0:0:0:0:0:0:101", "ff01::101"},
    {"FF01::101", "ff01::101"},
    {"0:0:0:0:0:0:0:1", "::1"},
    {"::1", "::1"},
    {"0:0:0:0:0:0:0:0", "::"},
    {"::", "::"},
    {"0:0:0:0:0:0:13.1.68.3", "::d01:4403"},
    {"::13.1.68.3", "::d01:4403"},
    {"0:0:0:0:0:FFFF:129.144.52.38", "::ffff:129.144.52.38"},
    {"::FFFF:129.144.52.38", "::ffff:129.144.52.38"},
    {"2001:0DB8:0000:CD30:0000:0000:0000:0000", "2001:db8:0:cd30::"},
    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8:0:0:1::1", "2001:db8::1:0:0:1"},
    {"2001:db8:0000:0:1::1", "2001:db8::1:0:0:1"},
    {"2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"},
    {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"},
    {"2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"},
    {"2001:db8:aaaa:bbbb:cccc:dddd:0:1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"},
    {"2001:db8:0:0:0::1", "2001:db8::1"},
    {"2001:db8:0:0::1", "2001:db8::1"},
    {"2001:db8:0::1", "2001:db8::1"},
    {"2001:db8::1", "2001:db8::1"},
    {"2001:db8::aaaa:0:0:1", "2001:db8::aaaa:0:0:1"},
    {"2001:db8:0:0:aaaa::1", "2001:db8::aaaa:0:0:1"},
    {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
    {"1:0:0:2:0:0:3:4", "1::2:0:0:3:4"},
    {"0:0:1:0:0:0:1:1", "0:0:1::1:1"},
    {"0:1:0:1:0:1:0:1", "0:1:0:1:0:1:0:1"},
    {"0:1:1:1:1:1:1:0", "0:1:1:1:1:1:1:0"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"1::3:4:5:6:7:8", "1:0:3:4:5:6:7:8"},
    {"1:2:3:4:5:6::", "1:2:3:4:5:6::"},
    {"1::", "1::"},
    {"::3:4:5:6:7:8", "::3:4:5:6:7:8"},
    {"1::8", "1::8"},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"1::1.2.3.4", "1::102:304"},
    {"1:2:3:4:5::1.2.3.4", "1:2:3:4:5:0:102:304"},
    {"::2:3:4:5:6:1.2.3.4", "0:2:3:4:5:6:102:304"},
    {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    {"::ffff:0:0", "::ffff:0.0.0.0"},
    {"::ffff:102:304", "::ffff:1.2.3.4"},
    {"::ffff:0:102:304", "::ffff:0:102:304"},
    {"::fffe:102:304", "::fffe:102:304"},
    {"0000:0000:0000:0000:0000:0000:0000:0000", "::"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"fe80::a0:B0c:0d0", "fe80::a0:b0c:d0"},
};

TEST(ipv6_address, reads_every_form_and_writes_the_canonical_one) {
  for (auto [text, canonical] : ipv6_forms) {
    auto address = ipv6_address::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), canonical) << text;
    EXPECT_EQ(ipv6_address::parse(canonical), *address) << text;
    EXPECT_EQ(ip_address::parse(text), ip_address(*address)) << text;
    EXPECT_EQ(ip_address(*address).to_string(), canonical) << text;
    EXPECT_FALSE(ipv4_address::parse(text)) << text;
  }
}

constexpr std::string_view not_ipv6[] = {
    "", ":", ":::", "::::", "1", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8", ":2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:9:a:b:c:d:e:f",
    // "::" twice, next to another colon, or for no group at all.
    "1::2::3", "::1::", "::::1", "1:::2", ":::1", "1:::", "::1:", ":1::", "1::2:", ":1::2",
    "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "1:2:3:4:5:6:7::8",
    // Groups.
    "12345::", "::12345", "::00001", "::fffff", "::10000", "g::", "::g", "::0x1", "0x1::", "::-1", "::+1", ":: 1",
    "::1 ", " ::1", "::1\n", "\t::1", "::\0"sv, "::1\0"sv, "::1\0x"sv, "\0::1"sv, "::\xff", "::\xef\xbc\x91",
    // The dotted end.
    "1.2.3.4", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "1:2:3:4:5:6:7:8:1.2.3.4",
    "::1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "::1.2.3.04",
    "::1.2.3.", "::.1.2.3", "::1..2.3", "::ffff:1.2.3.4x", "::ffff:01.2.3.4", "::ffff:0x1.2.3.4", "::ffff:127.1",
    "::1.2:3", "1.2::3", "::.", "::1.", "::a.b.c.d",
    // What is not the address's: brackets, scopes, prefix lengths, ports.
    "[::1]", "[::]:80", "::1]", "[::1", "fe80::1%1", "fe80::1%eth0", "::1%", "::1/128", "2001:db8::/32",
    "localhost", "2001-db8--1.ipv6-literal.net"};

TEST(ipv6_address, refuses_what_is_none) {
  for (auto text : not_ipv6) {
    auto address = ipv6_address::parse(text);
    ASSERT_FALSE(address) << text << " = " << address->to_string();
    EXPECT_EQ(address.error(), address_errc::invalid_ipv6_address) << text;
    EXPECT_EQ(address.error(), std::errc::invalid_argument) << text;
    EXPECT_EQ(ip_address::parse(text).has_value(), ipv4_address::parse(text).has_value()) << text;
  }
}

TEST(ip_address, refuses_very_long_texts) {
  for (char c : {'1', '0', ':', '.', 'f', ' '}) {
    std::string text(1'000'000, c);
    EXPECT_FALSE(ipv4_address::parse(text)) << c;
    EXPECT_FALSE(ipv6_address::parse(text)) << c;
    EXPECT_EQ(ip_address::parse(text).error(), address_errc::invalid_ip_address) << c;
    EXPECT_FALSE(ipv6_address::parse("::" + text)) << c;
  }
}

template <class Address>
std::string message_of_constructor(std::string_view text) {
  try {
    return "made " + Address(text).to_string();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

TEST(ip_address, constructor_from_text_throws_with_the_text) {
  EXPECT_EQ(message_of_constructor<ipv4_address>("192.0.2.1"), "made 192.0.2.1");
  EXPECT_EQ(message_of_constructor<ipv6_address>("2001:DB8::1"), "made 2001:db8::1");
  EXPECT_EQ(message_of_constructor<ip_address>("192.0.2.1"), "made 192.0.2.1");
  EXPECT_EQ(message_of_constructor<ip_address>("2001:DB8::1"), "made 2001:db8::1");
  EXPECT_EQ(message_of_constructor<ipv4_address>("192.0.2"), R"(invalid IPv4 address: "192.0.2")");
  EXPECT_EQ(message_of_constructor<ipv6_address>("::1::"), R"(invalid IPv6 address: "::1::")");
  EXPECT_EQ(message_of_constructor<ip_address>(""), R"(invalid IP address: "")");
  EXPECT_EQ(message_of_constructor<ip_address>(std::string(1000, 'x')),
            "invalid IP address: \"" + std::string(100, 'x') + "...\"");
  EXPECT_EQ(message_of_constructor<ip_address>("a\0b\n\x1b[2J\x7f"sv), R"(invalid IP address: "a?b??[2J?")");
}

TEST(ip_address, converts_between_the_families) {
  ipv4_address v4(192, 0, 2, 1);
  EXPECT_EQ(v4.to_ipv6_mapped(), ipv6_address("::ffff:192.0.2.1"));
  EXPECT_EQ(v4.to_ipv6_compatible(), ipv6_address("::192.0.2.1"));

  EXPECT_EQ(ipv6_address("::ffff:192.0.2.1").to_ipv4_mapped(), v4);
  EXPECT_EQ(ipv6_address("::ffff:192.0.2.1").to_ipv4(), v4);
  EXPECT_EQ(ipv6_address("::192.0.2.1").to_ipv4_mapped(), std::nullopt);
  EXPECT_EQ(ipv6_address("::192.0.2.1").to_ipv4(), v4);
  EXPECT_EQ(ipv6_address("::1").to_ipv4(), ipv4_address(0, 0, 0, 1));
  for (auto text : {"::fffe:192.0.2.1", "::1:ffff:192.0.2.1", "1::ffff:192.0.2.1", "64:ff9b::192.0.2.1"}) {
    EXPECT_EQ(ipv6_address(text).to_ipv4_mapped(), std::nullopt) << text;
    EXPECT_EQ(ipv6_address(text).to_ipv4(), std::nullopt) << text;
    EXPECT_EQ(ipv6_address(text).to_canonical(), ipv6_address(text)) << text;
  }

  EXPECT_EQ(ipv6_address("::ffff:192.0.2.1").to_canonical(), v4);
  EXPECT_EQ(ip_address("::ffff:192.0.2.1").to_canonical(), v4);
  EXPECT_EQ(ip_address("::192.0.2.1").to_canonical(), ip_address("::192.0.2.1"));
  EXPECT_EQ(ip_address(v4).to_canonical(), v4);
}

TEST(ip_address, is_one_of_two_families) {
  ip_address v4 = ipv4_address(192, 0, 2, 1);
  EXPECT_TRUE(v4.is_ipv4());
  EXPECT_FALSE(v4.is_ipv6());
  EXPECT_EQ(v4.as_ipv4(), ipv4_address(192, 0, 2, 1));
  EXPECT_EQ(v4.as_ipv6(), std::nullopt);
  ip_address v6 = ipv6_address("::ffff:192.0.2.1");
  EXPECT_FALSE(v6.is_ipv4());
  EXPECT_TRUE(v6.is_ipv6());
  EXPECT_EQ(v6.as_ipv4(), std::nullopt);
  EXPECT_EQ(v6.as_ipv6(), ipv6_address("::ffff:192.0.2.1"));
}

TEST(ip_address, is_ordered_by_family_then_value) {
  const char* ascending[] = {
      "0.0.0.0",        "0.0.0.255",       "0.0.1.0", "1.0.0.0", "127.0.0.1", "192.168.0.255",
      "192.168.1.0",    "255.255.255.255", "::",      "::1",     "::ff",      "::1:0",
      "::ffff:0.0.0.0", "::1:0:0:0:0",     "1::",     "fe80::1", "ffff::"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      ip_address a(ascending[i]);
      ip_address b(ascending[j]);
      EXPECT_EQ(a <=> b, i <=> j) << ascending[i] << ' ' << ascending[j];
      EXPECT_EQ(a == b, i == j) << ascending[i] << ' ' << ascending[j];
      if (a.is_ipv4() && b.is_ipv4()) {
        EXPECT_EQ(*a.as_ipv4() <=> *b.as_ipv4(), i <=> j);
      }
      if (a.is_ipv6() && b.is_ipv6()) {
        EXPECT_EQ(*a.as_ipv6() <=> *b.as_ipv6(), i <=> j);
      }
    }
  }
  EXPECT_EQ(ip_address("192.0.2.1"), ipv4_address(192, 0, 2, 1));
  EXPECT_EQ(ipv6_address("::1"), ip_address("::1"));
  EXPECT_NE(ip_address("::192.0.2.1"), ipv4_address(192, 0, 2, 1));
  EXPECT_LT(ipv4_address(192, 0, 2, 1), ip_address("192.0.2.2"));
}

TEST(ip_address, hashes_equal_values_equally) {
  EXPECT_EQ(std::hash<ipv4_address>{}(ipv4_address("192.0.2.1")), std::hash<ipv4_address>{}({192, 0, 2, 1}));
  EXPECT_EQ(std::hash<ipv6_address>{}(ipv6_address("::1")), std::hash<ipv6_address>{}(ipv6_address::loopback()));
  EXPECT_EQ(std::hash<ip_address>{}(ip_address("::1")), std::hash<ip_address>{}(ipv6_address::loopback()));

  std::unordered_set<ip_address> set;
  for (auto [text, canonical] : ipv6_forms) set.insert(ip_address(text));
  for (auto [text, canonical] : ipv6_forms) EXPECT_TRUE(set.contains(ip_address(canonical))) << text;
  EXPECT_FALSE(set.contains(ip_address("127.0.0.1")));
}

// Tables whose size is a power of two look at the lower bits: neighbours in whichever bits must not meet there.
TEST(ip_address, hashes_neighbours_apart) {
  constexpr std::size_t buckets = 4096;
  for (int shift : {0, 4, 8, 16, 20, 32, 40, 48, 52, 64, 68, 80, 96, 108, 116}) {
    std::bitset<buckets> hit;
    for (std::uint64_t i = 0; i < buckets; ++i) {
      auto address = shift < 64 ? ipv6_address::from_bits(0x20010db8'00000000, i << shift)
                                : ipv6_address::from_bits(i << (shift - 64), 1);
      hit.set(std::hash<ip_address>{}(address) % buckets);
    }
    EXPECT_GT(hit.count(), buckets / 2) << shift;  // chance alone fills 63 %
  }
  std::bitset<buckets> hit;
  for (std::uint32_t i = 0; i < buckets; ++i) {
    hit.set(std::hash<ip_address>{}(ipv4_address::from_bits(0x0a000000 + i)) % buckets);
  }
  EXPECT_GT(hit.count(), buckets / 2);
}

TEST(ip_address, is_formatted_as_a_string_is) {
  ipv4_address v4(192, 0, 2, 1);
  ipv6_address v6("2001:db8::1");
  EXPECT_EQ(fmt::format("{}", v4), "192.0.2.1");
  EXPECT_EQ(fmt::format("{}", v6), "2001:db8::1");
  EXPECT_EQ(fmt::format("{} {}", ip_address(v4), ip_address(v6)), "192.0.2.1 2001:db8::1");
  EXPECT_EQ(fmt::format("[{:>12}] [{:<12}] [{:*^13}] [{:{}}]", v4, ip_address(v4), v6, v6, 12),
            "[   192.0.2.1] [192.0.2.1   ] [*2001:db8::1*] [2001:db8::1 ]");
  EXPECT_EQ(fmt::format("{:s}", v4), "192.0.2.1");
  EXPECT_THROW((void)fmt::format(fmt::runtime("{:d}"), v4), fmt::format_error);
  EXPECT_EQ(fmt::format("{}", std::vector<ip_address>{v4, v6}), "[192.0.2.1, 2001:db8::1]");
}

TEST(ip_address, longest_texts_fit) {
  EXPECT_EQ(ipv4_address::broadcast().to_string().size(), 15u);
  EXPECT_EQ(ipv6_address::from_bits(~0ull, ~0ull).to_string().size(), 39u);
  EXPECT_EQ(fmt::format("{}", ip_address(ipv6_address::from_bits(~0ull, ~0ull))).size(), 39u);
  EXPECT_EQ(ipv4_address::broadcast().to_ipv6_mapped().to_string(), "::ffff:255.255.255.255");
}

}  // namespace
