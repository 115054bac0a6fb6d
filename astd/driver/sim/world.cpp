#include <astd/base/assert.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/network_stack.hpp>
#include <astd/driver/sim/sim_driver.hpp>
#include <astd/driver/sim/world.hpp>

#include <algorithm>
#include <bit>

namespace astd::driver::sim {
namespace {

constinit thread_local world* current = nullptr;

enum stream : std::uint64_t { order_stream, network_stream, disk_stream, program_stream, fault_stream };

constexpr std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) noexcept {
  return (std::rotl(hash, 23) ^ word) * 0x9e3779b97f4a7c15;
}

}  // namespace

std::string_view name_of(point what) noexcept {
  switch (what) {
    case point::turn: return "turn";
    case point::submitted: return "submitted";
    case point::ended: return "ended";
    case point::cancelled: return "cancelled";
    case point::packet: return "packet";
    case point::arrived: return "arrived";
    case point::fault: return "fault";
    case point::machine: return "machine";
    case point::note: return "note";
  }
  return "?";
}

world::world(world_options options)
    : options_(std::move(options)),
      order_(options_.seed, order_stream),
      network_random_(options_.seed, network_stream),
      disk_random_(options_.seed, disk_stream),
      program_random_(options_.seed, program_stream),
      fault_random_(options_.seed, fault_stream),
      rates_(options_.faults),
      network_(std::make_unique<network>(*this)) {}

world::~world() {
  while (once_base* left = onces_.pop_front()) {
    take_out(*left);
    delete left;
  }
  // Before the first is gone, nothing is sent to it any more.
  for (auto& m : machines_) m->stack().end();
  machines_.clear();
}

// ---- time and events

std::uint64_t world::draw_tie() noexcept {
  const std::uint64_t number = draws_++;
  if (number < options_.shuffle_from || number >= options_.shuffle_to) [[unlikely]]
    return (std::uint64_t(1) << 63) | number;
  return order_.next();
}

instant world::draw_turn() noexcept {
  const std::uint64_t number = draws_++;
  if (number < options_.shuffle_from || number >= options_.shuffle_to) [[unlikely]]
    return options_.shortest_turn;
  return order_.between(options_.shortest_turn, options_.longest_turn);
}

std::uint64_t world::draw_choice(std::uint64_t n) noexcept {
  const std::uint64_t number = draws_++;
  if (number < options_.shuffle_from || number >= options_.shuffle_to) [[unlikely]]
    return 0;
  return order_.below(n);
}

void world::schedule(event& e, instant when) noexcept { events_.put(e, std::max(when, now()), draw_tie()); }

void world::schedule_by(event& e, instant when) noexcept {
  if (!e.queued() || events_.time_of(e) > std::max(when, now())) schedule(e, when);
}

bool world::step() noexcept {
  if (outside_any_.load(std::memory_order_relaxed)) [[unlikely]]
    take_from_outside();
  if (events_.empty()) return false;
  ++steps_;
  const instant when = events_.next_time();
  hash_ = mixed(hash_, events_.next_tie() ^ std::rotl(static_cast<std::uint64_t>(when), 32));
  // What is past happens now.
  if (when > now()) now_.store(when, std::memory_order_relaxed);
  events_.pop().fire();
  return true;
}

void world::pass_until(instant when) noexcept {
  when = std::min(when, next_time());
  if (when > now()) now_.store(when, std::memory_order_relaxed);
}

// ---- faults

bool world::strikes(fault kind, const machine* where) noexcept {
  const double rate = rates_.of(kind);
  if (rate <= 0 || (where && where->spared()) || !fault_random_.chance(rate)) return false;
  const std::uint64_t number = fault_number_++;
  if (faults_struck_ >= options_.fault_budget) return false;
  if (options_.only_faults && !std::ranges::binary_search(*options_.only_faults, number)) return false;
  ++faults_struck_;
  note(point::fault, where, static_cast<std::uint64_t>(kind), number);
  constexpr std::size_t most_kept = 10'000;
  if (struck_.size() < most_kept) struck_.push_back({number, now(), kind, where ? where->name() : std::string()});
  return true;
}

// ---- who is there

machine& world::add_machine(std::string name) {
  ASTD_ASSERT(!find_machine(name), "two machines of one name");
  ASTD_ASSERT(machines_.size() < machine::most_machines, "a world has no descriptors for one more machine");
  machines_.push_back(
      std::make_unique<machine>(*this, std::move(name), static_cast<std::uint32_t>(machines_.size())));
  return *machines_.back();
}

machine* world::find_machine(std::string_view name) noexcept {
  for (auto& m : machines_)
    if (m->name() == name) return m.get();
  return nullptr;
}

machine* world::machine_of(int descriptor) noexcept {
  const auto number = static_cast<std::size_t>(descriptor / machine::descriptors_each);
  return descriptor >= machine::descriptors_each && number <= machines_.size() ? machines_[number - 1].get()
                                                                               : nullptr;
}

// ---- operations

std::uint32_t world::add_driver(sim_driver& d) {
  if (!free_drivers_.empty()) {
    const std::uint32_t number = free_drivers_.back();
    free_drivers_.pop_back();
    drivers_[number] = &d;
    return number;
  }
  drivers_.push_back(&d);
  free_drivers_.reserve(drivers_.size());  // remove_driver() cannot fail
  return static_cast<std::uint32_t>(drivers_.size() - 1);
}

void world::remove_driver(std::uint32_t number) noexcept {
  drivers_[number] = nullptr;
  free_drivers_.push_back(number);
}

void world::wake_drivers_of(const machine& m) noexcept {
  for (sim_driver* const d : drivers_)
    if (d && &d->of() == &m) d->wake();
}

void world::finish(operation& op, std::int32_t result) noexcept { drivers_[op.driver_word]->end(op, result); }
void world::report(operation& op) noexcept { drivers_[op.driver_word]->tell(op); }

// ---- the trace

void world::note(point what, const machine* where, std::uint64_t a, std::uint64_t b,
                 std::string_view text) noexcept {
  hash_ = mixed(hash_, static_cast<std::uint64_t>(now()));
  hash_ = mixed(hash_, static_cast<std::uint64_t>(what) | (where ? where->number() + 1 : 0) << 8);
  hash_ = mixed(mixed(hash_, a), b);
  for (const char c : text) hash_ = mixed(hash_, static_cast<unsigned char>(c));
  if (reader_) [[unlikely]]
    reader_->read(now(), where, what, a, b, text);
}

// ---- threads

world* world::here() noexcept { return current; }
world* world::set_here(world* now) noexcept { return std::exchange(current, now); }

void world::wake_from_outside(event& e) noexcept {
  {
    std::lock_guard guard(outside_lock_);
    outside_.push_back(&e);
    outside_any_.store(true, std::memory_order_release);
  }
  if (keeper_) keeper_->something_outside();
}

void world::forget(event& e) noexcept {
  take_out(e);
  std::lock_guard guard(outside_lock_);
  std::erase(outside_, &e);
}

bool world::take_from_outside() noexcept {
  std::lock_guard guard(outside_lock_);
  outside_any_.store(false, std::memory_order_relaxed);
  for (event* e : outside_) schedule_by(*e, now());
  const bool any = !outside_.empty();
  outside_.clear();
  return any;
}

}  // namespace astd::driver::sim
