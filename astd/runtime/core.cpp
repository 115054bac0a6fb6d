#include <astd/base/error.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/dump_on_signal.hpp>
#include <astd/runtime/native_thread.hpp>
#include <astd/runtime/processors.hpp>
#include <astd/runtime/simulated_calls.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace astd::detail {
namespace {

[[noreturn]] void refuse(const char* option, const std::string& value, const char* wanted) {
  throw_failure(failure(std::make_error_code(std::errc::invalid_argument),
                        "runtime_options:", std::string(option) + " = " + value + ", but it must be " + wanted));
}

runtime_options checked(runtime_options o) {
  if (!o.workers) o.workers = std::min(usable_processors(), idle_set::most_workers);
  if (*o.workers > idle_set::most_workers) refuse("workers", std::to_string(*o.workers), "at most 512");
  if (o.max_blocking_threads < 1 || o.max_blocking_threads > 65536)
    refuse("max_blocking_threads", std::to_string(o.max_blocking_threads), "1 to 65536");
  if (o.max_blocking_queue == 0) refuse("max_blocking_queue", "0", "at least 1");
  if (o.stall_limit.count() < 0)
    refuse("stall_limit", std::to_string(o.stall_limit.count()) + " ns", "0 (nothing is reported) or more");
  if (o.driver > driver::choice::sim)
    refuse("driver", std::to_string(static_cast<unsigned>(o.driver)), "automatic, uring, epoll or sim");
  if (o.clock > clock_kind::virtual_time)
    refuse("clock", std::to_string(static_cast<unsigned>(o.clock)), "real_time or virtual_time");
  if (o.dump_signal != 0 && !may_dump_on(o.dump_signal))
    refuse("dump_signal", std::to_string(o.dump_signal), "0 or a signal left to programs, such as SIGUSR1");
  if (o.name.empty() || o.name.find('\0') != std::string::npos) refuse("name", "'" + o.name + "'", "a text");
  // Without workers threads take turns, which a ring does not bear (driver/select.cpp): that is not for the environment.
  if (o.driver == driver::choice::automatic)
    if (const driver::choice said = driver_from_environment(); *o.workers != 0 || said == driver::choice::sim)
      o.driver = said;
  return o;
}

#if ASTD_HAS_EXCEPTIONS
std::exception_ptr thread_refused(const std::system_error& e, const std::string& runtime) noexcept {
  try {
    throw_failure(failure(e.code(), "start a thread of runtime", runtime));
  } catch (...) {  // that, or that there is no memory for its text
    return std::current_exception();
  }
}
#endif

constinit std::atomic<std::uint64_t> thread_numbers{0};
constinit thread_local std::uint64_t own_number = 0;

std::uint64_t number_of_this_thread() noexcept {
  if (own_number == 0) own_number = thread_numbers.fetch_add(1, std::memory_order_relaxed) + 1;
  return own_number;
}

constinit thread_local bool thread_ends = false;

/// Expires when this thread ends.
std::weak_ptr<const void> life_of_this_thread() {
  struct life {
    std::shared_ptr<const char> mark = std::make_shared<const char>();
    ~life() { thread_ends = true; }
  };
  if (thread_ends) return {};  // in the destructor of another thread_local
  static thread_local const life own;
  return own.mark;
}

}  // namespace

