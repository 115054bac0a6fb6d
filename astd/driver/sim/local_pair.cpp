#include <astd/base/assert.hpp>
#include <astd/driver/attempt.hpp>
#include <astd/driver/sim/local_pair.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/socket.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <poll.h>
#include <sys/socket.h>

namespace astd::driver::sim {
namespace {

// Two of everything: [0] is the first end's.
class local_pair {
 public:
  explicit local_pair(machine& on) noexcept : machine_(on), world_(on.in()) {}

  completions readers[2], writers[2], pollers[2];
  bool open[2] = {true, true};
  bool shut_read[2] = {}, shut_write[2] = {};
  bool reset[2] = {};  // the other end has gone with bytes that it had not read

  std::int32_t attempt(int end, operation& op) {
    switch (op.code) {
      case opcode::recv:
      case opcode::recvmsg:
      case opcode::read:
      case opcode::readv: return receive(end, message(op));
      case opcode::send:
      case opcode::sendmsg:
      case opcode::write:
      case opcode::writev: return send(end, message(op));
      case opcode::readable: return holds(end) & (POLLIN | POLLHUP | POLLERR) ? 0 : pending;
      case opcode::writable: return holds(end) & (POLLOUT | POLLHUP | POLLERR) ? 0 : pending;
      default: return -EOPNOTSUPP;
    }
  }

  int holds(int end) const noexcept {
    const bool over = is_over(end), gone = !open[1 - end];
    return (!incoming_[end].empty() || over ? POLLIN | POLLRDNORM : 0) | (over ? POLLRDHUP : 0) |
           (gone ? POLLHUP : 0) | (reset[end] ? POLLERR : 0) | (gone || room(end) > 0 ? POLLOUT | POLLWRNORM : 0);
  }

  void close(int end) noexcept {
    open[end] = false;
    if (!incoming_[end].empty()) reset[1 - end] = true;
    settle();
  }

  void settle() noexcept {
    for (bool any = true; any;) {
      any = false;
      for (int end = 0; end < 2; ++end) {
        for (completions* waiting : {&readers[end], &writers[end]}) {
          while (operation* const op = waiting->front()) {
            const std::int32_t result = attempt(end, *op);
            if (result == pending) break;
            completions::erase(*op);
            world_.finish(*op, result);
            any = true;
          }
        }
      }
    }
    for (int end = 0; end < 2; ++end) {
      const int held = holds(end);
      for (operation* op = pollers[end].front(); op != nullptr;) {
        operation* const behind = pollers[end].after(*op);
        if (const int wanted = held & (op->args.value | POLLERR | POLLHUP); wanted != 0) {
          completions::erase(*op);
          world_.finish(*op, wanted);
        }
        op = behind;
      }
    }
  }

  world& in() noexcept { return world_; }
  bool spurious() noexcept { return world_.strikes(fault::spurious_readiness, &machine_); }

 private:
  bool is_over(int end) const noexcept { return !open[1 - end] || shut_write[1 - end] || shut_read[end]; }
  std::size_t room(int end) const noexcept {
    const std::size_t held = incoming_[1 - end].size(), most = world_.options().socket_room;
    return held < most ? most - held : 0;
  }
  std::size_t perhaps_less(std::size_t n) noexcept {
    if (n < 2 || !world_.strikes(fault::short_transfer, &machine_)) return n;
    return 1 + static_cast<std::size_t>(world_.order().below(n - 1));
  }

  std::int32_t receive(int end, const message& what) {
    if (msghdr* const header = what.header()) {
      header->msg_namelen = 0;
      header->msg_controllen = 0;
      header->msg_flags = 0;
    }
    if (what.size() == 0) return 0;
    std::string& bytes = incoming_[end];
    if (bytes.empty()) {
      if (std::exchange(reset[end], false)) return -ECONNRESET;
      return is_over(end) ? 0 : pending;
    }
    const std::size_t n = perhaps_less(std::min(what.size(), bytes.size()));
    std::size_t done = 0;
    what.each(n, [&](void* to, std::size_t some) {
      std::memcpy(to, bytes.data() + done, some);
      done += some;
    });
    if (!(what.flags() & MSG_PEEK)) bytes.erase(0, n);
    return static_cast<std::int32_t>(n);
  }

