// Compares the readers and writers of addresses with the C library's, on random addresses, on damaged texts and on every
// short arrangement of the characters that matter.
#include <astd/net/ip_address.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <arpa/inet.h>

namespace {

using astd::net::ip_address;
using astd::net::ipv4_address;
using astd::net::ipv6_address;

template <class Octets>
std::string system_text(int family, const Octets& octets) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(family, octets.data(), text, sizeof text);
}

std::optional<ipv4_address> system_ipv4(const std::string& text) {
  std::array<std::uint8_t, 4> octets;
  if (inet_pton(AF_INET, text.c_str(), octets.data()) != 1) return std::nullopt;
  return ipv4_address(octets);
}

std::optional<ipv6_address> system_ipv6(const std::string& text) {
  std::array<std::uint8_t, 16> octets;
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) != 1) return std::nullopt;
  return ipv6_address(octets);
}

template <class Address>
std::optional<Address> ours(const std::string& text) {
  auto parsed = Address::parse(text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

// Addresses as they occur: zeros, ones and small numbers much more often than chance would have them.
class generator {
 public:
  explicit generator(std::uint32_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  ipv4_address ipv4() {
    std::array<std::uint8_t, 4> octets;
    for (auto& octet : octets) {
      constexpr std::uint8_t corners[] = {0, 1, 9, 10, 99, 100, 199, 200, 249, 255};
      octet = below(2) == 0 ? corners[below(std::size(corners))] : static_cast<std::uint8_t>(random_());
    }
    return ipv4_address(octets);
  }

  ipv6_address ipv6() {
    std::array<std::uint16_t, 8> segments{};
    std::uint32_t zeros = below(5);  // of four segments
    for (auto& segment : segments) {
      if (below(4) < zeros) continue;
      segment = static_cast<std::uint16_t>(random_() >> below(16));
    }
    if (below(16) == 0) segments = ipv4().to_ipv6_mapped().segments();
    return ipv6_address(segments);
  }

  void damage(std::string& text) {
    constexpr std::string_view characters = "0123456789abcdefABCDEF::::....gx%/[] +-\n\xff";
    for (std::uint32_t edits = 1 + below(3); edits != 0; --edits) {
      std::size_t at = below(static_cast<std::uint32_t>(text.size() + 1));
      char c = characters[below(characters.size())];
      switch (below(4)) {
        case 0: text.insert(at, 1, c); break;
        case 1: text.erase(at, 1 + below(3)); break;
        case 2:
          if (at < text.size()) text[at] = c;
          break;
        case 3:
          text.insert(at, text.substr(below(static_cast<std::uint32_t>(text.size() + 1)), 1 + below(6)));
          break;
      }
    }
  }

 private:
  std::mt19937 random_;
};

// The C library still writes the deprecated IPv4-compatible addresses in dotted form, RFC 5952 has us write them as any
// other.
bool is_compatible(const ipv6_address& address) { return !address.to_ipv4_mapped() && address.to_ipv4(); }

constexpr int rounds = 100'000;

TEST(ipv4_address, agrees_with_the_system_on_random_addresses) {
  generator random(20240229);
  for (int i = 0; i < rounds; ++i) {
    ipv4_address address = random.ipv4();
    std::string text = address.to_string();
    ASSERT_EQ(text, system_text(AF_INET, address.octets()));
    ASSERT_EQ(ours<ipv4_address>(text), address) << text;
    ASSERT_EQ(system_ipv4(text), address) << text;
    ASSERT_EQ(ours<ip_address>(text), ip_address(address)) << text;
  }
}

TEST(ipv6_address, agrees_with_the_system_on_random_addresses) {
  generator random(20240301);
  int compared = 0;
  for (int i = 0; i < rounds; ++i) {
    ipv6_address address = random.ipv6();
    std::string text = address.to_string();
    std::string theirs = system_text(AF_INET6, address.octets());
    if (!is_compatible(address)) {
      ASSERT_EQ(text, theirs);
      ++compared;
    }
    ASSERT_EQ(ours<ipv6_address>(text), address) << text;
    ASSERT_EQ(ours<ipv6_address>(theirs), address) << theirs;
    ASSERT_EQ(system_ipv6(text), address) << text;
    ASSERT_EQ(ours<ip_address>(text), ip_address(address)) << text;
  }
  EXPECT_GT(compared, rounds / 2);
}

void expect_agreement(const std::string& text) {
  auto v4 = ours<ipv4_address>(text);
  auto v6 = ours<ipv6_address>(text);
  if (v4 == system_ipv4(text) && v6 == system_ipv6(text) && ours<ip_address>(text).has_value() == (v4 || v6))
    return;
  FAIL() << testing::PrintToString(text) << " is " << (v4 ? v4->to_string() : "no IPv4 address") << " and "
         << (v6 ? v6->to_string() : "no IPv6 address") << " to us, not to the system";
}

TEST(ip_address, agrees_with_the_system_on_damaged_texts) {
  generator random(20240302);
  int refused = 0;
  for (int i = 0; i < rounds; ++i) {
    std::string text = random.below(3) == 0 ? random.ipv4().to_string() : random.ipv6().to_string();
    random.damage(text);
    expect_agreement(text);
    if (testing::Test::HasFatalFailure()) return;
    if (!ours<ip_address>(text)) ++refused;
  }
  // Both kinds have to occur, else the comparison says nothing.
  EXPECT_GT(refused, rounds / 10);
  EXPECT_LT(refused, rounds * 9 / 10);
}

// All texts over an alphabet up to a length: every place a colon, a dot or a zero can be in.
void expect_agreement_on_all(std::string_view alphabet, std::size_t longest) {
  std::string text;
  std::size_t count = 1;
  for (std::size_t size = 0; size <= longest; ++size, count *= alphabet.size()) {
    text.resize(size);
    for (std::size_t number = 0; number < count; ++number) {
      std::size_t rest = number;
      for (char& c : text) {
        c = alphabet[rest % alphabet.size()];
        rest /= alphabet.size();
      }
      expect_agreement(text);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(ip_address, agrees_with_the_system_on_every_arrangement_of_colons) { expect_agreement_on_all("1:", 17); }
TEST(ip_address, agrees_with_the_system_on_every_arrangement_of_dots) { expect_agreement_on_all("10.", 10); }
TEST(ip_address, agrees_with_the_system_on_every_arrangement_of_both) { expect_agreement_on_all("12:.", 8); }

}  // namespace
