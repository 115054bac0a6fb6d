// The message names the adaptor.
// expect: astd::stream::elements, keys, values: the stream's elements are no pairs or tuples
#include <astd/stream/sources.hpp>
#include <astd/stream/transform.hpp>

void program() { (void)(astd::stream::repeat(1) | astd::stream::keys); }
