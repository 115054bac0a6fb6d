// Several tasks are joined or raced, not awaited as a whole.
// compilers: clang gcc
// flags:
// expect: does not satisfy 'awaitable'|no matching function for call to [^ ]*await_transform
#include <astd/coro/task.hpp>

#include <vector>

astd::task<> program(std::vector<astd::task<>> tasks) { co_await std::move(tasks); }
