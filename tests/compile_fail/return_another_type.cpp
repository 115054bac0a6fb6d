// What is returned must convert to the task's type.
// compilers: clang gcc
// expect: return_value
#include <astd/coro/task.hpp>

#include <string>

astd::task<int> one() { co_return std::string("1"); }
