// The cancel protocol under Relacy: a chain starts operations, threads of the world end them, others ask the chain to
// stop, all at the same time; then the same for a race of two branches, and for poll_fn and its wakers. The library's own
// sources run here; only the threads, and what is awaited, are the model's.
#include <astd/base/assert.cpp>
#include <astd/base/error.cpp>
#include <astd/base/models/model_atomic.hpp>
#include <astd/base/models/model_main.hpp>
#include <astd/base/models/model_threads.hpp>
#include <astd/coro/chain.cpp>
#include <astd/coro/composite.cpp>
#include <astd/coro/dump.cpp>
#include <astd/coro/policies.cpp>
#include <astd/coro/poll_fn.cpp>

#include <optional>

namespace astd::models {
namespace {

using detail::await_context;
using detail::chain;
using detail::resumable;
using detail::suspension;

/// Runs everything at once, where it is scheduled.
struct on_the_spot final : detail::executor {
  void schedule(resumable& r, detail::urgency) noexcept override { detail::run(r); }
  void settle(detail::task_header&) noexcept override {}
} here;

/// How an operation takes a request to stop.
enum class kind {
  kernel,  // it is noted; the world ends the operation, sooner or later
  list,    // it is taken out of the list, if it is still there, and has ended
};

/// Suspends its chain; the world ends it. The variables stand for the operation's memory: whoever goes on frees it.
template <kind Kind>
class operation final : public suspension {
 public:
  resumable* start(const await_context& c) {
    made_($) = 1;
    attach(c);
    if (!publish()) return stop();
    in_list_.store(1, std::memory_order_release);
    return nullptr;
  }
  /// The world's. True: it is over, or has never begun.
  bool end() {
    // Stands for the driver's or the list's lock.
    if (in_list_.exchange(0, std::memory_order_acq_rel) == 0) return false;
    RL_ASSERT(made_($) == 1);
    value_($) = 1;
    complete(false);
    return true;
  }
  void request_stop() noexcept override {
    RL_ASSERT(made_($) == 1);
    asked_($) = 1;
    if (Kind == kind::list && in_list_.exchange(0, std::memory_order_acq_rel) == 1) {
      value_($) = 0;
      complete(true);
    }
    stop_request_done();
  }
  void describe(std::string&, unsigned) const override {}
  /// By whoever goes on, with a value or without.
  void free(bool with_value) {
    made_($) = 2;
    asked_($) = 2;
    if (with_value) RL_ASSERT(value_($) == 1);
    value_($) = 2;
  }

 private:
  detail::atomic<int> in_list_;
  rl::var<int> made_, asked_, value_;
};

// A chain that awaits two operations in a row. Thread 0 starts it, thread 1 is the world, the others ask it to stop.
template <kind Kind, unsigned Cancellers>
struct suspensions : rl::test_suite<suspensions<Kind, Cancellers>, 2 + Cancellers> {
  operation<Kind> first, second;
  resumable after_first{&first_ended, this}, after_second{&second_ended, this};
  chain line{&ended, here, false};
  detail::atomic<int> over;
  rl::var<int> why;
  int reached = 0, ends = 0;
  suspensions* self_of_line = this;