runtime_core::runtime_core(runtime& owner, runtime_options options, simulation* in, driver::sim::machine* machine)
    : owner_(owner),
      options_(checked(std::move(options))),
      own_simulation_(!in && options_.driver == driver::choice::sim ? simulation::for_plain_runtime(options_)
                                                                    : nullptr),
      simulation_(in ? in : own_simulation_.get()),
      machine_(machine || !simulation_ ? machine : simulation_->in().machines().front().get()),
      stealing_(options_.stealing && *options_.workers > 1),
      idlers_(std::max(*options_.workers, 1u)),
      blocking_({.max_threads = options_.max_blocking_threads,
                 .max_queued = options_.max_blocking_queue,
                 .thread_name = options_.name + "-block",
                 .call = simulation_ ? &plan_simulated_call : nullptr,
                 .with = this}),
      blocking_operations_(blocking_),
      // A simulation's time is virtual in any case.
      clock_(options_.clock == clock_kind::virtual_time && !simulation_ ? std::make_unique<virtual_clock>(*this)
                                                                        : nullptr),
      monitor_(*this) {
  const unsigned n = *options_.workers;
  for (unsigned i = 0; i < std::max(n, 1u); ++i) workers_.push_back(std::make_unique<worker>(*this, i));
  if (simulation_) begin_simulated();
  if (n == 0 || simulation_) return;
  // Every worker opens its driver on its own thread; the first failure is the constructor's.
  std::atomic<unsigned> opened{0};
  std::exception_ptr failed;
  std::mutex failed_lock;
#if ASTD_HAS_EXCEPTIONS
  try {
#endif
    for (unsigned i = 0; i < n; ++i) {
      threads_.emplace_back([this, i, &opened, &failed, &failed_lock] {
        worker& w = *workers_[i];
        char number[16];
        std::snprintf(number, sizeof number, "%u", i);
        name_this_thread(options_.name, number);
        if (options_.pin) pin_this_thread(i);
        bool good = true;
#if ASTD_HAS_EXCEPTIONS
        try {
          w.events().open();
        } catch (...) {
          std::lock_guard guard(failed_lock);
          failed = std::current_exception();
          good = false;
        }
#else
      w.events().open();
#endif
        opened.fetch_add(1, std::memory_order_release);
        opened.notify_one();
        // Nothing of the constructor's frame is touched from here on.
        if (good) run_worker(w);
      });
    }
#if ASTD_HAS_EXCEPTIONS
  } catch (const std::system_error& e) {
    failed = thread_refused(e, options_.name);
  } catch (...) {  // no memory
    failed = std::current_exception();
  }
#endif
  for (unsigned seen = 0; (seen = opened.load(std::memory_order_acquire)) < threads_.size();) opened.wait(seen);
  if (!failed && threads_.size() == n) {
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      if (stealing_ || options_.stall_limit.count() > 0) monitor_.start();
      return;
#if ASTD_HAS_EXCEPTIONS
    } catch (const std::system_error& e) {
      failed = thread_refused(e, options_.name);
    } catch (...) {  // no memory
      failed = std::current_exception();
    }
#endif
  }
  stop_threads();
  blocking_.shutdown();
  rethrow(std::move(failed));
}

runtime_core::~runtime_core() {
  if (simulation_)
    end_simulated();
  else
    end();
  for (injection_shard& shard : injected_) shard.inside.wait_until_gone();
}

void runtime_core::end() {
  for (auto patience = std::chrono::seconds(5);;) {
    const shutdown_report report = shutdown(patience);
    if (report.complete) break;
    std::fprintf(stderr, "astd: runtime '%s' waits for %zu tasks that do not end:\n%s\n", options_.name.c_str(),
                 report.remaining, report.text.c_str());
    patience = std::chrono::seconds(60);
  }
  stop_threads();
  monitor_.stop();
  blocking_.shutdown();
  guests_.clear();
}

void runtime_core::stop_threads() noexcept {
  stopping_.store(true, std::memory_order_seq_cst);
  for (auto& w : workers_) w->wake();
  for (std::thread& t : threads_)
    if (t.joinable()) t.join();
}

void runtime_core::run_worker(worker& w) noexcept {
  w.enter();
  w.run_until([this] { return stopping_.load(std::memory_order_relaxed); });
  w.leave();
}

driver::options runtime_core::driver_options() noexcept {
  return {.want = options_.driver,
          .shared = stealing_,
          .one_owner = *options_.workers != 0,
          .blocking = &blocking_operations_,
          .machine = machine_};
}

// ---- scheduling

void runtime_core::schedule(resumable& r, urgency how) noexcept {
  if (worker* w = worker::current(); w && &w->runtime() == this && w->index() != worker::guest)
    w->push(r, how);
  else
    inject(r);
}

