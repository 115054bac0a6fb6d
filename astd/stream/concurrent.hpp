// Streams that have several things running: merge, buffered, buffered_unordered, for_each_concurrent.
//
//   auto pages = co_await (urls | stream::transform(fetch) | stream::buffered(8) | stream::to<std::vector>());
//   co_await (listener.incoming() | stream::for_each_concurrent(1000, serve));
//
// What runs has ended when the end of such a stream is over, be it by an exception or cancelled: see hub.hpp. Each of these
// adaptors takes one allocation, and one for each task it starts.
#pragma once

#include <astd/stream/ends.hpp>
#include <astd/stream/flatten.hpp>
#include <astd/stream/hub.hpp>

#include <cstddef>
#include <list>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace astd::stream::detail {

template <class R, class... S>
class merge_hub final : public hub {
 public:
  explicit merge_hub(S&&... s) : lanes(std::in_place, std::move(s)...) {}
  void request_stop() noexcept override {
    std::apply([](auto&... l) { (l.request_stop(), ...); }, *lanes);
  }
  void clear() noexcept override { lanes.reset(); }
  std::optional<std::tuple<lane<S>...>> lanes;
};

template <class R, class... S>
struct common_of {
  using type = R;
};
template <class R, class S, class... More>
struct common_of<R, S, More...> : common_of<typename common_element<R, element_t<S>>::type, More...> {};

template <class First, class... S>
class merge_piece : public piece_base<merge_piece<First, S...>> {
 public:
  using element = typename common_of<element_t<First>, S...>::type;
  static constexpr bool runs_ahead = true;
  explicit merge_piece(First&& first, S&&... s) : hub_(std::in_place, std::move(first), std::move(s)...) {}

  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    wait_.settle();
    for (;;) {
      bool over = true;
      flow how = flow::wait;
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t i = (turn_ + k) % count;
        how = visit(i, sink, error, std::make_index_sequence<count>());
        if (how == flow::wait) over = false;
        if (how == flow::wait || how == flow::end) continue;
        turn_ = i + 1;  // the others first, next time
        break;
      }
      if (how == went_on) continue;
      if (how == flow::wait || how == flow::end) return over ? flow::end : flow::wait;
      return how;
    }
  }
  resumable* wait(const await_context& c) { return wait_.wait(hub_->changed, c); }
  void abandon() noexcept { wait_.abandon(); }
  [[nodiscard]] size_bounds bounds() const {
    size_bounds b{0, 0};
    std::apply([&](const auto&... l) { ((b = grown(b, l.bounds())), ...); }, *hub_->lanes);
    return b;
  }
  template <class F>
  void each_hub(F&& f) {
    if (!hub_) return;
    f(static_cast<hub&>(*hub_));
    if (hub_->is_quiet()) std::apply([&](auto&... l) { (l.each_hub(f), ...); }, *hub_->lanes);
  }

 private:
  static constexpr std::size_t count = sizeof...(S) + 1;
  static constexpr auto went_on = static_cast<flow>(0xff);  // the sink wants more

  template <class Sink, std::size_t... I>
  flow visit(std::size_t i, Sink& sink, outcome<void>& error, std::index_sequence<I...>) {
    flow how = flow::end;
    static_cast<void>(((I == i && (how = look(std::get<I>(*hub_->lanes), sink, error), true)) || ...));
    return how;
  }
  template <class L, class Sink>
  flow look(L& l, Sink& sink, outcome<void>& error) {
    slot<typename L::element> x;
    const flow how = l.poll(*hub_, x, error);
    if (how != flow::stopped) return how;
    return sink(detail::as_common<element, typename L::element>(*x)) ? went_on : flow::stopped;
  }

  hub_owner<merge_hub<element, First, S...>> hub_;
  hub_wait wait_;
  std::size_t turn_ = 0;
};

// ---- several calls at once

template <class U>
struct running_call {
  outcome<U> result;
  atomic<bool> done{false};
  join_handle<void> helper;
  running_call* next_done = nullptr;
  typename std::list<running_call>::iterator place;
};

