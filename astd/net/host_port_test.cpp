#include <astd/net/address_error.hpp>
#include <astd/net/host_port.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace {

using namespace std::string_view_literals;
using astd::net::address_errc;
using astd::net::host_port;

struct success {
  std::string_view text;
  const char* host;
  std::uint16_t port;
};

constexpr success successes[] = {
    {"localhost:80", "localhost", 80},
    {"example.org:443", "example.org", 443},
    {"example.org.:443", "example.org.", 443},
    {"a:0", "a", 0},
    {"a:65535", "a", 65535},
    {"a:00080", "a", 80},
    {"1.2.3.4:80", "1.2.3.4", 80},
    {"_service.name-with-dash:1", "_service.name-with-dash", 1},
    {"m\xc3\xbcller.example:80", "m\xc3\xbcller.example", 80},
    {"[::1]:80", "::1", 80},
    {"[2001:DB8::1]:80", "2001:DB8::1", 80},
    {"[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4", 80},
    {"[fe80::1%2]:80", "fe80::1%2", 80},
    {"[fe80::1%no-such-if]:80", "fe80::1%no-such-if", 80},
};

TEST(host_port, splits) {
  for (auto [text, host, port] : successes) {
    auto split = host_port::parse(text);
    ASSERT_TRUE(split) << text << ": " << split.error().message();
    EXPECT_EQ(split->host, host) << text;
    EXPECT_EQ(split->port, port) << text;
    EXPECT_EQ(*split, (host_port{host, port})) << text;
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
    {"[]", address_errc::missing_host},
    {"localhost", address_errc::missing_port},
    {"localhost:", address_errc::missing_port},
    {"[::1]", address_errc::missing_port},
    {"[::1]:", address_errc::missing_port},
    {"[::1]80", address_errc::missing_port},
    {"localhost:http", address_errc::invalid_port},
    {"localhost:-1", address_errc::invalid_port},
    {"localhost:+1", address_errc::invalid_port},
    {"localhost: 80", address_errc::invalid_port},
    {"localhost:80\n", address_errc::invalid_port},
    {"localhost:80\0"sv, address_errc::invalid_port},
    {"localhost:8.0", address_errc::invalid_port},
    {"localhost:65536", address_errc::port_out_of_range},
    {"localhost:99999999999999999999999999", address_errc::port_out_of_range},
    {"::1:80", address_errc::too_many_colons},
    {"::1", address_errc::too_many_colons},
    {"localhost:80:80", address_errc::too_many_colons},
    {"http://localhost:80", address_errc::too_many_colons},
    {"[::1]:80:80", address_errc::too_many_colons},
    {"[::1:80", address_errc::unbalanced_brackets},
    {"::1]:80", address_errc::unbalanced_brackets},
    {"[[::1]]:80", address_errc::unbalanced_brackets},
    {"[::1]]:80", address_errc::unbalanced_brackets},
    {"local[host]:80", address_errc::unbalanced_brackets},
    {"[localhost]:80", address_errc::invalid_ipv6_address},
    {"[1.2.3.4]:80", address_errc::invalid_ipv6_address},
    {"[fe80::1%]:80", address_errc::invalid_scope},
    {"[fe80::1%a%b]:80", address_errc::invalid_scope},
    {" localhost:80", address_errc::invalid_host},
    {"localhost :80", address_errc::invalid_host},
    {"local host:80", address_errc::invalid_host},
    {"local\thost:80", address_errc::invalid_host},
    {"localhost\0.example:80"sv, address_errc::invalid_host},
    {"\0:80"sv, address_errc::invalid_host},
    {"local\x7fhost:80", address_errc::invalid_host},
};

TEST(host_port, says_what_is_wrong) {
  for (auto [text, error] : failures) {
    auto split = host_port::parse(text);
    ASSERT_FALSE(split) << text << " = " << split->host << ' ' << split->port;
    EXPECT_EQ(split.error(), make_error_code(error)) << text << ": " << split.error().message();
    EXPECT_EQ(split.error(), std::errc::invalid_argument) << text;
  }
}

TEST(address_error, every_value_has_its_own_message) {
  std::set<std::string> messages;
  int last = static_cast<int>(address_errc::unknown_interface);
  for (int value = 0; value <= last; ++value) {  // 0 is none: it must not look like one
    std::error_code error = make_error_code(static_cast<address_errc>(value));
    EXPECT_EQ(error.category(), astd::net::address_category());
    EXPECT_TRUE(messages.insert(error.message()).second) << error.message();
  }
  EXPECT_STREQ(astd::net::address_category().name(), "astd.address");
}

}  // namespace
