// expect: astd::stream::buffered: it stands behind a transform whose closure is a coroutine
#include <astd/stream/concurrent.hpp>

#include <vector>

auto program(std::vector<int>& v) { return v | astd::stream::buffered(2); }
