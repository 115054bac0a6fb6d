// Awaiting what is not astd's: the coroutine goes on where its chain belongs, not where the foreign code resumed it.
#pragma once

#include <astd/base/frame_pool.hpp>
#include <astd/coro/awaitable.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace astd::detail {

/// A coroutine that runs nothing: resuming it hands a chain's frame back to its executor. The foreign awaiter gets
/// this one's handle instead of the awaiting coroutine's.
struct affine_hop {
  struct promise_type {
    promise_type(resumable& awaiting, executor& on) noexcept : awaiting_(&awaiting), on_(&on) {}
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* p, std::size_t size) noexcept { free_frame(p, size); }
    affine_hop get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct awaiter {
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<promise_type> h) const noexcept {
          h.promise().on_->schedule(*h.promise().awaiting_, urgency::next);
        }
        void await_resume() const noexcept {}
      };
      return awaiter();
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
    resumable* awaiting_;
    executor* on_;
  };
  std::coroutine_handle<promise_type> handle;
};

inline affine_hop make_affine_hop(resumable&, executor&) { co_return; }

/// Costs nothing if the foreign awaiter is ready; one pooled allocation if it suspends. Cannot be cancelled: the chain
/// stops when the awaiter has resumed it.
template <class A>
class affine_awaiter {
 public:
  explicit affine_awaiter(A&& a) : inner_(detail::get_awaiter(static_cast<A&&>(a))) {}
  affine_awaiter(affine_awaiter&&) = delete;
  ~affine_awaiter() {
    if (chain_) chain_->set_running();
    if (hop_) hop_.destroy();
  }

  bool await_ready() { return inner_.await_ready() ? true : false; }
  template <class P>
  auto await_suspend(std::coroutine_handle<P> awaiting) {
    promise_base& promise = awaiting.promise();
    chain_ = &promise.in();
    chain_->settle();
    chain_->set_suspended_elsewhere(promise);
    hop_ = make_affine_hop(*as_resumable(awaiting), chain_->on()).handle;
    // The inner awaiter may resume the hop, and another thread this coroutine, before its await_suspend returns: what
    // it returns is all we use afterwards.
    return inner_.await_suspend(std::coroutine_handle<>(hop_));
  }
  decltype(auto) await_resume() {
    if (chain_) set_current_chain(chain_);
    return inner_.await_resume();
  }

 private:
  awaiter_of<A> inner_;
  chain* chain_ = nullptr;
  std::coroutine_handle<affine_hop::promise_type> hop_;
};

}  // namespace astd::detail
