#include <astd/driver/attempt.hpp>
#include <astd/driver/epoll/descriptor_table.hpp>
#include <astd/driver/epoll/epoll_driver.hpp>
#include <astd/driver/generation.hpp>
#include <astd/driver/native_driver.hpp>

#include <cerrno>
#include <new>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace astd::driver {

namespace {

// Both directions at once and for good: no epoll_ctl per operation.
constexpr std::uint32_t all_events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;
constexpr std::uint64_t wake_mark = ~std::uint64_t{0};  // no descriptor: they are not negative

// What an event carries: the descriptor and the generation under which it was registered.
std::uint64_t mark_of(int fd, std::uint32_t generation) noexcept {
  return static_cast<std::uint64_t>(number_of(generation)) << 32 | static_cast<std::uint32_t>(fd);
}

class epoll_driver final : public native_driver {
 public:
  explicit epoll_driver(blocking_executor* blocking) noexcept : native_driver(blocking) {}
  ~epoll_driver() override {
    if (epoll_ >= 0) ::close(epoll_);
  }
  int open(const char*& call) noexcept;

  std::string_view name() const noexcept override { return "epoll"; }
  bool submit(operation& op) noexcept override;
  void cancel(operation& op) noexcept override;
  std::int32_t next_connection(operation& op) noexcept override;
  void collect(completions& done, bool owner) noexcept override;
  // With operations parked only the kernel knows, so: yes, and collect() asks it.
  bool ready() const noexcept override { return has_ended() || parked_.load(std::memory_order_relaxed) != 0; }
  void prepare_wait() noexcept override { hurry_ = has_ended(); }
  void wait(detail::instant deadline) noexcept override;

 private:
  bool submit_socket(operation& op) noexcept;
  bool submit_accept_many(operation& op) noexcept;
  bool submit_transfer(operation& op) noexcept;
  bool submit_file(operation& op) noexcept;
  bool submit_poll(operation& op) noexcept;
  bool submit_close(operation& op) noexcept;

  // Brings `d` up to the number's present generation.
  void refresh(descriptor& d, int fd) noexcept;
  void forget(descriptor& d) noexcept;
  int subscribe(descriptor& d, int fd) noexcept;
  int resubscribe(descriptor& d, int fd) noexcept;

  void park(operation& op, completions& waiting) noexcept;
  bool unpark(operation& op) noexcept;
  void learn(descriptor& d, const operation& op, std::int32_t result) noexcept;
  bool is_tcp(descriptor& d, int fd) noexcept;
  std::int32_t attempt(operation& op, bool again) noexcept;

  void handle(const epoll_event* events, int count, bool owner) noexcept;
  void retry(descriptor& d, completions& waiting, bool& known) noexcept;
  int poll_kernel(epoll_event* events, int room) noexcept;
  int wait_for(detail::instant span) noexcept;

  int epoll_ = -1;
  descriptor_table table_;
  // Operations in the table's lists. Written under the lock; relaxed for ready(), a hint.
  std::atomic<std::uint32_t> parked_{0};

  // The owner's.
  static constexpr int room_ = 256;
  epoll_event fetched_[room_];
  int fetched_count_ = 0;  // by wait(), for the next collect()
  bool hurry_ = false;     // something has ended already: do not sleep
  bool precise_ = true;    // epoll_pwait2 is there
};

int epoll_driver::open(const char*& call) noexcept {
  call = "epoll_create1";
  epoll_ = above_standard(::epoll_create1(EPOLL_CLOEXEC));
  if (epoll_ < 0) return -errno;
  call = "eventfd";
  if (int error = wakeup_.open()) return error;
  call = "epoll_ctl";
  // Level-triggered, so that a helper that is shown it takes nothing from the owner.
  epoll_event event{.events = EPOLLIN, .data = {.u64 = wake_mark}};
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_.descriptor(), &event) == 0 ? 0 : -errno;
}

// --- Submission ------------------------------------------------------------------------------------------------

bool epoll_driver::submit(operation& op) noexcept {
  counters_.submitted.add();
  op.in_flight = op.cancel_asked = false;
  put(op, place::nowhere);
  switch (nature_of(op.code)) {
    case nature::socket: return op.code == opcode::accept_many ? submit_accept_many(op) : submit_socket(op);
    case nature::transfer: return submit_transfer(op);
    case nature::polling: return submit_poll(op);
    case nature::closing: return submit_close(op);
    case nature::blocking: return submit_blocking(op);
    case nature::immediate: break;
  }
  counters_.system_calls.add();
  perform(op);
  count_inline();
  return true;
}

