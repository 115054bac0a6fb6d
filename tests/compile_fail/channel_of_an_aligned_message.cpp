// It would lie in the frame of who receives it.
// compilers: clang gcc
// expect: channel: a message that is aligned to more than 16 bytes
#include <astd/channel.hpp>

struct alignas(64) wide {
  long value;
};

auto ends() { return astd::channel<wide>(4); }
