// Whose elements would have to be moved from: the range is, by std::move.
// compilers: clang gcc
// expect: no matching function for call to .*join
// says: task_given_by_std_move
#include <astd/coro/join.hpp>

#include <vector>

astd::task<> program(std::vector<astd::task<int>> tasks) { co_await astd::join(tasks); }