void runtime_core::inject(resumable& r) noexcept {
  // Simulated, the order is not to depend on which thread it is.
  injection_shard& shard = injected_[simulation_ ? 0 : number_of_this_thread() % injection_shards];
  visitors::visit here(shard.inside);
  shard.push_back(r);
  wake_one();
}

void runtime_core::wake_one() noexcept {
  if (const int i = idlers_.claim(); i >= 0) workers_[static_cast<unsigned>(i)]->wake();
}

work_chain<resumable> runtime_core::take_injected(worker& by) noexcept {
  for (unsigned i = 0; i < injection_shards; ++i) {
    shared_queue& q = injected_[(by.index() + i) % injection_shards];
    // A fair share, so that the other workers find some, too.
    if (!q.empty())
      if (auto items = q.pop(std::min<std::size_t>(q.size() / workers_.size() + 1, 128)); items.first) return items;
  }
  return {};
}

bool runtime_core::any_injected() const noexcept {
  for (const shared_queue& q : injected_)
    if (!q.empty()) return true;
  return false;
}

bool runtime_core::anything_to_steal(const worker& except) const noexcept {
  if (!stealing_) return false;
  for (const auto& w : workers_)
    if (w.get() != &except && !w->nothing_to_steal()) return true;
  return false;
}

executor& runtime_core::executor_from_outside() noexcept {
  if (options_.stealing) return *this;
  // One loop for each core: the task is bound to one of them.
  return workers_[next_shard_.fetch_add(1, std::memory_order_relaxed) % workers_.size()]->pinned_executor();
}

// ---- threads in block_on

worker& runtime_core::take_guest() {
  if (*options_.workers == 0 && !simulation_) {
    std::unique_lock own(own_worker_lock_, std::try_to_lock);
    if (!own) {
#if ASTD_HAS_EXCEPTIONS
      throw std::logic_error("astd: another thread is in block_on of runtime '" + options_.name +
                             "', which has no workers of its own");
#else
      assertion_failed("another thread is in block_on of a runtime that has no workers of its own");
#endif
    }
    workers_[0]->events().open();
    own.release();
    return *workers_[0];
  }
  std::lock_guard no_dump_now(dump_lock_);
  const std::uint64_t me = number_of_this_thread();
  {
    std::lock_guard guard(guests_lock_);
    for (auto& g : guests_)
      if (!g->busy && g->thread == me) {
        g->busy = true;
        return g->place;
      }
  }
  end_orphaned_guests();
  auto made = std::make_unique<guest>(*this, me, life_of_this_thread());
  made->place.events().open();
  if (simulation_) made->place.simulate(*simulation_);
  std::lock_guard guard(guests_lock_);
  made->place.tasks().set_closed(closing_);
  guests_.push_back(std::move(made));
  return guests_.back()->place;
}

// What was kept for a thread's next call when the thread has ended: a driver has descriptors, of which there may be few.
void runtime_core::end_orphaned_guests() {
  std::vector<std::unique_ptr<guest>> ended;
  std::lock_guard guard(guests_lock_);
  ended.reserve(guests_.size());  // what may fail comes first
  for (auto& g : guests_) {
    if (g->busy || !g->thread_life.expired()) continue;
    outside_tasks_.take_counts(g->place.tasks());
    ended.push_back(std::move(g));
  }
  std::erase(guests_, nullptr);
}

void runtime_core::give_back_guest(worker& w) noexcept {
  if (&w == workers_[0].get()) {
    own_worker_lock_.unlock();
    return;
  }
  // One is kept for the thread's next call, if few are: a driver takes a while to set up.
  std::unique_ptr<guest> ended;
  std::lock_guard guard(guests_lock_);
  for (auto& g : guests_) {
    if (&g->place != &w) continue;
    g->busy = false;
    if (guests_.size() > 16) {
      outside_tasks_.take_counts(w.tasks());
      ended = std::exchange(g, nullptr);
      std::erase(guests_, nullptr);
    }
    break;
  }
}

