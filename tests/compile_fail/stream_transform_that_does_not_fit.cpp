// expect: astd::stream::transform: the closure cannot be called with an element of the stream \(std::invocable\)
#include <astd/stream/transform.hpp>

#include <string>
#include <vector>

auto program(std::vector<int>& v) {
  return v | astd::stream::transform([](const std::string& s) { return s.size(); });
}
