// The part of a task's promise that does not depend on its result.
#pragma once

#include <astd/coro/chain.hpp>
#include <astd/coro/outcome.hpp>

#include <coroutine>
#include <source_location>
#include <utility>

namespace astd::detail {

/// Where a coroutine's outcome goes, and who waits for it: lies in the awaiting frame. Owns the coroutine's frame.
class frame_slot {
 public:
  explicit frame_slot(std::coroutine_handle<> frame) noexcept : frame_(frame) {}
  frame_slot(frame_slot&& other) noexcept
      : frame_(std::exchange(other.frame_, nullptr)), continuation_(other.continuation_), parent_(other.parent_) {}
  ~frame_slot() { destroy_frame(); }

  void connect(resumable* continuation, promise_base* parent) noexcept {
    continuation_ = continuation;
    parent_ = parent;
  }
  [[nodiscard]] resumable* continuation() const noexcept { return continuation_; }
  /// The awaiting coroutine; null at the outer end of a chain.
  [[nodiscard]] promise_base* parent() const noexcept { return parent_; }
  [[nodiscard]] std::coroutine_handle<> frame() const noexcept { return frame_; }

  void destroy_frame() noexcept {
    if (frame_) std::exchange(frame_, nullptr).destroy();
  }

 private:
  std::coroutine_handle<> frame_;
  resumable* continuation_ = nullptr;
  promise_base* parent_ = nullptr;
};

class promise_base {
 public:
  promise_base() noexcept = default;
  promise_base(const promise_base&) = delete;
  promise_base& operator=(const promise_base&) = delete;

  void start_in(frame_slot& slot, chain& in) noexcept {
    slot_ = &slot;
    chain_ = &in;
  }
  /// As a spawned task: it is the outer end of `root`, and its outcome lies in front of its frame.
  void start_as(chain& root) noexcept { chain_ = &root; }
  [[nodiscard]] frame_slot* slot() const noexcept { return slot_; }
  [[nodiscard]] chain& in() const noexcept { return *chain_; }
  [[nodiscard]] resumable* continuation() const noexcept { return slot_ ? slot_->continuation() : &chain_->end(); }
  /// The awaiting coroutine; null at the outer end of a chain.
  [[nodiscard]] promise_base* parent() const noexcept { return slot_ ? slot_->parent() : nullptr; }
  void destroy_frame() noexcept {
    slot_ ? slot_->destroy_frame() : std::coroutine_handle<promise_base>::from_promise(*this).destroy();
  }
  /// Where its current await stands; where it was spawned, before the first.
  [[nodiscard]] const std::source_location& where() const noexcept { return where_; }
  void set_where(const std::source_location& where) noexcept { where_ = where; }

 protected:
  ~promise_base() = default;

 private:
  [[maybe_unused]] resumable* link_ = nullptr;  // resumable::next_: must be the promise's first word
  frame_slot* slot_ = nullptr;                  // null in a spawned task
  chain* chain_ = nullptr;
  std::source_location where_;
};

}  // namespace astd::detail
