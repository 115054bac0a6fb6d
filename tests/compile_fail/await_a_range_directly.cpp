// Several tasks are joined or raced, not awaited as a whole.
// compilers: clang gcc
// expect: no matching (member )?function for call to [^ ]*await_transform
// says: does not satisfy 'awaitable|satisfaction of [^ ]*awaitable
#include <astd/coro/task.hpp>

#include <vector>

astd::task<> program(std::vector<astd::task<>> tasks) { co_await std::move(tasks); }
