#include <astd/coro/as_result.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/resolve.hpp>
#include <astd/testing/gtest.hpp>

#include <gtest/gtest.h>

#include <array>
#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace astd::net {
namespace {

using std::convertible_to;

static_assert(convertible_to<const char*, endpoint>);
static_assert(convertible_to<std::string, endpoint>);
static_assert(convertible_to<std::string_view, endpoint>);
static_assert(convertible_to<host_port, endpoint>);
static_assert(convertible_to<socket_address, endpoint>);
static_assert(convertible_to<std::pair<const char*, int>, endpoint>);
static_assert(convertible_to<std::pair<std::string, std::uint16_t>, endpoint>);
static_assert(convertible_to<std::pair<ip_address, std::uint16_t>, endpoint>);
static_assert(convertible_to<std::pair<ipv6_address, std::uint16_t>, endpoint>);
static_assert(convertible_to<std::vector<socket_address>, endpoint>);
static_assert(convertible_to<std::span<const socket_address>, endpoint>);
static_assert(convertible_to<std::array<socket_address, 2>, endpoint>);
static_assert(!convertible_to<ip_address, endpoint>, "the port is missing");
static_assert(!convertible_to<int, endpoint>);
static_assert(!convertible_to<std::vector<std::string>, endpoint>);

std::string named(const endpoint& e) { return e.to_string(); }

TEST(endpoint, is_named_as_it_was_given) {
  EXPECT_EQ(named("example.org:80"), "example.org:80");
  EXPECT_EQ(named(std::string("whatever")), "whatever");
  EXPECT_EQ(named({"example.org", 80}), "example.org:80");
  EXPECT_EQ(named({"::1", 80}), "[::1]:80");
  EXPECT_EQ(named(std::pair("example.org", 80)), "example.org:80");
  EXPECT_EQ(named(host_port{"example.org", 80}), "example.org:80");
  EXPECT_EQ(named({ipv4_address::loopback(), 80}), "127.0.0.1:80");
  EXPECT_EQ(named({ipv6_address::loopback(), 80}), "[::1]:80");
  EXPECT_EQ(named(socket_address(ipv4_address(192, 0, 2, 1), 80)), "192.0.2.1:80");
  EXPECT_EQ(named(std::vector{socket_address(ipv4_address::any(), 1), socket_address()}), "0.0.0.0:1");
  EXPECT_EQ(named(std::vector<socket_address>()), "no address");
}

TEST(endpoint, knows_whether_there_is_a_host_to_look_up) {
  EXPECT_TRUE(endpoint("127.0.0.1:80").has_host());
  EXPECT_TRUE(endpoint("example.org", 80).has_host());
  EXPECT_FALSE(endpoint(ipv4_address::loopback(), 80).has_host());
  EXPECT_FALSE(endpoint(socket_address()).has_host());
}

}  // namespace
ASTD_TEST(endpoint, a_port_out_of_range_is_refused) {
  using host = std::pair<std::string, int>;
  for (const auto& [place, text] :
       {std::pair(host("127.0.0.1", 70000), "127.0.0.1:70000"), std::pair(host("::1", -1), "[::1]:-1"),
        std::pair(host("localhost", 65536), "localhost:65536")}) {
    const endpoint where(place);
    EXPECT_EQ(where.to_string(), text);
    const auto found = co_await as_result(lookup_host(where));
    EXPECT_FALSE(found) << text;
  }
  EXPECT_EQ(endpoint(ip_address(ipv4_address::loopback()), 70000).to_string(), "127.0.0.1:70000");
  EXPECT_EQ(endpoint(std::pair("127.0.0.1", 65535)).to_string(), "127.0.0.1:65535");
}

}  // namespace astd::net
