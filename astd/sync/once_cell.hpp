// once_cell: a value that is made once, by whoever needs it first; the others wait for it.
//
//   astd::once_cell<config> cell;
//   auto& c = co_await cell.get_or_init(load);     // what load() returns may be awaitable
#pragma once

#include <astd/base/assert.hpp>
#include <astd/sync/latch.hpp>
#include <astd/sync/mapped.hpp>
#include <astd/sync/once.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd {

/// Empty, and then for good of one value, which others may refer to as long as the cell lives. Every member but take() may
/// be called on any thread, tasks or not. The cell outlives whoever waits for it or sets it.
template <class T>
class once_cell {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>);
  template <class F>
  class making;

 public:
  constexpr once_cell() noexcept : once_cell(nullptr) {}
  /// `name` is shown by dump_tasks(). It must outlive the cell: usually a literal.
  explicit constexpr once_cell(const char* name) noexcept : once_(name), filled_(1, name), empty_() {}
  once_cell(const once_cell&) = delete;
  once_cell& operator=(const once_cell&) = delete;
  ~once_cell() {
    if (once_.done()) std::destroy_at(&value_);
  }

  /// The value, or null if there is none yet.
  [[nodiscard]] T* get() noexcept { return once_.done() ? &value_ : nullptr; }
  [[nodiscard]] const T* get() const noexcept { return once_.done() ? &value_ : nullptr; }
  /// Fills it. False if it is full, or if somebody is about to fill it; then `value` is gone.
  bool set(T value) {
    auto turn = once_.try_begin();
    if (!turn) return false;
    fill(turn, std::move(value));
    return true;
  }
  /// `T& value = co_await cell.get_or_init(f);` If there is a value: one load, no coroutine. Else calls `f`, awaits what it
  /// returns if that can be awaited, and keeps the value; or waits for one who does. If that fails, throws or is
  /// cancelled, it ends so for who called, the cell stays empty, and the next in line calls its own `f`. `f` is moved or
  /// copied in. Within it, get_or_init() of the same cell waits for itself.
  template <class F>
  [[nodiscard]] auto get_or_init(F&& f) {
    using make = making<std::decay_t<F>>;
    return detail::once_task<make>(make(*this, std::forward<F>(f)));
  }
  /// The same for plain threads, where `f` returns the value itself: blocks the thread, and needs no runtime.
  template <class F>
  T& get_or_init_blocking(F&& f) {
    static_assert(!awaitable<std::invoke_result_t<F>>, "what is to be awaited needs get_or_init");
    if (!once_.done()) {
      auto turn = detail::wait_on_thread(once_.begin("once_cell"));
      if (turn) fill(turn, std::forward<F>(f)());
    }
    return value_;
  }
  /// `T& value = co_await cell.wait();` Waits until somebody has filled it.
  [[nodiscard]] auto wait() noexcept {
    auto value = [this]() -> T& { return value_; };
    return detail::mapped(filled_.wait(), value);
  }
  T& wait_blocking() {
    filled_.wait_blocking();
    return value_;
  }
  /// Takes the value out; the cell is empty then and can be filled again. Nobody else may use the cell meanwhile, or what
  /// it has given out.
  [[nodiscard]] std::optional<T> take() {
    std::optional<T> taken;
    if (!once_.done()) return taken;
    taken.emplace(std::move(value_));
    std::destroy_at(&value_);
    once_.reset();
    const char* const name = once_.name();
    std::destroy_at(&filled_);
    std::construct_at(&filled_, 1, name);
    return taken;
  }

 private:
  template <class From>
  void fill(detail::once::turn& turn, From&& value) {
    std::construct_at(&value_, std::forward<From>(value));
    turn.done();
    filled_.count_down();
  }

  detail::once once_;
  latch filled_;
  union {
    detail::nothing empty_;
    T value_;
  };
};

template <class T>
template <class F>
class once_cell<T>::making {
 public:
  template <class From>
  making(once_cell& cell, From&& from) : cell_(&cell), make_(std::forward<From>(from)) {}
  [[nodiscard]] bool done() const noexcept { return cell_->once_.done(); }
  astd::task<> task() { return run(*cell_, make_); }
  T& value() const noexcept { return cell_->value_; }

 private:
  static astd::task<> run(once_cell& cell, F& make) {
    auto turn = co_await cell.once_.begin("once_cell");
    if (!turn) co_return;
    if constexpr (awaitable<std::invoke_result_t<F&>>) {
      auto value = co_await make();
      cell.fill(turn, std::move(value));
    } else {
      cell.fill(turn, make());
    }
  }
  once_cell* cell_;
  F make_;
};

}  // namespace astd
