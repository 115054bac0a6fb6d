// Tasks with a name, for dumps and error messages.
//
//   auto h = astd::task_builder().name("reader").spawn(read_all(stream));
#pragma once

#include <astd/runtime/spawn.hpp>

#include <string>
#include <utility>

namespace astd {

/// Gives its name to every task that it spawns. Used by one thread at a time.
class task_builder {
 public:
  /// Shown by dumps, errors and this_task::name(). The system's threads keep their names.
  task_builder& name(std::string text) & {
    name_ = std::move(text);
    return *this;
  }
  task_builder&& name(std::string text) && {
    name_ = std::move(text);
    return std::move(*this);
  }

  /// As astd::spawn; throws std::bad_alloc, too, if there is no memory for the name.
  template <class... A>
  auto spawn(A&&... a) {
    return named(detail::place_now(), static_cast<A&&>(a)...);
  }
  /// As astd::spawn_local.
  template <class... A>
  auto local(A&&... a) {
    return named(detail::place_here(), static_cast<A&&>(a)...);
  }
  /// As astd::spawn_blocking.
  template <class F, class... A>
    requires detail::blocking_callable<F, A...>
  auto blocking(F&& f, A&&... a) {
    detail::runtime_core& core = detail::current_core();
    const detail::spawn_place place = detail::place_on(core);
    auto t = detail::prepare_task(
        detail::call_blocking<std::decay_t<F>, std::decay_t<A>...>(core, std::forward<F>(f), std::forward<A>(a)...),
        place, std::source_location::current());
    detail::name_task(*t, name_);
    return detail::launch_blocking(std::move(t), place);
  }

 private:
  template <class T>
  join_handle<T> named(const detail::spawn_place& place, task<T> from,
                       std::source_location where = std::source_location::current()) {
    auto t = detail::prepare_task(std::move(from), place, where);
    detail::name_task(*t, name_);
    detail::launch(*t, place);
    return join_handle<T>::of(t.release());
  }
  template <class F, class... A>
    requires detail::spawnable<F, A...>
  auto named(const detail::spawn_place& place, F&& f, A&&... arguments) {
    return named(place, detail::make_task(std::forward<F>(f), std::forward<A>(arguments)...));
  }
  std::string name_;
};

}  // namespace astd
