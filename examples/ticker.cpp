// Something every 20 ms, until a token says that it is enough.
#include <astd/cancel.hpp>
#include <astd/future.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <chrono>

using namespace std::chrono_literals;

astd::task<int> tick(astd::cancel_token stop) {
  astd::interval ticks(20ms, astd::missed_tick::skip);
  for (int count = 0;; ++count) {
    auto next = co_await astd::as_result(astd::with_cancel(stop, ticks.next()));
    if (!next) co_return count;
    co_await astd::println("tick");
  }
}

astd::task<int> async_main() {
  astd::cancel_source stop;
  auto ticking = astd::spawn(tick(stop.token()));
  co_await astd::this_task::sleep_for(110ms);
  stop.request_cancel();
  auto count = co_await ticking;
  co_await astd::println("{} ticks, then it was asked to stop", count);
  co_return 0;
}
