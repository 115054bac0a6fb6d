// The run queues under Relacy: an owner and thieves on tiny rings, every interleaving with few preemptions and many
// at random, with stale values wherever the memory orders allow them.
#include <astd/base/models/model_atomic.hpp>
#include <astd/base/models/model_main.hpp>
#include <astd/runtime/work_queue.hpp>

#include <cstddef>

namespace astd::models {
namespace {

using detail::fifo_queue;
using detail::work_chain;
using detail::work_queue;

struct item {
  struct link {  // a plain pointer whose races are found
    rl::var<item*> value;
    void operator=(item* to) { value($) = to; }
    operator item*() const { return value($); }
  };
  link next_;
  rl::var<int> payload;
  int taken = 0;  // the model's own: not part of the simulation
};

template <int Count>
struct items_of {
  item all[Count];
  item* make(int i) {
    all[i].payload($) = i;
    return &all[i];
  }
  void take(item* i) {
    if (!i) return;
    RL_ASSERT(&all[i->payload($)] == i);
    RL_ASSERT(i->taken++ == 0);
  }
  void take(const work_chain<item>& chain) {
    std::size_t count = 0;
    for (item* i = chain.first; i; i = i->next_, ++count) take(i);
    RL_ASSERT(count == chain.count);
  }
  void check_all_taken() {
    for (item& i : all) RL_ASSERT(i.taken == 1);
  }
};

// Owner pushes and pops, two thieves steal; the ring of two goes round.
struct deque : rl::test_suite<deque, 3> {
  work_queue<item, 2> queue;
  items_of<4> items;

  void thread(unsigned id) {
    if (id != 0) {
      for (int i = 0; i < 2; ++i) items.take(queue.steal());
      return;
    }
    push(0);
    push(1);
    items.take(queue.pop());
    push(2);
    items.take(queue.pop());
    items.take(queue.pop());
    push(3);
    items.take(queue.pop());
  }
  void push(int i) {
    item* it = items.make(i);
    while (!queue.push(it)) items.take(queue.take_oldest_half());
  }
  void after() {
    while (item* i = queue.steal()) items.take(i);
    RL_ASSERT(queue.empty());
    items.check_all_taken();
  }
};

// One item, fought for by all: the heart of the deque.
struct last_item : rl::test_suite<last_item, 3> {
  work_queue<item, 2> queue;
  items_of<3> items;

  void thread(unsigned id) {
    if (id != 0) {
      items.take(queue.steal());
      items.take(queue.steal());
      return;
    }
    queue.push(items.make(0));
    queue.push(items.make(1));
    items.take(queue.pop());
    items.take(queue.pop());
    queue.push(items.make(2));
    items.take(queue.pop());
  }
  void after() {
    while (item* i = queue.steal()) items.take(i);
    items.check_all_taken();
  }
};

// The owner makes room while thieves steal.
struct overflow : rl::test_suite<overflow, 3> {
  work_queue<item, 2> queue;
  items_of<4> items;

  void thread(unsigned id) {
    if (id != 0) {
      items.take(queue.steal());
      return;
    }
    for (int i = 0; i < 4; ++i) {
      item* it = items.make(i);
      while (!queue.push(it)) items.take(queue.take_oldest_half());
    }
    items.take(queue.take_oldest_half());
  }
  void after() {
    while (item* i = queue.steal()) items.take(i);
    items.check_all_taken();
  }
};

// Two thieves move halves into queues of their own, from the owner and from each other.
struct halves : rl::test_suite<halves, 3> {
  fifo_queue<item, 2> queues[3];
  items_of<4> items;

  void thread(unsigned id) {
    if (id == 0) {
      for (int i = 0; i < 4; ++i) {
        item* it = items.make(i);
        while (!queues[0].push(it)) items.take(queues[0].take_oldest_half());
      }
      return;
    }
    queues[id].steal_half(queues[0]);
    items.take(queues[id].steal());
    queues[id].steal_half(queues[3 - id]);
    items.take(queues[id].steal());
  }
  void after() {
    for (auto& queue : queues)
      while (item* i = queue.steal()) items.take(i);
    items.check_all_taken();
  }
};

// Who pushes sees the sleeper, or the sleeper sees the item.
template <class Queue, bool Moved>
struct sleeper : rl::test_suite<sleeper<Queue, Moved>, 2> {
  Queue queue, source;
  detail::atomic<int> idle;
  items_of<1> items;
  bool wakes = false;
  bool sleeps = false;

  void thread(unsigned id) {
    if (id == 1) {
      idle.exchange(1, std::memory_order_seq_cst);
      sleeps = queue.empty();
      return;
    }
    if constexpr (!Moved) {
      queue.push(items.make(0));
      queue.announce();
    } else {
      source.push(items.make(0));
      queue.steal_half(source);
    }
    wakes = idle.load(std::memory_order_seq_cst) == 1;
  }
  void after() { RL_ASSERT(wakes || !sleeps); }
};

const model models[] = {
    {"deque", &simulate<deque>},
    {"last item", &simulate<last_item>},
    {"overflow", &simulate<overflow>},
    {"halves", &simulate<halves>},
    {"sleeper", &simulate<sleeper<work_queue<item, 2>, false>>},
    {"sleeper, fifo", &simulate<sleeper<fifo_queue<item, 2>, false>>},
    {"sleeper, steal_half", &simulate<sleeper<fifo_queue<item, 2>, true>>},
};
const char* const files[] = {"/work_queue.hpp"};

// What Relacy cannot find, and why:
// - the acquire of the first load in steal() and the release of the compare-exchange in pop(): in Relacy the
//   sequentially consistent operations take place in the order in which they are executed, so that a load never
//   reads less than the last such store; C++ allows it unless something orders the two;
// - the acquires of the loads of oldest_ in push() and of our own in steal_half(), and the release of the
//   compare-exchange in steal_half(): they keep a slot from being written before it has been read, and in Relacy no
//   load reads what is stored later;
// - the release of the compare-exchange in take_oldest_half(): it takes a newest_ three stores old, and Relacy
//   remembers two.
const missed not_found[] = {
    {"::steal()", acquiring},     {"::pop()", releasing},       {"::push(", acquiring},
    {"::steal_half(", acquiring}, {"::steal_half(", releasing}, {"::take_oldest_half()", releasing},
};

}  // namespace
}  // namespace astd::models

int main(int argc, char** argv) {
  using namespace astd::models;
  return model_main(argc, argv, models, files, not_found);
}
