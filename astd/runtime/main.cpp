// The `main` that the link target astd::main supplies. The program writes one of
//
//   astd::task<int> async_main();
//   astd::task<int> async_main(std::span<const std::string_view> args);   // args[0] is the program's name
//
// which runs as a task on the default runtime's workers; its value is the exit status. An exception that leaves it is
// printed and makes the status 1. When it has ended all other tasks are cancelled and waited for.
#include <astd/base/error.hpp>
#include <astd/runtime/block_on.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_builder.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

// Weak: the program defines one of the two.
[[gnu::weak]] astd::task<int> async_main();
[[gnu::weak]] astd::task<int> async_main(std::span<const std::string_view> args);

namespace {

astd::task<int> program(std::span<const std::string_view> args) {
  using with_arguments = astd::task<int> (*)(std::span<const std::string_view>);
  using without = astd::task<int> (*)();
  if (const with_arguments f = &async_main) return f(args);
  if (const without f = &async_main) return f();
  std::fputs("astd::main: the program defines no astd::task<int> async_main()\n", stderr);
  std::exit(1);
}

int run(std::span<const std::string_view> args) {
  astd::runtime& rt = astd::runtime::default_runtime();
  const int status = rt.block_on(astd::task_builder().name("async_main").spawn(program(args)));
  const astd::shutdown_report report = rt.shutdown(std::chrono::seconds(10));
  if (!report.complete) {
    std::fprintf(stderr, "astd: main has ended, but not all tasks:\n%s", report.text.c_str());
    std::fflush(nullptr);
    std::_Exit(status);  // they may use what the destructors of statics would destroy
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv, argv + argc);
#if ASTD_HAS_EXCEPTIONS
  try {
    return run(args);
  } catch (const std::system_error& error) {
    // As every tool of the system says it: "prog: open x: No such file or directory".
    std::fprintf(stderr, "%s: %s\n", argc > 0 ? argv[0] : "astd", error.what());
    return 1;
  } catch (...) {
    char text[512];
    astd::detail::describe_exception(std::current_exception(), text, sizeof text);
    std::fprintf(stderr, "%s: %s\n", argc > 0 ? argv[0] : "astd", text);
    return 1;
  }
#else
  return run(args);
#endif
}
