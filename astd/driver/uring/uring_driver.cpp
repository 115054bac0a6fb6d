#include <astd/driver/attempt.hpp>
#include <astd/driver/generation.hpp>
#include <astd/driver/native_driver.hpp>
#include <astd/driver/uring/connection_queue.hpp>
#include <astd/driver/uring/ring.hpp>
#include <astd/driver/uring/translate.hpp>
#include <astd/driver/uring/uring_driver.hpp>

#include <cerrno>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

namespace astd::driver {

namespace {

// User data that is not an operation's address.
constexpr std::uint64_t mark_ignored = 0;  // answers to cancellations
constexpr std::uint64_t mark_wake = 1;

// What the kernel adds to every other sleep of a thread, so that timers that are close together take one wake.
constexpr detail::instant timer_slack = 50'000;

// Connections accepted ahead of whoever wants them. The kernel accepts a whole queue before it hears that it is to stop,
// so there may be as many more as the listener's backlog.
constexpr unsigned most_waiting = 256;

// What the kernel has of an accept_many. An operation of its own, since the submitter's is in the list of what has
// ended, or in somebody's hands, while the kernel goes on.
struct acceptor final : operation {
  explicit acceptor(operation& submitted) noexcept : client(submitted) {
    code = opcode::accept_many;
    fd = submitted.fd;
  }
  operation& client;
  connection_queue waiting;
  bool asked_to_end = false;  // by the client, or because too many wait
  bool reported = false;      // the client will ask, or is asking
  std::int32_t error = 0;     // the end, once the kernel has let go; given when none waits any more
};

constexpr bool is_receive(opcode code) noexcept { return code == opcode::recv || code == opcode::recvmsg; }
constexpr bool is_send(opcode code) noexcept { return code == opcode::send || code == opcode::sendmsg; }

// Of read, write, readv and writev.
bool has_vectors(opcode code) noexcept { return code == opcode::readv || code == opcode::writev; }
std::int64_t& offset_in(operation& op) noexcept {
  return has_vectors(op.code) ? op.args.vectors.offset : op.args.transfer.offset;
}
std::size_t size_in(const operation& op) noexcept {
  if (!has_vectors(op.code)) return op.args.transfer.size;
  std::size_t size = 0;
  for (const iovec& one : std::span(op.args.vectors.vectors, op.args.vectors.count)) size += one.iov_len;
  return size;
}

acceptor& acceptor_of(operation& op) noexcept { return *static_cast<acceptor*>(op.args.connections.accepted); }

// Whether to try on the spot. What succeeds there is done sooner than the next turn of the loop comes, but a failure costs a
// call; so the more failures there were in a row, the more chances are left out.
class guess {
 public:
  bool worth_trying() noexcept {
    if (skip_ == 0) return true;
    --skip_;
    return false;
  }
  void succeeded() noexcept { streak_ = 0; }
  void failed() noexcept {
    if (streak_ < 6) ++streak_;
    skip_ = (1u << streak_) - 1;
  }

 private:
  unsigned streak_ = 0;  // of failures
  unsigned skip_ = 0;    // chances to leave out
};

class uring_driver final : public native_driver {
 public:
  uring_driver(blocking_executor* blocking, kernel age) noexcept
      : native_driver(blocking), wake_multishot_(age == kernel::present), age_(age) {}
  refusal open(bool shared, bool one_owner);
  std::string description() const { return ring_.description(); }

  std::string_view name() const noexcept override { return "uring"; }
  bool submit(operation& op) noexcept override;
  void cancel(operation& op) noexcept override;
  std::int32_t next_connection(operation& op) noexcept override;
  void collect(completions& done, bool owner) noexcept override;
  bool ready() const noexcept override {
    return ring_.has_completions() || batched_.load(std::memory_order_relaxed) || ring_.wants_entry() ||
           has_ended();
  }
  void prepare_wait() noexcept override;
  void wait(detail::instant deadline) noexcept override;

