// Only a task can be ended with a failure.
// compilers: clang gcc
// flags:
// expect: ends_with_failure|no matching function for call to [^ ]*fail_awaiter::await_suspend
#include <astd/coro/or_return.hpp>

#include <coroutine>

struct eager {
  struct promise_type {
    eager get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

eager program() { co_await astd::fail(std::errc::timed_out); }
