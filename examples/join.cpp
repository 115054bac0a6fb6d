// Two tasks at once, joined to a tuple of their values.
#include <astd/future.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <tuple>

astd::task<int> one() { co_return 1; }
astd::task<int> two() { co_return 2; }

astd::task<int> async_main() {
  auto both = co_await astd::join(one(), two());
  co_await astd::println("({}, {})", std::get<0>(both), std::get<1>(both));
  co_return both == std::tuple(1, 2) ? 0 : 1;
}
