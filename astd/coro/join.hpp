// join(a, b, ...): awaits several things at once and gives all their values.
//
//   auto both = co_await join(fetch(a), fetch(b));     // std::tuple<page, page>
//   auto all = co_await join(std::move(tasks));        // std::vector of the values, in order
//
// try_join is the same, but the first failure cancels the rest.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/fixed_array.hpp>
#include <astd/coro/branch_pack.hpp>
#include <astd/coro/range_of_awaitables.hpp>

#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

namespace astd {
namespace detail {

/// Ends with all values, or with the first failure.
class join_base : public composite {
 protected:
  explicit join_base(bool cancels) noexcept : composite(cancels ? "try_join" : "join"), cancels_(cancels) {}
  ~join_base() = default;
  /// The branch that failed first, if any did.
  [[nodiscard]] branch_base* failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

 private:
  resumable* branch_ended(branch_base& b) noexcept final;
  [[nodiscard]] bool has_outcome() const noexcept final;
  atomic<branch_base*> failed_{nullptr};
  bool cancels_;
};

template <class... A>
class join_awaiter final : public join_base, public awaiter_base<join_awaiter<A...>> {
 public:
  using value_type = std::tuple<element<typename branch<A>::value_type>...>;
  join_awaiter(bool cancels, std::tuple<A...>&& from) : join_base(cancels), branches_(*this, std::move(from)) {
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
      branches_.all([&](auto&... b) { all.set_value(take_element(b.result())...); });
    return all;
  }

 private:
  branches<A...> branches_;
};

template <class A>
class range_join_awaiter final : public join_base, public awaiter_base<range_join_awaiter<A>> {
  using T = typename branch<A>::value_type;

 public:
  using value_type = std::vector<element<T>>;
  template <class R>
  range_join_awaiter(bool cancels, R&& range) : join_base(cancels), branches_(detail::range_size(range)) {
    for (auto&& a : range) add(branches_.emplace_back(*this, static_cast<A&&>(a)));
  }

  bool await_ready() const noexcept { return branches_.size() == 0; }
  resumable* start(const await_context& c) noexcept { return start_branches(c); }
  outcome<value_type> take() {
    resumed();
    outcome<value_type> all;
    if (branch_base* bad = failed()) {
      all.set_error_of(static_cast<branch<A>*>(bad)->result());
    } else {
      value_type values;
      values.reserve(branches_.size());
      for (branch<A>& b : branches_) values.push_back(take_element(b.result()));
      all.set_value(std::move(values));
    }
    return all;
  }

 private:
  fixed_array<branch<A>> branches_;
};

template <class... A>
class join_awaitable {
 public:
  join_awaitable(bool cancels, A&&... a) : a_(static_cast<A&&>(a)...), cancels_(cancels) {}
  auto operator co_await() && { return join_awaiter<A...>(cancels_, std::move(a_)); }

 private:
  std::tuple<A...> a_;
  bool cancels_;
};

template <class R>
class range_join_awaitable {
 public:
  range_join_awaitable(bool cancels, R&& range) : range_(static_cast<R&&>(range)), cancels_(cancels) {}
  auto operator co_await() && {
    return range_join_awaiter<element_of_range<R>>(cancels_, static_cast<R&&>(range_));
  }

 private:
  R range_;
  bool cancels_;
};

}  // namespace detail

/// Awaits all of `aw` together: a std::tuple of their values (std::monostate for void). Has ended when all have; if one
/// or more failed, the failure that came first is thrown then. Rvalues are moved in, lvalues are referred to. On
/// several workers the branches may run at the same time. Cancelling it cancels all. Takes no lock and no allocation.
template <awaitable... A>
  requires(sizeof...(A) > 0)
[[nodiscard]] auto join(A&&... aw) {
  return detail::join_awaitable<A...>(false, static_cast<A&&>(aw)...);
}

/// The same for a range of awaitables of one type: a std::vector of their values in the range's order. The elements are
/// moved from if the range is an rvalue. An empty range gives an empty vector. One allocation for all branches.
template <detail::range_of_awaitables R>
[[nodiscard]] auto join(R&& range) {
  return detail::range_join_awaitable<R>(false, static_cast<R&&>(range));
}

/// As join, but the first failure cancels the others; it is thrown when they have ended.
template <awaitable... A>
  requires(sizeof...(A) > 0)
[[nodiscard]] auto try_join(A&&... aw) {
  return detail::join_awaitable<A...>(true, static_cast<A&&>(aw)...);
}

/// The same for a range: see join.
template <detail::range_of_awaitables R>
[[nodiscard]] auto try_join(R&& range) {
  return detail::range_join_awaitable<R>(true, static_cast<R&&>(range));
}

}  // namespace astd
