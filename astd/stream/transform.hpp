// Adaptors that make another element of each: transform, inspect, enumerate, keys, values, elements, scan.
//
//   auto pages = urls | stream::transform([](std::string url) { return fetch(std::move(url)); });   // awaits each
//
// A closure may be a coroutine, or give anything else that can be awaited: it is awaited before the next element is taken.
#pragma once

#include <astd/stream/adaptor.hpp>

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace astd::stream::detail {

template <class S, class F>
class transform_piece : public adaptor<transform_piece<S, F>, S> {
  using given = element_t<S>;
  using result = call_t<F, given>;
  static constexpr bool no_result = std::is_void_v<result>;

 public:
  using element = as_element<std::conditional_t<no_result, nothing, result>>;
  transform_piece(S&& s, F&& f) : adaptor<transform_piece, S>(std::move(s)), f_(std::move(f)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return this->stream_.run(through(sink), error);
  }
  template <class Sink>
  flow run_back(Sink&& sink, outcome<void>& error)
    requires requires(S& s) { s.run_back(sink, error); }
  {
    return this->stream_.run_back(through(sink), error);
  }
  [[nodiscard]] size_bounds bounds() const { return this->stream_.bounds(); }

 private:
  template <class Sink>
  auto through(Sink& sink) {
    return [this, &sink](given&& x) {
      if constexpr (no_result) {
        detail::invoke(f_, static_cast<given&&>(x));
        return sink(nothing());
      } else {
        return sink(static_cast<element&&>(detail::invoke(f_, static_cast<given&&>(x))));
      }
    };
  }
  F f_;
};

template <class S, class F>
class inspect_piece : public adaptor<inspect_piece<S, F>, S> {
 public:
  using element = element_t<S>;
  inspect_piece(S&& s, F&& f) : adaptor<inspect_piece, S>(std::move(s)), f_(std::move(f)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return this->stream_.run(through(sink), error);
  }
  template <class Sink>
  flow run_back(Sink&& sink, outcome<void>& error)
    requires requires(S& s) { s.run_back(sink, error); }
  {
    return this->stream_.run_back(through(sink), error);
  }
  [[nodiscard]] size_bounds bounds() const { return this->stream_.bounds(); }

 private:
  template <class Sink>
  auto through(Sink& sink) {
    return [this, &sink](element&& x) {
      detail::invoke(f_, x);
      return sink(static_cast<element&&>(x));
    };
  }
  F f_;
};

template <class S>
class enumerate_piece : public adaptor<enumerate_piece<S>, S> {
 public:
  using element = std::pair<std::size_t, element_t<S>>;
  using adaptor<enumerate_piece<S>, S>::adaptor;
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return this->stream_.run(
        [&](element_t<S>&& x) { return sink(element(index_++, static_cast<element_t<S>&&>(x))); }, error);
  }
  [[nodiscard]] size_bounds bounds() const { return this->stream_.bounds(); }

 private:
  std::size_t index_ = 0;
};

/// `ends`: an empty answer ends the stream, else it is left out.
template <class S, class F, bool ends>
class optional_piece : public adaptor<optional_piece<S, F, ends>, S> {
  using given = element_t<S>;
  using answer = call_t<F, given>;
  static_assert(optional_like<std::remove_reference_t<answer>>,
                "astd::stream::filter_map, map_while: the closure gives an optional");

 public:
  using element = as_element<decltype(*std::declval<std::remove_reference_t<answer>>())>;
  optional_piece(S&& s, F&& f) : adaptor<optional_piece, S>(std::move(s)), f_(std::move(f)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    if (over_) return flow::end;
    const flow how = this->stream_.run(
        [&](given&& x) {
          auto&& o = detail::invoke(f_, static_cast<given&&>(x));
          if (o) return static_cast<bool>(sink(static_cast<element&&>(*std::move(o))));
          if constexpr (ends) over_ = true;
          return !ends;
        },
        error);
    return over_ && how == flow::stopped ? flow::end : how;
  }

 private:
  F f_;
  bool over_ = false;
};

struct as_it_is {
  template <class T>
  T&& operator()(T&& x) const noexcept {
    return static_cast<T&&>(x);
  }
};

/// A closure with a state.
template <class T, class F>
struct with_state {
  template <class X>
  decltype(auto) operator()(X&& x) {
    return detail::invoke(f, state, std::forward<X>(x));
  }
  T state;
  F f;
};

template <class T>
inline constexpr bool is_an_optional = false;
template <class T>
inline constexpr bool is_an_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_an_optional<stream::optional_ref<T>> = true;

