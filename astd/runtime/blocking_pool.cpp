#include <astd/base/assert.hpp>
#include <astd/base/error.hpp>
#include <astd/runtime/blocking_pool.hpp>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

namespace astd::detail {

struct blocking_pool::worker : list_node {
  std::condition_variable wake;
  bool called = false;
};

blocking_pool::blocking_pool(blocking_pool_options options) : options_(std::move(options)) {
  if (options_.call) return;
  threads_ = coming_ = 1;
  starting_ = true;
  if (const int error = options_.start_thread(run_thread, this))
    throw_failure({std::error_code(error, std::generic_category()), "start a thread", options_.thread_name});
}

blocking_pool::~blocking_pool() { shutdown(); }

void blocking_pool::submit(job& job) noexcept {
  std::unique_lock lock(mutex_);
  ASTD_ASSERT(!stopped_, "blocking work submitted after the end of the runtime");
  enqueue(job);
  call_for_help(lock);
}

blocking_pool::submission blocking_pool::try_submit(job& job) noexcept {
  std::unique_lock lock(mutex_);
  ASTD_ASSERT(!stopped_, "blocking work submitted after the end of the runtime");
  if (job.unwanted) return submission::unwanted;
  if (queued_ >= options_.max_queued) return submission::full;
  enqueue(job);
  call_for_help(lock);
  return submission::queued;
}

bool blocking_pool::withdraw(job& job) noexcept {
  std::lock_guard lock(mutex_);
  if (!job.queued) {
    job.unwanted = true;
    return false;
  }
  dequeue(job);
  return true;
}

void blocking_pool::shutdown() noexcept {
  while (has_one() && options_.call) run_one();
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.wait(lock, [this] { return quiet(); });
  stopped_ = true;
  while (worker* w = idle_.pop_front()) {
    --idle_count_;
    ++coming_;
    w->called = true;
    w->wake.notify_one();
  }
  changed_.wait(lock, [this] { return threads_ == 0; });
  if (std::exchange(any_ended_, false)) join_thread(ended_);
}

blocking_pool::metrics blocking_pool::measure() const noexcept {
  std::lock_guard lock(mutex_);
  return {.threads = threads_, .idle = idle_count_, .queued = queued_, .completed = completed_};
}

// Sees to it that for each queued job somebody is on the way, as far as there are threads; unlocks while it starts
// one.
void blocking_pool::call_for_help(std::unique_lock<std::mutex>& lock) noexcept {
  if (options_.call) {
    lock.unlock();
    return options_.call(*this, options_.with);
  }
  bool refused = false;
  while (queued_ > coming_) {
    if (worker* w = idle_.pop_front()) {
      --idle_count_;
      ++coming_;
      w->called = true;
      w->wake.notify_one();  // under the lock: when it is free, `w` may be gone
      return;
    }
    if (refused || starting_ || threads_ >= options_.max_threads) return;
    starting_ = true;
    ++threads_;
    ++coming_;
    lock.unlock();
    refused = options_.start_thread(run_thread, this) != 0;
    if (!refused) return;  // without the lock, since it may be the end of the pool
    lock.lock();
    starting_ = false;
    --threads_;
    --coming_;
    if (stopping_) changed_.notify_all();
    // Those that relied on the thread may have gone to sleep: look again.
  }
}

bool blocking_pool::has_one() const noexcept {
  std::lock_guard lock(mutex_);
  return first_ && running_ < options_.max_threads;
}

void blocking_pool::run_one() noexcept {
  std::unique_lock lock(mutex_);
  if (!first_ || running_ >= options_.max_threads) return;
  job& next = *first_;
  dequeue(next);
  ++running_;
  lock.unlock();
  next.run(next);
  lock.lock();
  ++completed_;
  // Whose turn it was when as many ran as may.
  if (running_-- == options_.max_threads && first_) call_for_help(lock);
}

void* blocking_pool::run_thread(void* argument) noexcept {
  blocking_pool& pool = *static_cast<blocking_pool*>(argument);
  name_this_thread(pool.options_.thread_name.c_str());
  worker self;
  std::unique_lock lock(pool.mutex_);
  pool.starting_ = false;
  --pool.coming_;
  pool.work(self, lock);
  --pool.threads_;
  const native_thread before = std::exchange(pool.ended_, this_native_thread());
  const bool any_before = std::exchange(pool.any_ended_, true);
  if (pool.stopping_) pool.changed_.notify_all();
  lock.unlock();
  // From here on shutdown() may wait for this thread, but for nothing else.
  if (any_before) join_thread(before);
  return nullptr;
}

void blocking_pool::work(worker& self, std::unique_lock<std::mutex>& lock) noexcept {
  do {
    while (job* next = first_) {
      dequeue(*next);
      call_for_help(lock);  // before a job that may take long
      if (lock.owns_lock()) lock.unlock();
      next->run(*next);
      lock.lock();
      ++completed_;
    }
  } while (sleep(self, lock));
}

// False: the thread is to end.
bool blocking_pool::sleep(worker& self, std::unique_lock<std::mutex>& lock) noexcept {
  if (stopped_) return false;
  idle_.push_front(self);
  ++idle_count_;
  if (stopping_) changed_.notify_all();
  constexpr instant a_year = instant{365} * 86400 * 1'000'000'000;
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::nanoseconds(std::min(options_.keep_alive, a_year));
  // The last thread stays; one that is being started does not count, since it may never come.
  auto may_end = [this] { return threads_ - (starting_ ? 1u : 0u) > 1; };
  while (!self.called) {
    if (!may_end()) {
      self.wake.wait(lock);
    } else if (self.wake.wait_until(lock, deadline) == std::cv_status::timeout && !self.called && may_end()) {
      intrusive_list<worker>::erase(self);
      --idle_count_;
      return false;
    }
  }
  self.called = false;
  --coming_;
  return true;
}

void blocking_pool::enqueue(job& job) noexcept {
  job.next = nullptr;
  job.previous = last_;
  (last_ ? last_->next : first_) = &job;
  last_ = &job;
  job.queued = true;
  ++queued_;
}

void blocking_pool::dequeue(job& job) noexcept {
  (job.previous ? job.previous->next : first_) = job.next;
  (job.next ? job.next->previous : last_) = job.previous;
  job.queued = false;
  --queued_;
}

}  // namespace astd::detail