  void before() { new_threads(), current = this; }
  void thread(unsigned id) {
    if (id == 0) {
      if (resumable* r = first.start({&after_first, &line, nullptr})) detail::run(*r);
    } else if (id == 1) {
      while (!over.load(std::memory_order_acquire)) {
        const bool any = first.end() | second.end();
        if (!any) rl::yield(1, $);
      }
    } else {
      if (id == 2) why($) = 1;
      line.request_cancel();
    }
  }
  static void first_ended(resumable* r) {
    auto& self = *static_cast<suspensions*>(r->second_);
    self.first.free(true);
    RL_ASSERT(self.reached++ == 0);
    if (Cancellers == 1 && self.line.cancel_requested()) RL_ASSERT(self.why($) == 1);
    if (resumable* next = self.second.start({&self.after_second, &self.line, nullptr})) detail::run(*next);
  }
  static void second_ended(resumable* r) {
    auto& self = *static_cast<suspensions*>(r->second_);
    self.second.free(true);
    RL_ASSERT(self.reached++ == 1);
    finish(self);
  }
  // It was stopped: in whatever it was suspended in is to be freed.
  static void ended(resumable*) {
    auto& self = *static_cast<suspensions*>(current);
    RL_ASSERT(self.line.stopped());
    if (Cancellers == 1) RL_ASSERT(self.why($) == 1);
    (self.reached == 0 ? self.first : self.second).free(false);
    finish(self);
  }
  static void finish(suspensions& self) {
    RL_ASSERT(self.ends++ == 0);
    self.over.store(1, std::memory_order_release);
  }
  void after() { RL_ASSERT(ends == 1); }
};

// A race of two: both may end, and be asked to end, at the same time.
template <kind Kind, bool Cancelled>
struct racing : rl::test_suite<racing<Kind, Cancelled>, 3 + Cancelled> {
  struct half final : detail::branch_base {
    explicit half(detail::composite& owner) : branch_base(owner) {}
    resumable* start() override { return awaited.start({&end(), this, nullptr}); }
    bool settle() noexcept override {
      awaited.free(true);
      result($) = 1;
      return false;
    }
    operation<Kind> awaited;
    rl::var<int> result;
  };
  struct race final : detail::race_base {
    race() : race_base(false) { add(a), add(b); }
    resumable* start(const await_context& c) { return start_race(c); }
    [[nodiscard]] half* winner() const { return static_cast<half*>(race_base::winner()); }
    half a{*this}, b{*this};
  };
  race both;
  resumable after_both{&went_on, this};
  chain line{&ended, here, false};
  detail::atomic<int> over;
  int ends = 0;

  void before() { new_threads(), current = this; }
  void thread(unsigned id) {
    if (id == 0) {
      detail::run(*both.start({&after_both, &line, nullptr}));
    } else if (id == 3) {
      line.request_cancel();
    } else {
      operation<Kind>& mine = (id == 1 ? both.a : both.b).awaited;
      while (!over.load(std::memory_order_acquire))
        if (!mine.end()) rl::yield(1, $);
    }
  }
  static void went_on(resumable* r) {
    auto& self = *static_cast<racing*>(r->second_);
    RL_ASSERT(self.both.winner() && self.both.winner()->result($) == 1);
    finish(self);
  }
  static void ended(resumable*) {
    auto& self = *static_cast<racing*>(current);
    RL_ASSERT(Cancelled && self.line.stopped());
    finish(self);
  }
  static void finish(racing& self) {
    // What has ended without a value is freed by the owner.
    if (self.both.a.stopped()) self.both.a.awaited.free(false);
    if (self.both.b.stopped()) self.both.b.awaited.free(false);
    for (half* h : {&self.both.a, &self.both.b})
      if (h->has_value()) RL_ASSERT(h->result($) == 1);
    RL_ASSERT(self.ends++ == 0);
    self.over.store(1, std::memory_order_release);
  }
  void after() { RL_ASSERT(ends == 1); }
};

// poll_fn: whoever has something puts it down and wakes.
template <unsigned Wakers, bool Cancelled>
struct polling : rl::test_suite<polling<Wakers, Cancelled>, 1 + Wakers + Cancelled> {
  struct look {
    polling* self;
    bool operator()(const waker& w) const { return self->poll(w); }
  };
  // One waker's wake() is all that orders it and the poll that follows; the second may be seen by a poll before.
  static constexpr auto put = Wakers == 1 ? std::memory_order_relaxed : std::memory_order_release;
  static constexpr auto looked = Wakers == 1 ? std::memory_order_relaxed : std::memory_order_acquire;
  std::optional<detail::poll_fn_awaiter<look>> awaited;
  std::optional<waker> wakers[Wakers];
  resumable after_it{&went_on, this};
  chain line{&ended, here, false};
  detail::atomic<int> there[Wakers];
  rl::var<int> content[Wakers];
  rl::var<int> polls;
  detail::atomic<int> begun;
  bool known = false;  // the waker, from the first poll
  int ends = 0;

