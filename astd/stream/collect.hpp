// Ends that gather: to, extend, partition, unzip.
//
//   auto names = co_await (people | stream::transform(&person::name) | stream::to<std::set>());
//   auto all = co_await (results | stream::to<std::expected<std::vector<int>, std::error_code>>());
#pragma once

#include <astd/stream/ends.hpp>

#include <concepts>
#include <cstddef>
#include <expected>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace astd::stream::detail {

/// Adds an element to a container, or to a string.
template <class C, class R>
void add_to(C& c, R&& x) {
  if constexpr (requires { c.push_back(std::forward<R>(x)); })
    c.push_back(std::forward<R>(x));
  else if constexpr (requires { c.append(std::forward<R>(x)); })
    c.append(std::forward<R>(x));
  else if constexpr (requires { c.insert_or_assign(std::forward<R>(x).first, std::forward<R>(x).second); })
    c.insert_or_assign(std::forward<R>(x).first, std::forward<R>(x).second);
  else if constexpr (requires { c.insert(std::forward<R>(x)); })
    c.insert(std::forward<R>(x));
  else if constexpr (requires { c.insert(c.end(), std::forward<R>(x)); })
    c.insert(c.end(), std::forward<R>(x));
  else if constexpr (requires { c.push(std::forward<R>(x)); })
    c.push(std::forward<R>(x));
  else if constexpr (requires { c.emplace_back(std::forward<R>(x)); })
    c.emplace_back(std::forward<R>(x));  // made of the element, if need be, as by std::ranges::to
  else if constexpr (requires { c.emplace(std::forward<R>(x)); })
    c.emplace(std::forward<R>(x));
  else
    static_assert(sizeof(C*) == 0, "astd::stream::to: the elements cannot be added to this container");
}
template <class C>
void make_room(C& c, const size_bounds& b) {
  // A bound is what somebody says: more than this is taken when it is there.
  constexpr std::size_t most = std::size_t(1) << 20;
  if constexpr (requires { c.reserve(b.least); })
    if (b.least != size_bounds::unknown) c.reserve(c.size() + (b.least < most ? b.least : most));
}

template <class C, class R>
struct collector {
  using result_type = C;
  bool feed(R&& x) {
    add_to(into, static_cast<R&&>(x));
    return true;
  }
  C finish() { return std::move(into); }
  void reserve(const size_bounds& b) { make_room(into, b); }
  C into{};
};
/// Of a list that grows behind an element only.
template <class C, class R>
  requires requires(C& c) { c.insert_after(c.before_begin(), std::declval<R>()); }
struct collector<C, R> {
  using result_type = C;
  bool feed(R&& x) {
    if (into.empty()) {
      into.push_front(static_cast<R&&>(x));
      last = into.begin();
    } else {
      last = into.insert_after(last, static_cast<R&&>(x));
    }
    return true;
  }
  C finish() { return std::move(into); }
  void reserve(const size_bounds&) {}
  C into{};
  typename C::iterator last{};
};
/// Of expected values; the first error is the result.
template <class C, class E, class R>
  requires requires(value_t<R>& x) {
    x.error();
    x.has_value();
  }
struct collector<std::expected<C, E>, R> {
  using result_type = std::expected<C, E>;
  using T = typename value_t<R>::value_type;
  bool feed(R&& x) {
    if (!x.has_value()) {
      bad.emplace(static_cast<R&&>(x).error());
      return false;
    }
    if constexpr (!std::is_void_v<T>) return inner.feed(static_cast<T&&>(*static_cast<R&&>(x)));
    return true;
  }
  result_type finish() {
    if (bad) return result_type(std::unexpect, *std::move(bad));
    return result_type(inner.finish());
  }
  void reserve(const size_bounds&) {}
  collector<C, T> inner{};
  std::optional<E> bad{};
};
/// Of optional values; an empty one is the result.
template <class C, class R>
  requires is_an_optional<value_t<R>>
struct collector<std::optional<C>, R> {
  using result_type = std::optional<C>;
  using T = typename value_t<R>::value_type;
  bool feed(R&& x) {
    if (!x.has_value()) {
      none = true;
      return false;
    }
    return inner.feed(T(*static_cast<R&&>(x)));
  }
  result_type finish() {
    if (none) return std::nullopt;
    return result_type(inner.finish());
  }
  void reserve(const size_bounds&) {}
  collector<C, T> inner{};
  bool none = false;
};

/// C<element>, or C<first, second> of pairs, for maps.
template <template <class...> class C, class V>
struct container_of {
  using type = C<std::remove_cvref_t<typename V::first_type>, std::remove_cvref_t<typename V::second_type>>;
};
template <template <class...> class C, class V>
  requires requires { typename C<V>; }
struct container_of<C, V> {
  using type = C<V>;
};

