// The message names the concept.
// compilers: clang gcc
// flags:
// expect: does not satisfy 'awaitable'|satisfaction of [^ ]*awaitable
#include <astd/coro/task.hpp>

struct not_awaitable {};

astd::task<> program() { co_await not_awaitable(); }
