// What is handed over without a queue, under Relacy: a promise and its futures, a watched value, a broadcast. Each value is
// seen whole, nobody waits for ever, and the last one ends what all have used. The library's own sources run here; only the
// threads are the model's.
#include <astd/sync/models/model_waiting.hpp>
// Behind it: what it includes is not to be read under Relacy's macros.
#include <astd/base/models/model_main.hpp>
#include <astd/channel/broadcast.hpp>
#include <astd/channel/channel_error.cpp>
#include <astd/channel/promise.cpp>
#include <astd/channel/watch.hpp>

#include <cstdlib>

namespace astd::detail {
bool spend_slice() noexcept { return true; }
void* allocate_frame(std::size_t size) { return std::malloc(size); }
void free_frame(void* frame, std::size_t) noexcept { std::free(frame); }
}  // namespace astd::detail

namespace astd::models {
namespace {

/// A value that reads and writes memory of its own, and is to be destroyed behind all that was done with it.
struct probe {
  explicit probe(rl::var<int>& memory) : memory_(&memory) { memory($) = 1; }
  probe(probe&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  probe(const probe&) = delete;
  ~probe() {
    if (memory_) (*memory_)($) = -1;
  }
  void look() const { RL_ASSERT((*memory_)($) == 1); }

 private:
  rl::var<int>* memory_;
};

// ---- promise, shared_future

using shared_awaiter = detail::shared_future_awaiter<probe>;

// One sets the value, two look at it, each by his future, and all go when they have done.
struct shared_value : rl::test_suite<shared_value, 3> {
  using looks = party<shared_value, shared_awaiter>;
  rl::var<int> memory;
  std::optional<promise<probe>> p;
  std::optional<shared_future<probe>> futures[2];
  looks waits[2];

  void before() {
    new_threads();
    p.emplace();
    futures[0].emplace(p->get_future().share());
    futures[1].emplace(*futures[0]);
  }
  void thread(unsigned id) {
    if (id == 2) {
      p->set_value(memory);
      p.reset();
      return;
    }
    waits[id].start(*this, awaiter_from(*futures[id]));
  }
  void got(looks& self) {
    self.awaiting->take().get().look();
    futures[&self - waits].reset();
  }
  void stopped(looks&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(waits[0].ends == 1 && waits[1].ends == 1);
    RL_ASSERT(memory($) == -1);
  }
};

// The promise goes without a value, or is told that nobody wants it, at the same moment as a look.
struct broken : rl::test_suite<broken, 2> {
  std::optional<promise<probe>> p;
  std::optional<future<probe>> f;
  rl::var<int> promised, wanted;

  void before() {
    new_threads();
    p.emplace();
    f.emplace(p->get_future());
    promised($) = wanted($) = 0;
  }
  void thread(unsigned id) {
    if (id == 0) {
      if (f->is_ready()) RL_ASSERT(promised($) == 1);
      wanted($) = 1;
      f.reset();
    } else {
      if (p->is_closed()) RL_ASSERT(wanted($) == 1);
      promised($) = 1;
      p.reset();
    }
  }
};

// Two set the same value at the same moment: one of them does.
struct claimed : rl::test_suite<claimed, 2> {
  detail::promise_state<int>* state = nullptr;
  int won = 0;

  void before() {
    new_threads();
    state = new detail::promise_state<int>(nullptr);
  }
  void thread(unsigned) {
    if (!state->claim()) return;
    ++won;
    state->set_value(1);
    state->publish();
  }
  void after() {
    RL_ASSERT(won == 1 && state->is_ready());
    state->drop_reference();
  }
};

// ---- watch_channel

using changed_awaiter = decltype(std::declval<watch_receiver<probe>&>().changed().operator co_await());

// Two values come and the sender goes; who waits sees the last one before he sees the end.
struct last_value : rl::test_suite<last_value, 2> {
  using waits_for_it = party<last_value, changed_awaiter>;
  rl::var<int> memory[3];
  std::optional<watch_sender<probe>> tx;
  std::optional<watch_receiver<probe>> rx;
  waits_for_it waits;
  bool over = false, last_seen = false;

  void before() {
    new_threads();
    auto ends = watch_channel<probe>(memory[0]);
    tx.emplace(std::move(ends.first));
    rx.emplace(std::move(ends.second));
  }
  void thread(unsigned id) {
    if (id == 1) return next();
    tx->send(probe(memory[1]));
    tx->send(probe(memory[2]));
    tx.reset();
  }
  void next() {
    const auto changed = rx->changed();
    waits.ends = 0;
    waits.start(*this, awaiter_from(changed));
  }
  void got(waits_for_it& self) {
    const bool more = self.awaiting->take().get();
    const auto value = rx->borrow_and_update();
    value->look();
    if (more) return next();
    over = true;
    // It is the last, though nobody says so but the memory of the others.
    last_seen = memory[2]($) == 1;
  }
  void stopped(waits_for_it&) { RL_ASSERT(false); }
  void after() { RL_ASSERT(over && last_seen); }
};

// Two senders go, and each has written something before: who sees the end sees both.
template <bool Watched>
struct end_of_senders : rl::test_suite<end_of_senders<Watched>, 3> {
  rl::var<int> memory, done[2];
  std::optional<std::conditional_t<Watched, watch_sender<probe>, broadcast_sender<int>>> tx[2];
  std::optional<std::conditional_t<Watched, watch_receiver<probe>, broadcast_receiver<int>>> rx;