  std::int32_t send(int end, const message& what) {
    if (what.header() && what.header()->msg_controllen != 0) return -EOPNOTSUPP;
    if (shut_write[end] || !open[1 - end] || shut_read[1 - end]) return -EPIPE;
    if (what.size() == 0) return 0;
    if (room(end) == 0) return pending;
    const std::size_t n = perhaps_less(std::min(what.size(), room(end)));
    what.each(n, [&](const void* from, std::size_t some) {
      incoming_[1 - end].append(static_cast<const char*>(from), some);
    });
    return static_cast<std::int32_t>(n);
  }

  machine& machine_;
  world& world_;
  std::string incoming_[2];
};

class local_end final : public open_file {
 public:
  local_end(std::shared_ptr<local_pair> of, int end) noexcept : pair_(std::move(of)), end_(end) {}
  ~local_end() override {
    ASTD_ASSERT(pair_->readers[end_].empty() && pair_->writers[end_].empty() && pair_->pollers[end_].empty(),
                "a socket is closed while an operation on it is pending");
    pair_->close(end_);
  }

  std::int32_t start(operation& op) noexcept override {
    switch (op.code) {
      case opcode::shutdown: return shutdown(op.args.value);
      case opcode::local_name:
      case opcode::peer_name: return name(op.args.address);
      case opcode::fsync:
      case opcode::ftruncate: return -EINVAL;
      case opcode::poll: return poll(op);
      case opcode::read:
      case opcode::write:
        if (op.args.transfer.offset >= 0) return -ESPIPE;
        break;
      case opcode::readv:
      case opcode::writev:
        if (op.args.vectors.offset >= 0) return -ESPIPE;
        break;
      case opcode::recv:
      case opcode::send:
      case opcode::recvmsg:
      case opcode::sendmsg:
      case opcode::readable:
      case opcode::writable: break;
      default: return -EOPNOTSUPP;
    }
    if (wants_no_wait(op) && pair_->spurious()) return -EAGAIN;
    completions& waiting = is_input(op.code) ? pair_->readers[end_] : pair_->writers[end_];
    const std::int32_t result = waiting.empty() ? pair_->attempt(end_, op) : pending;
    if (result == pending) {
      if (wants_no_wait(op)) return -EAGAIN;
      waiting.push_back(op);
    } else if (result > 0) {
      pair_->settle();
    }
    return result;
  }
  void cancel(operation& op) noexcept override {
    op.cancel_asked = true;
    drop(op);
  }
  std::int32_t next_connection(operation&) noexcept override { return -EOPNOTSUPP; }
  void crash() noexcept override {
    for (completions* waiting : {&pair_->readers[end_], &pair_->writers[end_], &pair_->pollers[end_]})
      while (operation* const op = waiting->front()) drop(*op);
  }

 private:
  void drop(operation& op) noexcept {
    completions::erase(op);
    pair_->in().finish(op, -ECANCELED);
  }
  std::int32_t shutdown(int how) noexcept {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
    if (!pair_->open[1 - end_]) return -ENOTCONN;
    if (how != SHUT_WR) pair_->shut_read[end_] = true;
    if (how != SHUT_RD) pair_->shut_write[end_] = true;
    pair_->settle();
    return 0;
  }
  // Neither end has one.
  static std::int32_t name(const address_arguments& to) noexcept {
    const sa_family_t family = AF_UNIX;
    std::memcpy(to.address, &family, std::min<std::size_t>(*to.length, sizeof family));
    *to.length = sizeof family;
    return 0;
  }
  std::int32_t poll(operation& op) noexcept {
    const int held = pair_->holds(end_) & (op.args.value | POLLERR | POLLHUP);
    if (held != 0) return held;
    if (const int asked = op.args.value & (POLLIN | POLLOUT); asked != 0 && pair_->spurious()) return asked;
    pair_->pollers[end_].push_back(op);
    return pending;
  }

  const std::shared_ptr<local_pair> pair_;
  const int end_;
};

}  // namespace

std::pair<std::shared_ptr<open_file>, std::shared_ptr<open_file>> make_local_pair(machine& on) {
  auto made = std::make_shared<local_pair>(on);
  return {std::make_shared<local_end>(made, 0), std::make_shared<local_end>(made, 1)};
}

}  // namespace astd::driver::sim
