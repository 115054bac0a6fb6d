#include <astd/base/assert.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/pipe.hpp>
#include <astd/driver/sim/transfer.hpp>

#include <algorithm>
#include <cerrno>
#include <string>

#include <poll.h>

namespace astd::driver::sim {
namespace {

bool is_read(opcode code) noexcept { return code == opcode::read || code == opcode::readv; }
bool is_write(opcode code) noexcept { return code == opcode::write || code == opcode::writev; }

class pipe {
 public:
  explicit pipe(machine& on) noexcept : machine_(on), world_(on.in()) {}

  enum side : unsigned char { reading, writing };
  completions transfers[2];  // who waits, in the order of arrival
  completions pollers[2];
  bool open[2] = {true, true};

  // 0 and more, a negated errno, or pending.
  std::int32_t attempt(operation& op) {
    const transfer_view what(op);
    if (what.size() == 0) return 0;
    return is_read(op.code) ? take(what) : put(what);
  }

  int holds(side s) const noexcept {
    if (s == reading) return (held() > 0 ? POLLIN | POLLRDNORM : 0) | (open[writing] ? 0 : POLLHUP);
    if (!open[reading]) return POLLOUT | POLLWRNORM | POLLERR;
    return room() >= pipe_atomic ? POLLOUT | POLLWRNORM : 0;
  }

  // Something has changed: all who can go on do.
  void settle() noexcept {
    for (bool any = true; any;) {
      any = false;
      for (completions& waiting : transfers) {
        while (operation* const op = waiting.front()) {
          const std::int32_t result = attempt(*op);
          if (result == pending) break;
          completions::erase(*op);
          world_.finish(*op, result);
          any = true;
        }
      }
    }
    for (const side s : {reading, writing}) {
      const int held = holds(s);
      for (operation* op = pollers[s].front(); op != nullptr;) {
        operation* const behind = pollers[s].after(*op);
        if (const int wanted = held & (op->args.value | POLLERR | POLLHUP); wanted != 0) {
          completions::erase(*op);
          world_.finish(*op, wanted);
        }
        op = behind;
      }
    }
  }

  void cancel(operation& op) noexcept {
    completions::erase(op);
    world_.finish(op, -ECANCELED);
  }
  void cancel_all(side s) noexcept {
    for (completions* waiting : {&transfers[s], &pollers[s]})
      while (operation* const op = waiting->front()) cancel(*op);
  }
  bool is_idle(side s) noexcept { return transfers[s].empty() && pollers[s].empty(); }
  bool spurious() noexcept { return world_.strikes(fault::spurious_readiness, &machine_); }

 private:
  std::size_t held() const noexcept { return bytes_.size() - begin_; }
  std::size_t room() const noexcept { return pipe_capacity - held(); }

  std::size_t perhaps_less(std::size_t n) noexcept {
    if (n < 2 || !world_.strikes(fault::short_transfer, &machine_)) return n;
    return 1 + static_cast<std::size_t>(world_.order().below(n - 1));
  }

  std::int32_t take(const transfer_view& what) {
    if (held() == 0) return open[writing] ? pending : 0;
    const std::size_t n = perhaps_less(std::min(what.size(), held()));
    what.each(n, [this](char* to, std::size_t some) {
      bytes_.copy(to, some, begin_);
      begin_ += some;
    });
    if (begin_ == bytes_.size() || begin_ >= pipe_capacity) bytes_.erase(0, std::exchange(begin_, 0));
    return static_cast<std::int32_t>(n);
  }

  std::int32_t put(const transfer_view& what) {
    if (!open[reading]) return -EPIPE;
    std::size_t n = what.size();
    if (n > pipe_atomic) {
      if (room() == 0) return pending;
      n = perhaps_less(std::min(n, room()));
    } else if (room() < n) {
      return pending;
    }
    what.each(n, [this](const char* from, std::size_t some) { bytes_.append(from, some); });
    return static_cast<std::int32_t>(n);
  }

  machine& machine_;
  world& world_;
  std::string bytes_;
  std::size_t begin_ = 0;  // of what was not read yet
};

class pipe_end final : public open_file {
 public:
  pipe_end(std::shared_ptr<pipe> of, pipe::side s) noexcept : pipe_(std::move(of)), side_(s) {}
  ~pipe_end() override {
    ASTD_ASSERT(pipe_->is_idle(side_), "the end of a pipe is closed while an operation on it is pending");
    pipe_->open[side_] = false;
    pipe_->settle();
  }

  std::int32_t start(operation& op) noexcept override { return begin(op, true); }
  std::int32_t try_now(operation& op) noexcept override {
    if (pipe_->spurious()) return -EAGAIN;
    return begin(op, false);
  }
  void cancel(operation& op) noexcept override {
    op.cancel_asked = true;
    pipe_->cancel(op);
  }
  std::int32_t next_connection(operation&) noexcept override { return -ENOTSOCK; }
  void crash() noexcept override { pipe_->cancel_all(side_); }

 private:
  std::int32_t begin(operation& op, bool may_wait) {
    if (op.code == opcode::poll) return poll(op, may_wait);
    if (op.code == opcode::fsync || op.code == opcode::ftruncate) return -EINVAL;
    if (!is_read(op.code) && !is_write(op.code)) return -ENOTSOCK;
    if (is_read(op.code) != (side_ == pipe::reading)) return -EBADF;
    if (const std::int64_t offset = transfer_view(op).offset(); offset != -1) return offset < 0 ? -EINVAL : -ESPIPE;
    // Nobody overtakes those who wait already.
    completions& waiting = pipe_->transfers[side_];
    const std::int32_t result = waiting.empty() ? pipe_->attempt(op) : pending;
    if (result == pending) {
      if (!may_wait) return -EAGAIN;
      waiting.push_back(op);
    } else if (result > 0) {
      pipe_->settle();
    }
    return result;
  }

  std::int32_t poll(operation& op, bool may_wait) {
    const int held = pipe_->holds(side_) & (op.args.value | POLLERR | POLLHUP);
    if (held != 0) return held;
    if (const int asked = op.args.value & (POLLIN | POLLOUT); asked != 0 && pipe_->spurious()) return asked;
    if (!may_wait) return -EAGAIN;
    pipe_->pollers[side_].push_back(op);
    return pending;
  }

  const std::shared_ptr<pipe> pipe_;
  const pipe::side side_;
};

class null_stream final : public open_file {
 public:
  std::int32_t start(operation& op) noexcept override {
    if (is_read(op.code)) return 0;
    if (is_write(op.code)) return static_cast<std::int32_t>(transfer_view(op).size());
    if (op.code == opcode::poll && op.args.value != 0) return op.args.value & (POLLIN | POLLOUT);
    return op.code == opcode::fsync || op.code == opcode::ftruncate ? -EINVAL : -ENOTSOCK;
  }
  void cancel(operation&) noexcept override {}  // nothing waits here
  std::int32_t next_connection(operation&) noexcept override { return -ENOTSOCK; }
  void crash() noexcept override {}
};

}  // namespace

std::pair<std::shared_ptr<open_file>, std::shared_ptr<open_file>> make_pipe(machine& on) {
  auto made = std::make_shared<pipe>(on);
  return {std::make_shared<pipe_end>(made, pipe::reading), std::make_shared<pipe_end>(made, pipe::writing)};
}

std::shared_ptr<open_file> make_null_stream() { return std::make_shared<null_stream>(); }

}  // namespace astd::driver::sim
