// How work gets to a worker that sleeps, under Relacy: foreign threads push into the injection queue or into a worker's
// inbox, workers take, help each other, and fall asleep in between. A wake that is lost is a deadlock here, which Relacy
// sees. What the workers do with the parts (worker::next_shared, steal, idle; runtime_core::inject) is played in small.
#include <astd/base/models/model_atomic.hpp>
#include <astd/base/models/model_main.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/driver/wakeup.hpp>
#include <astd/runtime/idle_set.hpp>
#include <astd/runtime/inbox.hpp>
#include <astd/runtime/shared_queue.hpp>
#include <astd/runtime/work_queue.hpp>

#include <utility>

// clang-format off: Relacy's own, which are not complete.
#include <relacy/stdlib/mutex.hpp>
#include <relacy/stdlib/condition_variable.hpp>
// clang-format on

namespace astd::models {
namespace {

// An eventfd, and the sleep in epoll_wait or io_uring_enter that it ends.
struct event_descriptor {
  rl::mutex lock;
  rl::condition_variable_any changed;
  rl::var<unsigned> count;

  void write() {
    lock.lock($);
    count($) = count($) + 1;
    changed.notify_one($);
    lock.unlock($);
  }
  void read() {
    lock.lock($);
    count($) = 0u;
    lock.unlock($);
  }
  void wait() {
    lock.lock($);
    while (count($) == 0) changed.wait(lock, $);
    lock.unlock($);
  }
};
constexpr int most_descriptors = 2;
event_descriptor* descriptors[most_descriptors];
int next_descriptor = 0;

}  // namespace
}  // namespace astd::models

// What the parts leave to the system.
namespace astd {
namespace driver {
wakeup::~wakeup() {}
int wakeup::open() noexcept {
  // In turn: an execution that has failed has closed none of its own.
  fd_ = models::next_descriptor++ % models::most_descriptors;
  models::descriptors[fd_] = new models::event_descriptor;
  models::descriptors[fd_]->count($) = 0u;
  return 0;
}
void wakeup::write_one() noexcept { models::descriptors[fd_]->write(); }
void wakeup::drain() noexcept { models::descriptors[fd_]->read(); }
}  // namespace driver
namespace detail {
void spin_lock::lock_slowly() noexcept {
  do rl::yield(1, $);
  while (!try_lock());
}
}  // namespace detail
}  // namespace astd

namespace astd::models {
namespace {

using detail::resumable;

/// What epoll_driver and uring_driver do in wait(), as far as wakes are concerned.
struct sleeper {
  driver::wakeup wake;
  sleeper() { wake.open(); }
  ~sleeper() { delete std::exchange(descriptors[wake.descriptor()], nullptr); }
  /// `early`: the world ends the sleep, if no wake does.
  void wait(bool early) {
    if (wake.pending()) {
      wake.drain();
    } else if (!early) {
      descriptors[wake.descriptor()]->wait();
      wake.drain();
    }
    wake.acknowledge();
  }
};

struct item : resumable {
  rl::var<int> payload;
  int taken = 0;  // the model's own: not part of the simulation
};

// Whoever signals has published something; the owner sees it or is woken.
template <int Signallers>
struct flag : rl::test_suite<flag<Signallers>, Signallers + 1> {
  sleeper owner;
  detail::atomic<int> published[Signallers];
  rl::var<int> payload[Signallers];

  void thread(unsigned id) {
    if (id != 0) {
      payload[id - 1]($) = 1;
      published[id - 1].store(1, std::memory_order_relaxed);
      owner.wake.signal();
      return;
    }
    for (int seen = 0; seen != Signallers;) {
      seen = 0;
      for (auto& p : published) seen += p.load(std::memory_order_relaxed);
      if (seen != Signallers) owner.wait(false);
    }
  }
};

// A worker alone, its inbox, and two who push.
struct inbox_model : rl::test_suite<inbox_model, 3> {
  sleeper owner;
  detail::inbox<item> in;
  item items[2];

