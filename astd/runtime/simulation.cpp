#include <astd/base/assert.hpp>
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/process.hpp>
#include <astd/runtime/blocking_pool.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/seed.hpp>
#include <astd/runtime/simulated_worker.hpp>
#include <astd/runtime/simulation.hpp>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <utility>

namespace astd {

sim::deadlock::deadlock(const std::string& tasks)
    : std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                        "nothing can happen any more in this simulation, and block_on has not ended\n" + tasks) {}

namespace detail {
namespace {

constinit thread_local simulation::entry* innermost = nullptr;

}  // namespace

bool in_simulation() noexcept { return driver::sim::machine::here() != nullptr; }

// A thread that stands for one of a blocking pool's: started when a call begins and none is free, kept for the next.
struct simulation::helper {
  explicit helper(simulation& s) : place(s, entry::for_helper()), thread([this] { run(); }) {}
  void run() {
    place.enter_thread();
    std::unique_lock lock(place.simulation_.lock_);
    for (;;) {
      place.wait_for_baton(lock);
      if (!pool) break;
      lock.unlock();
      {
        const driver::sim::machine::turn here(*on);
        const driver::sim::process::turn in(whose);
        std::exchange(pool, nullptr)->run_one();
      }
      lock.lock();
      place.simulation_.free_helpers_.push_back(this);
      give_back();
    }
    place.leave_thread();
  }
  // Under the lock.
  void give_back() noexcept {
    place.has_baton_ = false;
    entry& to = *std::exchange(place.returns_to_, nullptr);
    to.has_baton_ = true;
    place.simulation_.inside_ = &to;
    to.baton_.notify_one();
  }

