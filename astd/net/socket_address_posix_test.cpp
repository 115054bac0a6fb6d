#include <astd/net/address_error.hpp>
#include <astd/net/interface_index.hpp>
#include <astd/net/socket_address_posix.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace {

using astd::net::address_errc;
using astd::net::ipv4_address;
using astd::net::ipv6_address;
using astd::net::socket_address;
using astd::net::detail::from_native;
using astd::net::detail::interface_index;
using astd::net::detail::to_native;

const sockaddr* generic(const void* address) { return static_cast<const sockaddr*>(address); }

TEST(socket_address_posix, ipv4_is_what_the_system_expects) {
  sockaddr_storage storage;
  std::memset(&storage, 0xff, sizeof storage);
  socklen_t size = to_native({ipv4_address(192, 0, 2, 1), 0x1234}, storage);
  ASSERT_EQ(size, sizeof(sockaddr_in));

  sockaddr_in expected{};
  expected.sin_family = AF_INET;
  expected.sin_port = htons(0x1234);
  ASSERT_EQ(inet_pton(AF_INET, "192.0.2.1", &expected.sin_addr), 1);
  EXPECT_EQ(std::memcmp(&storage, &expected, sizeof expected), 0);
}

TEST(socket_address_posix, ipv6_is_what_the_system_expects) {
  sockaddr_storage storage;
  std::memset(&storage, 0xff, sizeof storage);
  socklen_t size = to_native({ipv6_address("fe80::1:2"), 0x1234, 0x000abcde, 3}, storage);
  ASSERT_EQ(size, sizeof(sockaddr_in6));

  sockaddr_in6 expected{};
  expected.sin6_family = AF_INET6;
  expected.sin6_port = htons(0x1234);
  expected.sin6_flowinfo = htonl(0x000abcde);
  ASSERT_EQ(inet_pton(AF_INET6, "fe80::1:2", &expected.sin6_addr), 1);
  expected.sin6_scope_id = 3;
  EXPECT_EQ(std::memcmp(&storage, &expected, sizeof expected), 0);
}

TEST(socket_address_posix, comes_back_as_it_went) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    auto port = static_cast<std::uint16_t>(random());
    auto word = [&] { return static_cast<std::uint32_t>(random()); };
    socket_address address =
        i % 2 == 0 ? socket_address(ipv4_address::from_bits(word()), port)
                   : socket_address(ipv6_address::from_bits(random(), random()), port, word(), word());
    sockaddr_storage storage;
    socklen_t size = to_native(address, storage);
    ASSERT_EQ(from_native(generic(&storage), size), address);
    ASSERT_EQ(from_native(generic(&storage), sizeof storage), address);
    ASSERT_EQ(from_native(generic(&storage), size - 1), std::nullopt);
  }
}

// What getnameinfo writes is what parse reads, and the other way round.
TEST(socket_address_posix, agrees_with_getnameinfo) {
  for (auto text : {"192.0.2.1:80", "0.0.0.0:0", "[2001:db8::1]:65535", "[::]:1", "[::ffff:192.0.2.1]:443"}) {
    sockaddr_storage storage;
    socket_address address{std::string_view(text)};
    socklen_t size = to_native(address, storage);
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    ASSERT_EQ(
        getnameinfo(generic(&storage), size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV),
        0);
    std::string whole = address.is_ipv6() ? '[' + std::string(host) + "]:" + port : std::string(host) + ':' + port;
    EXPECT_EQ(whole, text);
  }
}

TEST(socket_address_posix, needs_no_alignment) {
  sockaddr_storage storage;
  socket_address address(ipv6_address("2001:db8::1"), 80);
  socklen_t size = to_native(address, storage);
  std::array<char, sizeof storage + 1> bytes;
  std::memcpy(bytes.data() + 1, &storage, size);
  EXPECT_EQ(from_native(generic(bytes.data() + 1), size), address);
}

TEST(socket_address_posix, refuses_what_is_too_short_or_of_another_family) {
  EXPECT_EQ(from_native(nullptr, 0), std::nullopt);

  sockaddr_storage storage;
  for (socket_address address :
       {socket_address(ipv4_address::loopback(), 80), socket_address(ipv6_address::loopback(), 80)}) {
    socklen_t size = to_native(address, storage);
    for (socklen_t shorter = 0; shorter < size; ++shorter) {
      // On the heap and just as long, so that a sanitizer sees a read behind it.
      std::string bytes(reinterpret_cast<const char*>(&storage), shorter);
      bytes.shrink_to_fit();
      EXPECT_EQ(from_native(generic(bytes.data()), shorter), std::nullopt) << shorter;
    }
  }

  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  EXPECT_EQ(from_native(generic(&un), sizeof un), std::nullopt);
  EXPECT_EQ(from_native(generic(&un), sizeof un.sun_family), std::nullopt);
  storage = {};
  storage.ss_family = AF_UNSPEC;
  EXPECT_EQ(from_native(generic(&storage), sizeof storage), std::nullopt);
}

TEST(interface_index, finds_every_interface_of_this_machine) {
  struct if_nameindex* list = if_nameindex();
  ASSERT_NE(list, nullptr);
  int found = 0;
  for (auto* entry = list; entry->if_index != 0; ++entry, ++found) {
    std::string name = entry->if_name;
    EXPECT_EQ(interface_index(name), entry->if_index) << name;
    auto address = socket_address::parse("[fe80::1%" + name + "]:80");
    EXPECT_EQ(address, socket_address(ipv6_address("fe80::1"), 80, 0, entry->if_index)) << name;
    // No terminator is needed behind the name, and none is taken for its end.
    EXPECT_EQ(interface_index(std::string_view(name + "#").substr(0, name.size())), entry->if_index) << name;
    EXPECT_FALSE(interface_index(name + '\0')) << name;
  }
  if_freenameindex(list);
  EXPECT_GT(found, 0) << "a machine has at least a loopback interface";
}

TEST(interface_index, names_the_error) {
  using namespace std::string_view_literals;
  for (auto name : {""sv, "no-such-if"sv, "a-name-longer-than-any-interface-can-have"sv, "\0"sv}) {
    auto index = interface_index(name);
    ASSERT_FALSE(index) << name;
    EXPECT_EQ(index.error(), address_errc::unknown_interface) << name;
    EXPECT_EQ(index.error(), std::errc::no_such_device) << name;
  }
}

}  // namespace
