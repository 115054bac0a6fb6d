// What the primitives add to the queue of waiters (wait_queue_model.cpp) under Relacy: their fast paths, and what they hand
// on. The library's own sources run here; only the threads are the model's.
#include <astd/sync/models/model_waiting.hpp>
// Behind it: what it includes is not to be read under Relacy's macros.
#include <astd/base/models/model_main.hpp>
#include <astd/sync/condition_variable.cpp>
#include <astd/sync/event.cpp>
#include <astd/sync/latch.cpp>
#include <astd/sync/mutex.cpp>
#include <astd/sync/semaphore.cpp>
#include <astd/sync/shared_mutex.cpp>

#include <optional>
#include <utility>

namespace astd::models {
namespace {

// ---- semaphore

using acquire_awaiter = decltype(std::declval<counting_semaphore<>&>().acquire(1).operator co_await());

// Two release a permit each, one takes both: he sees what either did, by whichever way the permits came.
struct two_permits : rl::test_suite<two_permits, 3> {
  using taker = party<two_permits, acquire_awaiter>;
  watched watch;
  counting_semaphore<> s{0};
  taker takes;
  rl::var<int> done[2];

  void before() { watch.before(); }
  void thread(unsigned id) {
    if (id == 2) return takes.start(*this, s, 2);
    done[id]($) = 1;
    s.release();
  }
  void got(taker&) { RL_ASSERT(done[0]($) + done[1]($) == 2); }
  void stopped(taker&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(takes.ends == 1);
    RL_ASSERT(s.available() == 0);
  }
};

// One permit that goes round: one waits, one tries.
struct one_permit : rl::test_suite<one_permit, 3> {
  using taker = party<one_permit, acquire_awaiter>;
  watched watch;
  counting_semaphore<> s{0};
  taker takes;
  rl::var<int> data;
  int uses = 0;

  void before() {
    watch.before();
    data($) = 0;
  }
  void thread(unsigned id) {
    if (id == 2) return takes.start(*this, s, 1);
    if (id == 1 && !s.try_acquire()) return;
    if (id == 1) use();
    s.release();
  }
  void use() {
    data($) = data($) + 1;
    ++uses;
  }
  void got(taker&) {
    use();
    s.release();
  }
  void stopped(taker&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(takes.ends == 1 && data($) == uses);
    RL_ASSERT(s.available() == 1);
  }
};

// ---- latch

using latch_awaiter = decltype(std::declval<latch&>().wait().operator co_await());

// Who waits, and who looks, sees what both did who counted it down; and may destroy it.
struct counted_down : rl::test_suite<counted_down, 4> {
  using waits_for_it = party<counted_down, latch_awaiter>;
  watched watch;
  latch l{2};
  waits_for_it waits;
  rl::var<int> done[2];

  void before() { watch.before(); }
  void thread(unsigned id) {
    if (id == 2) return waits.start(*this, l, 0);
    if (id == 3) {
      if (l.try_wait()) see();
      return;
    }
    done[id]($) = 1;
    l.count_down();
  }
  void see() { RL_ASSERT(done[0]($) + done[1]($) == 2); }
  void got(waits_for_it&) { see(); }
  void stopped(waits_for_it&) { RL_ASSERT(false); }
  void after() { RL_ASSERT(waits.ends == 1); }
};

// ---- event

using event_awaiter = decltype(std::declval<event&>().wait().operator co_await());

// Two say by themselves that something is there. Whoever waits looks after each notification, and in the end sees both.
struct notified : rl::test_suite<notified, 3> {
  watched watch;
  event e;
  detail::atomic<int> there[2];
  chain line{&ended, here, false};
  resumable after_it{&went_on, this};
  std::optional<event_awaiter> waits;
  bool seen = false;

  void before() { watch.before(); }
  void thread(unsigned id) {
    if (id == 2) return look();
    there[id].store(1, std::memory_order_relaxed);
    e.notify_one();
  }
  void look() {
    while (there[0].load(std::memory_order_relaxed) + there[1].load(std::memory_order_relaxed) != 2) {
      const auto next = e.wait();
      waits.emplace(awaiter_from(next));
      if (!waits->await_ready()) {
        resumable* const r = waits->start({&after_it, &line, nullptr});
        if (r != &after_it) return;
      }
      waits->take();
    }
    seen = true;
  }
  static void went_on(resumable* r) {
    auto& self = *static_cast<notified*>(r->second_);
    self.waits->take();
    self.look();
  }
  static void ended(resumable*) { RL_ASSERT(false); }
  void after() { RL_ASSERT(seen); }
};

// Who has called wait() before he looked misses no notify_all().
struct notified_all : rl::test_suite<notified_all, 3> {
  using waiter = party<notified_all, event_awaiter>;
  watched watch;
  event e;
  detail::atomic<int> there;
  waiter waits[2];

