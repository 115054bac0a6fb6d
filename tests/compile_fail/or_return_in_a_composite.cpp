// It ends the coroutine it stands in: a branch of a join is none.
// compilers: clang gcc
// expect: or_return and fail end the coroutine they stand in: await them there
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>

astd::task<int> one() { co_return 1; }

astd::task<> program() { co_await astd::join(astd::or_return(one())); }
