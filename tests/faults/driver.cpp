// A driver in front of the runtime's own that lets operations fail.
#include <astd/driver/attempt.hpp>
#include <astd/driver/driver.hpp>

#include <tests/faults/injection.hpp>

#include <atomic>
#include <cerrno>
#include <utility>

namespace astd::faults {
namespace {

using driver::opcode;
using driver::operation;

std::atomic<long> countdown{0};
std::atomic<unsigned> wanted_kind{0};
std::atomic<bool> wanted_later{false};
std::atomic<int> injected{0};

// What may happen to it, apart from what every program meets all the time.
int error_of(opcode code, unsigned kind) noexcept {
  const auto one_of = [kind](int a, int b, int c, int d) {
    const int errors[] = {a, b, c, d};
    return errors[kind % error_kinds];
  };
  switch (code) {
    case opcode::socket: return one_of(EMFILE, ENFILE, ENOBUFS, ENOMEM);
    case opcode::bind: return one_of(EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOMEM);
    case opcode::listen: return one_of(EADDRINUSE, EADDRINUSE, ENOBUFS, ENOMEM);
    case opcode::accept: return one_of(EMFILE, ENFILE, EINTR, ENOMEM);
    case opcode::connect: return one_of(ECONNREFUSED, ETIMEDOUT, EINTR, ENETUNREACH);
    case opcode::recv:
    case opcode::recvmsg: return one_of(ECONNRESET, ETIMEDOUT, EINTR, ENOMEM);
    case opcode::send:
    case opcode::sendmsg: return one_of(ECONNRESET, EPIPE, EINTR, ENOBUFS);
    case opcode::openat: return one_of(EMFILE, EACCES, EINTR, ENOMEM);
    case opcode::read:
    case opcode::readv: return one_of(EIO, EISDIR, EINTR, ENOMEM);
    case opcode::write:
    case opcode::writev: return one_of(EIO, ENOSPC, EINTR, EDQUOT);
    case opcode::close: return one_of(EIO, ENOSPC, EINTR, EDQUOT);
    default: return one_of(EIO, ENOMEM, ENOBUFS, EACCES);
  }
}

int next_error(opcode code) noexcept {
  for (long left = countdown.load(std::memory_order_acquire); left > 0;) {
    if (!countdown.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel)) continue;
    if (left != 1) return 0;
    const int error = error_of(code, wanted_kind);
    injected = error;
    return error;
  }
  return 0;
}

class failing_driver final : public driver::driver {
 public:
  explicit failing_driver(std::unique_ptr<astd::driver::driver> inner) noexcept : inner_(std::move(inner)) {}

  [[nodiscard]] std::string_view name() const noexcept override { return inner_->name(); }

  [[nodiscard]] bool submit(operation& op) noexcept override {
    const int error = next_error(op.code);
    if (error == 0) return inner_->submit(op);
    // Whatever a close says, the descriptor is gone.
    if (op.code == opcode::close) astd::driver::perform(op);
    op.result = -error;
    const bool on_the_spot = !wanted_later || astd::driver::nature_of(op.code) == astd::driver::nature::immediate ||
                             astd::driver::wants_no_wait(op) || (op.code == opcode::close && op.args.value == 0);
    if (on_the_spot) return true;
    op.in_flight = true;
    op.driver_word = ours;
    waiting_.push_back(op);
    any_waiting_ = true;
    return false;
  }

  void cancel(operation& op) noexcept override {
    if (op.in_flight && op.driver_word == ours)
      op.cancel_asked = true;  // it ends as it was going to
    else
      inner_->cancel(op);
  }

  [[nodiscard]] std::int32_t next_connection(operation& op) noexcept override {
    return inner_->next_connection(op);
  }

  void collect(astd::driver::completions& done, bool owner) noexcept override {
    inner_->collect(done, owner);
    for (operation* op = waiting_.front(); op; op = waiting_.after(*op)) {
      op->in_flight = false;
      op->driver_word = 0;
    }
    done.splice(waiting_);
    any_waiting_ = false;
  }

  [[nodiscard]] bool ready() const noexcept override { return any_waiting_ || inner_->ready(); }
  void prepare_wait() noexcept override { inner_->prepare_wait(); }
  void wait(detail::instant deadline) noexcept override {
    if (!any_waiting_) inner_->wait(deadline);
  }
  void wake() noexcept override { inner_->wake(); }
  [[nodiscard]] detail::instant now() const noexcept override { return inner_->now(); }

 private:
  static constexpr std::uint32_t ours = 0xfa17;
  std::unique_ptr<astd::driver::driver> inner_;
  astd::driver::completions waiting_;
  std::atomic<bool> any_waiting_{false};
};

}  // namespace

void fail_operation(long n, unsigned kind, bool later) noexcept {
  countdown = 0;
  wanted_kind = kind;
  wanted_later = later;
  injected = 0;
  countdown = n;
}
int operation_failed() noexcept { return injected; }

}  // namespace astd::faults

astd::driver::selected astd_faults_real_make_driver(const astd::driver::options&) asm(
    "__real__ZN4astd6driver11make_driverERKNS0_7optionsE");
astd::driver::selected astd_faults_make_driver(const astd::driver::options&) asm(
    "__wrap__ZN4astd6driver11make_driverERKNS0_7optionsE");

astd::driver::selected astd_faults_make_driver(const astd::driver::options& options) {
  astd::driver::selected made = astd_faults_real_make_driver(options);
  if (!made.value) return made;
  made.value = std::make_unique<astd::faults::failing_driver>(std::move(made.value));
  return made;
}
