#include <astd/driver/driver.hpp>
#include <astd/io/standard_stream.hpp>

namespace astd::io::detail {
// The states are never destroyed: tasks of a runtime that ends late may still print.
standard_output_state& standard_output_state_of(int descriptor) {
  static auto* const output = (driver::adopt(1), new standard_output_state{1, "standard output"});
  static auto* const error = (driver::adopt(2), new standard_output_state{2, "standard error"});
  return descriptor == 1 ? *output : *error;
}

standard_input_state& the_standard_input() {
  static auto* const input = (driver::adopt(standard_input_state::descriptor), new standard_input_state);
  return *input;
}

}  // namespace astd::io::detail
