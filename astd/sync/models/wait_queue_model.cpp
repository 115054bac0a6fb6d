// The queue of waiters under Relacy: who takes it, waits, is cancelled, hands over, comes anew, and destroys it behind the
// last. A mutex, with its fast paths, and a counter of permits stand for all that is built on it. The library's own sources
// run here; only the threads are the model's.
#include <astd/sync/models/model_waiting.hpp>
// Behind it: what it includes is not to be read under Relacy's macros.
#include <astd/base/models/model_main.hpp>
#include <astd/sync/mutex.cpp>

#include <utility>

namespace astd::models {
namespace {

using detail::resumable;
using detail::wait_queue;

/// Permits: several at a time, first come, first served.
class permits {
 public:
  explicit permits(unsigned n) noexcept : queue_(n * wait_queue::one) {}
  void release(unsigned n) noexcept {
    queue_.update([n](wait_queue::word state) { return state + n * wait_queue::one; });
  }
  [[nodiscard]] wait_queue& queue() noexcept { return queue_; }

 private:
  wait_queue queue_;
};

class permits_awaiter final : public detail::waiter {
 public:
  permits_awaiter(permits& from, unsigned n) noexcept : waiter(from.queue()), n_(n) {}
  resumable* start(const detail::await_context& c) noexcept { return wait(c); }
  /// The how manieth it was let through, from 1; 0: not yet.
  [[nodiscard]] int turn() const noexcept { return turn_; }
  static inline int turns = 0;

 private:
  bool admit(wait_queue::word& state) noexcept override {
    if (state < n_ * wait_queue::one) return false;
    state -= n_ * wait_queue::one;
    turn_ = ++turns;
    return true;
  }
  int turn_ = 0;
  void describe(std::string&, unsigned) const override {}
  unsigned n_;
};

using lock_awaiter = decltype(std::declval<mutex&>().lock().operator co_await());

// Each locks once.
template <unsigned Threads>
struct locking : rl::test_suite<locking<Threads>, Threads> {
  using locker = party<locking, lock_awaiter>;
  watched watch;
  mutex m;
  locker lockers[Threads];
  rl::var<int> data;

  void before() {
    watch.before();
    data($) = 0;
  }
  void thread(unsigned id) { lockers[id].start(*this, m); }
  void got(locker& self) {
    const auto guard = self.awaiting->take().get();
    data($) = data($) + 1;
  }
  void stopped(locker&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(data($) == Threads);
    RL_ASSERT(m.try_lock());
  }
};

// One tries, who does not wait.
struct trying : rl::test_suite<trying, 3> {
  using locker = party<trying, lock_awaiter>;
  watched watch;
  mutex m;
  locker lockers[2];
  rl::var<int> data;
  int times = 0;

  void before() {
    watch.before();
    data($) = 0;
  }
  void thread(unsigned id) {
    if (id != 2) return lockers[id].start(*this, m);
    if (const auto guard = m.try_lock()) use();
  }
  void got(locker& self) {
    const auto guard = self.awaiting->take().get();
    use();
  }
  void use() {
    data($) = data($) + 1;
    ++times;
  }
  void stopped(locker&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(data($) == times);
    RL_ASSERT(m.try_lock());
  }
};

// Somebody holds it and lets go; one waits, or is about to, and is cancelled. Destroyed: whoever gets it lets go and
// destroys it at once.
template <bool Destroyed>
struct cancelling : rl::test_suite<cancelling<Destroyed>, 3> {
  using locker = party<cancelling, lock_awaiter>;
  watched watch;
  mutex m;
  mutex_guard held;
  locker waiting;
  rl::var<int> data;

  void before() {
    watch.before();
    held = *m.try_lock();
    data($) = 0;
  }
  void thread(unsigned id) {
    switch (id) {
      case 0:
        data($) = 1;
        held.unlock();
        break;
      case 1: waiting.start(*this, m); break;
      default: waiting.line.request_cancel();
    }
  }
  void got(locker& self) {
    auto guard = self.awaiting->take().get();
    RL_ASSERT(data($) == 1);
    guard.unlock();
    if (Destroyed) watch.memory($) = 2;
  }
  void stopped(locker&) {}
  void after() {
    RL_ASSERT(waiting.ends == 1);
    beforehand = nullptr;
    RL_ASSERT(m.try_lock());
  }
};

// Two are in line: the first is cancelled while the lock is handed to it, and somebody comes.
struct handing_over : rl::test_suite<handing_over, 3> {
  using locker = party<handing_over, lock_awaiter>;
  watched watch;
  mutex m;
  mutex_guard held;
  locker first, second, comes;
  rl::var<int> data;
  int times = 0;

  void before() {
    watch.before();
    held = *m.try_lock();
    data($) = 0;
    first.start(*this, m);
    second.start(*this, m);
  }
  void thread(unsigned id) {
    switch (id) {
      case 0: held.unlock(); break;
      case 1: first.line.request_cancel(); break;
      default: comes.start(*this, m);
    }
  }
  void got(locker& self) {
    const auto guard = self.awaiting->take().get();
    RL_ASSERT(&self != &comes || second.ends == 1);  // nobody overtakes
    data($) = data($) + 1;
    ++times;
  }
  void stopped(locker& self) { RL_ASSERT(&self == &first); }
  void after() {
    RL_ASSERT(first.ends == 1 && second.ends == 1 && comes.ends == 1);
    RL_ASSERT(data($) == times && times >= 2);
    RL_ASSERT(m.try_lock());
  }
};

// The first in line wants two permits, those behind it one. It is cancelled while the second permit comes: whoever gets
// what, nobody is left who could have had his.
struct counting : rl::test_suite<counting, 3> {
  using taker = party<counting, permits_awaiter>;
  watched watch;
  permits all{1};
  taker first, second, comes;
  int given_back = 0;

  void before() {
    watch.before();
    permits_awaiter::turns = 0;
    first.start(*this, all, 2u);
    second.start(*this, all, 1u);
  }
  void thread(unsigned id) {
    switch (id) {
      case 0: all.release(1); break;
      case 1: first.line.request_cancel(); break;
      default: comes.start(*this, all, 1u);
    }
  }
  void got(taker& self) {
    // Nobody overtakes. Woken they may be in any order.
    const int turn = second.awaiting->turn();
    RL_ASSERT(&self != &comes || (turn != 0 && turn < comes.awaiting->turn()));
    all.release(&self == &first ? 2 : 1);
  }
  void stopped(taker& self) { RL_ASSERT(&self == &first); }
  void after() {
    RL_ASSERT(first.ends == 1 && second.ends == 1 && comes.ends == 1);
    RL_ASSERT(all.queue().lock() == 2 * wait_queue::one);
  }
};

const model models[] = {
    {"lock", &simulate<locking<2>>},
    {"lock, three", &simulate<locking<3>>},
    {"lock and try", &simulate<trying>},
    {"cancelled", &simulate<cancelling<false>>},
    {"destroyed", &simulate<cancelling<true>>},
    {"handed over", &simulate<handing_over>},
    {"permits", &simulate<counting>},
};
const char* const files[] = {"/sync/wait_queue.hpp", "/sync/wait_queue.cpp", "/sync/mutex.hpp"};

}  // namespace
}  // namespace astd::models

int main(int argc, char** argv) {
  using namespace astd::models;
  return model_main(argc, argv, models, files, {});
}
