#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/udp_socket.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>

namespace astd::driver::sim {
namespace {

constexpr std::size_t longest_datagram_v4 = 65'507, longest_datagram_v6 = 65'527;
constexpr std::uint64_t default_room = 212'992, overhead = 512;

void say_nothing_more(msghdr& h, int flags) noexcept {
  h.msg_controllen = 0;
  h.msg_flags = flags;
}

}  // namespace

udp_socket::~udp_socket() {
  if (!stack_) return;
  drop_all();
  stack_->unbind(binding_, network_stack::protocol::udp);
}

void udp_socket::vanish() noexcept {
  drop_all();
  stack_->unbind(binding_, network_stack::protocol::udp);
}

void udp_socket::drop_all() noexcept {
  while (packet* const p = received_.pop_front()) stack_->net().drop(*p);
  held_ = 0;
}

// ---- names

const place* udp_socket::peer_place(bool) const noexcept { return peer_ ? &*peer_ : nullptr; }

std::int32_t udp_socket::bind(const place& at) noexcept {
  if (bound()) return -EINVAL;
  if (!stack_->has(at.address)) return -EADDRNOTAVAIL;
  const ip before = binding_.at.address;
  binding_.at = at;
  const std::int32_t result = stack_->bind(binding_, network_stack::protocol::udp);
  if (result != 0)
    binding_.at = {before, 0};
  else
    bound_by_name_ = !at.address.is_any();
  return result;
}

std::int32_t udp_socket::bind_if_unbound() noexcept {
  return bound() ? 0 : stack_->bind(binding_, network_stack::protocol::udp);
}

std::int32_t udp_socket::connect(operation& op, bool) noexcept {
  const address_arguments& a = op.args.address;
  if (*a.length >= sizeof(sa_family_t) && a.address->sa_family == AF_UNSPEC) {
    peer_.reset();
    if (!bound_by_name_) binding_.at.address = family_ == AF_INET ? ip::v4_any() : ip::v6_any();
    return 0;
  }
  place to;
  if (const std::int32_t error = read_target(a.address, *a.length, to)) return error;
  const ip source = bound_by_name_ ? binding_.at.address : family_ == AF_INET ? ip::v4_any() : ip::v6_any();
  const network_stack::route way = stack_->route_to(to.address, source);
  if (way.error != 0) return way.error;
  if (const std::int32_t error = bind_if_unbound()) return error;
  if (!bound_by_name_) binding_.at.address = way.source;
  peer_ = place{way.target, to.port};
  shut_ = 0;
  return 0;
}

// ---- transfers

std::int32_t udp_socket::send(const message& m) noexcept {
  // First of all, whatever comes of it.
  if (bind_if_unbound() != 0) return -EAGAIN;
  if (m.flags() & MSG_OOB) return -EOPNOTSUPP;
  // As a system that does not know what is asked for: there are no segments here.
  if (m.header() && m.header()->msg_controllen != 0) return -EINVAL;
  if (shut_ & shut_send) return -EPIPE;
  if (m.size() > 65'535) return -EMSGSIZE;
  place to;
  if (m.header() && m.header()->msg_name) {
    if (const std::int32_t error =
            read_target(static_cast<const sockaddr*>(m.header()->msg_name), m.header()->msg_namelen, to))
      return error;
    if (to.port == 0) return -EINVAL;
  } else if (peer_) {
    to = *peer_;
  } else {
    return -EDESTADDRREQ;
  }
  const ip source = bound_by_name_ || peer_ ? binding_.at.address
                    : family_ == AF_INET    ? ip::v4_any()
                                            : ip::v6_any();
  const network_stack::route way = stack_->route_to(to.address, source);
  if (way.error != 0) return way.error;
  if (m.size() > (to.address.is_v4() ? longest_datagram_v4 : longest_datagram_v6)) return -EMSGSIZE;
  if (error_ != 0) return take_error();
  if (stack_->in().strikes(fault::no_memory, where())) return -ENOBUFS;

  network& net = stack_->net();
  packet& p = net.make_packet(packet_kind::datagram, *stack_, way.to);
  p.bytes = static_cast<std::uint32_t>(m.size());
  p.udp = {{way.source, binding_.at.port}, {way.target, to.port}, nullptr, 0};
  if (p.bytes > 0) {
    p.udp.room = block_pool::rounded(p.bytes);
    p.udp.data = net.blocks().take(p.udp.room);
    char* into = p.udp.data;
    m.each(m.size(), [&](const void* from, std::size_t some) {
      std::memcpy(into, from, some);
      into += some;
    });
  }
  net.send(p);
  return static_cast<std::int32_t>(m.size());
}

std::int32_t udp_socket::receive(const message& m) noexcept {
  if (error_ != 0) return take_error();
  packet* const p = received_.front();
  // To have shut it is no end to whoever does not block in the kernel: a datagram socket is read on, and has nothing.
  if (!p) return pending;
  const std::size_t size = std::min<std::size_t>(p->bytes, m.size());
  const char* from = p->udp.data;
  m.each(size, [&](void* to, std::size_t some) {
    std::memcpy(to, from, some);
    from += some;
  });
  const bool cut = size < p->bytes;
  if (msghdr* const h = m.header()) {
    if (h->msg_name) {
      unsigned length = h->msg_namelen;
      write_place(p->udp.source, family_, h->msg_name, length);
      h->msg_namelen = length;
    }
    say_nothing_more(*h, cut ? MSG_TRUNC : 0);
  }
  const auto result = static_cast<std::int32_t>(m.flags() & MSG_TRUNC ? p->bytes : size);
  if (!(m.flags() & MSG_PEEK)) {
    received_.pop_front();
    held_ -= p->bytes + overhead;
    stack_->net().drop(*p);
  }
  return result;
}

std::int32_t udp_socket::shutdown(int how) noexcept {
  if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
  shut_ |= how == SHUT_RD ? shut_receive : how == SHUT_WR ? shut_send : shut_both;
  wake_all();
  return peer_ ? 0 : -ENOTCONN;
}

int udp_socket::holds() const noexcept {
  int held = POLLOUT | POLLWRNORM;
  if (const_cast<udp_socket*>(this)->received_.front()) held |= POLLIN | POLLRDNORM;
  if (shut_ & shut_receive) held |= POLLIN | POLLRDNORM | POLLRDHUP;
  if (shut_ == shut_both) held |= POLLHUP;
  if (error_ != 0) held |= POLLERR;
  return held;
}

int udp_socket::fits(const place& local, const place& remote) const noexcept {
  if (local.port != binding_.at.port || !binding_.covers(local.address)) return 0;
  if (peer_ && *peer_ != remote) return 0;
  return 1 + (peer_ ? 2 : 0) + (binding_.at.address.is_any() ? 0 : 1);
}

void udp_socket::arrived(packet& p) noexcept {
  const std::uint64_t room = receive_room_ != 0 ? static_cast<std::uint64_t>(receive_room_) : default_room;
  if (held_ > room) return stack_->net().drop(p);
  held_ += p.bytes + overhead;
  received_.push_back(p);
  wake_readers();
}

void udp_socket::failed(int error) noexcept {
  error_ = error;
  wake_all();
}

}  // namespace astd::driver::sim
