// Runs a pipeline of programs: the ten most frequent words of what is typed, or piped in.
#include <astd/print.hpp>
#include <astd/process.hpp>
#include <astd/task.hpp>

namespace process = astd::process;

astd::task<int> async_main() {
  process::command words("tr");
  words.arg("-cs").arg("[:alnum:]").arg("\n").standard_input(process::stdio::inherit());
  process::command most("head");
  most.arg("-n").arg("10");
  process::command by_number("sort");
  by_number.arg("-rn");
  auto frequent = words | process::command("sort") | process::command("uniq").arg("-c") | std::move(by_number) |
                  std::move(most);
  const process::output found = co_await frequent.output();
  co_await astd::print("{}", found.standard_output);
  co_return found.status.success() ? 0 : 1;
}
