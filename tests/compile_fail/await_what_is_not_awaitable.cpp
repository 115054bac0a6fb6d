// The message names the concept.
// compilers: clang gcc
// flags:
// expect: does not satisfy 'awaitable'|no matching function for call to [^ ]*await_transform
#include <astd/coro/task.hpp>

struct not_awaitable {};

astd::task<> program() { co_await not_awaitable(); }
