// It would lie in the frame of who awaits it.
// compilers: clang gcc
// expect: promise: a value that is aligned to more than 16 bytes
#include <astd/future.hpp>

struct alignas(64) wide {
  long value;
};

astd::promise<wide> answer;