  auto make() {
    if constexpr (Watched)
      return watch_channel<probe>(memory);
    else
      return broadcast_channel<int>(1);
  }
  void before() {
    new_threads();
    auto ends = make();
    tx[1].emplace(ends.first);
    tx[0].emplace(std::move(ends.first));
    rx.emplace(std::move(ends.second));
  }
  void thread(unsigned id) {
    if (id == 2) {
      if (rx->is_closed()) RL_ASSERT(done[0]($) + done[1]($) == 2);
      return;
    }
    done[id]($) = 1;
    tx[id].reset();
  }
};

// ---- broadcast_channel

using recv_awaiter = decltype(std::declval<broadcast_receiver<int>&>().recv().operator co_await());

// One sends two messages and goes, two receive all, or fall behind and are told.
template <unsigned Receivers>
struct everyone : rl::test_suite<everyone<Receivers>, 1 + Receivers> {
  using receives = party<everyone, recv_awaiter>;
  std::optional<broadcast_sender<int>> tx;
  std::optional<broadcast_receiver<int>> rx[2];
  receives waits[2];
  rl::var<int> sent;
  int sum[2] = {};
  bool over[2] = {};

  void before() {
    new_threads();
    auto ends = broadcast_channel<int>(2);
    rx[0].emplace(std::move(ends.second));
    if (Receivers == 2) rx[1].emplace(rx[0]->resubscribe());
    tx.emplace(std::move(ends.first));
  }
  void thread(unsigned id) {
    if (id != 0) return next(id - 1);
    sent($) = 1;
    tx->send(1);
    tx->send(2);
    tx.reset();
  }
  void next(unsigned i) {
    const auto r = rx[i]->recv();
    waits[i].ends = 0;
    waits[i].start(*this, awaiter_from(r));
  }
  void got(receives& self) {
    const auto i = static_cast<unsigned>(&self - waits);
    const auto message = self.awaiting->take().get();
    RL_ASSERT(sent($) == 1);
    if (message) {
      sum[i] += *message;
      return next(i);
    }
    over[i] = true;
    rx[i].reset();
  }
  void stopped(receives&) { RL_ASSERT(false); }
  void after() {
    for (unsigned i = 0; i != Receivers; ++i) RL_ASSERT(over[i] && sum[i] == 3);
  }
};

// The last receiver goes while somebody subscribes, and the sender waits for a moment without any.
using closed_awaiter = decltype(std::declval<broadcast_sender<int>&>().closed().operator co_await());
struct last_receiver : rl::test_suite<last_receiver, 3> {
  using told = party<last_receiver, closed_awaiter>;
  std::optional<broadcast_sender<int>> tx;
  std::optional<broadcast_receiver<int>> rx, again;
  told waits;

  void before() {
    new_threads();
    auto ends = broadcast_channel<int>(1);
    rx.emplace(std::move(ends.second));
    tx.emplace(std::move(ends.first));
  }
  void thread(unsigned id) {
    switch (id) {
      case 0: rx.reset(); break;
      case 1: again.emplace(tx->subscribe()); break;
      default: {
        const auto closed = tx->closed();
        waits.start(*this, awaiter_from(closed));
      }
    }
  }
  void got(told&) {}
  void stopped(told&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(!tx->is_closed());
    again.reset();
    RL_ASSERT(tx->is_closed() && waits.ends == 1);
  }
};

const model models[] = {
    {"shared value", &simulate<shared_value>, 1},
    {"broken", &simulate<broken>},
    {"claimed", &simulate<claimed>},
    {"last value", &simulate<last_value>},
    {"end of watch senders", &simulate<end_of_senders<true>>},
    {"end of broadcast senders", &simulate<end_of_senders<false>>},
    {"one receiver", &simulate<everyone<1>>, 1},
    {"two receivers", &simulate<everyone<2>>, 0},
    {"last receiver", &simulate<last_receiver>, 1},
};
const char* const files[] = {"/channel/promise.hpp", "/channel/promise.cpp",   "/channel/change.hpp",
                             "/channel/watch.hpp",   "/channel/broadcast.hpp", "/channel/arrival_waiter.hpp"};

}  // namespace
}  // namespace astd::models

int main(int argc, char** argv) {
  using namespace astd::models;
  return model_main(argc, argv, models, files, {});
}
