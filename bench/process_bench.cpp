// Starts /bin/true and awaits its end, 1,000 times. bench/processes runs it.
//
//   process_bench one|many          one after the other; all of them at once
#include <astd/future.hpp>
#include <astd/process.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>

#include <bench/report.hpp>

#include <cstring>
#include <utility>
#include <vector>

namespace {

constexpr int count = 1000;

astd::task<> run_one() {
  const auto status = co_await astd::process::command("/bin/true").status();
  bench::check(status.success(), "the child's status");
}

astd::task<> one_after_the_other() {
  for (int i = 0; i < count; ++i) co_await run_one();
}

astd::task<> all_at_once() {
  std::vector<astd::task<>> all;
  for (int i = 0; i < count; ++i) all.push_back(run_one());
  co_await astd::try_join(std::move(all));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const bool many = std::strcmp(argv[1], "many") == 0;
  for (std::uint64_t turn = 0; turn < bench::repetitions; ++turn) {
    const bench::stopwatch watch;
    astd::block_on(many ? all_at_once() : one_after_the_other());
    watch.report(argv[1], count);
  }
}
