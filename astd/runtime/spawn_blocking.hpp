// spawn_blocking(f, args...): a call that may block, on a thread where that does no harm.
//
//   std::string text = co_await astd::spawn_blocking(read_slowly, path);
#pragma once

#include <astd/base/invoke.hpp>
#include <astd/base/job.hpp>
#include <astd/runtime/spawn.hpp>

#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

/// Suspends a chain until a thread of the blocking pool takes it on; withdrawn if it is cancelled before.
class blocking_hop final : public suspension, private job, public awaiter_base<blocking_hop> {
 public:
  using value_type = void;
  explicit blocking_hop(runtime_core& core) noexcept : core_(core) {}
  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept;
  outcome<void> take() noexcept {
    resumed();
    if (refused_) return queue_is_full();
    outcome<void> o;
    o.set_value();
    return o;
  }
  void request_stop() noexcept override;
  void describe(std::string& out, unsigned) const override { out += "the blocking pool"; }

 private:
  static void on_pool_thread(job& j) noexcept;
  [[nodiscard]] failure queue_is_full() const noexcept;
  runtime_core& core_;
  bool refused_ = false;
};

class to_blocking_pool {
 public:
  explicit to_blocking_pool(runtime_core& core) noexcept : core_(core) {}
  auto operator co_await() const noexcept { return blocking_hop(core_); }

 private:
  runtime_core& core_;
};

template <class F, class... A>
task<std::invoke_result_t<F, A...>> call_blocking(runtime_core& core, F f, A... arguments) {
  co_await to_blocking_pool(core);
  co_return detail::invoke(std::move(f), std::move(arguments)...);
}

template <class T>
join_handle<T> launch_blocking(prepared_task<T> t, const spawn_place& place) {
  t->root.is_blocking_call = true;
  launch_inline(*t, place);
  return join_handle<T>::of(t.release());
}

template <class F, class... A>
concept blocking_callable = std::is_invocable_v<std::decay_t<F>, std::decay_t<A>...>;

}  // namespace detail

/// Calls f(arguments...) on a thread of the blocking pool and gives its result through the handle. Starts at once if a
/// thread is free or may be added (runtime_options::max_blocking_threads), else in order. Cancelling removes a call
/// that has not begun; one that runs cannot be stopped: the handle then gives its value. If
/// runtime_options::max_blocking_queue calls are waiting the handle gives resource_unavailable_try_again instead. The
/// call may use block_on, and spawn; it is not a place to wait for ever: a shutdown waits for it. Its thread blocks all
/// signals, which are the program's own threads' business; a program that the call starts (std::system, fork) inherits
/// that, so unblock them there.
template <class F, class... A>
  requires detail::blocking_callable<F, A...>
auto spawn_blocking(F&& f, A&&... arguments) {
  static_assert(!awaitable<std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>>,
                "spawn_blocking: a coroutine is not a call that blocks: spawn it, or run it by block_on() inside");
  detail::runtime_core& core = detail::current_core();
  const detail::spawn_place place = detail::place_on(core);
  return detail::launch_blocking(detail::prepare_task(detail::call_blocking<std::decay_t<F>, std::decay_t<A>...>(
                                                          core, std::forward<F>(f), std::forward<A>(arguments)...),
                                                      place, std::source_location::current()),
                                 place);
}

}  // namespace astd