  void before() { watch.before(); }
  void thread(unsigned id) {
    if (id == 2) {
      there.store(1, std::memory_order_relaxed);
      return e.notify_all();
    }
    const auto next = e.wait();
    if (there.load(std::memory_order_relaxed)) {
      ++waits[id].ends;
      return;
    }
    waits[id].start(*this, awaiter_from(next));
  }
  void got(waiter&) { RL_ASSERT(there.load(std::memory_order_relaxed) == 1); }
  void stopped(waiter&) { RL_ASSERT(false); }
  void after() { RL_ASSERT(waits[0].ends == 1 && waits[1].ends == 1); }
};

// The first in line is cancelled while he is notified: then the notification goes to the second.
struct notification_passed_on : rl::test_suite<notification_passed_on, 2> {
  using waiter = party<notification_passed_on, event_awaiter>;
  watched watch;
  event e;
  waiter first, second;
  bool used = false;

  void before() {
    watch.before();
    first.start(*this, e, 0);
    second.start(*this, e, 0);
  }
  void thread(unsigned id) { id == 0 ? e.notify_one() : first.line.request_cancel(); }
  void got(waiter& self) {
    if (&self == &first) used = !self.line.cancel_requested();
    self.awaiting->take();
  }
  void stopped(waiter& self) { RL_ASSERT(&self == &first); }
  void after() {
    RL_ASSERT(first.ends == 1);
    RL_ASSERT(used || second.ends == 1);
  }
};

// ---- shared_mutex

using exclusive_awaiter = decltype(std::declval<shared_mutex&>().lock().operator co_await());
using shared_awaiter = decltype(std::declval<shared_mutex&>().lock_shared().operator co_await());
using upgradable_awaiter = decltype(std::declval<shared_mutex&>().lock_upgrade().operator co_await());
using detail::upgrade_awaiter;

// One writes, one reads, one reads and then writes, with nobody writing in between.
struct shared_and_exclusive : rl::test_suite<shared_and_exclusive, 3> {
  using writes = party<shared_and_exclusive, exclusive_awaiter>;
  using reads = party<shared_and_exclusive, shared_awaiter>;
  using looks = party<shared_and_exclusive, upgradable_awaiter>;
  using upgrades = party<shared_and_exclusive, upgrade_awaiter>;
  watched watch;
  shared_mutex m;
  writes writer;
  reads reader;
  looks looker;
  upgrades upgrader;
  shared_mutex_upgrade_guard looking;
  rl::var<int> data;
  int seen = 0;

  void before() {
    watch.before();
    data($) = 0;
  }
  void thread(unsigned id) {
    switch (id) {
      case 0: writer.start(*this, m); break;
      case 1: reader.start(*this, m); break;
      default: looker.start(*this, m);
    }
  }
  void got(writes& self) {
    auto guard = self.awaiting->take().get();
    data($) = data($) + 1;
    const auto reading = guard.downgrade();
    RL_ASSERT(data($) >= 1);
  }
  void got(reads& self) {
    const auto guard = self.awaiting->take().get();
    const int before = data($);
    RL_ASSERT(data($) == before);
  }
  void got(looks& self) {
    looking = self.awaiting->take().get();
    seen = data($);
    upgrader.start(*this, looking);
  }
  void got(upgrades& self) {
    auto guard = self.awaiting->take().get();
    RL_ASSERT(data($) == seen);
    data($) = seen + 1;
    const auto again = guard.downgrade_to_upgradable();
  }
  template <class Party>
  void stopped(Party&) {
    RL_ASSERT(false);
  }
  void after() {
    RL_ASSERT(writer.ends == 1 && reader.ends == 1 && looker.ends == 1 && upgrader.ends == 1);
    RL_ASSERT(data($) == 2);
    RL_ASSERT(m.try_lock());
  }
};

// A writer between two readers is cancelled while the first of them goes: the second is let in.
struct writer_cancelled : rl::test_suite<writer_cancelled, 3> {
  using writes = party<writer_cancelled, exclusive_awaiter>;
  using reads = party<writer_cancelled, shared_awaiter>;
  watched watch;
  shared_mutex m;
  shared_mutex_shared_guard held;
  writes writer;
  reads behind, comes;
  rl::var<int> data;