void runtime_core::end_local_tasks(worker& w) noexcept {
  task_registry& local = w.tasks();
  if (w.index() != worker::guest || local.launched() == local.ended()) return;
  local.set_closed(true);
  local.each([](task_header& t) { t.root.request_cancel(); });
  const auto over = [&local] { return local.launched() == local.ended(); };
  if (!simulation_) {
    w.run_until(over);
  } else if (!simulation_->run_until(over)) {
    assertion_failed("tasks that were spawned locally in a simulation do not end, and nothing can happen any more");
  }
  std::lock_guard guard(guests_lock_);
  local.set_closed(closing_);
}

// ---- ending

// The outside last, and in alive() first: the counts of a guest that goes move there.
std::uint64_t runtime_core::launched() noexcept {
  std::uint64_t n = 0;
  each_loop([&n](worker& w) { n += w.tasks().launched(); });
  return n + outside_tasks_.launched();
}

// How many tasks have not ended. Never too few: those that have ended are counted first.
std::size_t runtime_core::alive() noexcept {
  std::uint64_t ended = outside_tasks_.ended();
  each_loop([&ended](worker& w) { ended += w.tasks().ended(); });
  return static_cast<std::size_t>(launched() - ended);
}

void runtime_core::cancel_all() noexcept {
  // All are closed before the first task is cancelled: its destructors may spawn.
  {
    std::lock_guard guard(guests_lock_);
    closing_ = true;
  }
  outside_tasks_.set_closed(true);
  each_loop([](worker& w) { w.tasks().set_closed(true); });
  // What a block_on runs is its caller's, who has to see to its end; what it has spawned is ours.
  const auto cancel = [](task_header& t) {
    if (!is_block_on(t)) t.root.request_cancel();
  };
  outside_tasks_.each(cancel);
  each_loop([&](worker& w) { w.tasks().each(cancel); });
}

bool runtime_core::is_here() const noexcept {
  const worker* const w = worker::current();
  const chain* const c = current_chain();  // on a thread of the blocking pool
  return (w && &w->runtime() == this) ||
         (c && c->task() && c->task()->registry && &c->task()->registry->runtime() == this);
}

shutdown_report runtime_core::shutdown(std::chrono::nanoseconds limit) {
  if (is_here()) {
#if ASTD_HAS_EXCEPTIONS
    throw std::logic_error("astd: shutdown of runtime '" + options_.name +
                           "' inside one of its own tasks, which it would wait for");
#else
    assertion_failed("shutdown of a runtime inside one of its own tasks");
#endif
  }
  if (simulation_) {
    // Inside first: who holds the lock may step the world.
    const simulation::entry inside(*simulation_);
    std::lock_guard guard(shutdown_lock_);
    return shut_down_simulated(limit);
  }
  std::lock_guard guard(shutdown_lock_);
  const passing_time time(*this);
  cancel_all();
  const auto end =
      std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(limit, std::chrono::hours(24 * 365));
  if (*options_.workers == 0 && alive() != 0) {
    if (std::unique_lock own(own_worker_lock_, std::try_to_lock); own) {
      worker& only = *workers_[0];
      const auto over = [&] { return alive() == 0 || std::chrono::steady_clock::now() >= end; };
      if (only.events().try_open()) {  // no block_on may have done so
        only.enter();
        only.run_while_ready(over);
        only.leave();
      } else {
        only.end_unbegun(over);
      }
    }
  }
  auto nap = std::chrono::microseconds(20);
  while (alive() != 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(nap);
    nap = std::min(nap * 2, std::chrono::microseconds(2000));
  }
  return report_shutdown();
}

shutdown_report runtime_core::report_shutdown() {
  shutdown_report report;
  report.remaining = alive();
  report.complete = report.remaining == 0;
  if (report.complete) return report;
#if ASTD_HAS_EXCEPTIONS
  try {
#endif
    report.text = dump_tasks();
#if ASTD_HAS_EXCEPTIONS
  } catch (const std::bad_alloc&) {  // what has to be known is known without it
  }
#endif
  return report;
}

}  // namespace astd::detail
