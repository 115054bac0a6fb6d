#include <astd/driver/sim/address.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

namespace astd::driver::sim {
namespace {

// Those of IPv6 without the scope are taken, too (RFC 2133).
constexpr unsigned shortest_v6 = 24;

std::uint64_t read_word(const unsigned char* bytes) noexcept {
  std::uint64_t word = 0;
  for (int i = 0; i < 8; ++i) word = word << 8 | bytes[i];
  return word;
}

void write_word(std::uint64_t word, unsigned char* bytes) noexcept {
  for (int i = 7; i >= 0; --i, word >>= 8) bytes[i] = static_cast<unsigned char>(word);
}

}  // namespace

std::int32_t read_place(const sockaddr* from, unsigned length, int family, place& to) noexcept {
  sa_family_t given = 0;
  if (length < sizeof given) return -EINVAL;
  std::memcpy(&given, &from->sa_family, sizeof given);
  if (family == AF_INET) {
    sockaddr_in v4;
    if (length < sizeof v4) return -EINVAL;
    std::memcpy(&v4, from, sizeof v4);
    // bind() has always taken an address without a family, if it is the wildcard.
    if (given != AF_INET && (given != AF_UNSPEC || v4.sin_addr.s_addr != 0)) return -EAFNOSUPPORT;
    to = {ip::v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
    return 0;
  }
  sockaddr_in6 v6{};
  if (length < shortest_v6) return -EINVAL;
  if (given != AF_INET6) return -EAFNOSUPPORT;
  std::memcpy(&v6, from, std::min<std::size_t>(length, sizeof v6));
  to = {{read_word(v6.sin6_addr.s6_addr), read_word(v6.sin6_addr.s6_addr + 8)}, ntohs(v6.sin6_port)};
  return 0;
}

void write_place(const place& from, int family, void* to, unsigned& length) noexcept {
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(from.port);
    v4.sin_addr.s_addr = htonl(from.address.as_v4());
    std::memcpy(to, &v4, std::min<std::size_t>(length, sizeof v4));
    length = sizeof v4;
    return;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(from.port);
  write_word(from.address.high, v6.sin6_addr.s6_addr);
  write_word(from.address.low, v6.sin6_addr.s6_addr + 8);
  std::memcpy(to, &v6, std::min<std::size_t>(length, sizeof v6));
  length = sizeof v6;
}

}  // namespace astd::driver::sim
