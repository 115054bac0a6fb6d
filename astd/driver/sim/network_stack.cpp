#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/network_stack.hpp>
#include <astd/driver/sim/tcp_socket.hpp>
#include <astd/driver/sim/udp_socket.hpp>

#include <cerrno>
#include <memory>

#include <netinet/in.h>
#include <sys/socket.h>

namespace astd::driver::sim {
namespace {

std::uint32_t mixed(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t h = (a + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  h = (h ^ (h >> 31) ^ b) * 0x94d049bb133111eb;
  return static_cast<std::uint32_t>(h >> 32);
}
std::uint32_t hash_of(std::uint16_t port) noexcept { return mixed(port, 0); }
std::uint32_t hash_of(const place& local, const place& remote) noexcept {
  return mixed(local.address.low ^ (remote.address.low << 32) ^ remote.address.high,
               std::uint64_t(local.port) << 16 | remote.port);
}

}  // namespace

network_stack::network_stack(machine& of) : machine_(of), network_(of.in().net()), number_(of.number()) {}

network_stack::~network_stack() { end(); }

void network_stack::end() noexcept {
  crash();
  while (auto* const s = static_cast<socket*>(sockets_.pop_front())) {
    s->crash();
    s->orphan();
  }
}

bool network_stack::up() const noexcept { return machine_.now_is() != machine::state::crashed; }

std::int32_t network_stack::make_socket(operation& op) noexcept {
  const int family = op.args.socket.domain, which = op.args.socket.protocol;
  const int type = op.args.socket.type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (family != AF_INET && family != AF_INET6) return -EAFNOSUPPORT;
  if (type == SOCK_STREAM) {
    if (which != 0 && which != IPPROTO_TCP) return -EPROTONOSUPPORT;
  } else if (type == SOCK_DGRAM) {
    if (which != 0 && which != IPPROTO_UDP) return -EPROTONOSUPPORT;
  } else {
    return type == SOCK_RAW ? -EPERM : -ESOCKTNOSUPPORT;
  }
  if (in().strikes(fault::no_memory, &machine_)) return -ENOBUFS;
  if (type == SOCK_STREAM) return machine_.open(std::make_unique<tcp_socket>(*this, family));
  return machine_.open(std::make_unique<udp_socket>(*this, family));
}

void network_stack::crash() noexcept {
  while (auto* const side = static_cast<tcp_side*>(sides_.front())) side->vanish();
}

// ---- addresses

bool network_stack::has(const ip& address) const noexcept {
  return address.is_any() || address.is_loopback() || address == v4_of(number_) || address == v6_of(number_);
}

network_stack::route network_stack::route_to(const ip& address, const ip& source) noexcept {
  route way;
  way.target = address;
  const bool v4 = address.is_v4() || (address == ip::v6_any() && source.is_v4());
  if (address.is_any()) way.target = address.is_v4() ? ip::v4_loopback() : ip::v6_loopback();
  if (way.target.is_loopback() || has(way.target)) {
    way.to = this;
    way.source = !way.target.is_loopback() ? way.target : v4 ? ip::v4_loopback() : ip::v6_loopback();
  } else if (const auto number = number_of(way.target)) {
    way.to = network_.stack_at(way.target);
    way.source = v4 ? v4_of(number_) : v6_of(number_);
  } else {
    way.error = -ENETUNREACH;
    return way;
  }
  if (!source.is_any()) {
    if (source.is_v4() != way.target.is_v4()) way.error = -ENETUNREACH;
    if (source.is_loopback() && way.to != this) way.error = -EINVAL;
    way.source = source;
  }
  return way;
}

// ---- ports

bool network_stack::conflicts(const binding& b, protocol which) const noexcept {
  const bool tcp = which == protocol::tcp;
  return (tcp ? tcp_ports_ : udp_ports_).find(hash_of(b.at.port), [&](const binding& other) {
    if (&other == &b || !b.overlaps(other)) return false;
    if (b.reuse_port && other.reuse_port) return false;
    return !(b.reuse_address && other.reuse_address && !other.listening && !(tcp && b.listening));
  }) != nullptr;
}

std::int32_t network_stack::bind(binding& b, protocol which) noexcept {
  if (b.at.port == 0) {
    const std::uint32_t count = last_port_ - first_port_ + 1u;
    const auto first = static_cast<std::uint32_t>(in().order().below(count));
    std::uint32_t tried = 0;
    for (; tried < count; ++tried) {
      b.at.port = static_cast<std::uint16_t>(first_port_ + (first + tried) % count);
      if (!(which == protocol::tcp ? tcp_ports_ : udp_ports_).find(hash_of(b.at.port), [&](const binding& other) {
            return other.at.port == b.at.port;
          }))
        break;
    }
    if (tried == count) {
      b.at.port = 0;
      return -EADDRINUSE;
    }
  } else if (conflicts(b, which)) {
    return -EADDRINUSE;
  }
  (which == protocol::tcp ? tcp_ports_ : udp_ports_).insert(b, hash_of(b.at.port));
  return 0;
}

void network_stack::unbind(binding& b, protocol which) noexcept {
  (which == protocol::tcp ? tcp_ports_ : udp_ports_).erase(b);
}

// Whoever has the same port with SO_REUSEADDR may have it as long as only one listens.
bool network_stack::may_listen(const binding& b) const noexcept {
  return !tcp_ports_.find(hash_of(b.at.port), [&](const binding& other) {
    return &other != &b && other.listening && b.overlaps(other) && !(b.reuse_port && other.reuse_port);
  });
}

std::int32_t network_stack::choose_port(tcp_side& side) noexcept {
  place& local = side.whole->places[side.index];
  const std::uint32_t count = last_port_ - first_port_ + 1u;
  const auto first = static_cast<std::uint32_t>(in().order().below(count));
  for (std::uint32_t tried = 0; tried < count; ++tried) {
    local.port = static_cast<std::uint16_t>(first_port_ + (first + tried) % count);
    // One may serve for several places; but not if somebody has asked for it.
    if (find(local, side.remote())) continue;
    if (tcp_ports_.find(hash_of(local.port),
                        [&](const binding& other) { return other.whose && other.at.port == local.port; }))
      continue;
    return 0;
  }
  local.port = 0;
  return -EADDRNOTAVAIL;
}

void network_stack::add(tcp_side& side) {
  ++connections_;
  sides_.push_back(side);
  side.port.at = side.local();
  by_places_.insert(side, hash_of(side.local(), side.remote()));
  tcp_ports_.insert(side.port, hash_of(side.local().port));
}

void network_stack::remove(tcp_side& side) noexcept {
  --connections_;
  detail::intrusive_list<tcp_side_in_stack>::erase(side);
  by_places_.erase(side);
  tcp_ports_.erase(side.port);
}

tcp_side* network_stack::find(const place& local, const place& remote) const noexcept {
  return by_places_.find(hash_of(local, remote),
                         [&](const tcp_side& s) { return s.local() == local && s.remote() == remote; });
}

void network_stack::add(socket& s) noexcept { sockets_.push_back(s); }

void network_stack::add_listener(tcp_listener& l) {
  l.number = ++listened_;
  listeners_.insert(l, hash_of(l.bound_to.at.port));
}
void network_stack::remove_listener(tcp_listener& l) noexcept { listeners_.erase(l); }

tcp_listener* network_stack::listener_at(const place& local, const place& remote) const noexcept {
  // The address itself before a wildcard. Of several with SO_REUSEPORT one is chosen by the other end's place.
  tcp_listener* best = nullptr;
  int best_fit = 0;
  std::uint32_t best_weight = 0;
  listeners_.each(hash_of(local.port), [&](tcp_listener& l) {
    if (l.bound_to.at.port != local.port || !l.bound_to.covers(local.address)) return;
    const ip& a = l.bound_to.at.address;
    const int fit = !a.is_any() ? 3 : a.is_v4() == local.address.is_v4() ? 2 : 1;
    const std::uint32_t weight = mixed(hash_of(local, remote), l.number);
    if (fit > best_fit || (fit == best_fit && weight > best_weight)) {
      best = &l;
      best_fit = fit;
      best_weight = weight;
    }
  });
  return best;
}

udp_socket* network_stack::receiver_of(const place& local, const place& remote) const noexcept {
  udp_socket* best = nullptr;
  int best_fit = 0;
  udp_ports_.each(hash_of(local.port), [&](const binding& b) {
    auto* const s = static_cast<udp_socket*>(b.whose);
    // The last that was bound comes first.
    if (const int fit = s->fits(local, remote); fit > best_fit) {
      best = s;
      best_fit = fit;
    }
  });
  return best;
}

// ---- arrivals

void network_stack::arrive(packet& p) noexcept {
  switch (p.kind) {
    case packet_kind::datagram: return arrive_datagram(p);
    case packet_kind::refused:
    case packet_kind::unreachable: arrive_error(p); break;
    default: arrive_at_connection(p);
  }
  network_.drop(p);
}

void network_stack::arrive_at_connection(packet& p) noexcept {
  tcp_side& side = p.tcp.connection->sides[p.to_side];
  if (side.state != tcp_state::closed) return side.arrive(p);
  if (p.kind == packet_kind::syn && !side.stack) return arrive_at_listener(p);
  if (p.kind == packet_kind::reset) return;
  refuse(p);
}

void network_stack::refuse(packet& p) noexcept {
  packet& answer = network_.make_packet(packet_kind::reset, *this, p.from);
  answer.to_side = static_cast<std::uint8_t>(1 - p.to_side);
  ++p.tcp.connection->references;
  answer.tcp = {p.tcp.connection, 0, 0, 0};
  network_.send(answer);
}

void network_stack::arrive_at_listener(packet& p) noexcept {
  tcp_connection& c = *p.tcp.connection;
  tcp_side& side = c.sides[1];
  if (tcp_side* const other = find(c.places[1], c.places[0])) {
    // Of an earlier life of the one that connects. One that only waits makes room; the other asks its own other end.
    if (other->state != tcp_state::time_wait) return other->arrive(p);
    other->finish(0);
  }
  tcp_listener* const l = listener_at(c.places[1], c.places[0]);
  if (!l) return refuse(p);
  if (l->full()) return;
  const tcp_socket& s = *l->socket;
  side.stack = this;
  side.options = s.options();
  side.port.reuse_address = s.bound_to().reuse_address;
  side.port.reuse_port = s.bound_to().reuse_port;
  side.answer(*l, p);
}

void network_stack::arrive_datagram(packet& p) noexcept {
  if (udp_socket* const s = receiver_of(p.udp.target, p.udp.source)) return s->arrived(p);
  packet& answer = network_.make_packet(packet_kind::refused, *this, p.from);
  answer.udp = {p.udp.target, p.udp.source, nullptr, 0};
  network_.send(answer);
  network_.drop(p);
}

// Only who is connected is told.
void network_stack::arrive_error(packet& p) noexcept {
  udp_socket* const s = receiver_of(p.udp.target, p.udp.source);
  if (s && s->connected_to()) s->failed(p.kind == packet_kind::refused ? ECONNREFUSED : EHOSTUNREACH);
}

}  // namespace astd::driver::sim
