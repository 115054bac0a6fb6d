#include <astd/driver/driver.hpp>
#include <astd/driver/sim/process.hpp>
#include <astd/io/standard_stream.hpp>

#include <memory>

namespace astd::io::detail {
namespace {

// A simulated child has its own.
template <class State, class... A>
State* of_child(int descriptor, A... arguments) {
  driver::sim::process* const child = driver::sim::process::here();
  if (!child) return nullptr;
  std::shared_ptr<void>& kept = child->kept[descriptor];
  if (!kept) kept = std::shared_ptr<State>(new State{arguments...});
  return static_cast<State*>(kept.get());
}

}  // namespace

// The states are never destroyed: tasks of a runtime that ends late may still print.
standard_output_state& standard_output_state_of(int descriptor) {
  const char* const name = descriptor == 1 ? "standard output" : "standard error";
  if (auto* const childs = of_child<standard_output_state>(descriptor, descriptor, name)) return *childs;
  static auto* const output = (driver::adopt(1), new standard_output_state{1, "standard output"});
  static auto* const error = (driver::adopt(2), new standard_output_state{2, "standard error"});
  return descriptor == 1 ? *output : *error;
}

standard_input_state& the_standard_input() {
  if (auto* const childs = of_child<standard_input_state>(standard_input_state::descriptor)) return *childs;
  static auto* const input = (driver::adopt(standard_input_state::descriptor), new standard_input_state);
  return *input;
}

}  // namespace astd::io::detail