bool epoll_driver::submit_socket(operation& op) noexcept {
  const bool input = is_input(op.code);
  descriptor* d = table_.find(op.fd);
  if (d) {
    refresh(*d, op.fd);
    // Known to have to wait: no call. A connect has to be started in any case.
    const bool known = input ? d->readable : d->writable;
    completions& waiting = input ? d->readers : d->writers;
    // Who does not wait asks in any case: no event is fetched while a task tries again and again. That what is known is
    // older than the answer does no harm: an event that has not been fetched yet will be.
    if (d->registered && (!known || !waiting.empty()) && op.code != opcode::connect && !wants_no_wait(op)) {
      park(op, waiting);
      return false;
    }
  }
  std::int32_t result = attempt(op, false);
  if (result != not_yet) {
    if (d) learn(*d, op, result);
    return ended_inline(op, result);
  }
  if (!d) {
    d = table_.find_or_make(op.fd);
    if (!d || !track_generations(op.fd)) return ended_inline(op, -ENOMEM);
    refresh(*d, op.fd);
  }
  // A change between the attempt and here is reported: registering looks at the present state.
  if (int error = subscribe(*d, op.fd)) return ended_inline(op, error);
  (input ? d->readable : d->writable) = false;
  park(op, input ? d->readers : d->writers);
  return false;
}

// It lies among the readers while nothing is known to be there, and nowhere from its report until next_connection() has
// found the queue empty. The kernel's queue is the only one.
bool epoll_driver::submit_accept_many(operation& op) noexcept {
  descriptor* d = table_.find_or_make(op.fd);
  if (!d) return ended_inline(op, op.fd < 0 ? -EBADF : -ENOMEM);
  if (!track_generations(op.fd)) return ended_inline(op, -ENOMEM);
  refresh(*d, op.fd);
  if (int error = subscribe(*d, op.fd)) return ended_inline(op, error);
  if (!d->readable) {
    park(op, d->readers);
  } else {
    op.in_flight = true;
    report(op);
  }
  return false;
}

std::int32_t epoll_driver::next_connection(operation& op) noexcept {
  if (!op.in_flight) return op.result;
  std::int32_t result = op.cancel_asked ? -ECANCELED : attempt(op, true);
  if (result >= 0) return result;
  if (result == not_yet) {
    descriptor* d = table_.find(op.fd);
    refresh(*d, op.fd);
    result = subscribe(*d, op.fd);
    if (result == 0) {
      d->readable = false;
      park(op, d->readers);
      return -EAGAIN;
    }
  }
  counters_.completed.add();
  op.in_flight = false;
  return result;
}

bool epoll_driver::submit_transfer(operation& op) noexcept {
  if (!at_own_position(op)) return submit_file(op);
  descriptor* d = table_.find_or_make(op.fd);
  if (!d) return ended_inline(op, op.fd < 0 ? -EBADF : -ENOMEM);
  if (!track_generations(op.fd)) return ended_inline(op, -ENOMEM);
  refresh(*d, op.fd);
  if (d->kind == descriptor::kind_of::unknown) {
    // Files and the like refuse to be waited for: they are always ready.
    const int error = subscribe(*d, op.fd);
    if (error && error != -EPERM) return ended_inline(op, error);
    d->kind = error ? descriptor::kind_of::file : descriptor::kind_of::pollable;
  }
  if (d->kind == descriptor::kind_of::file) return submit_file(op);
  const bool input = is_input(op.code);
  bool& known = input ? d->readable : d->writable;
  completions& waiting = input ? d->readers : d->writers;
  if (known && waiting.empty()) {
    std::int32_t result = attempt(op, false);
    if (result != not_yet) return ended_inline(op, result);
    known = false;
  }
  park(op, waiting);
  return false;
}

bool epoll_driver::submit_file(operation& op) noexcept {
  // A cached read costs less than handing it to another thread.
  if (!is_past_the_cache(op)) {
    counters_.system_calls.add();
    std::int32_t result = attempt_file(op);
    if (result != not_yet) return ended_inline(op, result);
  }
  return submit_blocking(op);
}

bool epoll_driver::submit_poll(operation& op) noexcept {
  std::int32_t result = attempt(op, false);
  if (result != not_yet) return ended_inline(op, result);
  descriptor* d = table_.find_or_make(op.fd);
  if (!d || !track_generations(op.fd)) return ended_inline(op, -ENOMEM);
  refresh(*d, op.fd);
  // Descriptors that are polled belong to others (a resolver, a library), who close and reopen them without telling:
  // what we believe to have registered may be gone. Asking again costs a call and reports what holds now.
  if (int error = resubscribe(*d, op.fd)) return ended_inline(op, error);
  park(op, d->pollers);
  return false;
}

