// Threads for work that may block: file operations where the kernel has no better way, getaddrinfo, spawn_blocking.
//
//   blocking_pool pool({.max_threads = 512, .thread_name = "blocking"});
//   pool.submit(job);                       // job.run(job) is called once, on a thread of the pool
//   if (pool.withdraw(job)) ...             // it will not be called
//
// The pool holds one thread from its construction to its shutdown, so that no job is ever left without one. It
// grows when a job finds no idle thread: one thread at a time is started, and that one starts the next if jobs are
// still waiting when it has taken its own. So a burst of short jobs is eaten up by a few threads and a burst of
// long ones gets a thread each. The thread that went idle last is woken first, and those idle longer than
// `keep_alive` end.
//
// If the system refuses a thread the jobs wait for one of those there are; each further job tries again.
#pragma once

#include <astd/base/instant.hpp>
#include <astd/base/intrusive_list.hpp>
#include <astd/base/job.hpp>
#include <astd/runtime/native_thread.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

namespace astd::detail {

class blocking_pool;

struct blocking_pool_options {
  unsigned max_threads = 512;            // at least 1
  std::size_t max_queued = SIZE_MAX;     // jobs that try_submit lets wait for a thread
  std::string thread_name = "blocking";  // of every thread; the system may show its first 15 bytes only
  instant keep_alive = 10'000'000'000;   // ns that an idle thread waits for work before it ends
  start_thread_function* start_thread = &detail::start_thread;  // a test's way to make it fail
  // In a simulation: the pool has no threads. For each job that may begin it calls this, and that sees to it that some
  // thread calls run_one() some time later.
  void (*call)(blocking_pool& pool, void* with) noexcept = nullptr;
  void* with = nullptr;  // what `call` is given
};

class blocking_pool {
 public:
  struct metrics {
    unsigned threads = 0;  // alive or being started
    unsigned idle = 0;     // of these, asleep
    std::size_t queued = 0;
    std::uint64_t completed = 0;  // jobs run to their end
  };

  /// Starts the first thread; throws std::system_error if that fails.
  explicit blocking_pool(blocking_pool_options options);
  blocking_pool(const blocking_pool&) = delete;
  blocking_pool& operator=(const blocking_pool&) = delete;
  /// shutdown().
  ~blocking_pool();

  /// Queues `job`, which stays where it is until it is run or withdrawn. First in, first out. Never blocks, never
  /// runs the job itself. Any thread, also from inside a job; until shutdown() has returned.
  void submit(job& job) noexcept;
  enum class submission { queued, full, unwanted };
  /// The same, but does nothing if `max_queued` jobs are waiting already, or if the job was withdrawn before it came: for
  /// callers that do not wait for what they have submitted, and so would fill the memory with it.
  [[nodiscard]] submission try_submit(job& job) noexcept;

  /// True: the job was queued and will not run. False: it has started or has run, or try_submit() will not take it any
  /// more. Constant time. Any thread.
  bool withdraw(job& job) noexcept;

  // For whoever stands in for the threads (options.call).
  /// Whether a job may begin.
  [[nodiscard]] bool has_one() const noexcept;
  /// Runs one, if one may begin.
  void run_one() noexcept;

  /// Runs what is queued, and what the jobs submit meanwhile, waits for all of it and ends the threads. Not from
  /// inside a job. A second call waits for the first and does nothing.
  void shutdown() noexcept;

  [[nodiscard]] metrics measure() const noexcept;

 private:
  struct worker;  // lives on its thread's stack
  static void* run_thread(void* pool) noexcept;
  void work(worker& self, std::unique_lock<std::mutex>& lock) noexcept;
  bool sleep(worker& self, std::unique_lock<std::mutex>& lock) noexcept;
  void call_for_help(std::unique_lock<std::mutex>& lock) noexcept;
  void enqueue(job& job) noexcept;
  void dequeue(job& job) noexcept;
  [[nodiscard]] bool quiet() const noexcept { return first_ == nullptr && idle_count_ == threads_; }

  const blocking_pool_options options_;

  mutable std::mutex mutex_;  // guards all that follows
  job* first_ = nullptr;
  job* last_ = nullptr;
  std::size_t queued_ = 0;
  std::uint64_t completed_ = 0;
  intrusive_list<worker> idle_;  // asleep and not called, most recent first
  unsigned idle_count_ = 0;
  unsigned threads_ = 0;
  unsigned coming_ = 0;   // threads called or being started, each to look at the queue soon
  unsigned running_ = 0;  // in run_one()
  bool starting_ = false;
  bool stopping_ = false;  // shutdown() waits on changed_
  bool stopped_ = false;   // threads without work end
  std::condition_variable changed_;
  // The thread that ended last, for the next one that ends (or shutdown()) to join: no thread outlives the pool,
  // and no list of them is kept.
  native_thread ended_ = 0;
  bool any_ended_ = false;
};

}  // namespace astd::detail
