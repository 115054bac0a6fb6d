// What cancel_source and cancel_token share: whether it was asked for, and who is to be told.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/intrusive_list.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/coro/awaitable.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace astd::detail {

/// Something to be called once. Lives where its owner wants, and stays there while it is added.
struct cancel_hook : list_node {
  explicit cancel_hook(void (*f)(cancel_hook&) noexcept) noexcept : call(f) {}
  void (*call)(cancel_hook&) noexcept;  // it may be gone when this returns; null: a child
};

/// A node of a tree: a child keeps its parent alive, and is told by it. Counted by its owners.
class cancel_state : private cancel_hook {
 public:
  /// Owned once. A child of a parent that is cancelled is cancelled.
  static cancel_state* make(cancel_state* parent);
  void retain() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;

  /// acquire: who sees it sees what led to it.
  [[nodiscard]] bool is_cancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }
  /// Calls all hooks, and those of all children, on this thread. False: it was asked for before.
  bool request_cancel() noexcept;

  enum class added { waits, cancelled, refused };
  /// `refused`: see withdraw().
  added add(cancel_hook& h, const bool& refused) noexcept;
  /// True: it will not be called. False: it was, or is being called, or is yet to be added, which `refused` will prevent.
  bool withdraw(cancel_hook& h, bool& refused) noexcept;
  /// After withdraw() said no to one that was added: waits until its call has ended, unless that is where we are.
  void wait_until_called(cancel_hook& h) noexcept;

 private:
  explicit cancel_state(cancel_state* parent) noexcept : cancel_hook(nullptr), parent_(parent) {}
  bool retain_if_alive() noexcept;
  bool mark() noexcept;
  void call_hooks(cancel_state*& children) noexcept;

  atomic<std::uint32_t> owners_{1};
  atomic<bool> cancelled_{false};
  spin_lock lock_;  // guards the list, and the change of cancelled_
  intrusive_list<cancel_hook> hooks_;
  atomic<cancel_hook*> running_{nullptr};
  atomic<void*> runner_{nullptr};  // its thread
  cancel_state* const parent_;
  cancel_state* next_ = nullptr;  // of those that the request to a parent is to cancel; whose it is
};

/// A counted pointer to a state, or null.
class cancel_reference {
 public:
  cancel_reference() noexcept = default;
  explicit cancel_reference(cancel_state* owned) noexcept : state_(owned) {}
  cancel_reference(const cancel_reference& other) noexcept : state_(other.state_) {
    if (state_) state_->retain();
  }
  cancel_reference(cancel_reference&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  cancel_reference& operator=(cancel_reference other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~cancel_reference() {
    if (state_) state_->release();
  }
  [[nodiscard]] cancel_state* get() const noexcept { return state_; }
  cancel_state* operator->() const noexcept { return state_; }
  explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  cancel_state* state_ = nullptr;
};

class cancelled_awaiter final : public suspension, private cancel_hook, public awaiter_base<cancelled_awaiter> {
 public:
  using value_type = void;
  explicit cancelled_awaiter(cancel_reference of) noexcept : cancel_hook(&told), state_(std::move(of)) {}
  bool await_ready() const noexcept { return state_ && state_->is_cancelled(); }
  resumable* start(const await_context& c) noexcept;
  outcome<void> take() noexcept {
    resumed();
    outcome<void> o;
    o.set_value();
    return o;
  }
  void request_stop() noexcept override;
  void describe(std::string& out, unsigned) const override { out += "a cancel_token"; }

 private:
  static void told(cancel_hook& h) noexcept;
  const cancel_reference state_;
  bool refused_ = false;  // guarded by the state's lock
};

class cancelled_awaitable {
 public:
  explicit cancelled_awaitable(cancel_reference of) noexcept : state_(std::move(of)) {}
  auto operator co_await() const noexcept { return cancelled_awaiter(state_); }

 private:
  cancel_reference state_;
};

}  // namespace astd::detail
