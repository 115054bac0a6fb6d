// The message names the concept.
// expect: astd::stream::source: what is piped is neither a stream .* nor a range
#include <astd/stream/ends.hpp>

void program() { (void)(42 | astd::stream::count()); }
