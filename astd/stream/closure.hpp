// What stands behind `|`: a closure that makes an adaptor, or an end, of what stands in front of it.
#pragma once

#include <astd/stream/as_piece.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace astd::stream::detail {

struct closure_tag {};

/// `Make` makes an adaptor, or an end, of the piece it is given.
template <class Make>
class closure : public closure_tag {
 public:
  explicit closure(Make make) : make_(std::move(make)) {}
  template <class P>
  auto apply(P&& p) && {
    return std::move(make_)(std::move(p));
  }
  template <class P>
  auto apply(P&& p) const& {
    return Make(make_)(std::move(p));
  }
  template <class P>
  auto apply(P&& p) & {
    return Make(make_)(std::move(p));
  }

 private:
  Make make_;
};

template <class C>
concept is_closure = std::derived_from<std::remove_cvref_t<C>, closure_tag>;

template <class S, is_closure C>
  requires(!is_closure<S>)
auto operator|(S&& s, C&& c) {
  if constexpr (stream::source<S>)
    return static_cast<C&&>(c).apply(detail::as_piece(static_cast<S&&>(s)));
  else
    static_assert(
        stream::source<S>,
        "astd::stream::source: what is piped is neither a stream (next() gives an awaitable of an optional) "
        "nor a range");
}
/// Two adaptors as one.
template <is_closure A, is_closure B>
auto operator|(A&& a, B&& b) {
  auto both = [first = static_cast<A&&>(a), second = static_cast<B&&>(b)]<class P>(P&& p) mutable {
    return std::move(second).apply(std::move(first).apply(std::move(p)));
  };
  return closure<decltype(both)>(std::move(both));
}
/// What needs no argument may stand there without parentheses, as in std::views.
template <class S, is_closure C>
auto operator|(S&& s, C (*make)()) {
  return static_cast<S&&>(s) | make();
}

}  // namespace astd::stream::detail
