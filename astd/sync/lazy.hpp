// lazy: a value that is made when it is first asked for.
//
//   astd::lazy<config> settings([]() -> astd::task<config> { ... });    // may be a global
//   auto& c = co_await settings.get();
#pragma once

#include <astd/sync/once_cell.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

template <class Made>
struct made_value {
  using type = std::decay_t<Made>;
};
template <awaitable Made>
struct made_value<Made> {
  using type = std::decay_t<await_result_t<Made>>;
};

/// Calls a function without captures, and awaits what it returns if that is to be awaited.
template <class T, class F>
task<T> make_by() {
  F make{};
  if constexpr (awaitable<std::invoke_result_t<F&>>) {
    auto value = co_await make();
    co_return value;
  } else {
    co_return make();
  }
}

}  // namespace detail

/// A once_cell with the function that fills it, which returns a T or something to await for one. If that fails, throws or is
/// cancelled, it ends so for who asked, and the next one calls it again. Every member may be called on any thread.
template <class T, class F = task<T> (*)()>
class lazy {
 public:
  /// `name` is shown by dump_tasks(). It must outlive the value: usually a literal.
  explicit constexpr lazy(F make, const char* name = nullptr) noexcept(std::is_nothrow_move_constructible_v<F>)
      : cell_(name), make_(std::move(make)) {}
  /// lazy<T>, with its type but without the function's, of a lambda without captures.
  template <class G>
    requires(std::same_as<F, task<T> (*)()> && !std::convertible_to<G, F> && std::is_empty_v<G> &&
             std::default_initializable<G> && std::invocable<G&>)
  explicit constexpr lazy(G, const char* name = nullptr) noexcept : cell_(name), make_(&detail::make_by<T, G>) {}

  /// `T& value = co_await l.get();` One load if there is one.
  [[nodiscard]] auto get() {
    auto make = [this]() -> std::invoke_result_t<F&> { return make_(); };
    return cell_.get_or_init(make);
  }
  /// The value, or null if nobody has asked for it yet.
  [[nodiscard]] T* try_get() noexcept { return cell_.get(); }
  [[nodiscard]] const T* try_get() const noexcept { return cell_.get(); }
  /// As get(), for plain threads, where the function returns the value itself.
  [[nodiscard]] T& get_blocking() { return cell_.get_or_init_blocking(make_); }

 private:
  once_cell<T> cell_;
  F make_;
};

template <class F>
lazy(F) -> lazy<typename detail::made_value<std::invoke_result_t<F&>>::type, F>;
template <class F>
lazy(F, const char*) -> lazy<typename detail::made_value<std::invoke_result_t<F&>>::type, F>;

}  // namespace astd