  entry place;
  blocking_pool* pool = nullptr;  // whose call is next; null: the end
  driver::sim::machine* on = nullptr;
  driver::sim::process* whose = nullptr;
  std::thread thread;
};

simulation::simulation(driver::sim::world_options options) : world_(std::move(options)) {
  world_.set_keeper(*this);
}

simulation::~simulation() {
  if (background_.joinable()) {
    {
      std::lock_guard guard(lock_);
      ending_ = true;
      left_.notify_one();
    }
    background_.join();
  }
  for (auto& h : helpers_) {
    {
      std::lock_guard guard(lock_);
      h->place.has_baton_ = true;
      h->place.baton_.notify_one();
    }
    h->thread.join();
  }
}

namespace {
std::mutex sharing;
std::weak_ptr<simulation> shared;  // guarded by sharing
}  // namespace

std::shared_ptr<simulation> simulation::shared_by_plain_runtimes() {
  std::lock_guard guard(sharing);
  return shared.lock();
}

std::shared_ptr<simulation> simulation::for_plain_runtime(const runtime_options& options) {
  driver::sim::world_options world{.seed = seed_from_environment(1)};
  std::shared_ptr<simulation> made;
  std::lock_guard guard(sharing);
  if (options.clock == clock_kind::virtual_time) {
    // Whoever asks for that counts on a sleep being exact.
    world.shortest_turn = world.longest_turn = 0;
  } else if (made = shared.lock(); made) {
    return made;
  }
  made = std::make_shared<simulation>(std::move(world));
  made->world_.add_machine("localhost").storage().streams().use_real_ones();
  made->background_ = std::thread([s = made.get()] { s->run_in_background(); });
  if (options.clock != clock_kind::virtual_time) shared = made;
  return made;
}

std::unique_ptr<runtime> simulation::start(driver::sim::machine& of, runtime_options options) {
  const entry inside(*this);
  auto started = runtime_core::make_simulated(std::move(options), *this, of);
  if (cancelled_) runtime_core::core_of(*started).cancel_all();
  return started;
}

// ---- threads

simulation::entry::entry(simulation& s, std::chrono::milliseconds limit) : simulation_(s) {
  entry* e = innermost;
  while (e && &e->simulation_ != &s) e = e->outer_;
  same_ = e ? e->same_ : this;
  if (same_ == this) {
    std::unique_lock lock(s.lock_);
    if (!s.inside_) {
      s.inside_ = this;
      has_baton_ = true;
    } else {
      s.at_the_door_.push_back(this);
      s.anybody_at_the_door_.store(true, std::memory_order_relaxed);
      if (limit == std::chrono::milliseconds::max()) {
        wait_for_baton(lock);
      } else if (!baton_.wait_for(lock, limit, [this] { return has_baton_; })) {
        std::erase(s.at_the_door_, this);
        s.anybody_at_the_door_.store(!s.at_the_door_.empty(), std::memory_order_relaxed);
        same_ = nullptr;
        return;
      }
    }
  }
  enter_thread();
}

simulation::entry::~entry() {
  if (!may_drive_ || !same_) return;  // its thread has left; it never came in
  leave_thread();
  if (same_ != this) return;
  simulation& s = simulation_;
  std::lock_guard guard(s.lock_);
  has_baton_ = false;
  entry* next = returns_to_;
  if (!next) {
    // The driver goes. Another thread in block_on takes over, else one that comes in.
    for (entry* f : s.followers_)
      if (!next && f->may_drive_) next = f;
    if (next) {
      next->returns_to_ = nullptr;
    } else if (!s.at_the_door_.empty()) {
      next = s.at_the_door_.front();
      s.at_the_door_.erase(s.at_the_door_.begin());
      s.anybody_at_the_door_.store(!s.at_the_door_.empty(), std::memory_order_relaxed);
    }
  }
  s.inside_ = next;
  if (next) {
    next->has_baton_ = true;
    next->baton_.notify_one();
  } else {
    s.left_.notify_one();
  }
}

void simulation::entry::enter_thread() noexcept {
  if (!same_) same_ = this;
  outer_ = std::exchange(innermost, this);
  outer_world_ = driver::sim::world::set_here(&simulation_.world_);
}

void simulation::entry::leave_thread() noexcept {
  innermost = outer_;
  driver::sim::world::set_here(outer_world_);
}

void simulation::entry::wait_for_baton(std::unique_lock<std::mutex>& lock) noexcept {
  baton_.wait(lock, [this] { return has_baton_; });
}

simulation::entry& simulation::this_entry() noexcept {
  entry* e = innermost;
  while (&e->simulation_ != this) e = e->outer_;
  return *e->same_;
}

// Until it comes back.
void simulation::hand_baton(entry& from, entry& to) noexcept {
  std::unique_lock lock(lock_);
  hand_baton(from, to, lock);
}

void simulation::hand_baton(entry& from, entry& to, std::unique_lock<std::mutex>& lock) noexcept {
  from.has_baton_ = false;
  to.returns_to_ = &from;
  to.has_baton_ = true;
  inside_ = &to;
  to.baton_.notify_one();
  from.wait_for_baton(lock);
}

void simulation::run_turn(entry& on, simulated_worker& whose) noexcept {
  entry& me = this_entry();
  if (&me == &on) return whose.take();
  on.turn_ = &whose;
  hand_baton(me, on);
}

// All under one lock: who waits only for a while is in the list, or has the baton.
void simulation::let_one_in() noexcept {
  std::unique_lock lock(lock_);
  if (at_the_door_.empty()) return;
  entry& next = *at_the_door_.front();
  at_the_door_.erase(at_the_door_.begin());
  anybody_at_the_door_.store(!at_the_door_.empty(), std::memory_order_relaxed);
  hand_baton(this_entry(), next, lock);
}

// ---- going on

bool simulation::run(bool (*stop)(void*), void* argument) {
  const bool over = step_until(stop, argument);
  // Their turns may have been taken while they were in the middle of one, down to falling asleep: the worker's here, and
  // that of another runtime whose task is in this block_on.
  for (worker* w = worker::current(); w; w = w->outer())
    if (w->simulated()) w->simulated()->go_on();
  return over;
}

bool simulation::step_until(bool (*stop)(void*), void* argument) {
  entry& me = this_entry();
  while (me.returns_to_) {
    if (stop(argument)) return true;
    simulated_worker* turn = nullptr;
    {
      std::unique_lock lock(lock_);
      me.stop_ = stop;
      me.stop_argument_ = argument;
      followers_.push_back(&me);
      entry& to = *std::exchange(me.returns_to_, nullptr);
      me.has_baton_ = false;
      to.has_baton_ = true;
      inside_ = &to;
      to.baton_.notify_one();
      me.wait_for_baton(lock);
      std::erase(followers_, &me);
      turn = std::exchange(me.turn_, nullptr);
    }
    if (turn) turn->take();
  }
  return drive(stop, argument);
}

bool simulation::drive(bool (*stop)(void*), void* argument) {
  for (;;) {
    if (stop(argument)) return true;
    if (anybody_at_the_door_.load(std::memory_order_relaxed)) [[unlikely]]
      let_one_in();
    // Nobody but us touches them while we have the baton.
    if (!followers_.empty()) [[unlikely]]
      if (entry* const over = first_to_stop()) {
        hand_baton(this_entry(), *over);
        continue;
      }
    if (!world_.step() && !wait_for_others()) return false;
  }
}

simulation::entry* simulation::first_to_stop() noexcept {
  for (entry* f : followers_)
    if (f->stop_(f->stop_argument_)) return f;
  return nullptr;
}

// Nothing can happen unless another thread acts. False: there is none. Else waits until one does, and says so after a
// second.
bool simulation::wait_for_others() {
  if (!background_.joinable()) return false;
  bool said = false;
  for (const auto begin = std::chrono::steady_clock::now();;) {
    if (world_.take_from_outside() || anybody_at_the_door_.load(std::memory_order_relaxed)) return true;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    if (said || std::chrono::steady_clock::now() - begin < std::chrono::seconds(1)) continue;
    said = true;
    const std::string text = dump_tasks();
    std::fprintf(stderr,
                 "astd: every task in this simulation waits, and nothing is under way: nothing will happen unless "
                 "another thread acts\n%s",
                 text.c_str());
  }
}

void simulation::something_outside() noexcept {
  const std::lock_guard guard(lock_);
  left_.notify_one();
}

void simulation::run_in_background() noexcept {
  // What happens so soon, happens at once.
  constexpr instant soon = 50'000;
  std::unique_lock lock(lock_);
  // Where the world's time stood when it was last ahead of the machine's.
  instant world_then = 0;
  auto then = std::chrono::steady_clock::now();
  const auto expected = [&] { return world_then + (std::chrono::steady_clock::now() - then).count(); };
  while (!ending_) {
    if (inside_) {
      left_.wait(lock);
      continue;
    }
    // Nobody comes in while we hold the lock.
    if (world_.now() > expected()) {
      world_then = world_.now();
      then = std::chrono::steady_clock::now();
    }
    if (!world_.anything_from_outside()) {
      const instant next = world_.next_time();
      if (next == never) {
        left_.wait(lock);
        continue;
      }
      const instant farthest = instant(24) * 3600 * 1'000'000'000;
      const auto until = then + std::chrono::nanoseconds(std::min(next - world_then, farthest));
      if (next - expected() > soon && left_.wait_until(lock, until) == std::cv_status::no_timeout) continue;
      if (inside_ || ending_) continue;
    }
    lock.unlock();
    {
      const entry inside(*this);
      // If another thread drives by now, the world goes on without us.
      if (!inside.returns_to_) {
        world_.pass_until(expected());
        world_.take_from_outside();
        // Up to what is next, and what follows from that.
        const instant next = world_.next_time();
        const instant end = next == never ? never : next + soon;
        auto over = [&] {
          const instant following = world_.next_time();
          return following == never || following > end || anybody_at_the_door_.load(std::memory_order_relaxed);
        };
        static_cast<void>(run_until(over));
      }
    }
    lock.lock();
  }
}

// ---- calls that block

void simulation::run_call(blocking_pool& pool, driver::sim::machine& on, driver::sim::process* whose) noexcept {
  helper* h = nullptr;
  {
    std::lock_guard guard(lock_);
    if (!free_helpers_.empty()) {
      h = free_helpers_.back();
      free_helpers_.pop_back();
    }
  }
  if (!h) {
    helpers_.push_back(std::make_unique<helper>(*this));
    h = helpers_.back().get();
  }
  h->pool = &pool;
  h->on = &on;
  h->whose = whose;
  hand_baton(this_entry(), h->place);
}

// ---- looking in

std::string simulation::dump_tasks() {
  std::string text;
  for (runtime_core* core : cores_) text += core->dump_tasks();
  return text;
}

void simulation::cancel_all() noexcept {
  cancelled_ = true;
  for (runtime_core* core : cores_) core->cancel_all();
}

}  // namespace detail
}  // namespace astd
