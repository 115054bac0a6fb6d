// Which block an address belongs to: the first and last address of each, and their neighbours.
#include <astd/net/ip_address.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using astd::net::ip_address;
using astd::net::ipv4_address;
using astd::net::ipv6_address;

// The columns: unspecified, loopback, multicast, link-local, documentation, global.
struct classes {
  const char* address;
  const char* marks;
};

constexpr classes ip_classes[] = {
    {"0.0.0.0", "u     "},
    {"0.0.0.1", "      "},
    {"0.255.255.255", "      "},
    {"1.0.0.0", "     g"},
    {"9.255.255.255", "     g"},
    {"10.0.0.0", "      "},
    {"10.255.255.255", "      "},
    {"11.0.0.0", "     g"},
    {"100.63.255.255", "     g"},
    {"100.64.0.0", "      "},
    {"100.127.255.255", "      "},
    {"100.128.0.0", "     g"},
    {"126.255.255.255", "     g"},
    {"127.0.0.0", " l    "},
    {"127.0.0.1", " l    "},
    {"127.255.255.255", " l    "},
    {"128.0.0.0", "     g"},
    {"169.253.255.255", "     g"},
    {"169.254.0.0", "   k  "},
    {"169.254.255.255", "   k  "},
    {"169.255.0.0", "     g"},
    {"172.15.255.255", "     g"},
    {"172.16.0.0", "      "},
    {"172.31.255.255", "      "},
    {"172.32.0.0", "     g"},
    {"192.0.0.0", "      "},
    {"192.0.0.8", "      "},
    {"192.0.0.9", "     g"},
    {"192.0.0.10", "     g"},
    {"192.0.0.11", "      "},
    {"192.0.0.255", "      "},
    {"192.0.1.0", "     g"},
    {"192.0.1.255", "     g"},
    {"192.0.2.0", "    d "},
    {"192.0.2.255", "    d "},
    {"192.0.3.0", "     g"},
    {"192.31.196.1", "     g"},
    {"192.88.98.255", "     g"},
    {"192.88.99.0", "      "},
    {"192.88.99.255", "      "},
    {"192.88.100.0", "     g"},
    {"192.167.255.255", "     g"},
    {"192.168.0.0", "      "},
    {"192.168.255.255", "      "},
    {"192.169.0.0", "     g"},
    {"192.175.48.1", "     g"},
    {"198.17.255.255", "     g"},
    {"198.18.0.0", "      "},
    {"198.19.255.255", "      "},
    {"198.20.0.0", "     g"},
    {"198.51.99.255", "     g"},
    {"198.51.100.0", "    d "},
    {"198.51.100.255", "    d "},
    {"198.51.101.0", "     g"},
    {"203.0.112.255", "     g"},
    {"203.0.113.0", "    d "},
    {"203.0.113.255", "    d "},
    {"203.0.114.0", "     g"},
    {"223.255.255.255", "     g"},
    {"224.0.0.0", "  m   "},
    {"239.255.255.255", "  m   "},
    {"240.0.0.0", "      "},
    {"255.255.255.254", "      "},
    {"255.255.255.255", "      "},
    {"::", "u     "},
    {"::1", " l    "},
    {"::2", "      "},
    {"::8.8.8.8", "      "},
    {"::ffff:0.0.0.0", "      "},
    {"::ffff:127.0.0.1", "      "},
    {"::ffff:8.8.8.8", "      "},
    {"64:ff9a:ffff::", "      "},
    {"64:ff9b::8.8.8.8", "     g"},
    {"64:ff9b::10.0.0.1", "      "},
    {"64:ff9b::127.0.0.1", "      "},
    {"64:ff9b::1:8.8.8.8", "      "},
    {"64:ff9b:1::8.8.8.8", "      "},
    {"100::", "      "},
    {"100:0:0:1::", "      "},
    {"1fff:ffff::", "      "},
    {"2000::", "     g"},
    {"2000:ffff::", "     g"},
    {"2001::", "      "},
    {"2001:0:8:8::", "      "},
    {"2001:1::", "      "},
    {"2001:1::1", "     g"},
    {"2001:1::2", "     g"},
    {"2001:1::3", "     g"},
    {"2001:1::4", "      "},
    {"2001:2::", "      "},
    {"2001:3::", "     g"},
    {"2001:3:ffff::", "     g"},
    {"2001:4::", "      "},
    {"2001:4:111:ffff::", "      "},
    {"2001:4:112::", "     g"},
    {"2001:4:113::", "      "},
    {"2001:10::", "      "},
    {"2001:1f:ffff::", "      "},
    {"2001:20::", "     g"},
    {"2001:2f:ffff::", "     g"},
    {"2001:30::", "     g"},
    {"2001:3f:ffff::", "     g"},
    {"2001:40::", "      "},
    {"2001:1ff:ffff::", "      "},
    {"2001:200::", "     g"},
    {"2001:db7:ffff::", "     g"},
    {"2001:db8::", "    d "},
    {"2001:db8:ffff:ffff::1", "    d "},
    {"2001:db9::", "     g"},
    {"2002::", "      "},
    {"2002:808:808::", "      "},
    {"2003::", "     g"},
    {"2606:4700:4700::1111", "     g"},
    {"2620:4f:8000::", "     g"},
    {"3ffe:ffff::", "     g"},
    {"3fff::", "    d "},
    {"3fff:fff:ffff::", "    d "},
    {"3fff:1000::", "     g"},
    {"3fff:ffff::", "     g"},
    {"4000::", "      "},
    {"5f00::", "      "},
    {"fbff::", "      "},
    {"fc00::", "      "},
    {"fdff:ffff::", "      "},
    {"fe00::", "      "},
    {"fe7f:ffff::", "      "},
    {"fe80::", "   k  "},
    {"febf:ffff::", "   k  "},
    {"fec0::", "      "},
    {"ff00::", "  m   "},
    {"ff02::1", "  m   "},
    {"ff0e::1", "  m   "},
    {"ffff::", "  m   "},
};