  void before() {
    watch.before();
    data($) = 0;
    held = *m.try_lock_shared();
    writer.start(*this, m);
    behind.start(*this, m);
  }
  void thread(unsigned id) {
    switch (id) {
      case 0: held.unlock(); break;
      case 1: writer.line.request_cancel(); break;
      default: comes.start(*this, m);
    }
  }
  void got(writes& self) {
    const auto guard = self.awaiting->take().get();
    data($) = 1;
  }
  void got(reads& self) {
    const auto guard = self.awaiting->take().get();
    RL_ASSERT(data($) == 0 || !writer.was_stopped);
  }
  void stopped(writes&) {}
  void stopped(reads&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(writer.ends == 1 && behind.ends == 1 && comes.ends == 1);
    RL_ASSERT(m.try_lock());
  }
};

// Nothing but attempts, which may not fail because somebody has the list for a moment.
struct only_readers : rl::test_suite<only_readers, 3> {
  using reads = party<only_readers, shared_awaiter>;
  watched watch;
  shared_mutex m;
  reads reader;

  void before() { watch.before(); }
  void thread(unsigned id) {
    if (id == 2) return reader.start(*this, m);
    const auto guard = m.try_lock_shared();
    RL_ASSERT(guard.has_value());
  }
  void got(reads& self) { const auto guard = self.awaiting->take().get(); }
  void stopped(reads&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(reader.ends == 1);
    RL_ASSERT(m.try_lock());
  }
};

// ---- condition_variable

using lock_awaiter = decltype(std::declval<mutex&>().lock().operator co_await());
using wait_awaiter =
    decltype(std::declval<condition_variable&>().wait(std::declval<mutex_guard&>()).operator co_await());

// One waits for a condition, one brings it about. Cancelled: a second one waits, and the first is cancelled meanwhile;
// then the notification, if he had it, goes to the second.
template <bool Cancelled>
struct condition : rl::test_suite<condition<Cancelled>, 2 + Cancelled> {
  using locks = party<condition, lock_awaiter>;
  using waits = party<condition, wait_awaiter>;
  struct one {
    locks lock;
    waits wait;
    mutex_guard guard;
    bool over = false;
  };
  watched watch;
  mutex m;
  condition_variable cv;
  one first, second;
  locks brings;
  rl::var<int> ready;

  void before() {
    watch.before();
    ready($) = 0;
    if (!Cancelled) return;
    first.lock.start(*this, m);
    second.lock.start(*this, m);
  }
  void thread(unsigned id) {
    switch (id) {
      case 0: brings.start(*this, m); break;
      case 1: Cancelled ? first.wait.line.request_cancel() : first.lock.start(*this, m); break;
      default: break;
    }
  }
  one& whose(locks& l) { return &l == &first.lock ? first : second; }
  one& whose(waits& w) { return &w == &first.wait ? first : second; }
  void got(locks& self) {
    if (&self == &brings) {
      {
        const auto guard = self.awaiting->take().get();
        ready($) = 1;
      }
      cv.notify_one();
      return;
    }
    one& o = whose(self);
    o.guard = self.awaiting->take().get();
    look(o);
  }
  void look(one& o) {
    if (ready($)) {
      o.over = true;
      o.guard.unlock();
    } else {
      o.wait.start(*this, cv, o.guard);
    }
  }
  void got(waits& self) {
    one& o = whose(self);
    self.awaiting->take();
    RL_ASSERT(o.guard.owns_lock());
    RL_ASSERT(ready($) == 1);
    o.over = true;
    o.guard.unlock();
  }
  void stopped(waits& self) {
    RL_ASSERT(&self == &first.wait);
    RL_ASSERT(first.guard.owns_lock());
    first.guard.unlock();
  }
  void stopped(locks&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(first.over != first.wait.was_stopped);
    RL_ASSERT(!first.wait.was_stopped || second.over);
    RL_ASSERT(m.try_lock());
  }
};

const model models[] = {
    {"two permits", &simulate<two_permits>},
    {"one permit", &simulate<one_permit>},
    {"latch", &simulate<counted_down>, 1},
    {"event", &simulate<notified>, 1},
    {"event, all", &simulate<notified_all>},
    {"event, passed on", &simulate<notification_passed_on>},
    {"shared and exclusive", &simulate<shared_and_exclusive>, 1},
    {"writer cancelled", &simulate<writer_cancelled>, 1},
    {"only readers", &simulate<only_readers>, 1},
    {"condition", &simulate<condition<false>>},
    {"condition, cancelled", &simulate<condition<true>>},
};
const char* const files[] = {
    "/sync/semaphore.hpp", "/sync/semaphore.cpp",    "/sync/latch.hpp",        "/sync/event.hpp",
    "/sync/event.cpp",     "/sync/shared_mutex.hpp", "/sync/shared_mutex.cpp", "/sync/condition_variable.cpp"};

// What is not found: it only tells a number, which nobody here takes for more than that.
const missed not_found[] = {{"::available()", acquiring}};

}  // namespace
}  // namespace astd::models

int main(int argc, char** argv) {
  using namespace astd::models;
  return model_main(argc, argv, models, files, not_found);
}
