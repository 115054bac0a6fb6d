// The two ends of a channel under Relacy: senders and receivers that meet at a ring of one or two places, wait, are handed
// messages and places, are cancelled meanwhile, and have the channel closed under them. No message is lost or given twice,
// nobody waits for ever, and no place is written while somebody reads it. The library's own sources run here; only the
// threads are the model's.
#include <astd/sync/models/model_waiting.hpp>
// Behind it: what it includes is not to be read under Relacy's macros.
#include <astd/base/models/model_main.hpp>
#include <astd/channel/channel_core.cpp>
#include <astd/channel/channel_error.cpp>

#include <cstddef>
#include <new>
#include <optional>
#include <utility>

// Relacy takes part in what comes from the usual form, and in all that is deleted.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return ::operator new(size); }

namespace astd::detail {
bool spend_slice() noexcept { return true; }
}  // namespace astd::detail

namespace astd::models {
namespace {

using detail::chain;
using detail::resumable;

/// Runs everything at once, where it is scheduled.
struct on_the_spot final : detail::executor {
  void schedule(resumable& r, detail::urgency) noexcept override { detail::run(r); }
} here;

/// The memory in which messages lie, by address: a move reads and writes, which Relacy sees.
struct memory {
  static constexpr unsigned most = 64;
  const void* where[most] = {};
  rl::var<int> cells[most];

  void touch(const void* at) {
    unsigned i = 0;
    while (i != most && where[i] && where[i] != at) ++i;
    RL_ASSERT(i != most);
    where[i] = at;
    cells[i]($) = 1;
  }
};
memory* places = nullptr;

class message {
 public:
  explicit message(int number) noexcept : number_(number) {}
  message(message&& other) noexcept : number_(std::exchange(other.number_, 0)) {
    places->touch(this);
    places->touch(&other);
  }
  message& operator=(message&&) = delete;
  ~message() { places->touch(this); }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;                       // 0: moved from
  [[maybe_unused]] char rest_[256];  // so that a block of an unbounded channel has four
};

using state = detail::channel_state<message>;

/// What all have: the channel, and which messages have arrived.
struct world {
  memory cells;
  state* channel = nullptr;
  static constexpr int most = 12;
  int sent[most] = {};
  int received[most] = {};
  int newest = 0, newest_of_second = 0;  // of each sender
  int first_of_second = most;            // which messages are the second one's
  bool one_receiver = true;

  void make(std::uint64_t capacity) {
    new_threads();
    places = &cells;
    channel = new state(capacity, nullptr);
  }
  void receive(const message& m) {
    const int n = m.number();
    RL_ASSERT(n != 0 && received[n]++ == 0);
    int& before = n < first_of_second ? newest : newest_of_second;
    RL_ASSERT(n > before || !one_receiver);  // each sender's in their order
    before = n;
  }
  bool try_receive() {
    std::optional<message> m;
    const bool there = channel->try_receive(m);
    if (there) receive(*m);
    return there;
  }
  // All that was sent has been received, or lies there.
  void check() {
    while (try_receive()) {
    }
    for (int n = 1; n != most; ++n) RL_ASSERT(sent[n] == received[n]);
    channel->drop_sender();
    channel->drop_receiver();
  }
};

/// One who does one operation after the other, each when the one before has ended.
template <class Operation>
struct doing {
  chain line{&ended, here, false};
  resumable after{&went_on, this};
  std::optional<Operation> operation;
  world* in = nullptr;
  int left = 0;
  bool over = false;     // has done all, or was told of the channel's end
  bool stopped = false;  // was cancelled

  virtual void emplace() = 0;
  virtual bool done() = 0;  // takes the outcome; false: there is nothing more to do

  void start(world& w, int times) {
    in = &w;
    left = times;
    go();
  }
  void go() {
    while (left != 0) {
      --left;
      emplace();
      if (!operation->await_ready()) {
        resumable* const r = operation->start({&after, &line, nullptr});
        if (r != &after) {
          if (r) detail::run(*r);
          return;
        }
      }
      if (!done()) left = 0;
    }
    RL_ASSERT(!over);
    over = true;
  }
  static void went_on(resumable* r) {
    auto& self = *static_cast<doing*>(r->second_);
    if (!self.done()) self.left = 0;
    self.go();
  }
  static void ended(resumable* r) {
    chain& line = chain::from_end(r);
    auto& self = *reinterpret_cast<doing*>(reinterpret_cast<char*>(&line) - offsetof(doing, line));
    RL_ASSERT(line.stopped() && !self.stopped && !self.over);
    self.stopped = true;
  }
};

struct sending final : doing<detail::send_awaiter<message, message>> {
  int next = 1;
  void emplace() override { operation.emplace(*in->channel, message(next)); }
  bool done() override {
    if (!operation->take().has_value()) return false;
    in->sent[next++] = 1;
    return true;
  }
};
struct receiving final : doing<detail::recv_awaiter<message>> {
  void emplace() override { operation.emplace(*in->channel); }
  bool done() override {
    const std::optional<message> m = operation->await_resume();
    if (!m) return false;
    in->receive(*m);
    return true;
  }
};

// One sends, one receives: three messages through the places there are, or through blocks that come and go.
template <std::uint64_t Capacity, int Messages = 3>
struct passing : rl::test_suite<passing<Capacity, Messages>, 2> {
  world w;
  sending sends;
  receiving receives;

