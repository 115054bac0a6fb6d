#include <astd/base/assert.hpp>
#include <astd/driver/attempt.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/socket.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace astd::driver::sim {

// ---- buffers

message::message(const operation& op) noexcept {
  switch (op.code) {
    case opcode::recvmsg:
    case opcode::sendmsg:
      header_ = op.args.message.message;
      flags_ = op.args.message.flags;
      vectors_ = header_->msg_iov;
      count_ = header_->msg_iovlen;
      break;
    case opcode::readv:
    case opcode::writev:
      vectors_ = op.args.vectors.vectors;
      count_ = std::min<std::size_t>(op.args.vectors.count, IOV_MAX);
      break;
    default:
      if (op.code == opcode::recv || op.code == opcode::send) flags_ = op.args.transfer.flags;
      single_ = {op.args.transfer.data, op.args.transfer.size};
      vectors_ = &single_;
      count_ = 1;
  }
  for (std::size_t i = 0; i < count_; ++i) size_ += vectors_[i].iov_len;
  size_ = std::min<std::size_t>(size_, INT_MAX);
}

// ---- operations

socket::socket(network_stack& stack, int family) noexcept : stack_(&stack), family_(family) {
  binding_.whose = this;
  binding_.at.address = family == AF_INET ? ip::v4_any() : ip::v6_any();
  options_.send_room = options_.receive_room = stack.of().in().options().socket_room;
  stack.add(*this);
}

socket::~socket() {
  ASTD_ASSERT(readers_.empty() && writers_.empty() && pollers_.empty(),
              "a socket is closed while an operation on it is pending");
  if (stack_) detail::intrusive_list<socket_in_stack>::erase(*this);
}

const machine* socket::where() const noexcept { return &stack_->of(); }

std::int32_t socket::start(operation& op) noexcept {
  if (dead_) return -ECANCELED;
  op.cancel_asked = false;
  switch (op.code) {
    case opcode::bind: return bind_to(op);
    case opcode::listen: return listen(op.args.value);
    case opcode::shutdown: return shutdown(op.args.value);
    case opcode::local_name: return name(op, false);
    case opcode::peer_name: return name(op, true);
    case opcode::set_option: return set_option(op.args.option);
    case opcode::get_option: return get_option(op.args.option);
    case opcode::accept_many: {
      op.args.connections.accepted = nullptr;
      std::int32_t error = 0;
      const bool any = may_accept(error);
      if (error != 0) return error;
      if (any)
        tell_of_connections(op);
      else
        wait_for_connections(op);
      return pending;
    }
    case opcode::accept:
    case opcode::connect:
    case opcode::recv:
    case opcode::send:
    case opcode::recvmsg:
    case opcode::sendmsg:
    case opcode::recvmmsg:
    case opcode::sendmmsg:
    case opcode::readable:
    case opcode::writable:
    case opcode::poll: break;
    case opcode::read:
    case opcode::write:
      if (op.args.transfer.offset >= 0) return -ESPIPE;
      break;
    case opcode::readv:
    case opcode::writev:
      if (op.args.vectors.offset >= 0) return -ESPIPE;
      break;
    case opcode::fsync:
    case opcode::ftruncate: return -EINVAL;
    default: return -ENOTSOCK;
  }
  completions& waiting = op.code == opcode::poll ? pollers_ : is_input(op.code) ? readers_ : writers_;
  std::int32_t result = pending;
  // Nobody overtakes those who wait already.
  if (op.code == opcode::poll || op.code == opcode::connect || waiting.empty()) result = attempt(op, false);
  if (result == pending && wants_no_wait(op)) return -EAGAIN;
  if (result == pending) waiting.push_back(op);
  return result;
}

std::int32_t socket::attempt(operation& op, bool again) noexcept {
  switch (op.code) {
    case opcode::accept: return accept();
    case opcode::connect: return connect(op, again);
    case opcode::recv:
    case opcode::recvmsg:
    case opcode::read:
    case opcode::readv:
      if (wants_no_wait(op) && stack_->in().strikes(fault::spurious_readiness, where())) return pending;
      return receive(message(op));
    case opcode::send:
    case opcode::sendmsg:
    case opcode::write:
    case opcode::writev:
      if (wants_no_wait(op) && stack_->in().strikes(fault::spurious_readiness, where())) return pending;
      return send(message(op));
    case opcode::recvmmsg:
    case opcode::sendmmsg:
      if (wants_no_wait(op) && stack_->in().strikes(fault::spurious_readiness, where())) return pending;
      return transfer_many(op);
    case opcode::readable:
    case opcode::writable:
    case opcode::poll: return poll(op);
    default: return -ENOSYS;
  }
}

