// The branches of a composite whose number is known at compile time: a tuple of things that cannot be moved.
#pragma once

#include <astd/coro/composite.hpp>

#include <cstddef>
#include <tuple>
#include <utility>
#include <variant>

namespace astd::detail {

/// What void becomes inside a tuple or variant.
template <class T>
using element = value_or_unit<T, std::monostate>;

template <class T>
element<T> take_element(outcome<T>& o) {
  if constexpr (std::is_void_v<T>)
    return std::monostate();
  else
    return std::move(o).get();
}

template <std::size_t I, class A>
struct branch_leaf {
  branch_leaf(composite& owner, A&& a) : value(owner, static_cast<A&&>(a)) {}
  branch<A> value;
};

template <class Indices, class... A>
class indexed_branches;

template <std::size_t... I, class... A>
class indexed_branches<std::index_sequence<I...>, A...> : branch_leaf<I, A>... {
 public:
  indexed_branches(composite& owner, std::tuple<A...>&& from)
      : branch_leaf<I, A>(owner, static_cast<A&&>(std::get<I>(from)))... {}

  /// f(branch, std::integral_constant index) for each, in order.
  template <class F>
  void each(F&& f) {
    (f(static_cast<branch_leaf<I, A>&>(*this).value, std::integral_constant<std::size_t, I>()), ...);
  }
  /// f(branch...) once.
  template <class F>
  decltype(auto) all(F&& f) {
    return f(static_cast<branch_leaf<I, A>&>(*this).value...);
  }
};

template <class... A>
using branches = indexed_branches<std::index_sequence_for<A...>, A...>;

}  // namespace astd::detail