template <class S, class F, class U, bool in_order>
class call_hub final : public hub {
 public:
  call_hub(S&& s, F&& f) : source(std::in_place, std::move(s)), function(std::in_place, std::move(f)) {}
  void request_stop() noexcept override {
    source->request_stop();
    for (auto& c : calls) c.helper.request_cancel();
  }
  void clear() noexcept override {
    calls.clear();
    function.reset();
    source.reset();
  }
  void begin(element_t<S>&& x) {
    running_call<U>& c = calls.emplace_back();
    c.place = std::prev(calls.end());
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      c.helper = spawn(carry_out(claim(*this), *this, c, static_cast<element_t<S>&&>(x)));
#if ASTD_HAS_EXCEPTIONS
    } catch (...) {
      calls.pop_back();  // no memory
      throw;
    }
#endif
  }

  std::optional<lane<S>> source;
  std::optional<F> function;
  std::list<running_call<U>> calls;
  atomic<running_call<U>*> done{nullptr};  // those that have ended since somebody looked, the last first

 private:
  static task<> carry_out(claim, call_hub& self, running_call<U>& c, element_t<S> x) {
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      auto call = [&]() -> decltype(auto) {
        return detail::invoke(*self.function, static_cast<element_t<S>&&>(x));
      };
      auto o = co_await settle(call);
      c.result = std::move(o);
#if ASTD_HAS_EXCEPTIONS
    } catch (...) {
      c.result.set_exception(std::current_exception());
    }
#endif
    // release: both pair with the acquire in find_done(). `c` may be gone behind them.
    if constexpr (in_order) {
      c.done.store(true, std::memory_order_release);
    } else {
      c.next_done = self.done.load(std::memory_order_relaxed);
      while (
          !self.done.compare_exchange_weak(c.next_done, &c, std::memory_order_release, std::memory_order_relaxed)) {
      }
    }
    self.notify();
  }
};

template <class S, class F, bool in_order>
class buffered_piece : public piece_base<buffered_piece<S, F, in_order>> {
  using given = element_t<S>;
  using answer = typename own_awaiter<call_t<F, given>>::value_type;

 public:
  using element = as_element<std::conditional_t<std::is_void_v<answer>, nothing, answer>>;
  static constexpr bool runs_ahead = true;
  buffered_piece(S&& s, F&& f, std::size_t n) : hub_(std::in_place, std::move(s), std::move(f)), most_(n) {
    if (n == 0) throw_invalid_argument("astd::stream::buffered, for_each_concurrent: at least 1 at once");
  }

  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    wait_.settle();
    auto& h = *hub_;
    for (;;) {
      flow source = h.is_closed() ? flow::end : flow::wait;
      while (!h.is_closed() && h.calls.size() < most_) {
        slot<given> x;
        source = h.source->poll(h, x, error);
        if (source != flow::stopped) break;
        h.begin(x.get());
      }
      if (source == flow::failed) return source;
      const auto done = find_done();
      if (done != h.calls.end()) {
        outcome<answer> o = std::move(done->result);
        h.calls.erase(done);
        if (o.failed()) {
          error.set_error_of(o);
          return flow::failed;
        }
        bool more;
        if constexpr (std::is_void_v<answer>)
          more = sink(nothing());
        else
          more = sink(static_cast<element&&>(std::move(o).get()));
        if (!more) return flow::stopped;
        continue;
      }
      if (source == flow::yield) return source;
      return source == flow::end && (h.calls.empty() || h.is_closed()) ? flow::end : flow::wait;
    }
  }
  resumable* wait(const await_context& c) { return wait_.wait(hub_->changed, c); }
  void abandon() noexcept { wait_.abandon(); }
  [[nodiscard]] size_bounds bounds() const {
    const std::size_t n = hub_->calls.size();
    return grown(hub_->source->bounds(), {n, n});
  }
  template <class G>
  void each_hub(G&& f) {
    if (!hub_) return;
    f(static_cast<hub&>(*hub_));
    if (hub_->is_quiet()) hub_->source->each_hub(f);
  }

 private:
  auto find_done() {
    auto& calls = hub_->calls;
    // acquire: pairs with the release in carry_out().
    if constexpr (in_order) {
      auto first = calls.begin();
      // Those that were cancelled have nothing to give.
      while (hub_->is_closed() && first != calls.end() && !first->done.load(std::memory_order_acquire))
        first = calls.erase(first);
      return first != calls.end() && first->done.load(std::memory_order_acquire) ? first : calls.end();
    } else {
      if (!done_)
        for (auto* c = hub_->done.exchange(nullptr, std::memory_order_acquire); c;) {
          auto* const earlier = std::exchange(c->next_done, done_);
          done_ = c;
          c = earlier;
        }
      return done_ ? std::exchange(done_, done_->next_done)->place : calls.end();
    }
  }

  hub_owner<call_hub<S, F, answer, in_order>> hub_;
  std::size_t most_;
  running_call<answer>* done_ = nullptr;  // unless in order: those that have ended, the first first
  hub_wait wait_;
};

