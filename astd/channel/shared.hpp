// shared(aw): one run of an awaitable, whose value many tasks await.
//
//   auto page = astd::shared(fetch(url));
//   auto both = co_await astd::join(show(page), store(page));     // fetched once
#pragma once

#include <astd/channel/promise.hpp>
#include <astd/coro/own_awaiter.hpp>
#include <astd/coro/select.hpp>
#include <astd/runtime/spawn.hpp>

#include <atomic>
#include <concepts>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

/// Gives how `aw` ended, whatever that was: nothing is thrown.
template <class A>
class outcome_awaiter : public awaiter_base<outcome_awaiter<A>> {
 public:
  using value_type = outcome<await_result_t<A>>;
  explicit outcome_awaiter(A&& a) : inner_(static_cast<A&&>(a)) {}
  bool await_ready() { return inner_->await_ready(); }
  resumable* start(const await_context& c) { return inner_->start(c); }
  outcome<value_type> take() {
    value_type ended;
    inner_.take_into(ended);
    outcome<value_type> o;
    o.set_value(std::move(ended));
    return o;
  }

 private:
  own_awaiter<A> inner_;
};
template <class A>
class outcome_awaitable {
 public:
  explicit outcome_awaitable(A& of) noexcept : of_(of) {}
  auto operator co_await() const { return outcome_awaiter<A>(static_cast<A&&>(of_)); }

 private:
  A& of_;
};

/// Runs it until it has ended, or nobody is left who could await its value.
template <class A>
task<> run_shared(promise<await_result_t<A>> result, std::unique_ptr<A> aw) {
#if ASTD_HAS_EXCEPTIONS
  std::exception_ptr thrown;
  try {
#endif
    auto ended = co_await select(outcome_awaitable<A>(*aw), result.closed());
    if (std::get<0>(ended)) set_outcome(result, std::move(*std::get<0>(ended)));
#if ASTD_HAS_EXCEPTIONS
    co_return;
  } catch (...) {  // by the awaitable before it began, for want of memory, say
    thrown = std::current_exception();
  }
  result.set_exception(std::move(thrown));
#endif
}

template <class A>
struct shared_run {
  using value_type = await_result_t<A>;
  explicit shared_run(A&& a) : aw(std::make_unique<A>(static_cast<A&&>(a))), value(result.get_future()) {}
  // By everyone who awaits it; the first one starts it.
  void start() {
    if (started.exchange(true, std::memory_order_acq_rel)) return;
    spawn(run_shared<A>(std::move(result), std::move(aw))).detach();
  }
  promise<value_type> result;
  std::unique_ptr<A> aw;
  shared_future<value_type> value;
  std::atomic<bool> started{false};
};

template <class A>
class shared_awaiter : public awaiter_base<shared_awaiter<A>> {
 public:
  using value_type = await_result_t<A>;
  explicit shared_awaiter(shared_run<A>& run) : run_(run), waiting_(run.value.operator co_await()) {}
  bool await_ready() {
    run_.start();
    return waiting_.await_ready();
  }
  resumable* start(const await_context& c) noexcept { return waiting_.start(c); }
  outcome<value_type> take() {
    auto o = waiting_.take();
    outcome<value_type> copy;
    if (!o.has_value())
      copy.set_error_of(o);
    else if constexpr (std::is_void_v<value_type>)
      copy.set_value();
    else
      copy.set_value(std::move(o).get());
    return copy;
  }

 private:
  shared_run<A>& run_;
  shared_future_awaiter<value_type> waiting_;
};

/// Each await of it gets a copy.
template <class T>
concept shared_value = std::is_void_v<T> || std::copy_constructible<T>;

}  // namespace detail

/// What shared() gives. Copies stand for the same run. Any thread.
template <class A>
class [[nodiscard]] shared_awaitable {
 public:
  explicit shared_awaitable(A&& a) : run_(std::make_shared<detail::shared_run<A>>(static_cast<A&&>(a))) {}
  [[nodiscard]] auto operator co_await() const { return detail::shared_awaiter<A>(*run_); }

 private:
  std::shared_ptr<detail::shared_run<A>> run_;
};

/// One run of `aw`, which is moved in: it begins, as a task of its own, when the first copy is awaited, and every await
/// gives a copy of its value, or throws what it ended with. Cancelling one await leaves the others alone; when the last
/// copy is gone, the run is cancelled. A copy outlives its awaits.
template <awaitable A>
  requires(!std::is_lvalue_reference_v<A>) && detail::shared_value<await_result_t<A>>
[[nodiscard]] auto shared(A&& aw) {
  return shared_awaitable<A>(static_cast<A&&>(aw));
}

}  // namespace astd
