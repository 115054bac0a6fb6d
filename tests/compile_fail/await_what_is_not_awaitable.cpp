// The message names the concept.
// compilers: clang gcc
// expect: no matching (member )?function for call to [^ ]*await_transform
// says: does not satisfy 'awaitable|satisfaction of [^ ]*awaitable
#include <astd/coro/task.hpp>

struct not_awaitable {};

astd::task<> program() { co_await not_awaitable(); }
