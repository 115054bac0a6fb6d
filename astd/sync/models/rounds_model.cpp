// What goes in rounds or happens once, under Relacy: a barrier and its phases, a turn that is passed on unless it was used.
// The library's own sources run here; only the threads are the model's.
#include <astd/sync/models/model_waiting.hpp>
// Behind it: what it includes is not to be read under Relacy's macros.
#include <astd/base/models/model_main.hpp>
#include <astd/sync/barrier.cpp>
#include <astd/sync/once.cpp>

namespace astd::models {
namespace {

// ---- barrier

// All see in each phase what the others, and the completion, did before; nobody goes on before.
struct phases : rl::test_suite<phases, 2> {
  using comes = party<phases, detail::barrier_awaiter>;
  static constexpr int most = 2;
  struct completed {
    phases* of;
    void operator()() const noexcept { of->complete(); }
  };
  watched watch;
  std::optional<barrier<completed>> b;
  comes first[most], second[most];
  rl::var<int> done[most];
  rl::var<int> completions;
  int led[2] = {};

  void before() {
    watch.before();
    b.emplace(most, completed{this});
    for (auto& d : done) d($) = 0;
    completions($) = 0;
  }
  void complete() noexcept {
    const int phase = completions($);
    for (auto& d : done) RL_ASSERT(d($) == phase + 1);
    completions($) = phase + 1;
  }
  void thread(unsigned id) {
    done[id]($) = 1;
    first[id].start(*this, *b, 0, true);
  }
  void got(comes& self) {
    const auto i = static_cast<unsigned>(&self >= second ? &self - second : &self - first);
    const int phase = &self >= second && &self < second + most ? 1 : 0;
    led[phase] += self.awaiting->take().get();
    RL_ASSERT(completions($) >= phase + 1);
    if (phase == 1) return;
    done[i]($) = 2;
    second[i].start(*this, *b, 0, true);
  }
  void stopped(comes&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(led[0] == 1 && led[1] == 1);
    RL_ASSERT(completions($) == 2);
  }
};

// One comes for good, one looks for the end of the phase by its token, one waits and is cancelled, which leaves it counted.
struct dropped : rl::test_suite<dropped, 3> {
  using comes = party<dropped, detail::barrier_awaiter>;
  watched watch;
  std::optional<barrier<>> b;
  comes waits;
  comes looks;
  rl::var<int> done;

  void before() {
    watch.before();
    b.emplace(2);
    done($) = 0;
    waits.start(*this, *b, 0, true);
  }
  void thread(unsigned id) {
    switch (id) {
      case 0:
        done($) = 1;
        b->arrive_and_drop();
        break;
      case 1: waits.line.request_cancel(); break;
      default: looks.start(*this, *b, 0, false);  // of the first phase
    }
  }
  void got(comes&) { RL_ASSERT(done($) == 1); }
  void stopped(comes& self) { RL_ASSERT(&self == &waits); }
  void after() {
    RL_ASSERT(waits.ends == 1 && looks.ends == 1);
    // The next phase is for one.
    comes alone;
    alone.start(*this, *b, 0, true);
    RL_ASSERT(alone.ends == 1);
  }
};

// ---- once

// Two wait for their turn, one tries; who has it first gives it up. Then it is done once, and seen by who comes late.
struct one_turn : rl::test_suite<one_turn, 3> {
  using comes = party<one_turn, detail::once_turn_awaiter>;
  watched watch;
  detail::once o{nullptr};
  comes parties[2];
  rl::var<int> data;
  int given_up = 0, done = 0;

  void before() {
    watch.before();
    data($) = 0;
  }
  void thread(unsigned id) {
    if (id != 2) return parties[id].start(*this, o, "once");
    auto turn = o.try_begin();
    if (turn) use(turn);
    if (o.done()) RL_ASSERT(data($) == 2);
  }
  void use(detail::once::turn& turn) {
    data($) = data($) + 1;
    if (given_up++ == 0) return;  // its destructor passes it on
    ++done;
    turn.done();
  }
  void got(comes& self) {
    auto turn = self.awaiting->take().get();
    if (turn)
      use(turn);
    else
      RL_ASSERT(data($) == 2);
  }
  void stopped(comes&) { RL_ASSERT(false); }
  void after() {
    RL_ASSERT(parties[0].ends == 1 && parties[1].ends == 1);
    RL_ASSERT(done <= 1 && done == o.done());
    RL_ASSERT(given_up >= 1);
  }
};

const model models[] = {
    {"phases", &simulate<phases>},
    {"dropped", &simulate<dropped>, 1},
    {"one turn", &simulate<one_turn>, 1},
};
const char* const files[] = {"/sync/barrier.hpp", "/sync/barrier.cpp", "/sync/once.hpp", "/sync/once.cpp"};

}  // namespace
}  // namespace astd::models

int main(int argc, char** argv) {
  using namespace astd::models;
  return model_main(argc, argv, models, files, {});
}
