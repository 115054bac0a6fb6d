// Functions of the user's, called for each element: those that answer at once, and coroutines, whose answer is awaited.
#pragma once

#include <astd/base/config.hpp>
#include <astd/base/invoke.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/stream/piece.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace astd::stream::detail {

template <class F, class... A>
concept callable_with = std::is_invocable_v<F&, A...>;
template <class F, class... A>
using call_t = decltype(detail::invoke(std::declval<F&>(), std::declval<A>()...));
/// It is a coroutine, or like one: what it gives is to be awaited.
template <class F, class... A>
concept awaits_with = callable_with<F, A...> && awaitable<call_t<F, A...>>;
template <class F, class... A>
struct answer_of {
  using type = call_t<F, A...>;
};
template <class F, class... A>
  requires awaits_with<F, A...>
struct answer_of<F, A...> {
  using type = await_result_t<call_t<F, A...>>;
};
/// What it gives in the end.
template <class F, class... A>
using answer_t = typename answer_of<F, A...>::type;

/// An element, and what a closure said of it.
template <class R, class A>
struct examined {
  examined(R&& e, A&& a) : element(static_cast<R&&>(e)), answer(static_cast<A&&>(a)) {}
  R element;
  A answer;
};
template <class R>
struct examined<R, void> {
  explicit examined(R&& e) : element(static_cast<R&&>(e)) {}
  R element;
};

/// Calls a closure for each element and awaits what it gives. `consumes`: the closure gets the element, and its answer
/// goes on; else the closure sees it, and both go on. When it is stopped meanwhile, that element is lost.
template <class S, class F, bool consumes>
class awaiting_piece : public piece_base<awaiting_piece<S, F, consumes>> {
  using given = element_t<S>;
  using shown = std::conditional_t<consumes, given, std::remove_reference_t<given>&>;
  using call = call_t<F, shown>;
  using answer = typename operation<call>::value_type;

 public:
  using element =
      std::conditional_t<consumes, as_element<std::conditional_t<std::is_void_v<answer>, nothing, answer>>,
                         examined<given, answer>>;
  static constexpr bool runs_ahead = detail::runs_ahead<S>;
  awaiting_piece(S&& s, F&& f) : stream_(std::move(s)), f_(std::move(f)) {}
  // A closure of the user's may have no assignment; as std::views do, it is made anew.
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    for (;;) {
      if (operation_.is_live()) {
        bool more = true;
        if (!settle(sink, error, more)) return flow::failed;
        if (!more) return flow::stopped;
      }
      bool failed = false;
      const flow how = stream_.run(
          [&](given&& x) {
            held_.emplace(static_cast<given&&>(x));
            operation_.begin([this]() -> call { return detail::invoke(f_, show()); });
            if (!operation_.is_ready()) return false;
            bool more = true;
            failed = !settle(sink, error, more);
            return more && !failed;
          },
          error);
      if (failed) return flow::failed;
      if (how == flow::stopped && operation_.is_live()) return flow::wait;
      return how;
    }
  }
  resumable* wait(const await_context& c) { return operation_.is_live() ? operation_.start(c) : stream_.wait(c); }
  void abandon() noexcept {
    if (operation_.is_live()) {
      operation_.reset();
      held_.reset();
    } else {
      stream_.abandon();
    }
  }
  [[nodiscard]] size_bounds bounds() const { return stream_.bounds(); }
  template <class G>
  void each_hub(G&& g)
    requires runs_ahead
  {
    stream_.each_hub(g);
  }
  // For buffered(), which awaits several of them at once.
  S release_stream() { return std::move(stream_); }
  F release_closure() { return std::move(f_); }
  F& function() noexcept { return f_; }

 private:
  shown show() noexcept {
    if constexpr (consumes)
      return static_cast<given&&>(held_.get());
    else
      return *held_;
  }
  template <class Sink>
  bool settle(Sink& sink, outcome<void>& error, bool& more) {
    outcome<answer> o;
    operation_.end(o);
    if (o.failed()) [[unlikely]] {
      error.set_error_of(o);
      held_.reset();
      return false;
    }
    if constexpr (consumes) {
      held_.reset();
      if constexpr (std::is_void_v<answer>)
        more = sink(nothing());
      else
        more = sink(static_cast<element&&>(std::move(o).get()));
    } else {
      slot<given> x = std::move(held_);
      held_.reset();
      if constexpr (std::is_void_v<answer>)
        more = sink(element(x.get()));
      else
        more = sink(element(x.get(), std::move(o).get()));
    }
    return true;
  }

  S stream_;
  F f_;
  slot<given> held_;
  operation<call> operation_;
};

/// `s`, or `s` with what `f` says of its elements, if that is to be awaited.
template <class S, class F>
inline constexpr bool is_awaited = awaits_with<F, std::remove_reference_t<element_t<S>>&>;

// How adaptors look at elements, be they examined or not yet.
template <class F>
struct by_call {
  template <class X>
  decltype(auto) answer(X&& x) {
    return detail::invoke(f, x);
  }
  template <class R>
  using element = R;
  template <class R, class X>
  static R&& pass(X&& x) noexcept {
    return static_cast<R&&>(x);
  }
  F f;
};
struct by_answer {
  template <class X>
  decltype(auto) answer(X&& x) {
    return static_cast<decltype(x.answer)&>(x.answer);
  }
  template <class R>
  using element = decltype(R::element);
  template <class R, class X>
  static R&& pass(X&& x) noexcept {
    return static_cast<R&&>(x.element);
  }
};

#define ASTD_STREAM_CLOSURE_MUST_FIT(name, F, S)                                                                \
  static_assert(                                                                                                \
      ::astd::stream::detail::callable_with<F, std::remove_reference_t<::astd::stream::detail::element_t<S>>&>, \
      "astd::stream::" name ": the closure cannot be called with an element of the stream (std::invocable)")

}  // namespace astd::stream::detail
