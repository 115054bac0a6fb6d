// There is no value that could mean.
// compilers: clang gcc
// expect: no matching function for call to .*join
#include <astd/coro/join.hpp>

astd::task<> program() { co_await astd::join(); }
