// select(a, b, ...): ends with the first, like race, but loses nothing: whatever else has its value by then is given
// too.
//
//   auto [line, tick] = co_await select(lines.next(), clock.next());   // optionals
//   if (line) ...
//   if (tick) ...
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/coro/branch_pack.hpp>

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

class select_base : public composite {
 protected:
  select_base() noexcept : composite("select") {}
  ~select_base() = default;
  [[nodiscard]] branch_base* failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

 private:
  resumable* branch_ended(branch_base& b) noexcept final;
  [[nodiscard]] bool has_outcome() const noexcept final { return any_.load(std::memory_order_relaxed); }
  atomic<bool> any_{false};
  atomic<branch_base*> failed_{nullptr};
};

template <class... A>
class select_awaiter final : public select_base, public awaiter_base<select_awaiter<A...>> {
  static_assert((!std::is_reference_v<typename branch<A>::value_type> && ...),
                "select: a std::optional cannot hold a reference; let the branch give a pointer");

 public:
  using value_type = std::tuple<std::optional<element<typename branch<A>::value_type>>...>;
  explicit select_awaiter(std::tuple<A...>&& from) : branches_(*this, std::move(from)) {
    branches_.each([this](auto& b, auto) { add(b); });
  }

  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept { return start_branches(c); }
  outcome<value_type> take() {
    resumed();
    outcome<value_type> all;
    if (branch_base* bad = failed())
      branches_.each([&](auto& b, auto) {
        if (static_cast<branch_base*>(&b) == bad) all.set_error_of(b.result());
      });
    else
      branches_.all([&](auto&... b) { all.set_value(value_if_any(b)...); });
    return all;
  }

 private:
  template <class B>
  static std::optional<element<typename B::value_type>> value_if_any(B& b) {
    if (!b.has_value()) return std::nullopt;
    return std::optional<element<typename B::value_type>>(std::in_place, take_element(b.result()));
  }
  branches<A...> branches_;
};

template <class... A>
class select_awaitable {
 public:
  explicit select_awaitable(A&&... a) : a_(static_cast<A&&>(a)...) {}
  auto operator co_await() && { return select_awaiter<A...>(std::move(a_)); }

 private:
  std::tuple<A...> a_;
};

}  // namespace detail

/// Awaits all of `aw` together until one has ended, cancels the others, waits until they have ended, and gives a
/// std::tuple with a std::optional for each (of std::monostate for void): every value that exists by then. A failure of
/// a branch is thrown, and with it go the values of the others: where that must not happen, wrap the branches in
/// as_result. Results that are references cannot be selected. Rvalues are moved in, lvalues are referred to. Cancelling
/// it cancels all; if a branch has ended by then, that is delivered. Takes no allocation.
template <awaitable... A>
  requires(sizeof...(A) > 0)
[[nodiscard]] auto select(A&&... aw) {
  return detail::select_awaitable<A...>(static_cast<A&&>(aw)...);
}

}  // namespace astd
