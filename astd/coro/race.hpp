// race(a, b, ...): the value of whichever ends first; the others are cancelled and have ended when race returns.
//
//   auto page = co_await race(fetch(mirror_1), fetch(mirror_2));
//
// try_race wants the first success. What ends at the same moment as the winner is lost with race: where every value
// counts, use select.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/fixed_array.hpp>
#include <astd/coro/branch_pack.hpp>
#include <astd/coro/range_of_awaitables.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace astd {
namespace detail {

/// Ends with one branch's outcome; the first to end (or to succeed) cancels the others.
class race_base : public composite {
 protected:
  explicit race_base(bool wants_success) noexcept
      : composite(wants_success ? "try_race" : "race"), wants_success_(wants_success) {}
  ~race_base() = default;
  /// The winner; for try_race without a success, the last to fail.
  [[nodiscard]] branch_base* winner() const noexcept {
    branch_base* w = winner_.load(std::memory_order_relaxed);
    return w ? w : last_failed_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] resumable* start_race(const await_context& c) noexcept;

 private:
  void settling(branch_base& b) noexcept final;
  resumable* branch_ended(branch_base& b) noexcept final;
  void stop_more() noexcept final;
  [[nodiscard]] bool has_outcome() const noexcept final;
  atomic<branch_base*> winner_{nullptr};
  atomic<branch_base*> last_failed_{nullptr};
  bool wants_success_;
};

// Removes repetitions, keeping the order.
template <class Seen, class... T>
struct distinct;
template <class... Seen>
struct distinct<std::variant<Seen...>> {
  using type = std::variant<Seen...>;
};
template <class... Seen, class T, class... Rest>
struct distinct<std::variant<Seen...>, T, Rest...>
    : std::conditional_t<(std::is_same_v<Seen, T> || ...), distinct<std::variant<Seen...>, Rest...>,
                         distinct<std::variant<Seen..., T>, Rest...>> {};

template <class First, class... Rest>
struct race_value {
  static_assert(!(std::is_reference_v<First> || ... || std::is_reference_v<Rest>),
                "race: of several types of results none may be a reference, which a std::variant cannot hold");
  using type = typename distinct<std::variant<>, element<First>, element<Rest>...>::type;
};
template <class First, class... Rest>
  requires(std::is_same_v<First, Rest> && ...)
struct race_value<First, Rest...> {
  using type = First;
};

template <class... A>
class race_awaiter final : public race_base, public awaiter_base<race_awaiter<A...>> {
 public:
  using value_type = typename race_value<typename branch<A>::value_type...>::type;
  race_awaiter(bool wants_success, std::tuple<A...>&& from)
      : race_base(wants_success), branches_(*this, std::move(from)) {
    branches_.each([this](auto& b, auto) { add(b); });
  }

  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept { return start_branches(c); }
  outcome<value_type> take() {
    resumed();
    outcome<value_type> won;
    branches_.each([&](auto& b, auto) {
      if (static_cast<branch_base*>(&b) != winner()) return;
      if (b.failed())
        won.set_error_of(b.result());
      else if constexpr (std::is_void_v<value_type>)
        won.set_value();
      else if constexpr (std::is_reference_v<value_type>)
        won.set_value(std::move(b.result()).get());
      else
        won.set_value(take_element(b.result()));
    });
    return won;
  }

 private:
  branches<A...> branches_;
};

template <class A>
class range_race_awaiter final : public race_base, public awaiter_base<range_race_awaiter<A>> {
 public:
  using value_type = typename branch<A>::value_type;
  template <class R>
  range_race_awaiter(bool wants_success, R&& range)
      : race_base(wants_success), branches_(detail::range_size(range)) {
    for (auto&& a : range) add(branches_.emplace_back(*this, static_cast<A&&>(a)));
  }

  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept { return start_race(c); }
  outcome<value_type> take() {
    resumed();
    auto* const won = static_cast<branch<A>*>(winner());
    return won ? std::move(won->result()) : outcome<value_type>();
  }

 private:
  fixed_array<branch<A>> branches_;
};

template <class... A>
class race_awaitable {
 public:
  race_awaitable(bool wants_success, A&&... a) : a_(static_cast<A&&>(a)...), wants_success_(wants_success) {}
  auto operator co_await() && { return race_awaiter<A...>(wants_success_, std::move(a_)); }

 private:
  std::tuple<A...> a_;
  bool wants_success_;
};

template <class R>
class range_race_awaitable {
 public:
  range_race_awaitable(bool wants_success, R&& range)
      : range_(static_cast<R&&>(range)), wants_success_(wants_success) {}
  auto operator co_await() && {
    return range_race_awaiter<element_of_range<R>>(wants_success_, static_cast<R&&>(range_));
  }

 private:
  R range_;
  bool wants_success_;
};

}  // namespace detail

/// Awaits all of `aw` together and gives the outcome, value or failure, of the first to end; the others are cancelled,
/// and have ended when race returns. They start in order: if an earlier one is ready at once, later ones never start.
/// If the types differ the value is a std::variant of the distinct ones (std::monostate for void). Rvalues are moved
/// in, lvalues are referred to. Cancelling it cancels all; a winner that was already known is delivered. Takes no
/// allocation.
template <awaitable... A>
  requires(sizeof...(A) > 0)
[[nodiscard]] auto race(A&&... aw) {
  return detail::race_awaitable<A...>(false, static_cast<A&&>(aw)...);
}

/// The same for a range of awaitables of one type. Racing an empty range never ends, like pending(): it can only be
/// cancelled. One allocation for all branches.
template <detail::range_of_awaitables R>
[[nodiscard]] auto race(R&& range) {
  return detail::range_race_awaitable<R>(false, static_cast<R&&>(range));
}

/// As race, but failures do not count: the first success, or, when all have failed, the failure that came last. If it
/// is cancelled before it knows either, it is stopped, and what failed until then is forgotten.
template <awaitable... A>
  requires(sizeof...(A) > 0)
[[nodiscard]] auto try_race(A&&... aw) {
  return detail::race_awaitable<A...>(true, static_cast<A&&>(aw)...);
}

/// The same for a range: see race.
template <detail::range_of_awaitables R>
[[nodiscard]] auto try_race(R&& range) {
  return detail::range_race_awaitable<R>(true, static_cast<R&&>(range));
}

}  // namespace astd
