// Without a message there is nothing to send: std::monostate, or a semaphore.
// compilers: clang gcc
// expect: no matching function for call to .*channel
// says: is_object_v
#include <astd/channel.hpp>

auto ends() { return astd::unbounded_channel<void>(); }
