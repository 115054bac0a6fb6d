// A universe that one seed decides: its time, what will happen in it, its chance, its machines and the network between
// them. One thread at a time is in it. It knows nothing of tasks: whoever runs them puts events here like everybody else.
//
//   world w({.seed = 7});
//   machine& server = w.add_machine("server");
//   while (w.step()) {}       // until nothing can happen any more
//
// A run is its trace: every event (its moment, and what was drawn for its place among those of the same moment) and every
// note is mixed into trace_hash(), so two runs of one seed can be compared.
#pragma once

#include <astd/driver/operation.hpp>
#include <astd/driver/sim/event.hpp>
#include <astd/driver/sim/fault.hpp>
#include <astd/driver/sim/random.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace astd::driver::sim {

class machine;
class network;
class sim_driver;

struct world_options {
  std::uint64_t seed = 1;
  /// How long one turn of a worker takes, and how late a wake arrives: drawn between the two, in nanoseconds.
  instant shortest_turn = 200, longest_turn = 2'000;
  /// How often an operation that could end at once ends a little later.
  double later = 0.25;
  /// What a TCP socket that sets no sizes of its own keeps in each direction, in bytes.
  std::uint32_t socket_room = 65'536;
  fault_rates faults = {};
  /// No more faults than this by chance.
  std::uint64_t fault_budget = UINT64_MAX;

  // For a smaller run that fails like a larger one.
  /// The order of events is drawn for the draws with these numbers only, and plain (first in, first out) for all others.
  std::uint64_t shuffle_from = 0, shuffle_to = UINT64_MAX;
  /// Of the faults that would strike, only those with these numbers do; in ascending order.
  std::optional<std::vector<std::uint64_t>> only_faults = {};
};

/// What the trace tells.
enum class point : std::uint8_t {
  turn,       // of a worker: its number
  submitted,  // an operation: code, descriptor
  ended,      // an operation: code, result
  cancelled,  // an operation: code
  packet,     // sent: kind, bytes
  arrived,    // the same
  fault,      // kind, number
  machine,    // crashed, restarted, paused, went on
  note,       // the program's own: see testing/sim
};
[[nodiscard]] std::string_view name_of(point what) noexcept;

/// For whoever wants to read a trace. In the order of events; from inside the world.
class trace_reader {
 public:
  virtual void read(instant when, const machine* where, point what, std::uint64_t a, std::uint64_t b,
                    std::string_view text) = 0;

 protected:
  ~trace_reader() = default;
};

struct struck_fault {
  std::uint64_t number;
  instant when;
  fault kind;
  std::string where;  // the machine's name
};

class world {
 public:
  explicit world(world_options options);
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  /// No driver of its machines is left.
  ~world();

  [[nodiscard]] const world_options& options() const noexcept { return options_; }

  // ---- time and events
  /// True time: nanoseconds since the world began. What a machine's clocks say of it, machine.hpp knows.
  [[nodiscard]] instant now() const noexcept { return now_.load(std::memory_order_relaxed); }
  /// At `when`, or now if that is past. Moves an event that is queued. Ties are drawn.
  void schedule(event& e, instant when) noexcept;
  void schedule_after(event& e, instant delay) noexcept { schedule(e, now() + delay); }
  /// The same, but an event that is queued for an earlier moment stays there.
  void schedule_by(event& e, instant when) noexcept;
  void take_out(event& e) noexcept { events_.remove(e); }
  /// f() once, at now() + delay. Cannot be taken back: f looks whether it still applies. What is left when the world
  /// ends is destroyed uncalled.
  template <class F>
  void after(instant delay, F f) {
    auto* const e = new once<F>(*this, std::move(f));
    onces_.push_back(*e);
    schedule_after(*e, delay);
  }
  /// Lets the next thing happen, at its time. False: nothing is left.
  bool step() noexcept;
  /// Nothing happens until `when`, or until what is next.
  void pass_until(instant when) noexcept;
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  /// How often the order of things was drawn: what world_options::shuffle_to counts.
  [[nodiscard]] std::uint64_t draws() const noexcept { return draws_; }
  [[nodiscard]] instant next_time() const noexcept { return events_.empty() ? detail::never : events_.next_time(); }

  // ---- chance
  /// Of the order and the length of things that a real machine leaves open.
  [[nodiscard]] random_stream& order() noexcept { return order_; }
  /// Latencies and all else that the network draws; the disks; what programs ask for.
  [[nodiscard]] random_stream& on_the_way() noexcept { return network_random_; }
  [[nodiscard]] random_stream& at_disks() noexcept { return disk_random_; }
  [[nodiscard]] random_stream& for_programs() noexcept { return program_random_; }
  /// How long this turn takes, or this wake.
  [[nodiscard]] instant draw_turn() noexcept;
  /// 0 to n - 1, where 0 is what happens without chance.
  [[nodiscard]] std::uint64_t draw_choice(std::uint64_t n) noexcept;

