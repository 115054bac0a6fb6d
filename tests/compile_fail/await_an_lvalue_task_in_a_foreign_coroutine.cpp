// The same where the language's own lookup finds the operator.
// compilers: clang gcc
// expect: deleted
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
  auto t = one();
  co_await t;
}
