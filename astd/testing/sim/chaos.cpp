#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/sim/chaos.hpp>

#include <algorithm>
#include <cmath>

namespace astd::sim {
namespace {

enum class accident { partition, one_way, clog, crash, pause, clock_jump };
constexpr std::uint64_t chaos_stream = 101;

// The whole of an accident, drawn before it is known whether it happens: what is left out of a smaller run does not
// change those that follow.
struct plan {
  std::chrono::nanoseconds wait{0};
  accident what{};
  host* one = nullptr;
  host* other = nullptr;  // partitions; another than `one`
  std::chrono::nanoseconds lasts{0};
  std::chrono::nanoseconds jump{0};
};

fault fault_of(accident a) {
  switch (a) {
    case accident::partition:
    case accident::one_way: return fault::partition;
    case accident::clog: return fault::clog;
    case accident::crash: return fault::crash;
    case accident::pause: return fault::pause;
    case accident::clock_jump: return fault::clock_jump;
  }
  return fault::pause;
}

class planner {
 public:
  planner(universe& in, const chaos_options& o) : options_(o), chance_(in.seed(), chaos_stream) {
    for (host* h : in.hosts())
      if (std::ranges::find(o.spared, h->name()) == o.spared.end()) hosts_.push_back(h);
    weights_[0] = o.partitions;
    weights_[1] = o.one_way_partitions;
    weights_[2] = o.clogs;
    weights_[3] = o.crashes;
    weights_[4] = o.pauses;
    weights_[5] = o.clock_jumps;
    if (hosts_.size() < 2) weights_[0] = weights_[1] = 0;
    for (const double w : weights_) sum_ += std::max(w, 0.0);
  }
  [[nodiscard]] bool has_any() const noexcept { return sum_ > 0 && !hosts_.empty(); }

  plan next() {
    plan p;
    p.wait = around(options_.every);
    double at = unit() * sum_;
    for (int i = 0; i < kinds; ++i) {
      if (weights_[i] <= 0) continue;
      p.what = static_cast<accident>(i);
      if ((at -= weights_[i]) < 0) break;
    }
    const std::uint64_t a = chance_.below(hosts_.size());
    const std::uint64_t b = hosts_.size() > 1 ? chance_.below(hosts_.size() - 1) : 0;
    p.one = hosts_[a];
    if (hosts_.size() > 1) p.other = hosts_[b < a ? b : b + 1];
    p.lasts = around(options_.lasts);
    p.jump = std::chrono::nanoseconds(chance_.between(-options_.jump.count(), options_.jump.count()));
    return p;
  }

 private:
  static constexpr int kinds = 6;
  double unit() noexcept { return static_cast<double>(chance_.next() >> 11) * 0x1p-53; }
  // Exponentially distributed, as what does not depend on what was before is; not longer than ten times the average.
  std::chrono::nanoseconds around(std::chrono::nanoseconds average) noexcept {
    const double times = std::min(-std::log(1 - unit()), 10.0);
    return std::chrono::nanoseconds(static_cast<std::int64_t>(times * static_cast<double>(average.count())));
  }

  const chaos_options& options_;
  driver::sim::random_stream chance_;
  std::vector<host*> hosts_;
  double weights_[kinds] = {};
  double sum_ = 0;
};

void begin(universe& in, const plan& p) {
  switch (p.what) {
    case accident::partition: return in.partition(*p.one, *p.other);
    case accident::one_way: return in.partition_one_way(*p.one, *p.other);
    case accident::clog: return in.clog(*p.one);
    case accident::crash: return in.crash(*p.one);
    case accident::pause: return in.pause(*p.one);
    case accident::clock_jump: return p.one->jump_clock(p.jump);
  }
}

void repair(universe& in, const plan& p) {
  switch (p.what) {
    case accident::partition:
    case accident::one_way: return in.heal(*p.one, *p.other);
    case accident::clog: return in.release(*p.one);
    case accident::crash:
      if (!p.one->is_up()) in.restart(*p.one);
      return;
    case accident::pause: return in.resume(*p.one);
    case accident::clock_jump: return;
  }
}

// That an accident is due has been drawn already; what is asked here is whether this run leaves it out.
bool strikes(driver::sim::world& w, fault kind, const driver::sim::machine& where) {
  const fault_rates before = w.faults();
  w.set_faults(fault_rates(before).set(kind, 1));
  const bool yes = w.strikes(kind, &where);
  w.set_faults(before);
  return yes;
}

bool applies(universe& in, const plan& p, std::size_t most_down) {
  if (!p.one->is_up()) return false;
  if (p.what != accident::crash && p.what != accident::pause) return true;
  const auto hosts = in.hosts();
  const auto down = std::ranges::count_if(hosts, [](host* h) { return !h->is_up() || h->is_paused(); });
  return static_cast<std::size_t>(down) < most_down;
}

}  // namespace

task<> chaos(universe& in, chaos_options o) {
  planner plans(in, o);
  if (!plans.has_any()) co_return;
  for (std::uint64_t done = 0; done < o.budget;) {
    const plan p = plans.next();
    co_await this_task::sleep_for(p.wait);
    if (in.is_quiet()) co_return;
    if (!applies(in, p, o.most_down) || !strikes(in.world(), fault_of(p.what), p.one->machine())) continue;
    ++done;
    begin(in, p);
    in.world().after(p.lasts.count(), [&in, p] {
      if (!in.is_quiet()) repair(in, p);
    });
  }
}

}  // namespace astd::sim