  void thread(unsigned id) {
    if (id != 0) {
      items[id - 1].payload($) = 1;
      if (in.push(items[id - 1])) owner.wake.signal();
      return;
    }
    in.wake_up();
    for (int taken = 0; taken != 2;) {
      for (item* i = in.take(); i; ++taken) {
        RL_ASSERT(i->payload($) == 1);
        RL_ASSERT(i->taken++ == 0);
        i = static_cast<item*>(i->next_);
      }
      if (taken == 2) break;
      in.fall_asleep();
      if (in.empty()) owner.wait(false);
      in.wake_up();
    }
  }
};

// The queue for what comes from outside, by itself.
struct injection : rl::test_suite<injection, 3> {
  detail::shared_queue queue;
  item items[3];
  int taken = 0;

  void thread(unsigned id) {
    if (id == 2) {
      for (int i = 0; i < 2; ++i) take(queue.pop(2));
      return;
    }
    items[id].payload($) = 1;
    queue.push_back(items[id]);
    if (id == 0) {
      items[2].payload($) = 1;
      queue.push_front(detail::work_chain<resumable>{&items[2], &items[2], 1});
      take(queue.pop(1));
    }
  }
  void take(detail::work_chain<resumable> chain) {
    std::size_t count = 0;
    for (resumable* r = chain.first; r; r = r->next_, ++count) {
      item& i = static_cast<item&>(*r);
      RL_ASSERT(i.payload($) == 1);
      RL_ASSERT(i.taken++ == 0);
      ++taken;
    }
    RL_ASSERT(count == chain.count);
  }
  void after() {
    while (!queue.empty()) take(queue.pop(3));
    RL_ASSERT(taken == 3);
  }
};

// Workers, and threads each of which hands in one item.
//   Tied     each item runs until the other has run, too: a worker that is busy must not be the only one awake while there
//            is more to do
//   Stolen   the threads are workers that are busy themselves, and have the items stolen from their rings; else they are
//            foreign and use the injection queue
template <unsigned Workers, unsigned Pushers, bool Tied = false, bool Stolen = false>
struct runtime : rl::test_suite<runtime<Workers, Pushers, Tied, Stolen>, Workers + Pushers> {
  struct worker {
    sleeper loop;
    detail::fifo_queue<resumable, 2> line;
    bool searching = false;
    bool may_wake_early = false;  // by an event of the world; once, or it might go on for ever
  };
  detail::shared_queue injected;
  detail::fifo_queue<resumable, 2> rings[Stolen ? Pushers : 1];
  detail::basic_idle_set<64> idlers{Workers};
  detail::atomic<bool> stopping;
  worker workers[Workers];
  item items[Pushers];
  int taken = 0;
  rl::mutex tie;
  rl::condition_variable_any tie_changed;

  void before() { workers[0].may_wake_early = Workers > 1; }
  void thread(unsigned id) {
    if (id >= Workers) return hand_in(id - Workers);
    if (id != 0) idle(workers[id]);
    work(workers[id]);
  }
  void hand_in(unsigned i) {
    items[i].payload($) = 1;
    if (Stolen) {
      rings[i].push(&items[i]);
      rings[i].announce();
    } else {
      injected.push_back(items[i]);
    }
    wake_one();
  }

  // runtime_core
  void wake_one() {
    if (const int i = idlers.claim(); i >= 0) workers[i].loop.wake.signal();
  }
  bool anything_to_steal(const worker& except) {
    if (Stolen) {
      for (const auto& r : rings)
        if (!r.empty()) return true;
    } else {
      for (const worker& w : workers)
        if (&w != &except && !w.line.empty()) return true;
    }
    return false;
  }
  void stop() {
    stopping.store(true, std::memory_order_seq_cst);
    for (worker& w : workers) w.loop.wake.signal();
  }

