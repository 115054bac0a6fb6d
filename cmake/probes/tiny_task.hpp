// The least coroutine type that shows the defects the probes look for. It knows nothing of astd, so that a probe
// judges the compiler alone.
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

class tiny_task {
 public:
  struct promise_type {
    std::coroutine_handle<> continuation = std::noop_coroutine();

    tiny_task get_return_object() noexcept {
      return tiny_task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct awaiter {
        awaiter() noexcept {}
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
          return ended.promise().continuation;
        }
        void await_resume() noexcept {}
      };
      return awaiter();
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };

  tiny_task(tiny_task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  ~tiny_task() {
    if (coroutine_) coroutine_.destroy();
  }

  void start() { coroutine_.resume(); }
  bool done() const noexcept { return coroutine_.done(); }

  bool await_ready() noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    coroutine_.promise().continuation = awaiting;
    return coroutine_;
  }
  bool await_resume() noexcept { return true; }

 private:
  explicit tiny_task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}

  std::coroutine_handle<promise_type> coroutine_;
};
