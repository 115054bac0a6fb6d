// The message names the end.
// expect: astd::stream::min: the stream's elements, or what the projection gives of them, cannot be compared
#include <astd/stream/ends.hpp>
#include <astd/stream/sources.hpp>

struct unordered {};
void program() { (void)(astd::stream::repeat(unordered()) | astd::stream::min()); }