  // ---- faults
  /// Whether `kind` strikes here and now. Each call where its rate is not 0 draws, so a call stands where the fault can
  /// do something. A machine that is spared is not struck, and nothing is drawn for it.
  [[nodiscard]] bool strikes(fault kind, const machine* where) noexcept;
  void set_faults(const fault_rates& rates) noexcept { rates_ = rates; }
  [[nodiscard]] const fault_rates& faults() const noexcept { return rates_; }
  [[nodiscard]] const std::vector<struck_fault>& struck() const noexcept { return struck_; }
  [[nodiscard]] std::uint64_t faults_struck() const noexcept { return faults_struck_; }

  // ---- who is there
  /// `name` is new, and a host name. Addresses are given in order: 10.0.0.1, 10.0.0.2...
  machine& add_machine(std::string name);
  [[nodiscard]] machine* find_machine(std::string_view name) noexcept;
  [[nodiscard]] const std::vector<std::unique_ptr<machine>>& machines() const noexcept { return machines_; }
  /// Whose descriptor this is: null if none of a machine here.
  [[nodiscard]] machine* machine_of(int descriptor) noexcept;
  [[nodiscard]] network& net() noexcept { return *network_; }

  // ---- operations
  /// Ends `op`, which a descriptor or a disk of this world had kept (it is in no list any more). Result as in operation.
  void finish(operation& op, std::int32_t result) noexcept;
  /// accept_many: has its `completed` called, once until next_connection() has been asked; it goes on.
  void report(operation& op) noexcept;

  /// Those of `m` look anew at what they wait for: its clocks have changed.
  void wake_drivers_of(const machine& m) noexcept;

  // ---- the trace
  void note(point what, const machine* where, std::uint64_t a = 0, std::uint64_t b = 0,
            std::string_view text = {}) noexcept;
  [[nodiscard]] std::uint64_t trace_hash() const noexcept { return hash_; }
  void set_trace_reader(trace_reader* reader) noexcept { reader_ = reader; }

  // ---- threads
  /// The world that this thread is in, or null.
  [[nodiscard]] static world* here() noexcept;
  /// Makes it `now` (or none); gives what it was.
  static world* set_here(world* now) noexcept;
  /// For a thread that is not inside: schedules `e` now, as soon as the world goes on. `e` lives as long as the world.
  void wake_from_outside(event& e) noexcept;
  /// No wake from outside gets to `e` any more, and it is not queued: it is about to go.
  void forget(event& e) noexcept;
  /// Takes in what came from outside; whether there was anything.
  bool take_from_outside() noexcept;
  [[nodiscard]] bool anything_from_outside() const noexcept { return outside_any_.load(std::memory_order_acquire); }
  /// Who steps it, and lets threads in.
  class keeper {
   public:
    /// After each wake_from_outside(), on the thread that called it.
    virtual void something_outside() noexcept = 0;

   protected:
    ~keeper() = default;
  };
  /// Once, before all else.
  void set_keeper(keeper& k) noexcept { keeper_ = &k; }
  [[nodiscard]] keeper* kept_by() const noexcept { return keeper_; }

 private:
  friend class sim_driver;
  struct once_base : event, detail::list_node {
    virtual ~once_base() = default;
  };
  template <class F>
  struct once final : once_base {
    once(world& w, F what) : in(w), f(std::move(what)) {}
    void fire() noexcept override {
      const std::unique_ptr<once> self(this);
      detail::intrusive_list<once_base>::erase(*this);
      f();
    }
    world& in;
    F f;
  };
  [[nodiscard]] std::uint64_t draw_tie() noexcept;
  std::uint32_t add_driver(sim_driver& d);
  void remove_driver(std::uint32_t number) noexcept;

  const world_options options_;
  std::atomic<instant> now_{0};
  event_queue events_;
  std::uint64_t steps_ = 0;
  std::uint64_t draws_ = 0;
  random_stream order_, network_random_, disk_random_, program_random_, fault_random_;
  fault_rates rates_;
  std::uint64_t fault_number_ = 0;
  std::uint64_t faults_struck_ = 0;
  std::vector<struck_fault> struck_;
  std::uint64_t hash_ = 0;
  trace_reader* reader_ = nullptr;
  std::unique_ptr<network> network_;
  std::vector<std::unique_ptr<machine>> machines_;
  std::vector<sim_driver*> drivers_;
  std::vector<std::uint32_t> free_drivers_;
  detail::intrusive_list<once_base> onces_;

  std::atomic<bool> outside_any_{false};
  keeper* keeper_ = nullptr;
  std::mutex outside_lock_;
  std::vector<event*> outside_;  // guarded by outside_lock_
};

}  // namespace astd::driver::sim