bool epoll_driver::submit_close(operation& op) noexcept {
  new_generation(op.fd);
  if (descriptor* d = table_.find(op.fd)) refresh(*d, op.fd);
  if (op.args.value != 0) return submit_blocking(op);
  counters_.system_calls.add();
  perform(op);
  count_inline();
  return true;
}

void epoll_driver::cancel(operation& op) noexcept {
  if (!op.in_flight || op.cancel_asked) return;
  counters_.cancelled.add();
  op.cancel_asked = true;
  if (place_of(op) == place::pool) {
    withdraw(op);
  } else if (unpark(op)) {
    end_between(op, -ECANCELED);
  }
}

// --- Descriptors -----------------------------------------------------------------------------------------------

void epoll_driver::refresh(descriptor& d, int fd) noexcept {
  const std::uint32_t now = generation_of(fd);
  if (d.generation == now) [[likely]]
    return;
  if (number_of(d.generation) != number_of(now)) forget(d);
  d.generation = now;
}

void epoll_driver::forget(descriptor& d) noexcept {
  // Who waited for the predecessor would otherwise be served by its successor, or wait for ever.
  for (completions* waiting : {&d.readers, &d.writers, &d.pollers}) {
    while (operation* op = waiting->front()) {
      unpark(*op);
      end_between(*op, -EBADF);
    }
  }
  d.registered = false;
  d.readable = d.writable = true;
  d.short_proves_nothing = false;
  d.kind = descriptor::kind_of::unknown;
  d.stream = descriptor::stream_of::unknown;
}

int epoll_driver::subscribe(descriptor& d, int fd) noexcept {
  if (d.registered) return 0;
  epoll_event event{.events = all_events, .data = {.u64 = mark_of(fd, d.generation)}};
  counters_.system_calls.add();
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    if (errno != EEXIST) return -errno;
    // The same open file under an older generation: adopted anew.
    counters_.system_calls.add();
    if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) return -errno;
  }
  d.registered = true;
  return 0;
}

int epoll_driver::resubscribe(descriptor& d, int fd) noexcept {
  if (d.registered) {
    epoll_event event{.events = all_events, .data = {.u64 = mark_of(fd, d.generation)}};
    counters_.system_calls.add();
    if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
    if (errno != ENOENT) return -errno;
    forget(d);  // another file took the number behind our back
  }
  return subscribe(d, fd);
}

