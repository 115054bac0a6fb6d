// Only a task can be ended with a failure.
// compilers: clang gcc
// expect: no matching (member )?function for call to [^ ]*await_suspend
// says: ends_with_failure
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