template <class C, class R>
struct extend_consumer {
  using result_type = void;
  bool feed(R&& x) {
    add_to(*into, static_cast<R&&>(x));
    return true;
  }
  void finish() noexcept {}
  C* into;
};

template <class R, class J, class C>
struct partition_consumer {
  using element = typename J::template element<R>;
  using result_type = std::pair<C, C>;
  bool feed(R&& x) {
    const bool yes = static_cast<bool>(j.answer(x));
    add_to(yes ? parts.first : parts.second, J::template pass<element>(static_cast<R&&>(x)));
    return true;
  }
  result_type finish() { return std::move(parts); }
  J j;
  result_type parts{};
};

template <class R, class A, class B>
struct unzip_consumer {
  using result_type = std::pair<A, B>;
  bool feed(R&& x) {
    add_to(parts.first, std::get<0>(static_cast<R&&>(x)));
    add_to(parts.second, std::get<1>(static_cast<R&&>(x)));
    return true;
  }
  result_type finish() { return std::move(parts); }
  result_type parts{};
};

template <class C, class S>
auto collected(S&& s) {
  using into = collector<C, element_t<S>>;
  into c{};
  c.reserve(s.bounds());
  return end_with(std::move(s), std::move(c));
}

template <class Into, class S, class P>
auto partitioned(S&& s, P p) {
  if constexpr (is_awaited<S, P>) {
    using asked = awaiting_piece<S, P, false>;
    using consumer = partition_consumer<element_t<asked>, by_answer, Into>;
    return end_with(asked(std::move(s), std::move(p)), consumer{by_answer()});
  } else {
    using consumer = partition_consumer<element_t<S>, by_call<P>, Into>;
    return end_with(std::move(s), consumer{by_call<P>{std::move(p)}});
  }
}

}  // namespace astd::stream::detail

namespace astd::stream {

/// A container, or string, of all elements. Of a stream of std::expected, to<std::expected<C, E>>() gives the container or
/// the first error, with which it ends; so with std::optional.
template <class C>
[[nodiscard]] auto to() {
  return detail::make_closure([]<class S>(S&& s) { return detail::collected<C>(std::move(s)); });
}
/// The container's element type is the stream's; a map is made of pairs.
template <template <class...> class C>
[[nodiscard]] auto to() {
  return detail::make_closure([]<class S>(S&& s) {
    using container = typename detail::container_of<C, detail::value_t<detail::element_t<S>>>::type;
    return detail::collected<container>(std::move(s));
  });
}
/// Adds all elements to `container`, which outlives the await.
template <class C>
[[nodiscard]] auto extend(C& container) {
  return detail::make_closure([into = &container]<class S>(S&& s) {
    detail::make_room(*into, s.bounds());
    return detail::end_with(std::move(s), detail::extend_consumer<C, detail::element_t<S>>{into});
  });
}

/// std::pair of two containers (std::vector, if C is not given): those of which `p` says true, and the others.
template <class C = void, class P>
[[nodiscard]] auto partition(P p) {
  return detail::make_closure([p = std::move(p)]<class S>(S&& s) mutable {
    ASTD_STREAM_CLOSURE_MUST_FIT("partition", P, S);
    using into = std::conditional_t<std::is_void_v<C>, std::vector<detail::value_t<detail::element_t<S>>>, C>;
    return detail::partitioned<into>(std::move(s), std::move(p));
  });
}
/// The containers' element type is the stream's, as in to<std::set>().
template <template <class...> class C, class P>
[[nodiscard]] auto partition(P p) {
  return detail::make_closure([p = std::move(p)]<class S>(S&& s) mutable {
    ASTD_STREAM_CLOSURE_MUST_FIT("partition", P, S);
    using into = typename detail::container_of<C, detail::value_t<detail::element_t<S>>>::type;
    return detail::partitioned<into>(std::move(s), std::move(p));
  });
}

/// Of a stream of pairs: std::pair of two containers (std::vectors, if they are not given).
template <class A = void, class B = void>
[[nodiscard]] auto unzip() {
  return detail::make_closure([]<class S>(S&& s) {
    using R = detail::element_t<S>;
    static_assert(
        requires(R& x) {
          std::get<0>(x);
          std::get<1>(x);
        }, "astd::stream::unzip: the stream's elements are no pairs");
    using first = std::remove_cvref_t<decltype(std::get<0>(std::declval<R&>()))>;
    using second = std::remove_cvref_t<decltype(std::get<1>(std::declval<R&>()))>;
    using C1 = std::conditional_t<std::is_void_v<A>, std::vector<first>, A>;
    using C2 = std::conditional_t<std::is_void_v<B>, std::vector<second>, B>;
    return detail::end_with(std::move(s), detail::unzip_consumer<R, C1, C2>());
  });
}

}  // namespace astd::stream