void epoll_driver::park(operation& op, completions& waiting) noexcept {
  op.in_flight = true;
  put(op, place::parked);
  waiting.push_back(op);
  parked_.store(parked_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

bool epoll_driver::unpark(operation& op) noexcept {
  if (place_of(op) != place::parked) return false;
  completions::erase(op);
  put(op, place::nowhere);
  parked_.store(parked_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  return true;
}

std::int32_t epoll_driver::attempt(operation& op, bool again) noexcept {
  counters_.system_calls.add();
  switch (nature_of(op.code)) {
    case nature::socket: return attempt_socket(op, again);
    case nature::polling: return attempt_poll(op);
    default: return attempt_stream(op);
  }
}

// A call moved `result` bytes: does that prove that the next would have to wait? A short send does not: the peer may have
// read since, and no event tells of a little room.
void epoll_driver::learn(descriptor& d, const operation& op, std::int32_t result) noexcept {
  if (op.code != opcode::recv || !d.registered) return;
  // Nothing at all and errors: no edge follows those.
  if (result <= 0 || static_cast<std::size_t>(result) >= op.args.transfer.size) return;
  // Only TCP: a datagram is short by nature, a local socket stops at every message with descriptors. No flags:
  // MSG_PEEK leaves what it shows, MSG_OOB looks elsewhere.
  if ((op.args.transfer.flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) != 0 || !is_tcp(d, op.fd)) return;
  if (!d.short_proves_nothing) d.readable = false;
}

bool epoll_driver::is_tcp(descriptor& d, int fd) noexcept {
  if (comes_in_records(d.generation)) return false;
  if (d.stream == descriptor::stream_of::unknown) {
    int protocol = 0;
    socklen_t length = sizeof protocol;
    counters_.system_calls.add();
    const bool tcp = ::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == IPPROTO_TCP;
    d.stream = tcp ? descriptor::stream_of::tcp : descriptor::stream_of::other;
  }
  return d.stream == descriptor::stream_of::tcp;
}

// --- Events ----------------------------------------------------------------------------------------------------

void epoll_driver::collect(completions& done, bool owner) noexcept {
  if (owner && fetched_count_ > 0) {
    handle(fetched_, fetched_count_, owner);
    fetched_count_ = 0;
  } else if (parked_.load(std::memory_order_relaxed) != 0) {
    // A helper's own buffer, and small: the owner may be in wait() filling the other.
    epoll_event some[64];
    handle(some, poll_kernel(some, 64), owner);
  }
  hand_out(done);
}

int epoll_driver::poll_kernel(epoll_event* events, int room) noexcept {
  counters_.system_calls.add();
  const int count = ::epoll_wait(epoll_, events, room, 0);
  return count < 0 ? 0 : count;
}

void epoll_driver::handle(const epoll_event* events, int count, bool owner) noexcept {
  for (int i = 0; i < count; ++i) {
    const std::uint64_t mark = events[i].data.u64;
    const std::uint32_t what = events[i].events;
    if (mark == wake_mark) {
      if (owner) wakeup_.drain();
      continue;
    }
    const int fd = static_cast<int>(mark & 0xffffffff);
    descriptor* d = table_.find(fd);
    if (!d) continue;
    refresh(*d, fd);
    // Late news of a predecessor of this number (or of a copy of it that lives on somewhere).
    if (!d->registered || mark_of(fd, d->generation) != mark) continue;
    if (what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) d->short_proves_nothing = true;
    if (what & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) retry(*d, d->readers, d->readable);
    if (what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) retry(*d, d->writers, d->writable);
    for (operation* op = d->pollers.front(); op != nullptr;) {
      operation* next = d->pollers.after(*op);
      const auto wanted = static_cast<std::uint32_t>(op->args.value) | EPOLLERR | EPOLLHUP;
      if (const std::uint32_t held = what & wanted & 0xffff; held != 0) {
        unpark(*op);
        end(*op, static_cast<std::int32_t>(held));
      }
      op = next;
    }
  }
}

void epoll_driver::retry(descriptor& d, completions& waiting, bool& known) noexcept {
  known = true;
  while (operation* op = waiting.front()) {
    if (op->code == opcode::accept_many) {
      unpark(*op);
      report(*op);
      continue;
    }
    std::int32_t result = attempt(*op, true);
    if (result == not_yet) {
      known = false;
      return;
    }
    unpark(*op);
    learn(d, *op, result);
    end(*op, result);
    if (!known) return;
  }
}

void epoll_driver::wait(detail::instant deadline) noexcept {
  int count = 0;
  if (wakeup_.pending()) {
    // Answered by not sleeping. Taken out here as far as it has been put in, to spare the next wait an early return.
    wakeup_.drain();
  } else if (!hurry_ && fetched_count_ == 0) {
    if (deadline == detail::never) {
      counters_.waits.add();
      count = ::epoll_wait(epoll_, fetched_, room_, -1);
    } else if (const detail::instant present = now(); deadline > present) {
      counters_.waits.add();
      count = wait_for(deadline - present);
    }
  }
  for (int i = 0; i < count; ++i) {
    if (fetched_[i].data.u64 != wake_mark) continue;
    wakeup_.drain();
    fetched_[i] = fetched_[--count];
    break;
  }
  wakeup_.acknowledge();
  if (count > 0) fetched_count_ = count;
}

int epoll_driver::wait_for(detail::instant span) noexcept {
  if (precise_) {
    const timespec exact{.tv_sec = static_cast<time_t>(span / 1'000'000'000), .tv_nsec = span % 1'000'000'000};
    const int count = ::epoll_pwait2(epoll_, fetched_, room_, &exact, nullptr);
    // Linux before 5.11; EPERM is what a filter that does not know it yet may answer.
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    precise_ = false;
  }
  // Whole milliseconds, upwards: a timer is rather late than asked about again and again.
  const detail::instant milliseconds = span / 1'000'000 + (span % 1'000'000 != 0);
  return ::epoll_wait(epoll_, fetched_, room_,
                      milliseconds < INT32_MAX ? static_cast<int>(milliseconds) : INT32_MAX);
}

}  // namespace

std::unique_ptr<driver> make_epoll_driver(const options& options, int& error, const char*& call) {
  std::unique_ptr<epoll_driver> made(new (std::nothrow) epoll_driver(options.blocking));
  if (!made) {
    error = -ENOMEM;
    call = "new";
    return nullptr;
  }
  error = made->open(call);
  if (error) return nullptr;
  return made;
}

}  // namespace astd::driver
