// expect: astd::stream::rev: the stream is not double_ended
#include <astd/stream/generator.hpp>
#include <astd/stream/sources.hpp>

auto program(astd::generator<int>& g) { return g | astd::stream::rev(); }