struct await_element {
  template <class A>
  std::remove_cvref_t<A> operator()(A&& a) const {
    return std::remove_cvref_t<A>(std::move(a));
  }
};

template <class S>
inline constexpr bool is_transform_awaited = false;
template <class S, class F>
inline constexpr bool is_transform_awaited<awaiting_piece<S, F, true>> = true;

template <bool in_order, class S>
auto buffer(S&& s, std::size_t n) {
  if constexpr (is_transform_awaited<S>) {
    using source = decltype(s.release_stream());
    using function = decltype(s.release_closure());
    return buffered_piece<source, function, in_order>(s.release_stream(), s.release_closure(), n);
  } else {
    static_assert(
        awaitable<std::remove_cvref_t<element_t<S>>>,
        "astd::stream::buffered: it stands behind a transform whose closure is a coroutine, or the elements "
        "are awaitable");
    return buffered_piece<S, await_element, in_order>(std::move(s), await_element(), n);
  }
}

}  // namespace astd::stream::detail

namespace astd::stream {

/// The elements of all, as they come; ends when all have ended. Who is ready takes turns. `merge(a, b, ...)`, or
/// `a | merge(b)`. The first to fail ends it.
///
/// A source that has to wait is asked by a task of its own, from then on, for one element at a time, when one is wanted:
/// when another's is taken instead, it goes on waiting, and what it gets is the next element. Of a channel's receiver nothing
/// is taken before it is given; what other sources have given then is given by next() behind close(), or is lost with the
/// merged stream.
template <source... S>
[[nodiscard]] auto merge(S&&... s) {
  if constexpr (sizeof...(S) > 1) {
    return detail::merge_piece<detail::piece_of<S>...>(detail::as_piece(static_cast<S&&>(s))...);
  } else {
    return detail::make_closure([... second = detail::as_piece(static_cast<S&&>(s))]<class P>(P&& p) mutable {
      return detail::merge_piece<std::remove_cvref_t<P>, detail::piece_of<S>...>(std::move(p),
                                                                                 std::move(second)...);
    });
  }
}

/// Behind `transform(f)` with a coroutine f: awaits up to n calls of f at once, each in a task of its own, and gives the
/// results in the order of the elements. Also of a stream of awaitables. The first to fail ends it, and the others are
/// cancelled. `f` may be called on several threads at once, and refers to nothing that does not outlive the stream.
[[nodiscard]] inline auto buffered(std::size_t n) {
  return detail::make_closure([n]<class S>(S&& s) { return detail::buffer<true>(std::move(s), n); });
}
/// The same; the results come as they are ready.
[[nodiscard]] inline auto buffered_unordered(std::size_t n) {
  return detail::make_closure([n]<class S>(S&& s) { return detail::buffer<false>(std::move(s), n); });
}

/// Awaits f(element) for each, up to n at once, each in a task of its own. The first exception or error cancels the
/// others, and is thrown when they have ended.
template <class F>
[[nodiscard]] auto for_each_concurrent(std::size_t n, F f) {
  return detail::make_closure([n, f = std::move(f)]<class S>(S&& s) mutable {
    using R = detail::element_t<S>;
    static_assert(detail::awaits_with<F, R>,
                  "astd::stream::for_each_concurrent: the closure called with an element gives something to await "
                  "(astd::awaitable)");
    using calls = detail::buffered_piece<S, F, false>;
    return detail::end_with(calls(std::move(s), std::move(f), n),
                            detail::nothing_consumer<detail::element_t<calls>>());
  });
}

}  // namespace astd::stream