std::int32_t socket::transfer_many(operation& op) noexcept {
  const messages_arguments& m = op.args.messages;
  if (m.count == 0) return 0;
  for (unsigned i = 0; i < m.count; ++i) {
    operation one;
    one.code = op.code == opcode::recvmmsg ? opcode::recvmsg : opcode::sendmsg;
    one.args.message = {&m.messages[i].msg_hdr, m.flags};
    const std::int32_t result = is_input(op.code) ? receive(message(one)) : send(message(one));
    if (result < 0) {
      // What has been moved counts. An error of the second is the next attempt's: on the system it is kept.
      if (i == 0) return result;
      if (result != pending && is_input(op.code)) error_ = -result;
      return static_cast<std::int32_t>(i);
    }
    m.messages[i].msg_len = static_cast<unsigned>(result);
  }
  return static_cast<std::int32_t>(m.count);
}

std::int32_t socket::poll(const operation& op) noexcept {
  const int asked = op.code == opcode::readable ? POLLIN : op.code == opcode::writable ? POLLOUT : op.args.value;
  const int held = holds() & (asked | POLLERR | POLLHUP);
  if (held != 0) return op.code == opcode::poll ? held : 0;
  // "It was ready a moment ago."
  if (asked != 0 && stack_->in().strikes(fault::spurious_readiness, where()))
    return op.code == opcode::poll ? asked & (POLLIN | POLLOUT) : 0;
  return pending;
}

void socket::serve(completions& waiting) noexcept {
  while (operation* const op = waiting.front()) {
    if (op->code == opcode::accept_many) {
      std::int32_t error = 0;
      if (!may_accept(error) && error == 0) return;
      tell_of_connections(*op);
      continue;
    }
    const std::int32_t result = attempt(*op, true);
    if (result == pending) return;
    completions::erase(*op);
    stack_->in().finish(*op, result);
  }
}

void socket::serve_pollers() noexcept {
  if (pollers_.empty()) return;
  const int held = holds();
  for (operation* op = pollers_.front(); op != nullptr;) {
    operation* const behind = pollers_.after(*op);
    if (const int wanted = held & (op->args.value | POLLERR | POLLHUP); wanted != 0) {
      completions::erase(*op);
      stack_->in().finish(*op, wanted);
    }
    op = behind;
  }
}

void socket::wake_readers() noexcept {
  serve(readers_);
  serve_pollers();
}
void socket::wake_writers() noexcept {
  serve(writers_);
  serve_pollers();
}

// An accept_many is in our list (which it notes), or it has been told and is in its driver's, or in none.
void socket::wait_for_connections(operation& op) noexcept {
  op.args.connections.accepted = this;
  readers_.push_back(op);
}
void socket::tell_of_connections(operation& op) noexcept {
  if (op.args.connections.accepted) completions::erase(op);
  op.args.connections.accepted = nullptr;
  stack_->in().report(op);
}

void socket::cancel(operation& op) noexcept {
  if (!op.in_flight || op.cancel_asked) return;
  op.cancel_asked = true;
  if (op.code == opcode::accept_many) {
    // The end is what next_connection() says.
    tell_of_connections(op);
    return;
  }
  completions::erase(op);
  stack_->in().finish(op, -ECANCELED);
}

std::int32_t socket::next_connection(operation& op) noexcept {
  std::int32_t error = dead_ || op.cancel_asked ? -ECANCELED : 0;
  if (error == 0) {
    const bool any = may_accept(error);
    if (error == 0 && any) {
      const std::int32_t result = accept();
      if (result >= 0) return result;
      error = result == pending ? 0 : result;
    }
    if (error == 0) {
      wait_for_connections(op);
      return -EAGAIN;
    }
  }
  return error;
}

void socket::crash() noexcept {
  if (dead_) return;
  dead_ = true;
  vanish();
  for (completions* waiting : {&readers_, &writers_, &pollers_}) {
    while (operation* const op = waiting->front()) {
      if (op->code == opcode::accept_many) {
        op->cancel_asked = true;
        tell_of_connections(*op);
      } else {
        completions::erase(*op);
        stack_->in().finish(*op, -ECANCELED);
      }
    }
  }
}

// ---- names

std::int32_t socket::bind_to(operation& op) noexcept {
  place at;
  if (const std::int32_t error = read_place(op.args.address.address, *op.args.address.length, family_, at))
    return error;
  if (family_ != AF_INET && binding_.only_v6 && at.address.is_v4()) return -EINVAL;
  return bind(at);
}

std::int32_t socket::read_target(const sockaddr* address, unsigned length, place& to) const noexcept {
  if (const std::int32_t error = read_place(address, length, family_, to)) return error;
  if (family_ != AF_INET && to.address.is_v4() && binding_.only_v6) return -ENETUNREACH;
  return 0;
}

std::int32_t socket::name(operation& op, bool of_peer) noexcept {
  place what = local_place();
  if (of_peer) {
    const place* const peer = peer_place(false);
    if (!peer) return -ENOTCONN;
    what = *peer;
  }
  write_place(what, family_, op.args.address.address, *op.args.address.length);
  return 0;
}

std::size_t socket::perhaps_less(std::size_t size) noexcept {
  world& w = stack_->in();
  if (size < 2 || !w.strikes(fault::short_transfer, where())) return size;
  return 1 + static_cast<std::size_t>(w.order().below(size - 1));
}

}  // namespace astd::driver::sim
