// How an awaited thing ended: with a value, a failure, an exception, or without any (it was stopped).
#pragma once

#include <astd/base/construct.hpp>
#include <astd/base/error.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace astd::detail {

struct nothing {};

// What an outcome stores for a T: references as pointers, void as nothing.
template <class T>
struct stored {
  using type = T;
};
template <class T>
struct stored<T&> {
  using type = T*;
};
template <>
struct stored<void> {
  using type = nothing;
};
template <class T>
using stored_t = typename stored<std::remove_cv_t<T>>::type;

/// T where it can stand in a tuple or optional: std::monostate's place is taken by the caller's choice.
template <class T, class Unit>
using value_or_unit = std::conditional_t<std::is_void_v<T>, Unit, T>;

template <class T>
class outcome {
 public:
  enum class kind : unsigned char { none, value, failed, thrown };

  outcome() noexcept {}
  outcome(failure f) noexcept { set_failure(std::move(f)); }  // NOLINT: as a value converts to an optional
  outcome(outcome&& other) noexcept(std::is_nothrow_move_constructible_v<stored_t<T>>) { take(other); }
  outcome& operator=(outcome&& other) noexcept(std::is_nothrow_move_constructible_v<stored_t<T>>) {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~outcome() { reset(); }

  // Each may follow another: a local's destructor may throw behind co_return, and be caught before the next.
  template <class... Args>
  void set_value(Args&&... args) {
    reset();
    if constexpr (std::is_reference_v<T>)
      value_ = (__builtin_addressof(args), ...);
    else
      detail::construct(value_, std::forward<Args>(args)...);
    kind_ = kind::value;
  }
  void set_failure(failure f) noexcept {
    reset();
    detail::construct(failure_, std::move(f));
    kind_ = kind::failed;
  }
  void set_exception(std::exception_ptr e) noexcept {
    reset();
    detail::construct(thrown_, std::move(e));
    kind_ = kind::thrown;
  }

  [[nodiscard]] kind what() const noexcept { return kind_; }
  [[nodiscard]] bool has_value() const noexcept { return kind_ == kind::value; }
  [[nodiscard]] bool failed() const noexcept { return kind_ == kind::failed || kind_ == kind::thrown; }

  /// The value; throws what else there is.
  T get() && {
    if (kind_ != kind::value) [[unlikely]]
      throw_other();
    if constexpr (std::is_reference_v<T>)
      return static_cast<T>(*value_);
    else if constexpr (!std::is_void_v<T>)
      return std::move(value_);
  }
  /// Only if kind() says so.
  failure& error() noexcept { return failure_; }
  std::exception_ptr& exception() noexcept { return thrown_; }

  /// Takes over another's failure or exception.
  template <class U>
  void set_error_of(outcome<U>& other) noexcept {
    if (other.what() == outcome<U>::kind::failed)
      set_failure(std::move(other.error()));
    else if (other.what() == outcome<U>::kind::thrown)
      set_exception(std::move(other.exception()));
  }

  /// Moves the value into something constructed from it: optional<T>, tuple element.
  template <class Target>
  Target value_as() && {
    if constexpr (std::is_void_v<T>)
      return Target(std::in_place);
    else
      return Target(std::in_place, static_cast<T&&>(std::move(*this).get()));
  }

  void reset() noexcept {
    switch (std::exchange(kind_, kind::none)) {
      case kind::none: return;
      case kind::value: detail::destroy(value_); break;
      case kind::failed: detail::destroy(failure_); break;
      case kind::thrown: detail::destroy(thrown_); break;
    }
  }

 private:
  void take(outcome& other) {
    switch (other.kind_) {
      case kind::none: return;
      case kind::value: detail::construct(value_, std::move(other.value_)); break;
      case kind::failed: detail::construct(failure_, std::move(other.failure_)); break;
      case kind::thrown: detail::construct(thrown_, std::move(other.thrown_)); break;
    }
    kind_ = other.kind_;
  }
  [[noreturn]] ASTD_NOINLINE void throw_other() {
    if (kind_ == kind::thrown) rethrow(std::move(thrown_));
    // No outcome at all: a chain was stopped and its owner could not be (a foreign coroutine).
    throw_failure(kind_ == kind::failed ? std::move(failure_) : failure(std::errc::operation_canceled));
  }

  union {
    stored_t<T> value_;
    failure failure_;
    std::exception_ptr thrown_;
  };
  kind kind_ = kind::none;
};

}  // namespace astd::detail
