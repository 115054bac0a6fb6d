// cancel_source and cancel_token under Relacy: hooks that are added, called and taken back at the same moment, a tree of
// which parts go while it is cancelled, and who waits for it and is stopped otherwise. The library's own sources run here;
// only the threads are the model's.
#include <astd/sync/models/model_waiting.hpp>
// Behind it: what it includes is not to be read under Relacy's macros.
#include <astd/base/models/model_main.hpp>

// A thread is known by the address of a variable of its own: see model_threads.hpp.
#define this_thread (*mark_of_this_thread())
#define thread_local
#define constinit
#include <astd/sync/cancel_state.cpp>
#undef constinit
#undef thread_local
#undef this_thread

namespace astd::detail {
namespace {
char marks[8];
char* mark_of_this_thread() { return &marks[rl::thread_index()]; }
}  // namespace
}  // namespace astd::detail

namespace astd::models {
namespace {

using detail::cancel_hook;
using detail::cancel_reference;
using detail::cancel_state;

/// Something to be called, whose memory goes when its owner has taken it back.
struct hook : cancel_hook {
  hook() : cancel_hook(&told) {}
  static void told(cancel_hook& h) noexcept {
    auto& self = static_cast<hook&>(h);
    RL_ASSERT((*self.request)($) == 1);  // what led to the request is seen
    self.memory($) = self.memory($) + 1;
    ++self.calls;
  }
  rl::var<int>* request = nullptr;
  rl::var<int> memory;
  int calls = 0;
};

// A request, and a hook that comes and goes meanwhile.
struct called_or_not : rl::test_suite<called_or_not, 2> {
  cancel_state* state = nullptr;
  rl::var<int> request;
  hook h;

  void before() {
    new_threads();
    state = cancel_state::make(nullptr);
    request($) = 0;
    h.request = &request;
    h.memory($) = 0;
  }
  void thread(unsigned id) {
    if (id == 0) {
      request($) = 1;
      RL_ASSERT(state->request_cancel());
      return;
    }
    bool refused = false;
    const auto how = state->add(h, refused);
    if (how == cancel_state::added::waits && !state->withdraw(h, refused)) {
      state->wait_until_called(h);
      RL_ASSERT(h.calls == 1);
    }
    if (how == cancel_state::added::cancelled) {
      RL_ASSERT(request($) == 1);
      RL_ASSERT(state->is_cancelled());
    }
    h.memory($) = -1;  // it is ours again: nobody calls it now
  }
  void after() {
    RL_ASSERT(!state->request_cancel());
    state->release();
  }
};

// Who sees that it was asked for sees what led to it.
struct seen : rl::test_suite<seen, 2> {
  cancel_state* state = nullptr;
  rl::var<int> request;

  void before() {
    new_threads();
    state = cancel_state::make(nullptr);
    request($) = 0;
  }
  void thread(unsigned id) {
    if (id == 0) {
      request($) = 1;
      state->request_cancel();
    } else if (state->is_cancelled()) {
      RL_ASSERT(request($) == 1);
    }
  }
  void after() { state->release(); }
};

// A child is made, has somebody to tell, and goes, while its parent is cancelled.
struct child_goes : rl::test_suite<child_goes, 2> {
  cancel_state* parent = nullptr;
  rl::var<int> request;
  hook h;

  void before() {
    new_threads();
    parent = cancel_state::make(nullptr);
    parent->retain();
    request($) = 0;
    h.request = &request;
    h.memory($) = 0;
  }
  void thread(unsigned id) {
    if (id == 0) {
      request($) = 1;
      parent->request_cancel();
      parent->release();
      return;
    }
    cancel_state* const child = cancel_state::make(parent);
    bool refused = false;
    const auto how = child->add(h, refused);
    if (how == cancel_state::added::waits && !child->withdraw(h, refused)) child->wait_until_called(h);
    h.memory($) = -1;
    child->release();
    parent->release();
  }
};

// Two hold it; the last one ends it, behind all that the other did with it.
struct last_owner : rl::test_suite<last_owner, 2> {
  cancel_state* parent = nullptr;
  cancel_state* child = nullptr;
  rl::var<int> used[2];

  void before() {
    new_threads();
    place = this;
    for (auto& u : used) u($) = 0;
    parent = cancel_state::make(nullptr);
    child = cancel_state::make(parent);
    child->retain();
    beforehand = &touched;
  }
  void thread(unsigned id) {
    used[id]($) = 1;
    child->release();
  }
  // Nobody but the last takes the parent's lock: to leave it, and be gone.
  static void touched(std::source_location at) {
    if (std::string_view(at.function_name()).find("spin_lock::lock(") == std::string_view::npos) return;
    RL_ASSERT(place->used[0]($) + place->used[1]($) == 2);
  }
  static inline last_owner* place = nullptr;
  void after() {
    beforehand = nullptr;
    parent->release();
  }
};

// One waits for the token, in a chain that is cancelled otherwise meanwhile.
struct waits_and_is_stopped : rl::test_suite<waits_and_is_stopped, 3> {
  using waiter = party<waits_and_is_stopped, detail::cancelled_awaiter>;
  cancel_state* state = nullptr;
  waiter waits;
  rl::var<int> request;

  void before() {
    new_threads();
    state = cancel_state::make(nullptr);
    request($) = 0;
  }
  void thread(unsigned id) {
    switch (id) {
      case 0:
        request($) = 1;
        state->request_cancel();
        break;
      case 1: waits.line.request_cancel(); break;
      default: state->retain(); waits.start(*this, cancel_reference(state));
    }
  }
  void got(waiter&) { RL_ASSERT(request($) == 1); }
  void stopped(waiter&) {}
  void after() {
    RL_ASSERT(waits.ends == 1);
    waits.awaiting.reset();
    state->release();
  }
};

const model models[] = {
    {"called or not", &simulate<called_or_not>},
    {"seen", &simulate<seen>},
    {"child goes", &simulate<child_goes>, 2},
    {"last owner", &simulate<last_owner>},
    {"waits and is stopped", &simulate<waits_and_is_stopped>, 1},
};
const char* const files[] = {"/sync/cancel_state.hpp", "/sync/cancel_state.cpp"};

}  // namespace
}  // namespace astd::models

int main(int argc, char** argv) {
  using namespace astd::models;
  return model_main(argc, argv, models, files, {});
}