 private:
  bool submit_close(operation& op) noexcept;
  bool submit_socket(operation& op) noexcept;
  bool submit_accept(operation& op) noexcept;
  bool submit_accept_many(operation& op) noexcept;
  bool submit_transfer(operation& op) noexcept;
  bool has_positions(int fd) noexcept;
  void note_position(operation& op) noexcept;
  void settle_position(operation& op, std::int32_t result) noexcept;
  bool submit_to_ring(operation& op, place how) noexcept;

  io_uring_sqe* entry() noexcept;
  void send(operation& op, place how) noexcept;
  bool write_out(operation& op, place how) noexcept;
  bool write_cancel(operation& op) noexcept;
  void watch_wakes() noexcept;
  void write_left_over() noexcept;
  bool has_left_over() noexcept { return !queued_.empty() || !to_cancel_.empty() || wake_unwatched_; }

  void woken(const io_uring_cqe& completion) noexcept;
  void arm(acceptor& a) noexcept;
  void ask_to_end(acceptor& a) noexcept;
  void accepted(acceptor& a, const io_uring_cqe& completion) noexcept;
  void report(acceptor& a) noexcept;
  void complete(operation& op, std::int32_t result) noexcept;
  void complete_poll(operation& op, std::int32_t result) noexcept;
  void enter_now() noexcept;
  void make_room() noexcept;

  ring ring_;
  // What found the submission queue full, in order. Operations in to_cancel_ are the kernel's (place::kernel).
  completions queued_;
  completions to_cancel_;
  bool wake_unwatched_ = true;  // the poll on the wakeup is to be armed
  bool wake_multishot_;         // it stays armed (5.13); else every wake takes a new one
  const kernel age_;
  int seekable_ = -1;  // has positions to write at
  std::uint32_t seekable_generation_ = 0;
  int accepting_ = -1;  // a listener that gave a connection when last asked: there may be more
  guess positional_reads_, reads_, receives_;
  // The last entry: a call to the ring for one alone costs 400 ns more than the operation's own.
  bool last_was_alone_ = false;
  bool last_was_send_ = false;
  std::atomic<bool> batched_{false};  // for ready(): entries not handed over; relaxed, a hint

