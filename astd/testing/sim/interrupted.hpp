// sim::interrupted(aw): what a program does if it is cancelled here, at whatever moment.
//
//   auto n = co_await astd::sim::interrupted(stream.read(buffer));
//   if (!n) continue;                                  // stopped before it had read anything
//
// The moment is drawn for each call, so that over many seeds it comes at every suspension that `aw` has.
#pragma once

#include <astd/coro/select.hpp>
#include <astd/coro/task.hpp>

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace astd::sim {
namespace detail {

/// Ends after some turns, or some time, or both, that the seed decides: mostly soon.
[[nodiscard]] task<> random_moment();

}  // namespace detail

/// Awaits `aw` and asks it to stop at a random moment. Its value (std::monostate for void), or empty if it was stopped; by
/// then it has ended. A failure of `aw` is its own. `aw` may be an rvalue, which is moved in, or an lvalue, which outlives
/// the await.
template <awaitable A>
[[nodiscard]] auto interrupted(A&& aw)
    -> task<std::optional<astd::detail::element<typename astd::detail::branch<A>::value_type>>> {
  // Not a coroutine parameter by reference: what it is made of is kept in the frame.
  return [](auto what) -> task<std::optional<astd::detail::element<typename astd::detail::branch<A>::value_type>>> {
    auto all = co_await select(std::get<0>(std::move(what)), detail::random_moment());
    co_return std::move(std::get<0>(all));
  }(std::tuple<A>(static_cast<A&&>(aw)));
}

}  // namespace astd::sim
