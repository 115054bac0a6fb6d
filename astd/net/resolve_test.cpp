#include <astd/coro/as_result.hpp>
#include <astd/io/test_support.hpp>
#include <astd/net/address_error.hpp>
#include <astd/net/address_text.hpp>
#include <astd/net/resolve.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace astd::net {
namespace {

using addresses = std::vector<socket_address>;

addresses parsed(std::initializer_list<std::string_view> texts) {
  addresses result;
  for (std::string_view text : texts) result.push_back(socket_address(text));
  return result;
}

ASTD_TEST(lookup_host, gives_addresses_back_as_they_are) {
  const addresses v4 = co_await lookup_host("192.0.2.1:80");
  EXPECT_EQ(v4, parsed({"192.0.2.1:80"}));
  const addresses v6 = co_await lookup_host("[2001:db8::1]:80");
  EXPECT_EQ(v6, parsed({"[2001:db8::1]:80"}));
  const addresses pair = co_await lookup_host({"2001:db8::1", 80});
  EXPECT_EQ(pair, parsed({"[2001:db8::1]:80"}));
  const addresses scoped = co_await lookup_host("[fe80::1%7]:80");
  EXPECT_EQ(scoped, parsed({"[fe80::1%7]:80"}));
  const addresses scoped_pair = co_await lookup_host({"fe80::1%7", 80});
  EXPECT_EQ(scoped_pair, parsed({"[fe80::1%7]:80"}));
  const addresses ip = co_await lookup_host({ipv4_address::loopback(), 80});
  EXPECT_EQ(ip, parsed({"127.0.0.1:80"}));
  const addresses several = parsed({"[::1]:1", "127.0.0.1:2", "[::1]:1"});
  const addresses same = co_await lookup_host(several);
  EXPECT_EQ(same, several);
}

ASTD_TEST(lookup_host, finds_this_machine) {
  const addresses found = co_await lookup_host("localhost:80");
  EXPECT_FALSE(found.empty());
  for (const socket_address& address : found) {
    EXPECT_TRUE(address.ip().is_loopback()) << address.to_string();
    EXPECT_EQ(address.port(), 80);
    EXPECT_EQ(std::count(found.begin(), found.end(), address), 1);
  }
  const addresses by_pair = co_await lookup_host({"localhost", 80});
  EXPECT_EQ(by_pair, found);
}

ASTD_TEST(lookup_host, says_what_is_wrong_with_a_text) {
  const auto no_port = co_await as_result(lookup_host("localhost"));
  EXPECT_EQ(no_port.error(), address_errc::missing_port);
  const auto bad_port = co_await as_result(lookup_host("localhost:http"));
  EXPECT_EQ(bad_port.error(), std::errc::invalid_argument);
  const auto colons = co_await as_result(lookup_host("::1:80"));
  EXPECT_EQ(colons.error(), address_errc::too_many_colons);
  const auto no_host = co_await as_result(lookup_host({"", 80}));
  EXPECT_EQ(no_host.error(), address_errc::missing_host);
  const auto no_address = co_await as_result(lookup_host({"12::34::56", 80}));
  EXPECT_EQ(no_address.error(), std::errc::invalid_argument);
  const auto none = co_await as_result(lookup_host(addresses()));
  EXPECT_EQ(none.error(), std::errc::invalid_argument);
  const std::string named = co_await test::error_of(lookup_host("localhost:70000"));
  EXPECT_TRUE(named.starts_with("resolve localhost:70000: ")) << named;
}

ASTD_TEST(lookup_host, takes_no_other_spelling_of_an_ipv4_address) {
  for (const char* host : {"1.2.3", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0X7F.0.0.0X1", "0177.0.0.1",
                           "256.1.1.1", "1.2.3.4.5", "127.0.0.1.", "example.1", "example.0x"}) {
    const auto refused = co_await as_result(lookup_host({host, 80}));
    EXPECT_FALSE(refused) << host;
    if (!refused) EXPECT_EQ(refused.error(), address_errc::invalid_ipv4_address) << host;
  }
  const std::string named = co_await test::error_of(lookup_host("127.1:80"));
  EXPECT_EQ(named, "resolve 127.1:80: invalid IPv4 address");
  const std::string by_pair = co_await test::error_of(lookup_host({"0x7f.1", 80}));
  EXPECT_EQ(by_pair, "resolve 0x7f.1:80: invalid IPv4 address");
}

TEST(ends_in_number, is_about_the_last_label) {
  for (const char* host : {"1", "a.1", "a.1.", "0x", "0xfF", "a.0X1"})
    EXPECT_TRUE(detail::ends_in_number(host)) << host;
  for (const char* host : {"", ".", "a", "1.a", "1.a.", "a1", "1a", "0xg", "x0", "1..", "-1"})
    EXPECT_FALSE(detail::ends_in_number(host)) << host;
}

ASTD_TEST(lookup_host, says_whom_it_did_not_find) {
  // Too long for a name, so that no server is asked.
  const std::string host(300, 'x');
  const auto found = co_await as_result(lookup_host({host, 80}));
  EXPECT_FALSE(found);
  EXPECT_EQ(found.error().category(), resolve_category());
  EXPECT_EQ(found.error().category().name(), std::string("astd.resolve"));
  const std::string named = co_await test::error_of(lookup_host({host, 80}));
  EXPECT_EQ(named, "resolve " + host + ": " + found.error().message());
  // A name does not end at a zero in the middle.
  const auto zero = co_await as_result(lookup_host({std::string_view("localhost\0.example", 18), 80}));
  EXPECT_EQ(zero.error().category(), resolve_category());
}

}  // namespace
}  // namespace astd::net