  // The owner's, between prepare_wait() and wait().
  unsigned to_submit_ = 0;
  bool hurry_ = false;
};

refusal uring_driver::open(bool shared, bool one_owner) {
  if (int error = wakeup_.open()) return {-error, std::string("eventfd: ") + std::strerror(-error)};
  return ring_.open(shared, one_owner, age_);
}

// --- Submission ------------------------------------------------------------------------------------------------

bool uring_driver::submit(operation& op) noexcept {
  counters_.submitted.add();
  op.in_flight = op.cancel_asked = false;
  switch (nature_of(op.code)) {
    case nature::socket: return submit_socket(op);
    case nature::transfer: return submit_transfer(op);
    case nature::polling: return submit_to_ring(op, place::kernel);
    case nature::closing: return submit_close(op);
    case nature::blocking:
      return ring_.knows(kernel_operation(op.code)) ? submit_to_ring(op, place::kernel) : submit_blocking(op);
    case nature::immediate: break;
  }
  counters_.system_calls.add();
  perform(op);
  count_inline();
  return true;
}

bool uring_driver::submit_close(operation& op) noexcept {
  // An entry that the kernel has not seen yet would find another file under this number, or none.
  if (ring_.unsubmitted_for(op.fd)) enter_now();
  if (op.fd == accepting_) accepting_ = -1;
  new_generation(op.fd);
  if (op.args.value != 0) {
    return ring_.knows(kernel_operation(op.code)) ? submit_to_ring(op, place::kernel) : submit_blocking(op);
  }
  counters_.system_calls.add();
  perform(op);
  count_inline();
  return true;
}

bool uring_driver::submit_socket(operation& op) noexcept {
  if (op.code == opcode::accept) return submit_accept(op);
  if (op.code == opcode::accept_many) return submit_accept_many(op);
  // No ring knows those, or (splices) only on threads of its own.
  const bool batch = op.code == opcode::recvmmsg || op.code == opcode::sendmmsg || op.code == opcode::splice_in ||
                     op.code == opcode::splice_out || op.code == opcode::sendfile;
  // Kernels before 5.17 do not wait for all sockets in non-blocking mode; see complete(). A connect has to be begun
  // before there is anything to wait for.
  const bool must_try = wants_no_wait(op) || batch || (op.code == opcode::connect && age_ != kernel::present);
  // In company the ring is cheaper: many entries take one call.
  const bool alone = last_was_alone_ && ring_.unsubmitted() == 0;
  const bool goes_on_sending = alone && last_was_send_ && is_send(op.code);
  const bool may_have_come = alone && is_receive(op.code) && receives_.worth_trying();
  if (must_try || goes_on_sending || may_have_come) {
    counters_.system_calls.add();
    const std::int32_t result = attempt_socket(op, false);
    if (result != not_yet) {
      if (may_have_come) receives_.succeeded();
      return ended_inline(op, result);
    }
    if (may_have_come) receives_.failed();
  }
  submit_to_ring(op, age_ == kernel::present && !batch ? place::kernel : place::polling);
  if (goes_on_sending)
    last_was_send_ = false;  // the peer is slower than we are: the next would find no room either
  return false;
}

bool uring_driver::submit_accept(operation& op) noexcept {
  // Connections come in bursts, and a turn of the loop for each would let a busy server starve its listener: after
  // one, the rest of the queue is fetched on the spot.
  if (op.fd == accepting_ || wants_no_wait(op)) {
    counters_.system_calls.add();
    std::int32_t result = attempt_socket(op, false);
    if (result != not_yet) return ended_inline(op, result);
    accepting_ = -1;
  }
  return submit_to_ring(op, place::kernel);
}

bool uring_driver::submit_accept_many(operation& op) noexcept {
  auto* const a = new (std::nothrow) acceptor(op);
  if (!a) return ended_inline(op, -ENOMEM);
  op.args.connections.accepted = a;
  op.in_flight = true;
  put(op, place::nowhere);
  if (ring_.is_full()) enter_now();
  arm(*a);
  return false;
}

bool uring_driver::submit_transfer(operation& op) noexcept {
  const bool own_position = at_own_position(op);
  if (own_position && offset_in(op) != -1) return ended_inline(op, -EINVAL);
  if (is_input(op.code)) {
    // It may be cached.
    if (guess& cached = own_position ? reads_ : positional_reads_;
        !is_past_the_cache(op) && cached.worth_trying()) {
      counters_.system_calls.add();
      std::int32_t result = attempt_file(op);
      if (result != not_yet) {
        cached.succeeded();
        return ended_inline(op, result);
      }
      cached.failed();
    }
  } else if (!own_position && !has_positions(op.fd)) {
    // The kernel would write to a pipe wherever that stands, and raise SIGPIPE.
    return ended_inline(op, -ESPIPE);
  } else if (own_position && !no_signal_flag() && may_raise_sigpipe(op.fd)) {
    // This kernel would raise the signal for a write from the ring: it only waits, and we write.
    return submit_to_ring(op, place::polling);
  }
  if (own_position) note_position(op);
  return submit_to_ring(op, place::kernel);
}

// The last one is remembered: many writes go to one file.
bool uring_driver::has_positions(int fd) noexcept {
  if (fd == seekable_ && generation_of(fd) == seekable_generation_) return true;
  counters_.system_calls.add();
  if (::lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE) return false;
  if (track_generations(fd)) {
    seekable_ = fd;
    seekable_generation_ = generation_of(fd);
  }
  return true;
}

// A write to a disk that is full, or a read from one that is broken, may end with a part and leave the file where it was
// before (seen on Linux 6.18): the next write would replace what was written. So where it stood is noted, in what else only
// says that its own position is meant, and looked at again after a part.
void uring_driver::note_position(operation& op) noexcept {
  counters_.system_calls.add();
  const off_t at = ::lseek(op.fd, 0, SEEK_CUR);
  if (at >= 0) offset_in(op) = -2 - at;
}

void uring_driver::settle_position(operation& op, std::int32_t result) noexcept {
  const std::int64_t noted = std::exchange(offset_in(op), -1);
  if (noted == -1 || result <= 0 || static_cast<std::size_t>(result) >= size_in(op)) return;
  const off_t before = -2 - noted;
  counters_.system_calls.add();
  if (::lseek(op.fd, 0, SEEK_CUR) != before) return;
  counters_.system_calls.add(2);
  if (!is_input(op.code) && (::fcntl(op.fd, F_GETFL) & O_APPEND) != 0)
    ::lseek(op.fd, 0, SEEK_END);
  else
    ::lseek(op.fd, before + result, SEEK_SET);
}

bool uring_driver::submit_to_ring(operation& op, place how) noexcept {
  op.in_flight = true;
  if (ring_.is_full()) enter_now();
  send(op, how);
  return false;
}

// --- The submission queue --------------------------------------------------------------------------------------

io_uring_sqe* uring_driver::entry() noexcept {
  io_uring_sqe* free = ring_.next_entry();
  if (free) batched_.store(true, std::memory_order_relaxed);
  return free;
}

bool uring_driver::write_out(operation& op, place how) noexcept {
  io_uring_sqe* free = entry();
  if (!free) return false;
  put(op, how);
  if (how == place::polling) {
    translate_to_poll(op, *free);
  } else {
    translate(op, *free);
    if (op.code == opcode::accept_many && ring_.accepts_many()) free->ioprio |= IORING_ACCEPT_MULTISHOT;
  }
  last_was_alone_ = ring_.unsubmitted() == 1;
  last_was_send_ = is_send(op.code);
  return true;
}

// Hands `op` to the kernel, or to queued_ when the queue is full. The queue is emptied by the owner only.
void uring_driver::send(operation& op, place how) noexcept {
  if (queued_.empty() && write_out(op, how)) return;
  put(op, how == place::polling ? place::queued_polling : place::queued);
  queued_.push_back(op);
}

bool uring_driver::write_cancel(operation& op) noexcept {
  io_uring_sqe* free = entry();
  if (!free) return false;
  io_uring_prep_cancel64(free, reinterpret_cast<std::uintptr_t>(&op), 0);
  free->user_data = mark_ignored;
  return true;
}

void uring_driver::watch_wakes() noexcept {
  io_uring_sqe* free = entry();
  if (!free) return;
  if (wake_multishot_) {
    io_uring_prep_poll_multishot(free, wakeup_.descriptor(), POLLIN);
  } else {
    io_uring_prep_poll_add(free, wakeup_.descriptor(), POLLIN);
  }
  free->user_data = mark_wake;
  wake_unwatched_ = false;
}

void uring_driver::write_left_over() noexcept {
  while (operation* op = queued_.front()) {
    const place was = place_of(*op);
    if (!write_out(*op, was == place::queued_polling ? place::polling : place::kernel)) return;
    completions::erase(*op);
  }
  while (operation* op = to_cancel_.front()) {
    if (!write_cancel(*op)) return;
    completions::erase(*op);
  }
  if (wake_unwatched_) watch_wakes();
}

void uring_driver::enter_now() noexcept {
  counters_.system_calls.add();
  ring_.enter(ring_.publish(), 0, nullptr);
  if (ring_.unsubmitted() == 0) batched_.store(false, std::memory_order_relaxed);
}

// Owner only: hands over what found no room, a queue at a time, for as long as the kernel takes any.
void uring_driver::make_room() noexcept {
  while (has_left_over()) {
    write_left_over();
    const unsigned before = ring_.unsubmitted();
    enter_now();
    if (ring_.unsubmitted() == before) return;  // it wants its completions collected first
  }
}

void uring_driver::cancel(operation& op) noexcept {
  if (!op.in_flight || op.cancel_asked) return;
  counters_.cancelled.add();
  op.cancel_asked = true;
  if (op.code == opcode::accept_many) return ask_to_end(acceptor_of(op));
  switch (place_of(op)) {
    case place::pool: withdraw(op); break;
    case place::queued:
    case place::queued_polling:
      completions::erase(op);
      if (at_own_position(op)) offset_in(op) = -1;
      end_between(op, -ECANCELED);
      break;
    case place::kernel:
    case place::polling:
      if (!write_cancel(op)) to_cancel_.push_back(op);
      break;
    case place::nowhere:
    case place::parked: break;
  }
}

// --- Accepting many ----------------------------------------------------------------------------------------------

void uring_driver::arm(acceptor& a) noexcept {
  a.in_flight = true;
  a.asked_to_end = false;
  send(a, place::kernel);
}

// The kernel is to accept no more, for now or for good. That it did not, accepted() is told.
void uring_driver::ask_to_end(acceptor& a) noexcept {
  if (a.in_flight && !std::exchange(a.asked_to_end, true)) {
    if (place_of(a) == place::queued) {
      completions::erase(a);
      a.in_flight = false;
    } else if (!write_cancel(a)) {
      to_cancel_.push_back(a);
    }
  }
  if (!a.in_flight && a.client.cancel_asked && a.error == 0) {
    a.error = -ECANCELED;
    report(a);
  }
}

void uring_driver::accepted(acceptor& a, const io_uring_cqe& completion) noexcept {
  const std::int32_t result = completion.res;
  if (result >= 0) {
    new_generation(result);
    if (!a.waiting.push(result)) close_connection(result);
    report(a);
  }
  if (completion.flags & IORING_CQE_F_MORE) {
    if (a.waiting.size() >= most_waiting) ask_to_end(a);
    return;
  }
  a.in_flight = false;
  if (a.client.cancel_asked) {
    a.error = -ECANCELED;
  } else {
    switch (result) {
      case -ECANCELED:  // because too many wait; or its thread has ended
      case -ECONNABORTED:
      case -EPROTO:
      case -EAGAIN:
      case -EINTR: break;
      default:
        if (result < 0) a.error = result;
    }
  }
  // While connections wait it rests; whoever takes the last of them sets it going again.
  if (a.error == 0 && a.waiting.empty()) return arm(a);
  report(a);
}

void uring_driver::report(acceptor& a) noexcept {
  if (!std::exchange(a.reported, true)) native_driver::report(a.client);
}

std::int32_t uring_driver::next_connection(operation& op) noexcept {
  acceptor& a = acceptor_of(op);
  if (!a.waiting.empty()) return a.waiting.pop();
  if (a.error == 0) {
    if (!a.in_flight) arm(a);
    a.reported = false;
    return -EAGAIN;
  }
  const std::int32_t error = a.error;
  counters_.completed.add();
  op.in_flight = false;
  delete &a;
  return error;
}

// --- Completion ------------------------------------------------------------------------------------------------

void uring_driver::collect(completions& done, bool owner) noexcept {
  if (owner) {
    write_left_over();
    if (ring_.unsubmitted() != 0 || ring_.wants_entry()) {
      enter_now();
      make_room();
    }
  }
  bool written = false;
  ring_.reap([&](const io_uring_cqe& completion) noexcept {
    if (completion.user_data == mark_ignored) return true;
    if (completion.user_data == mark_wake) {
      // A helper leaves it: the owner may be about to sleep, and does not with something in the queue.
      if (owner) woken(completion);
      return owner;
    }
    operation& op = *reinterpret_cast<operation*>(static_cast<std::uintptr_t>(completion.user_data));
    if (op.linked()) completions::erase(op);  // its cancellation had found no room yet
    if (op.code == opcode::accept_many)
      accepted(static_cast<acceptor&>(op), completion);
    else
      complete(op, completion.res);
    written |= op.in_flight;
    return true;
  });
  // The owner may be asleep and has to hand over what was written.
  if (!owner && written) wake();
  hand_out(done);
}

void uring_driver::woken(const io_uring_cqe& completion) noexcept {
  if (!wake_multishot_) wakeup_.drain();
  if (completion.flags & IORING_CQE_F_MORE) return;
  // The poll has ended: the completion queue was full, or the kernel does not know the multishot form.
  if (completion.res == -EINVAL) wake_multishot_ = false;
  wake_unwatched_ = true;
}

void uring_driver::complete(operation& op, std::int32_t result) noexcept {
  if (at_own_position(op)) settle_position(op, result);
  if (place_of(op) == place::polling) return complete_poll(op, result);
  switch (result) {
    case -EAGAIN:
      // Kernels before 5.17 do not wait for some descriptors in non-blocking mode.
      if (nature_of(op.code) == nature::blocking || nature_of(op.code) == nature::closing) break;
      if (op.cancel_asked) return end(op, -ECANCELED);
      return send(op, place::polling);
    case -EOPNOTSUPP:
      // A descriptor that takes no flags (see translate): our own call knows another way.
      if (op.code != opcode::write && op.code != opcode::writev) break;
      if (op.cancel_asked) return end(op, -ECANCELED);
      return send(op, place::polling);
    case -EINTR:
      // By a cancellation of what already ran on a kernel thread; else by nothing that concerns the submitter.
      if (op.cancel_asked) return end(op, -ECANCELED);
      if (op.code == opcode::close) break;
      [[fallthrough]];
    case -ECANCELED:
      // Not asked for: the thread that had submitted it has ended, and the kernel drops what such a thread began. A
      // connect goes on in the socket, whatever cut it short.
      if (op.cancel_asked) break;
      return send(op, op.code == opcode::connect ? place::polling : place::kernel);
    case -ECONNABORTED:
    case -EPROTO:
      // A connection that was reset in the queue is nobody's: the next may be alive.
      if (op.code != opcode::accept) break;
      if (op.cancel_asked) return end(op, -ECANCELED);
      return send(op, place::kernel);
    default:
      if (result < 0) break;
      if (op.code == opcode::accept) {
        accepting_ = op.fd;
        new_generation(result);
      } else if (op.code == opcode::openat) {
        new_generation(result);
        note_opened(result, op.args.path.flags);
      }
  }
  end(op, result);
}

// The descriptor is ready, or the wait was cancelled or failed.
void uring_driver::complete_poll(operation& op, std::int32_t result) noexcept {
  if (result == -ECANCELED && !op.cancel_asked) return send(op, place::polling);  // see complete()
  if (result < 0) return end(op, result);
  counters_.system_calls.add();
  std::int32_t got = nature_of(op.code) == nature::socket ? attempt_socket(op, true) : attempt_stream(op);
  if (got != not_yet) return end(op, got);
  if (op.cancel_asked) return end(op, -ECANCELED);
  send(op, place::polling);
}

// --- Waiting ---------------------------------------------------------------------------------------------------

void uring_driver::prepare_wait() noexcept {
  write_left_over();
  make_room();
  hurry_ = has_ended() || has_left_over();
  to_submit_ = ring_.publish();
  batched_.store(to_submit_ != 0, std::memory_order_relaxed);
}

void uring_driver::wait(detail::instant deadline) noexcept {
  bool sleep = !wakeup_.pending() && !hurry_;
  __kernel_timespec span{};
  if (sleep && deadline != detail::never) {
    if (const detail::instant present = now(); deadline > present) {
      const detail::instant rest = deadline - present + timer_slack;
      span = {.tv_sec = rest / 1'000'000'000, .tv_nsec = rest % 1'000'000'000};
    } else {
      sleep = false;
    }
  }
  if (sleep) {
    counters_.waits.add();
    ring_.enter(to_submit_, 1, deadline == detail::never ? nullptr : &span);
    // An error (EINTR, ETIME, EBUSY) is an early return: collect() looks at everything anyway.
  }
  wakeup_.acknowledge();
}

selected refused(refusal why) {
  return {nullptr, std::move(why.reason), std::error_code(why.error, std::system_category())};
}

selected make(const options& options, kernel age) {
  std::unique_ptr<uring_driver> made(new (std::nothrow) uring_driver(options.blocking, age));
  if (!made) return refused({ENOMEM, std::strerror(ENOMEM)});
  if (refusal why = made->open(options.shared, options.one_owner); why.error != 0) return refused(std::move(why));
  std::string description = made->description();
  return {std::move(made), std::move(description), {}};
}

}  // namespace

selected make_uring_driver(const options& options) { return make(options, kernel::present); }
selected make_old_uring_driver(const options& options) { return make(options, kernel::oldest_supported); }

}  // namespace astd::driver
