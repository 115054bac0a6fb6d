// What setsockopt and getsockopt know here.
#include <astd/driver/sim/socket.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace astd::driver::sim {
namespace {

// As Linux has them: what is asked for is doubled, and the half of it is for the bytes.
constexpr int least_send_room = 4'608, least_receive_room = 2'304, most_room = 425'984;
constexpr int default_tcp_send_room = 16'384, default_tcp_receive_room = 131'072, default_udp_room = 212'992;

int room_of(const option_arguments& o, int least) noexcept {
  int asked;
  std::memcpy(&asked, o.value, sizeof asked);
  return std::max(std::clamp(asked, 0, most_room / 2) * 2, least);
}

}  // namespace

std::int32_t socket::set_option(const option_arguments& o) noexcept {
  const unsigned length = *o.length;
  int value = 0;
  if (length >= sizeof value)
    std::memcpy(&value, o.value, sizeof value);
  else
    return -EINVAL;
  const bool on = value != 0;
  std::int32_t result = 0;
  switch (o.level) {
    case SOL_SOCKET:
      switch (o.name) {
        case SO_REUSEADDR: binding_.reuse_address = on; break;
        case SO_REUSEPORT: binding_.reuse_port = on; break;
        case SO_KEEPALIVE: options_.keep_alive = on; break;
        case SO_BROADCAST: broadcast_ = on; break;
        case SO_SNDBUF:
          send_room_ = room_of(o, least_send_room);
          options_.send_room = static_cast<std::uint32_t>(send_room_ / 2);
          break;
        case SO_RCVBUF:
          receive_room_ = room_of(o, least_receive_room);
          options_.receive_room = static_cast<std::uint32_t>(receive_room_ / 2);
          break;
        case SO_LINGER: {
          ::linger l;
          if (length < sizeof l) return -EINVAL;
          std::memcpy(&l, o.value, sizeof l);
          linger_ = l.l_onoff != 0;
          if (linger_) linger_seconds_ = l.l_linger;
          break;
        }
        case SO_OOBINLINE:
        case SO_DONTROUTE:
        case SO_TIMESTAMP:
        case SO_PRIORITY:
        case SO_RCVLOWAT: break;  // taken, and of no consequence
        case SO_TYPE:
        case SO_ERROR:
        case SO_PROTOCOL:
        case SO_DOMAIN:
        case SO_ACCEPTCONN: return -ENOPROTOOPT;
        default: return -ENOPROTOOPT;
      }
      break;
    case IPPROTO_TCP:
      if (!is_stream()) return -ENOPROTOOPT;
      switch (o.name) {
        case TCP_NODELAY: options_.no_delay = on; break;
        case TCP_KEEPIDLE:
          if (value < 1 || value > 32'767) return -EINVAL;
          options_.keep_idle = static_cast<std::uint32_t>(value);
          break;
        case TCP_KEEPINTVL:
          if (value < 1 || value > 32'767) return -EINVAL;
          options_.keep_interval = static_cast<std::uint32_t>(value);
          break;
        case TCP_KEEPCNT:
          if (value < 1 || value > 127) return -EINVAL;
          options_.keep_count = static_cast<std::uint32_t>(value);
          break;
        case TCP_USER_TIMEOUT:
          if (value < 0) return -EINVAL;
          options_.user_timeout = static_cast<std::uint32_t>(value);
          break;
        case TCP_QUICKACK: quick_ack_ = on; break;
        case TCP_DEFER_ACCEPT: break;
        default: return -ENOPROTOOPT;
      }
      break;
    case IPPROTO_IP:
      switch (o.name) {
        case IP_TOS: tos_ = value & 0xff; break;
        case IP_TTL:
          if (value == 0 || value < -1 || value > 255) return -EINVAL;
          hops_ = value == -1 ? 64 : value;
          break;
        default: return -ENOPROTOOPT;
      }
      break;
    case IPPROTO_IPV6:
      if (family_ != AF_INET6) return -ENOPROTOOPT;
      switch (o.name) {
        case IPV6_V6ONLY:
          if (bound()) return -EINVAL;
          binding_.only_v6 = on;
          break;
        case IPV6_UNICAST_HOPS:
          if (value < -1 || value > 255) return -EINVAL;
          hops_v6_ = value == -1 ? 64 : value;
          break;
        case IPV6_TCLASS:
          if (value < -1 || value > 255) return -EINVAL;
          traffic_class_ = value == -1 ? 0 : value;
          break;
        default: return -ENOPROTOOPT;
      }
      break;
    default: return -ENOPROTOOPT;
  }
  options_changed();
  return result;
}

std::int32_t socket::get_option(const option_arguments& o) noexcept {
  const auto give = [&](const void* what, std::size_t size) {
    const std::size_t some = std::min<std::size_t>(*o.length, size);
    std::memcpy(o.value, what, some);
    *o.length = static_cast<unsigned>(some);
    return 0;
  };
  int value = 0;
  switch (o.level) {
    case SOL_SOCKET:
      switch (o.name) {
        case SO_REUSEADDR: value = binding_.reuse_address; break;
        case SO_REUSEPORT: value = binding_.reuse_port; break;
        case SO_KEEPALIVE: value = options_.keep_alive; break;
        case SO_BROADCAST: value = broadcast_; break;
        case SO_SNDBUF:
          value = send_room_ != 0 ? send_room_ : is_stream() ? default_tcp_send_room : default_udp_room;
          break;
        case SO_RCVBUF:
          value = receive_room_ != 0 ? receive_room_ : is_stream() ? default_tcp_receive_room : default_udp_room;
          break;
        case SO_ERROR: value = -take_error(); break;
        case SO_TYPE: value = is_stream() ? SOCK_STREAM : SOCK_DGRAM; break;
        case SO_PROTOCOL: value = is_stream() ? IPPROTO_TCP : IPPROTO_UDP; break;
        case SO_DOMAIN: value = family_; break;
        case SO_ACCEPTCONN: value = is_listening(); break;
        case SO_LINGER: {
          const ::linger l{linger_, linger_seconds_};
          return give(&l, sizeof l);
        }
#ifdef SO_PEERNAME
        case SO_PEERNAME: {
          const place* const peer = peer_place(true);
          if (!peer) return -ENOTCONN;
          sockaddr_in6 address;
          unsigned size = sizeof address;
          write_place(*peer, family_, &address, size);
          if (size < *o.length) return -EINVAL;
          return give(&address, size);
        }
#endif
        case SO_OOBINLINE:
        case SO_DONTROUTE:
        case SO_PRIORITY: break;
        case SO_RCVLOWAT: value = 1; break;
        default: return -ENOPROTOOPT;
      }
      break;
    case IPPROTO_TCP:
      if (!is_stream()) return -EOPNOTSUPP;
      switch (o.name) {
        case TCP_NODELAY: value = options_.no_delay; break;
        case TCP_KEEPIDLE: value = static_cast<int>(options_.keep_idle); break;
        case TCP_KEEPINTVL: value = static_cast<int>(options_.keep_interval); break;
        case TCP_KEEPCNT: value = static_cast<int>(options_.keep_count); break;
        case TCP_USER_TIMEOUT: value = static_cast<int>(options_.user_timeout); break;
        case TCP_QUICKACK: value = quick_ack_; break;
        default: return -ENOPROTOOPT;
      }
      break;
    case IPPROTO_IPV6:
      if (family_ != AF_INET6) return -EOPNOTSUPP;
      switch (o.name) {
        case IPV6_V6ONLY: value = binding_.only_v6; break;
        case IPV6_UNICAST_HOPS: value = hops_v6_; break;
        case IPV6_TCLASS: value = traffic_class_; break;
        default: return -ENOPROTOOPT;
      }
      break;
    case IPPROTO_IP:
      switch (o.name) {
        case IP_TOS: value = tos_; break;
        case IP_TTL: value = hops_; break;
        default: return -ENOPROTOOPT;
      }
      break;
    default: return -ENOPROTOOPT;
  }
  return give(&value, sizeof value);
}

}  // namespace astd::driver::sim
