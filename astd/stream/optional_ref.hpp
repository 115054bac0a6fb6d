// optional_ref<T>: a reference or nothing. What next() gives for a stream of references, as std::optional cannot hold one.
//
//   std::vector<int> v{1, 2, 3};
//   auto numbers = astd::stream::from(v);
//   while (true) {
//     auto n = co_await numbers.next();   // optional_ref<int>
//     if (!n) break;
//     *n += 1;                            // v[i]
//   }
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

namespace astd::stream {

/// Behaves as C++26's std::optional<T&>: copies refer to the same object, assigning makes it refer to another. What it
/// refers to must outlive its use.
template <class T>
class optional_ref {
 public:
  using value_type = T;
  constexpr optional_ref() noexcept = default;
  constexpr optional_ref(std::nullopt_t) noexcept {}
  constexpr optional_ref(T& object) noexcept : object_(__builtin_addressof(object)) {}  // NOLINT: as an optional
  template <class U>
    requires(std::is_same_v<T, const U>)
  constexpr optional_ref(const optional_ref<U>& other) noexcept : object_(other.operator->()) {}

  [[nodiscard]] constexpr bool has_value() const noexcept { return object_ != nullptr; }
  constexpr explicit operator bool() const noexcept { return object_ != nullptr; }
  constexpr T& operator*() const noexcept { return *object_; }
  constexpr T* operator->() const noexcept { return object_; }
  /// Throws std::bad_optional_access if there is none.
  constexpr T& value() const {
    if (!object_) return *std::optional<T*>().value();
    return *object_;
  }
  template <class U>
  constexpr std::remove_cv_t<T> value_or(U&& other) const {
    return object_ ? *object_ : static_cast<std::remove_cv_t<T>>(std::forward<U>(other));
  }
  /// A copy of the object.
  constexpr operator std::optional<std::remove_cv_t<T>>() const {  // NOLINT: loses nothing
    return object_ ? std::optional<std::remove_cv_t<T>>(*object_) : std::nullopt;
  }

  friend constexpr bool operator==(const optional_ref& a, std::nullopt_t) noexcept { return !a; }
  /// Compares the objects, as std::optional does.
  friend constexpr bool operator==(const optional_ref& a, const optional_ref& b) {
    return a.object_ && b.object_ ? *a == *b : a.object_ == b.object_;
  }
  template <class U>
  friend constexpr bool operator==(const optional_ref& a, const std::optional<U>& b) {
    return a && b ? *a == *b : a.has_value() == b.has_value();
  }
  template <class U>
    requires(!std::is_same_v<U, optional_ref> && !std::is_same_v<U, std::nullopt_t>) &&
            requires(const T& object, const U& other) { object == other; }
  friend constexpr bool operator==(const optional_ref& a, const U& b) {
    return a && *a == b;
  }

 private:
  T* object_ = nullptr;
};

}  // namespace astd::stream
