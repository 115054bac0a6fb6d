// Feeds arbitrary bytes to the parsers of addresses and checks what they accept: it is written in a form that is read
// back as the same, and the C library accepts the same texts. Built by hand or by CI:
//
//   clang++-22 -std=c++23 -g -O1 -fsanitize=fuzzer,address,undefined -I. fuzz/ip_address_fuzz.cpp
//     astd/net/{address_error,address_text,host_port,interface_index_posix,ip_address,socket_address}.cpp
//     astd/base/error.cpp -lfmt -o ip_address_fuzz
//   ./ip_address_fuzz -max_len=80 -max_total_time=60
#include <astd/net/host_port.hpp>
#include <astd/net/ip_address.hpp>
#include <astd/net/socket_address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <arpa/inet.h>

namespace {

using astd::net::host_port;
using astd::net::ip_address;
using astd::net::ipv4_address;
using astd::net::ipv6_address;
using astd::net::socket_address;

void check(bool holds, const char* what, std::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "%s: \"%.*s\"\n", what, static_cast<int>(text.size()), text.data());
  std::abort();
}

// A text with a zero inside is another one for the C library: none of ours may accept it.
template <class Address, std::size_t Size>
void compare_with_system(int family, std::string_view text) {
  auto ours = Address::parse(text);
  std::array<std::uint8_t, Size> octets;
  bool theirs = inet_pton(family, std::string(text).c_str(), octets.data()) == 1;
  if (text.find('\0') != text.npos) theirs = false;
  check(ours.has_value() == theirs, "the C library disagrees", text);
  check(!ours || *ours == Address(octets), "the C library reads another address", text);
  check(!ours || ip_address::parse(text) == ip_address(*ours), "ip_address disagrees", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  compare_with_system<ipv4_address, 4>(AF_INET, text);
  compare_with_system<ipv6_address, 16>(AF_INET6, text);
  if (auto address = ip_address::parse(text)) {
    check(ip_address::parse(address->to_string()) == *address, "an address is not read back", text);
    check(address->to_canonical().to_canonical() == address->to_canonical(), "canonical is not final", text);
    (void)address->is_global();
  }
  auto split = host_port::parse(text);
  auto address = socket_address::parse(text);
  check(split || !address, "host_port refuses a socket address", text);
  if (address) {
    check(socket_address::parse(address->to_string()) == *address, "a socket address is not read back", text);
    check(split->port == address->port(), "host_port reads another port", text);
  }
  if (split) check(!split->host.empty() && split->host.find('\0') == text.npos, "host_port gives a bad host", text);
  return 0;
}
