// once_flag, call_once: does something once, whoever comes first; the others wait until it is done.
//
//   astd::once_flag configured;
//   co_await astd::call_once(configured, load_configuration);      // what it returns may be awaitable
#pragma once

#include <astd/base/invoke.hpp>
#include <astd/sync/once.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace astd {

/// Whether something has been done. Usually a global or a member.
class once_flag : detail::once {
 public:
  constexpr once_flag() noexcept : once(nullptr) {}
  /// `name` is shown by dump_tasks(). It must outlive the flag: usually a literal.
  explicit constexpr once_flag(const char* name) noexcept : once(name) {}
  /// Whether a call has succeeded.
  [[nodiscard]] bool is_done() const noexcept { return done(); }

 private:
  template <class F, class... Args>
  friend auto call_once(once_flag& flag, F&& f, Args&&... args);
  template <class F, class... Args>
  friend void call_once_blocking(once_flag& flag, F&& f, Args&&... args);
  template <class F, class... Args>
  class call;
};

template <class F, class... Args>
class once_flag::call {
 public:
  template <class... From>
  explicit call(once_flag& flag, From&&... from) : flag_(&flag), call_(std::forward<From>(from)...) {}
  [[nodiscard]] bool done() const noexcept { return flag_->is_done(); }
  astd::task<> task() { return run(*flag_, call_); }
  void value() const noexcept {}

 private:
  static astd::task<> run(once_flag& flag, std::tuple<F, Args...>& call) {
    auto turn = co_await flag.begin("call_once");
    if (!turn) co_return;
    using result = std::invoke_result_t<F, Args...>;
    auto invoke = [](F& f, Args&... args) -> result {
      return detail::invoke(std::forward<F>(f), std::forward<Args>(args)...);
    };
    if constexpr (awaitable<result>)
      static_cast<void>(co_await std::apply(invoke, call));
    else
      static_cast<void>(std::apply(invoke, call));
    turn.done();
  }
  once_flag* flag_;
  std::tuple<F, Args...> call_;
};

/// `co_await call_once(flag, f, args...);` Calls `f` and awaits what it returns, if that can be awaited; does nothing if a
/// call with this flag has succeeded (one load, no coroutine); waits for one that is under way. A call that fails, throws
/// or is cancelled does not count: it ends so for who made it, and the next in line makes its own. Who waits may be
/// cancelled without harm to the others.
///
/// `f` and `args` are moved or copied in, and live until the await ends; std::ref for what is to be referred to. May be
/// called on any thread. Within `f`, a call_once with the same flag waits for itself.
template <class F, class... Args>
[[nodiscard]] auto call_once(once_flag& flag, F&& f, Args&&... args) {
  using call = once_flag::call<std::decay_t<F>, std::unwrap_ref_decay_t<Args>...>;
  return detail::once_task<call>(call(flag, std::forward<F>(f), std::forward<Args>(args)...));
}

/// The same for plain threads, where `f` returns nothing that would have to be awaited: blocks the thread, and needs no
/// runtime.
template <class F, class... Args>
void call_once_blocking(once_flag& flag, F&& f, Args&&... args) {
  static_assert(!awaitable<std::invoke_result_t<F, Args...>>, "what is to be awaited needs call_once");
  if (flag.done()) return;
  auto turn = detail::wait_on_thread(flag.begin("call_once"));
  if (!turn) return;
  detail::invoke(std::forward<F>(f), std::forward<Args>(args)...);
  turn.done();
}

}  // namespace astd
