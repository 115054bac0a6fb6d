#include <astd/runtime/core.hpp>
#include <astd/runtime/monitor.hpp>
#include <astd/runtime/native_thread.hpp>

#include <chrono>
#include <cstdio>

namespace astd::detail {
namespace {

using namespace std::chrono_literals;

instant now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// A worker that has not ended its turn for this long is helped out.
constexpr instant patience = 2'000'000;
constexpr instant stall = 10'000'000;

void print_stall(const astd::stall& s) noexcept {
  std::fprintf(stderr, "astd: runtime '%.*s': worker %u has been in task %llu for %lld ms (%s%.*s)\n",
               static_cast<int>(s.runtime.size()), s.runtime.data(), s.worker,
               static_cast<unsigned long long>(s.task), static_cast<long long>(s.since.count() / 1'000'000),
               s.where.empty() ? "never suspended so far" : "last seen at ", static_cast<int>(s.where.size()),
               s.where.data());
}

}  // namespace

void monitor::start() {
  seen_.resize(runtime_.worker_count());
  thread_ = std::thread([this] { run(); });
}

void monitor::stop() noexcept {
  stop_.store(true, std::memory_order_seq_cst);
  wake();
  if (thread_.joinable()) thread_.join();
}

void monitor::wake() noexcept {
  signal_.fetch_add(1, std::memory_order_release);
  signal_.notify_one();
}

void monitor::run() noexcept {
  name_this_thread(runtime_.options().name, "watch");
  bool helping = false;
  while (!stop_.load(std::memory_order_relaxed)) {
    const std::uint32_t signal = signal_.load(std::memory_order_acquire);
    asleep_.store(true, std::memory_order_seq_cst);
    bool any_active = false;
    for (unsigned i = 0; i < runtime_.worker_count(); ++i) any_active |= runtime_.worker_at(i).active();
    if (!any_active && !stop_.load(std::memory_order_seq_cst)) {
      signal_.wait(signal, std::memory_order_acquire);
      asleep_.store(false, std::memory_order_relaxed);
      // All slept: nobody has been stuck meanwhile.
      for (seen& s : seen_) s = {};
      continue;
    }
    asleep_.store(false, std::memory_order_relaxed);
    helping = look(now());
    std::this_thread::sleep_for(helping ? 1ms : 2ms);
  }
}

bool monitor::look(instant now) noexcept {
  bool helping = false;
  for (unsigned i = 0; i < runtime_.worker_count(); ++i) {
    worker& w = runtime_.worker_at(i);
    seen& s = seen_[i];
    if (!w.active() || w.turns() != s.turns) {
      s = {.turns = w.turns(), .since = now};
      continue;
    }
    const instant stuck = now - s.since;
    if (stuck < patience) continue;
    helping = true;
    w.end_slice();
    if (runtime_.steals_from(w)) {
      const clock_hold hold(runtime_.clock());  // what is in our hands is in no queue
      // What it would run next can be taken by others now, and what it waits for is taken in here.
      if (resumable* r = w.take_next()) runtime_.inject(*r);
      if (!w.nothing_to_steal()) runtime_.wake_one();
      w.events().poll(false);
    }
    if (stuck >= stall && !s.counted) {
      s.counted = true;
      stalls_.store(stalls_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    const instant limit = runtime_.options().stall_limit.count();
    if (limit > 0 && stuck >= limit && !s.reported) {
      s.reported = true;
      const std::source_location where = w.running().where.load(std::memory_order_relaxed);
      char text[512];
      text[0] = '\0';
      if (where.line() != 0)  // as in a branch before its first await
        std::snprintf(text, sizeof text, "%s, %s:%u", where.function_name(), where.file_name(),
                      static_cast<unsigned>(where.line()));
      const astd::stall report{.runtime = runtime_.options().name,
                               .worker = i,
                               .since = std::chrono::nanoseconds(stuck),
                               .task = w.running().task_id.load(std::memory_order_relaxed),
                               .where = text};
      (runtime_.options().on_stall ? runtime_.options().on_stall : &print_stall)(report);
    }
  }
  return helping;
}

}  // namespace astd::detail
