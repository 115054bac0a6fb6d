#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/tcp_socket.hpp>

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

namespace astd::driver::sim {

tcp_socket::~tcp_socket() {
  if (!stack_) return;
  stop_listening();
  if (tcp_side* const side = side_) {
    side_ = nullptr;
    side->leave(linger_ && linger_seconds_ == 0);
    stack_->net().unref(*side->whole);
  }
  stack_->unbind(binding_, network_stack::protocol::tcp);
}

void tcp_socket::vanish() noexcept {
  // The stack has ended its sides; what they had is gone, too.
  let_go();
  if (listener_) {
    stack_->remove_listener(*listener_);
    while (tcp_side* const lost = listener_->take()) stack_->net().unref(*lost->whole);
    listener_.reset();
  }
  stack_->unbind(binding_, network_stack::protocol::tcp);
}

tcp_state tcp_socket::state() const noexcept {
  if (!side_ || side_->state == tcp_state::time_wait) return tcp_state::closed;
  return side_->state;
}

void tcp_socket::adopt(tcp_side& side) noexcept {
  side_ = &side;
  side.socket = this;
}

void tcp_socket::let_go() noexcept {
  if (!side_) return;
  tcp_connection& c = *side_->whole;
  side_->socket = nullptr;
  side_ = nullptr;
  stack_->net().unref(c);
}

void tcp_socket::side_has_ended(int error) noexcept {
  if (error != 0) error_ = error;
  shut_ = shut_both;
  wake_all();
}

void tcp_socket::has_sent() noexcept {
  if (writers_.empty() && pollers_.empty()) return;
  if (side_->has_much_room()) wake_writers();
}

// ---- names

const place* tcp_socket::peer_place(bool past) const noexcept {
  if (!side_) return nullptr;
  const tcp_state s = state();
  if (!past && (s == tcp_state::closed || s == tcp_state::syn_sent)) return nullptr;
  return &side_->remote();
}

place tcp_socket::local_place() const noexcept { return side_ ? side_->local() : binding_.at; }

std::int32_t tcp_socket::bind(const place& at) noexcept {
  if (bound() || side_ || listener_) return -EINVAL;
  if (!stack_->has(at.address)) return -EADDRNOTAVAIL;
  const ip before = binding_.at.address;
  binding_.at = at;
  const std::int32_t result = stack_->bind(binding_, network_stack::protocol::tcp);
  if (result != 0) binding_.at = {before, 0};
  return result;
}

// ---- connecting

std::int32_t tcp_socket::connect(operation& op, bool again) noexcept {
  if (!again && stage_ == stage::connecting && state() == tcp_state::syn_sent) return -EALREADY;
  if (stage_ == stage::connected) return again ? 0 : -EISCONN;
  if (listener_) return -EISCONN;
  if (stage_ == stage::unconnected) {
    if (again) {
      // Given up meanwhile, or another has been told of the failure.
      const std::int32_t error = take_error();
      return error != 0 ? error : -ECONNABORTED;
    }
    if (const std::int32_t error = begin_connect(op)) return error;
    stage_ = stage::connecting;
    return pending;
  }
  switch (state()) {
    case tcp_state::syn_sent: return pending;
    case tcp_state::closed: {
      const std::int32_t error = take_error();
      stage_ = stage::unconnected;
      shut_ = 0;
      let_go();
      binding_.at = bound() ? binding_.at : place{family_ == AF_INET ? ip::v4_any() : ip::v6_any(), 0};
      return error != 0 ? error : -ECONNABORTED;
    }
    default: stage_ = stage::connected; return 0;
  }
}

std::int32_t tcp_socket::begin_connect(operation& op) noexcept {
  place to;
  if (const std::int32_t error = read_target(op.args.address.address, *op.args.address.length, to)) return error;
  const network_stack::route way = stack_->route_to(to.address, binding_.at.address);
  if (way.error != 0) return way.error;
  if (stack_->in().strikes(fault::no_memory, where())) return -ENOBUFS;
  tcp_connection& c = stack_->net().make_connection();
  c.references = 1;  // ours
  c.places[0] = {way.source, binding_.at.port};
  c.places[1] = {way.target, to.port};
  c.target = way.to;
  c.local = way.to == stack_;
  tcp_side& side = c.sides[0];
  side.stack = stack_;
  side.options = options_;
  side.port.reuse_address = binding_.reuse_address;
  side.port.reuse_port = binding_.reuse_port;
  std::int32_t error = 0;
  if (!bound())
    error = stack_->choose_port(side);
  else if (stack_->find(c.places[0], c.places[1]))
    error = -EADDRNOTAVAIL;
  if (error != 0) {
    stack_->net().unref(c);
    return error;
  }
  error_ = 0;
  shut_ = 0;
  adopt(side);
  side.connect();
  return 0;
}

// ---- listening

std::int32_t tcp_socket::listen(int backlog) noexcept {
  constexpr unsigned most = 4'096;
  if (stage_ != stage::unconnected || side_) return -EINVAL;
  const auto wanted = static_cast<std::uint32_t>(std::min(static_cast<unsigned>(backlog), most));
  if (listener_) {
    listener_->backlog = wanted;
    return 0;
  }
  if (!bound()) {
    if (const std::int32_t error = stack_->bind(binding_, network_stack::protocol::tcp)) return error;
  }
  if (!stack_->may_listen(binding_)) return -EADDRINUSE;
  binding_.listening = true;
  shut_ = 0;
  listener_ = std::make_unique<tcp_listener>(*this, *stack_, binding_);
  listener_->backlog = wanted;
  stack_->add_listener(*listener_);
  return 0;
}

void tcp_socket::stop_listening() noexcept {
  if (!listener_) return;
  stack_->remove_listener(*listener_);
  listener_->stop();
  listener_.reset();
  binding_.listening = false;
}

bool tcp_socket::may_accept(std::int32_t& error) noexcept {
  error = listener_ ? 0 : -EINVAL;
  return listener_ && listener_->waiting > 0;
}

std::int32_t tcp_socket::accept() noexcept {
  if (!listener_) return -EINVAL;
  while (listener_->waiting > 0) {
    if (stack_->in().strikes(fault::connection_aborted, where())) {
      tcp_side* const lost = listener_->take();
      lost->leave(true);
      stack_->net().unref(*lost->whole);
      continue;
    }
    auto made = std::make_unique<tcp_socket>(*stack_, family_);
    tcp_socket& accepted = *made;
    // The connection stays where it is if there is no number for it.
    const int number = stack_->of().open(std::move(made));
    if (number < 0) return number;
    tcp_side& side = *listener_->take();
    accepted.options_ = side.options;
    accepted.send_room_ = send_room_;
    accepted.receive_room_ = receive_room_;
    accepted.linger_ = linger_;
    accepted.linger_seconds_ = linger_seconds_;
    accepted.binding_.reuse_address = binding_.reuse_address;
    accepted.binding_.reuse_port = binding_.reuse_port;
    accepted.binding_.only_v6 = binding_.only_v6;
    accepted.stage_ = stage::connected;
    accepted.adopt(side);
    if (side.state == tcp_state::closed) accepted.side_has_ended(side.error);
    return number;
  }
  return pending;
}

// ---- transfers

std::int32_t tcp_socket::receive(const message& m) noexcept {
  if (listener_) return -ENOTCONN;
  if (m.flags() & MSG_OOB) return -EINVAL;
  const tcp_state s = state();
  if (const std::uint64_t there = side_ ? side_->readable() : 0; there > 0 && s != tcp_state::syn_sent) {
    const std::size_t size = perhaps_less(static_cast<std::size_t>(std::min<std::uint64_t>(there, m.size())));
    std::uint64_t from = side_->incoming().begin();
    m.each(size, [&](void* to, std::size_t some) {
      side_->incoming().copy(from, to, some);
      from += some;
    });
    if (!(m.flags() & MSG_PEEK) && size > 0) side_->consume(size);
    if (m.header()) {
      m.header()->msg_namelen = 0;
      m.header()->msg_controllen = 0;
      m.header()->msg_flags = 0;
    }
    return static_cast<std::int32_t>(size);
  }
  if (m.header()) {
    m.header()->msg_namelen = 0;
    m.header()->msg_controllen = 0;
    m.header()->msg_flags = 0;
  }
  if (ended()) return 0;
  if (error_ != 0) return take_error();
  if (shut_ & shut_receive) return 0;
  if (s == tcp_state::closed) return -ENOTCONN;
  return pending;
}

std::int32_t tcp_socket::send(const message& m) noexcept {
  const tcp_state s = state();
  if (s == tcp_state::syn_sent && error_ == 0 && !(shut_ & shut_send)) return pending;
  if (error_ != 0) return take_error();
  if ((s != tcp_state::established && s != tcp_state::close_wait) || (shut_ & shut_send)) return -EPIPE;
  if (m.size() == 0) return 0;
  const std::uint64_t room = side_->room();
  if (room == 0) return pending;
  const std::size_t size = perhaps_less(static_cast<std::size_t>(std::min<std::uint64_t>(room, m.size())));
  side_->write(m, size);
  return static_cast<std::int32_t>(size);
}

std::int32_t tcp_socket::shutdown(int how) noexcept {
  if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
  const unsigned which = how == SHUT_RD ? shut_receive : how == SHUT_WR ? shut_send : shut_both;
  std::int32_t result = 0;
  if (listener_) {
    if (which & shut_receive) {
      stop_listening();
      shut_ |= which;
    }
  } else if (state() == tcp_state::syn_sent) {
    // The attempt is given up.
    tcp_side* const side = side_;
    side_ = nullptr;
    side->leave(true);
    stack_->net().unref(*side->whole);
    stage_ = stage::unconnected;
    error_ = ECONNRESET;
  } else {
    if (state() == tcp_state::closed) result = -ENOTCONN;
    shut_ |= which;
    if (side_) {
      if (which & shut_receive) side_->receive_shut = true;
      if (which & shut_send) side_->send_fin();
    }
  }
  wake_all();
  return result;
}

int tcp_socket::holds() const noexcept {
  int held = 0;
  if (listener_) return listener_->waiting > 0 ? POLLIN | POLLRDNORM : 0;
  const tcp_state s = state();
  const unsigned shut = shut_ | (ended() ? shut_receive : 0u);
  if (shut == shut_both || s == tcp_state::closed) held |= POLLHUP;
  if (shut & shut_receive) held |= POLLIN | POLLRDNORM | POLLRDHUP;
  if (s != tcp_state::syn_sent) {
    if (side_ && side_->readable() > 0) held |= POLLIN | POLLRDNORM;
    if ((shut & shut_send) || !side_ || side_->has_much_room()) held |= POLLOUT | POLLWRNORM;
  }
  if (error_ != 0) held |= POLLERR;
  return held;
}

void tcp_socket::options_changed() noexcept {
  if (!side_) return;
  side_->options = options_;
  side_->settings_changed();
  // What Nagle held back.
  if (options_.no_delay && state() != tcp_state::closed && state() != tcp_state::syn_sent) side_->push();
}

}  // namespace astd::driver::sim