  // worker
  void work(worker& me) {
    while (!stopping.load(std::memory_order_relaxed)) {
      if (resumable* r = next(me)) {
        if (std::exchange(me.searching, false) && idlers.stop_searching()) wake_one();
        run(static_cast<item&>(*r));
      } else {
        idle(me);
      }
    }
  }
  resumable* next(worker& me) {
    if (Stolen) {
      if (start_searching(me))
        for (auto& ring : rings)
          if (resumable* r = ring.steal()) return r;
      return nullptr;
    }
    if (resumable* r = me.line.steal()) return r;
    if (!injected.empty()) {
      const auto items = injected.pop(injected.size() / Workers + 1);
      for (resumable* r = items.first; r;) {
        resumable* const following = r->next_;
        RL_ASSERT(me.line.push(r));
        r = following;
      }
      if (Workers > 1 && items.count > 1) {
        me.line.announce();
        wake_one();
      }
    }
    if (resumable* r = me.line.steal()) return r;
    if (Workers == 1 || !start_searching(me)) return nullptr;
    for (worker& victim : workers)
      if (&victim != &me && me.line.steal_half(victim.line)) return me.line.steal();
    return nullptr;
  }
  bool start_searching(worker& me) {
    if (!me.searching) me.searching = idlers.start_searching(Workers);
    return me.searching;
  }
  void idle(worker& me) {
    const auto any_work = [&] {
      return stopping.load(std::memory_order_seq_cst) || (!Stolen && !injected.empty()) || anything_to_steal(me);
    };
    const auto sleep = [&] {
      if (!stopping.load(std::memory_order_seq_cst))
        me.loop.wait(me.may_wake_early && rl::rand(2) == 0 && std::exchange(me.may_wake_early, false));
    };
    // As spin() does: another thread may hold what this one waits for.
    if (!idlers.sleep(static_cast<unsigned>(&me - workers), me.searching, any_work, sleep)) rl::yield(1, $);
  }
  void run(item& i) {
    RL_ASSERT(i.payload($) == 1);
    RL_ASSERT(i.taken++ == 0);
    if (Tied) tie.lock($);
    const bool last = ++taken == Pushers;
    if (Tied) {
      if (last) tie_changed.notify_all($);
      while (taken != Pushers) tie_changed.wait(tie, $);
      tie.unlock($);
    }
    if (last) stop();
  }
};

const model models[] = {
    {"wake flag, 1", &simulate<flag<1>>, 3},
    {"wake flag, 2", &simulate<flag<2>>},
    {"inbox", &simulate<inbox_model>},
    {"injection", &simulate<injection>},
    {"1 worker, 1 item", &simulate<runtime<1, 1>>, 3},
    {"1 worker, 2 items", &simulate<runtime<1, 2>>, 2},
    {"2 workers, 1 item", &simulate<runtime<2, 1>>, 1},
    {"2 workers, 2 items, tied", &simulate<runtime<2, 2, true>>, 1},
    {"2 workers, stolen, tied", &simulate<runtime<2, 2, true, true>>, 1},
};
const char* const files[] = {"/idle_set.hpp", "/inbox.hpp", "/shared_queue.hpp", "/spin_lock.hpp", "/wakeup.hpp"};

// What is not found, and why:
// - in wake_up(): its partner is the monitor (worker::go_active), which is not played here;
// - the acquire in signal() and the release in acknowledge(): nothing goes from the owner to who wakes it. They are there
//   because the flag is one word and the exchange costs the same.
const missed not_found[] = {
    {"::wake_up()", releasing},
    {"::wake_up()", totally_ordered},
    {"::signal()", acquiring},
    {"::acknowledge()", releasing},
};

}  // namespace
}  // namespace astd::models

int main(int argc, char** argv) {
  using namespace astd::models;
  return model_main(argc, argv, models, files, not_found);
}
