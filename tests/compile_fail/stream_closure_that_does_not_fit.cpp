// expect: astd::stream::filter: the closure cannot be called with an element of the stream \(std::invocable\)
#include <astd/stream/filter.hpp>

#include <string>
#include <vector>

auto program(std::vector<int>& v) {
  return v | astd::stream::filter([](const std::string& s) { return s.empty(); });
}
