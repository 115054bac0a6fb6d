// Only a task can be ended with a failure.
// compilers: clang gcc
// expect: or_return ends the awaiting coroutine: it works in a task only; elsewhere use as_result
#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>

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

astd::task<int> one() { co_return 1; }

eager program() {
  auto v = co_await astd::or_return(one());
  (void)v;
}