template <class S, class F>
auto transformed(S&& s, F&& f) {
  static_assert(callable_with<F, element_t<S>>,
                "astd::stream::transform: the closure cannot be called with an element of the stream "
                "(std::invocable)");
  if constexpr (awaits_with<F, element_t<S>>)
    return awaiting_piece<S, F, true>(std::move(s), std::move(f));
  else if constexpr (callable_with<F, element_t<S>>)
    return transform_piece<S, F>(std::move(s), std::move(f));
}
template <bool ends, class S, class F>
auto transformed_if(S&& s, F&& f) {
  static_assert(callable_with<F, element_t<S>>,
                "astd::stream::filter_map, map_while: the closure cannot be called with an element of the stream "
                "(std::invocable)");
  if constexpr (awaits_with<F, element_t<S>>) {
    using asked = awaiting_piece<S, F, true>;
    return optional_piece<asked, as_it_is, ends>(asked(std::move(s), std::move(f)), as_it_is());
  } else {
    return optional_piece<S, F, ends>(std::move(s), std::move(f));
  }
}

template <class Make>
auto make_closure(Make make) {
  return closure<Make>(std::move(make));
}

}  // namespace astd::stream::detail

namespace astd::stream {

/// f(element) for each: an object or a reference.
template <class F>
[[nodiscard]] auto transform(F f) {
  return detail::make_closure(
      [f = std::move(f)]<class S>(S&& s) mutable { return detail::transformed(std::move(s), std::move(f)); });
}

/// The elements as they are; f sees each.
template <class F>
[[nodiscard]] auto inspect(F f) {
  return detail::make_closure([f = std::move(f)]<class S>(S&& s) mutable {
    ASTD_STREAM_CLOSURE_MUST_FIT("inspect", F, S);
    if constexpr (detail::is_awaited<S, F>) {
      using asked = detail::awaiting_piece<S, F, false>;
      return detail::without_answer<asked>(asked(std::move(s), std::move(f)));
    } else {
      return detail::inspect_piece<S, F>(std::move(s), std::move(f));
    }
  });
}

/// std::pair of the place, from 0, and the element.
[[nodiscard]] inline auto enumerate() {
  return detail::make_closure([]<class S>(S&& s) { return detail::enumerate_piece<S>(std::move(s)); });
}

/// f gives an optional: what is in it, if anything.
template <class F>
[[nodiscard]] auto filter_map(F f) {
  return detail::make_closure([f = std::move(f)]<class S>(S&& s) mutable {
    return detail::transformed_if<false>(std::move(s), std::move(f));
  });
}

/// The same, but the first empty one is the end.
template <class F>
[[nodiscard]] auto map_while(F f) {
  return detail::make_closure([f = std::move(f)]<class S>(S&& s) mutable {
    return detail::transformed_if<true>(std::move(s), std::move(f));
  });
}

/// f(state, element), where `state` is kept from one to the next. If f gives a std::optional, an empty one is the end.
template <class T, class F>
[[nodiscard]] auto scan(T state, F f) {
  return detail::make_closure([state = std::move(state), f = std::move(f)]<class S>(S&& s) mutable {
    using call = detail::with_state<T, F>;
    static_assert(detail::callable_with<F, T&, detail::element_t<S>>,
                  "astd::stream::scan: the closure cannot be called with the state and an element of the stream "
                  "(std::invocable)");
    using answer = std::remove_cvref_t<detail::answer_t<call, detail::element_t<S>>>;
    call with{std::move(state), std::move(f)};
    if constexpr (detail::is_an_optional<answer>)
      return detail::transformed_if<true>(std::move(s), std::move(with));
    else
      return detail::transformed(std::move(s), std::move(with));
  });
}

namespace detail_elements {
template <std::size_t N>
struct get {
  template <class X>
    requires(std::tuple_size<std::remove_cvref_t<X>>::value > N)
  decltype(auto) operator()(X&& x) const {
    using std::get;
    return get<N>(std::forward<X>(x));
  }
};
template <std::size_t N, class X>
concept has_part = requires(X& x) { get<N>()(x); };
template <std::size_t N>
struct adaptor : detail::closure_tag {
  template <class S>
  auto apply(S&& s) const {
    static_assert(
        has_part<N, std::remove_reference_t<detail::element_t<S>>>,
        "astd::stream::elements, keys, values: the stream's elements are no pairs or tuples, or have fewer parts");
    return detail::transformed(std::move(s), get<N>());
  }
  [[nodiscard]] adaptor operator()() const { return {}; }
};
}  // namespace detail_elements

/// The Nth of each pair or tuple: `elements<2>`, or `elements<2>()`.
template <std::size_t N>
inline constexpr detail_elements::adaptor<N> elements{};
[[nodiscard]] inline auto keys() { return elements<0>(); }
[[nodiscard]] inline auto values() { return elements<1>(); }

/// Copies of what the elements refer to.
[[nodiscard]] inline auto cloned() {
  return transform([]<class T>(const T& x) { return T(x); });
}

}  // namespace astd::stream
