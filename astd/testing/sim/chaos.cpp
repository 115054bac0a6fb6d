#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/sim/chaos.hpp>
#include <astd/testing/sim/checked.hpp>

#include <algorithm>
#include <exception>
#include <utility>

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

// Whole numbers only: logarithms differ in their last bits from one machine to the next, and products of doubles with
// what the compiler makes of them; but a seed has to say the same everywhere.
class planner {
 public:
  planner(universe& in, const chaos_options& o) : in_(in), options_(o), chance_(in.seed(), chaos_stream) {
    const double weights[] = {o.partitions, o.one_way_partitions, o.clogs, o.crashes, o.pauses, o.clock_jumps};
    for (int i = 0; i < kinds; ++i) weights_[i] = static_cast<std::uint64_t>(weights[i] * 0x1p30);
  }
  [[nodiscard]] bool has_any() const noexcept {
    return std::ranges::any_of(weights_, [](std::uint64_t w) { return w != 0; });
  }

  // Among the hosts that are there now. Without `one` if nothing can happen to them.
  plan next() {
    plan p;
    p.wait = std::max(around(options_.every), std::chrono::nanoseconds(1));
    std::vector<host*> hosts;
    for (host* h : in_.hosts())
      if (std::ranges::find(options_.spared, h->name()) == options_.spared.end()) hosts.push_back(h);
    std::uint64_t sum = 0;
    for (int i = 0; i < kinds; ++i) sum += weight(i, hosts.size());
    if (sum == 0) return p;
    std::uint64_t at = chance_.below(sum);
    int what = 0;
    for (; at >= weight(what, hosts.size()); ++what) at -= weight(what, hosts.size());
    p.what = static_cast<accident>(what);
    const std::uint64_t a = chance_.below(hosts.size());
    const std::uint64_t b = hosts.size() > 1 ? chance_.below(hosts.size() - 1) : 0;
    p.one = hosts[a];
    if (hosts.size() > 1) p.other = hosts[b < a ? b : b + 1];
    p.lasts = around(options_.lasts);
    p.jump = std::chrono::nanoseconds(chance_.between(-options_.jump.count(), options_.jump.count()));
    return p;
  }

 private:
  static constexpr int kinds = 6;
  [[nodiscard]] std::uint64_t weight(int kind, std::size_t hosts) const noexcept {
    const bool takes_two = kind <= static_cast<int>(accident::one_way);
    return hosts < (takes_two ? 2u : 1u) ? 0 : weights_[kind];
  }
  // Exponentially distributed, as what does not depend on what was before is; not longer than ten times the average.
  // By comparisons alone (von Neumann, Various techniques used in connection with random digits, 1951): numbers are drawn
  // as long as they fall; if their count is odd the first is what follows the point, else one more stands before it.
  std::chrono::nanoseconds around(std::chrono::nanoseconds average) noexcept {
    __extension__ using wide = unsigned __int128;
    for (std::int64_t whole = 0; whole < 10; ++whole) {
      const std::uint64_t first = chance_.next();
      std::uint64_t last = first;
      bool odd = true;
      for (std::uint64_t n = chance_.next(); n < last; n = chance_.next()) {
        last = n;
        odd = !odd;
      }
      if (!odd) continue;
      const auto part =
          static_cast<std::int64_t>((static_cast<wide>(first) * static_cast<wide>(average.count())) >> 64);
      return average * whole + std::chrono::nanoseconds(part);
    }
    return average * 10;
  }

  universe& in_;
  const chaos_options& options_;
  driver::sim::random_stream chance_;
  std::uint64_t weights_[kinds] = {};
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

void check(const universe& in, const chaos_options& o) {
  using std::chrono::nanoseconds;
  detail::check_length(o.every, nanoseconds(1), "chaos_options::every");
  detail::check_length(o.lasts, nanoseconds(0), "chaos_options::lasts");
  detail::check_length(o.jump, nanoseconds(0), "chaos_options::jump");
  detail::check_weight(o.partitions, "chaos_options::partitions");
  detail::check_weight(o.one_way_partitions, "chaos_options::one_way_partitions");
  detail::check_weight(o.clogs, "chaos_options::clogs");
  detail::check_weight(o.crashes, "chaos_options::crashes");
  detail::check_weight(o.pauses, "chaos_options::pauses");
  detail::check_weight(o.clock_jumps, "chaos_options::clock_jumps");
  for (const std::string& name : o.spared) static_cast<void>(in.find(name));
}

task<> strike(universe& in, chaos_options o) {
  planner plans(in, o);
  if (!plans.has_any()) co_return;
  for (std::uint64_t done = 0; done < o.budget;) {
    const plan p = plans.next();
    co_await this_task::sleep_for(p.wait);
    if (in.is_quiet()) co_return;
    if (!p.one || !applies(in, p, o.most_down) || !strikes(in.world(), fault_of(p.what), p.one->machine()))
      continue;
    ++done;
    begin(in, p);
    in.world().after(p.lasts.count(), [&in, p] {
      if (!in.is_quiet()) repair(in, p);
    });
  }
}

}  // namespace

task<> chaos(universe& in, chaos_options o) {
  // What makes no sense fails the run, even if nobody awaits this.
  try {
    check(in, o);
  } catch (...) {
    in.fail(std::current_exception());
    throw;
  }
  return strike(in, std::move(o));
}

}  // namespace astd::sim