  void before() { w.make(Capacity); }
  void thread(unsigned id) { id == 0 ? sends.start(w, Messages) : receives.start(w, Messages); }
  void after() {
    RL_ASSERT(sends.over && receives.over);
    w.check();
  }
};

// Two send, one receives.
struct gathering : rl::test_suite<gathering, 3> {
  world w;
  sending first, second;
  receiving receives;

  void before() {
    w.make(1);
    w.first_of_second = second.next = 4;
  }
  void thread(unsigned id) {
    switch (id) {
      case 0: first.start(w, 2); break;
      case 1: second.start(w, 1); break;
      default: receives.start(w, 3);
    }
  }
  void after() {
    RL_ASSERT(first.over && second.over && receives.over);
    w.check();
  }
};

// One who waits for a message is cancelled while it comes; another waits behind him.
struct receiver_cancelled : rl::test_suite<receiver_cancelled, 3> {
  world w;
  sending sends;
  receiving first, second;

  void before() {
    w.make(1);
    second.start(w, 1);
  }
  void thread(unsigned id) {
    switch (id) {
      case 0: sends.start(w, 2); break;
      case 1: first.start(w, 1); break;
      default: first.line.request_cancel();
    }
  }
  void after() {
    RL_ASSERT(sends.over && second.over && first.over != first.stopped);
    w.check();
  }
};

// One who waits for a place is cancelled while it becomes free; another waits behind him.
struct sender_cancelled : rl::test_suite<sender_cancelled, 3> {
  world w;
  sending full, first, second;
  receiving receives;

  void before() {
    w.make(1);
    w.one_receiver = false;
    full.start(w, 1);
    first.next = 2;
    second.next = 4;
    first.start(w, 1);
    second.start(w, 1);
  }
  void thread(unsigned id) {
    switch (id) {
      case 0: receives.start(w, 1); break;
      case 1: first.line.request_cancel(); break;
      default: w.try_receive();
    }
  }
  void after() {
    RL_ASSERT(full.over && receives.over && first.over != first.stopped);
    // He waits only if there is no place.
    if (!second.over) w.try_receive();
    RL_ASSERT(second.over);
    w.check();
  }
};

// The channel is closed while one sends and one receives.
struct closing : rl::test_suite<closing, 3> {
  world w;
  sending sends;
  receiving receives;

  void before() { w.make(1); }
  void thread(unsigned id) {
    switch (id) {
      case 0: sends.start(w, 3); break;
      case 1: receives.start(w, 3); break;
      default: RL_ASSERT(w.channel->close());
    }
  }
  void after() {
    RL_ASSERT(sends.over && receives.over);
    w.check();
  }
};

// The last sender, or receiver, closes the channel: who sees that sees what all of them did before they went.
template <bool Senders>
struct last_of_one_end : rl::test_suite<last_of_one_end<Senders>, 3> {
  world w;
  rl::var<int> done[2];

  void before() {
    w.make(1);
    Senders ? w.channel->add_sender() : w.channel->add_receiver();
  }
  void thread(unsigned id) {
    if (id == 2) {
      if (w.channel->is_closed()) RL_ASSERT(done[0]($) + done[1]($) == 2);
      return;
    }
    done[id]($) = 1;
    Senders ? w.channel->drop_sender() : w.channel->drop_receiver();
  }
  void after() { Senders ? w.channel->drop_receiver() : w.channel->drop_sender(); }
};

// The last handle of all ends the channel, behind all that the others did with it.
struct last_reference : rl::test_suite<last_reference, 2> {
  world w;
  rl::var<int> used[2];

  void before() {
    w.make(detail::channel_core::unlimited);
    place = this;
    for (auto& u : used) u($) = 0;
    w.channel->add_reference();
    w.channel->add_reference();
    w.channel->drop_sender();
    w.channel->drop_receiver();
    beforehand = &touched;
  }
  void thread(unsigned id) {
    used[id]($) = 1;
    w.channel->drop_reference();
  }
  static void touched(std::source_location at) {
    if (std::string_view(at.function_name()).find("~channel_state(") == std::string_view::npos) return;
    RL_ASSERT(place->used[0]($) + place->used[1]($) == 2);
  }
  static inline last_reference* place = nullptr;
  void after() { beforehand = nullptr; }
};

const model models[] = {
    {"one place", &simulate<passing<1>>},
    {"two places", &simulate<passing<2>>},
    {"unbounded", &simulate<passing<detail::channel_core::unlimited, 9>>, 1},
    {"two senders", &simulate<gathering>, 1},
    {"receiver cancelled", &simulate<receiver_cancelled>, 1},
    {"sender cancelled", &simulate<sender_cancelled>, 1},
    {"closed", &simulate<closing>, 1},
    {"last sender", &simulate<last_of_one_end<true>>, 1},
    {"last receiver", &simulate<last_of_one_end<false>>, 1},
    {"last reference", &simulate<last_reference>},
};
const char* const files[] = {"/channel/channel_core.hpp", "/channel/channel_core.cpp",
                             "/channel/channel_state.hpp"};

// What is not found, and need not be there:
// - front_ is stored with both locks held, and the senders' lock orders what they see of it;
// - a block that is deleted was left by one who had the receivers' lock, too.
const missed not_found[] = {
    {"::pass_on_places(", releasing}, {"::receive_in_line(", releasing}, {"::leave_block()", acquiring}};

}  // namespace
}  // namespace astd::models

int main(int argc, char** argv) {
  using namespace astd::models;
  return model_main(argc, argv, models, files, not_found);
}
