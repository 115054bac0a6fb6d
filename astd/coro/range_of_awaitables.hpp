// Ranges of awaitables as join and race take them, without <ranges>.
#pragma once

#include <astd/coro/awaitable.hpp>

#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

namespace astd::detail {

template <class R>
using range_reference = decltype(*std::begin(std::declval<std::remove_reference_t<R>&>()));

/// What is awaited for each element: the element itself, moved, of an rvalue range; the element by reference else.
template <class R>
using element_of_range =
    std::conditional_t<std::is_lvalue_reference_v<R> || !std::is_reference_v<range_reference<R>>,
                       range_reference<R>, std::remove_cvref_t<range_reference<R>>>;

template <class R>
concept range_of_awaitables = !awaitable<R> && requires(std::remove_reference_t<R>& r) {
  std::begin(r) != std::end(r);
} && awaitable<element_of_range<R>>;

template <class R>
std::size_t range_size(R& range) {
  if constexpr (requires { std::size(range); })
    return static_cast<std::size_t>(std::size(range));
  else
    return static_cast<std::size_t>(std::distance(std::begin(range), std::end(range)));
}

}  // namespace astd::detail
