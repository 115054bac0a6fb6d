// A message is an object: it lies in the channel.
// compilers: clang gcc
// expect: no matching function for call to .*channel
// says: is_object_v
#include <astd/channel.hpp>

auto ends() { return astd::channel<int&>(4); }