template <class Address>
std::string marks_of(const Address& address) {
  std::string marks;
  marks += address.is_unspecified() ? 'u' : ' ';
  marks += address.is_loopback() ? 'l' : ' ';
  marks += address.is_multicast() ? 'm' : ' ';
  marks += address.is_link_local() ? 'k' : ' ';
  marks += address.is_documentation() ? 'd' : ' ';
  marks += address.is_global() ? 'g' : ' ';
  return marks;
}

TEST(ip_address, is_classified) {
  for (auto [text, marks] : ip_classes) {
    ip_address address(text);
    EXPECT_EQ(marks_of(address), marks) << text;
    if (auto v4 = address.as_ipv4()) {
      EXPECT_EQ(marks_of(*v4), marks) << text;
    }
    if (auto v6 = address.as_ipv6()) {
      EXPECT_EQ(marks_of(*v6), marks) << text;
    }
  }
}

TEST(ipv4_address, is_private_or_broadcast) {
  for (auto text :
       {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"}) {
    EXPECT_TRUE(ipv4_address(text).is_private()) << text;
  }
  for (auto text : {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
                    "100.64.0.1", "127.0.0.1", "169.254.0.1", "0.0.0.0", "255.255.255.255"}) {
    EXPECT_FALSE(ipv4_address(text).is_private()) << text;
  }
  EXPECT_TRUE(ipv4_address("255.255.255.255").is_broadcast());
  EXPECT_FALSE(ipv4_address("255.255.255.254").is_broadcast());
  EXPECT_FALSE(ipv4_address("10.255.255.255").is_broadcast());
}

TEST(ipv6_address, is_unique_local) {
  for (auto text : {"fc00::", "fcff:ffff::1", "fd00::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_TRUE(ipv6_address(text).is_unique_local()) << text;
  }
  for (auto text : {"fbff:ffff::", "fe00::", "fe80::1", "::", "2001:db8::1"}) {
    EXPECT_FALSE(ipv6_address(text).is_unique_local()) << text;
  }
}

}  // namespace
