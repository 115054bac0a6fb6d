// The handler counts and writes to an eventfd; a thread of ours reads that and tells the listeners. Nothing is ever taken
// down: a signal may come while the process ends.
#include <astd/base/error.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/process.hpp>
#include <astd/driver/wakeup.hpp>
#include <astd/runtime/dump_on_signal.hpp>
#include <astd/runtime/native_thread.hpp>
#include <astd/signal/listener.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

namespace astd::signal::detail {
namespace {

constexpr int signals = NSIG;

struct registry {
  struct entry {
    int signal;
    std::uint64_t turn;
    std::shared_ptr<listener> who;
  };
  std::mutex lock;
  std::vector<entry> entries;  // in the order of their turns
  std::uint64_t turns = 0;
  bool handled[signals] = {};
  bool runs = false;
};
registry& instance() {
  static auto& r = *new registry;
  return r;
}

constinit std::atomic<int> wake_descriptor{-1};
constinit std::atomic<bool> arrived[signals]{};
static_assert(std::atomic<bool>::is_always_lock_free);
struct sigaction before[signals];  // written before the handler is in place

void on_signal(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  // release pairs with the acquire in serve().
  arrived[signal].store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  const ssize_t written = ::write(wake_descriptor.load(std::memory_order_relaxed), &one, sizeof one);
  (void)written;  // full: the thread is on its way
  const struct sigaction& old = before[signal];
  if (old.sa_flags & SA_SIGINFO)
    old.sa_sigaction(signal, info, context);
  else if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN)
    old.sa_handler(signal);
  errno = saved;
}

/// The next one to be told, behind `turn` and no later than `last`. Allocates nothing: nobody could be told of a failure.
std::shared_ptr<listener> next_to_tell(const void* place, int signal, std::uint64_t& turn,
                                       std::uint64_t last) noexcept {
  registry& r = instance();
  const std::lock_guard guard(r.lock);
  auto at = std::ranges::upper_bound(r.entries, turn, {}, &registry::entry::turn);
  for (; at != r.entries.end() && at->turn <= last; ++at) {
    if (at->signal != signal || at->who->place() != place) continue;
    turn = at->turn;
    return at->who;
  }
  return nullptr;
}

delivery tell(const void* place, int signal) noexcept {
  registry& r = instance();
  std::uint64_t last;
  {
    const std::lock_guard guard(r.lock);
    last = r.turns;
  }
  delivery what = delivery::nobody;
  std::uint64_t turn = 0;
  while (const auto one = next_to_tell(place, signal, turn, last)) {
    // Without the lock: whoever is told may listen, or forget.
    one->arrived(signal);
    if (what == delivery::nobody) what = delivery::told;
    if (one->ends_process()) what = delivery::ends;
  }
  return what;
}

void* serve(void*) {
  astd::detail::name_this_thread("astd-signal");
  const int descriptor = wake_descriptor.load(std::memory_order_relaxed);
  for (;;) {
    std::uint64_t count;
    // Whoever closed all descriptors of the process has closed this one, too: then it looks ten times a second.
    if (::read(descriptor, &count, sizeof count) != sizeof count && errno != EINTR) ::usleep(100'000);
    for (int signal = 1; signal < signals; ++signal)
      if (arrived[signal].exchange(false, std::memory_order_acquire)) tell(nullptr, signal);
  }
}

[[noreturn]] void refuse(int error, int signal) {
  astd::detail::throw_failure(
      failure(std::error_code(error, std::system_category()), "listen to signal", std::to_string(signal)));
}

// Under the lock.
int begin(registry& r) noexcept {
  if (r.runs) return 0;
  if (wake_descriptor.load(std::memory_order_relaxed) < 0) {
    int made = ::eventfd(0, EFD_CLOEXEC);
    if (made < 0) return errno;
    made = driver::above_standard(made);
    if (made < 0) return errno;
    wake_descriptor.store(made, std::memory_order_relaxed);
  }
  const int error = astd::detail::start_thread(&serve, nullptr);
  r.runs = error == 0;
  return error;
}

int handle(registry& r, int signal) noexcept {
  if (r.handled[signal]) return 0;
  if (const int error = begin(r)) return error;
  if (::sigaction(signal, nullptr, &before[signal]) != 0) return errno;
  struct sigaction action = {};
  action.sa_sigaction = &on_signal;
  action.sa_flags = SA_RESTART | SA_SIGINFO | SA_ONSTACK;
  if (::sigaction(signal, &action, nullptr) != 0) return errno;
  r.handled[signal] = true;
  return 0;
}

}  // namespace

namespace {
const void* this_place() noexcept {
  if (const auto* const child = driver::sim::process::here()) return child;
  return driver::sim::machine::here();
}
}  // namespace

listener::listener() noexcept : place_(this_place()) {}

void listen(int signal, std::shared_ptr<listener> who) {
  if (!astd::detail::may_dump_on(signal)) refuse(EINVAL, signal);
  registry& r = instance();
  const std::lock_guard guard(r.lock);
  // The entry first: what may throw leaves no handler behind.
  r.entries.push_back({signal, r.turns + 1, std::move(who)});
  // A simulated machine's signals are nobody else's.
  if (!r.entries.back().who->place()) {
    if (const int error = handle(r, signal)) {
      r.entries.pop_back();
      refuse(error, signal);
    }
  }
  ++r.turns;
}

void forget(const listener& who) noexcept {
  registry& r = instance();
  const std::lock_guard guard(r.lock);
  // The caller has another reference: nothing is destroyed under the lock.
  std::erase_if(r.entries, [&](const registry::entry& e) { return e.who.get() == &who; });
}

delivery deliver(const void* place, int signal) noexcept { return tell(place, signal); }

}  // namespace astd::signal::detail