  void before() { new_threads(), current = this; }
  bool poll(const waker& w) {
    polls($) = polls($) + 1;
    if (!known) {
      known = true;
      for (auto& mine : wakers) mine.emplace(w);
      return false;
    }
    unsigned n = 0;
    for (auto& t : there) n += static_cast<unsigned>(t.load(looked));
    if (n != Wakers) return false;
    for (auto& c : content) RL_ASSERT(c($) == 1);
    return true;
  }
  void thread(unsigned id) {
    if (id == 0) {
      polls($) = 0;
      awaited.emplace(look{this});
      RL_ASSERT(!awaited->await_ready());
      begun.store(1, std::memory_order_release);
      if (resumable* r = awaited->start({&after_it, &line, nullptr})) detail::run(*r);
    } else if (id <= Wakers) {
      while (!begun.load(std::memory_order_acquire)) rl::yield(1, $);
      content[id - 1]($) = 1;
      there[id - 1].store(1, put);
      wakers[id - 1]->wake();
      wakers[id - 1].reset();
    } else {
      line.request_cancel();
    }
  }
  static void went_on(resumable* r) {
    auto& self = *static_cast<polling*>(r->second_);
    self.polls($) = 0;
    for (auto& c : self.content) RL_ASSERT(c($) == 1);
    finish(self);
  }
  static void ended(resumable*) {
    auto& self = *static_cast<polling*>(current);
    RL_ASSERT(Cancelled && self.line.stopped());
    self.polls($) = 0;
    finish(self);
  }
  static void finish(polling& self) {
    RL_ASSERT(self.ends++ == 0);
    self.awaited.reset();
  }
  void after() { RL_ASSERT(ends == 1); }
};

const model models[] = {
    {"in the kernel", &simulate<suspensions<kind::kernel, 1>>},
    {"in the kernel, 2 ask", &simulate<suspensions<kind::kernel, 2>>, 1},
    {"in a list", &simulate<suspensions<kind::list, 1>>},
    {"in a list, 2 ask", &simulate<suspensions<kind::list, 2>>, 1},
    {"race", &simulate<racing<kind::list, false>>},
    {"race, cancelled", &simulate<racing<kind::list, true>>, 1},
    {"race in the kernel, cancelled", &simulate<racing<kind::kernel, true>>, 1},
    {"poll_fn, 1 waker", &simulate<polling<1, false>>},
    {"poll_fn, 2 wakers", &simulate<polling<2, false>>, 1},
    {"poll_fn, cancelled", &simulate<polling<1, true>>, 1},
    {"poll_fn, 2 wakers, cancelled", &simulate<polling<2, true>>, 1},
};
const char* const files[] = {"/chain.hpp",    "/chain.cpp",   "/composite.hpp", "/composite.cpp",
                             "/policies.cpp", "/poll_fn.hpp", "/poll_fn.cpp"};

// What is not found, and why:
// - in finish(): whoever ends an operation was told of it by other means, a lock or the driver, which order the two; and
//   a canceller is met in meet(), which does so, too. What it gives beyond is for dumps;
// - in ~waker(): what the last owner deletes is the allocator's, not one of Relacy's variables;
// - in rest(), turn(), claim_turn() and request_stop() of poll_fn: the bits are always taken again, by the next turn or
//   by finish(), before anything is used that was written under them.
const missed not_found[] = {
    {"::finish(", acquiring},      {"::finish(", releasing},        {"::~waker()", acquiring},
    {"::~waker()", releasing},     {"::rest()", acquiring},         {"::turn()", releasing},
    {"::claim_turn()", acquiring}, {"::request_stop()", releasing},
};

}  // namespace
}  // namespace astd::models

int main(int argc, char** argv) {
  using namespace astd::models;
  return model_main(argc, argv, models, files, not_found);
}
