// co_await is missing: nothing would fail.
// compilers: clang gcc
// expect: nodiscard
#include <astd/coro/or_return.hpp>

void program() { astd::fail(std::errc::timed_out); }
