// task_local<T>: a value that belongs to a stretch of a task, as a thread_local belongs to a thread.
//
//   astd::task_local<request_id> current_request;
//   co_await current_request.with(id, handle(request));    // in handle, and all it awaits: current_request.get() == id
//
// Nothing passes from one task to another by itself. A task_local that is made with inherited is copied to tasks that
// are spawned where it has a value.
#pragma once

#include <astd/coro/branch_pack.hpp>
#include <astd/coro/composite.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace astd {

template <class T>
class task_local;

/// For the constructor of task_local.
struct inherited_t {
  explicit inherited_t() = default;
};
inline constexpr inherited_t inherited{};

namespace detail {

/// A value that is bound for a chain; innermost first.
struct local_binding {
  const void* key;
  void* value;
  const local_binding* outer;
  local_binding* (*copy)(const local_binding&);        // null: not inherited
  void (*destroy)(local_binding*) noexcept = nullptr;  // for copies
};

/// The value that the running chain has for `key`, or null.
void* find_local(const void* key) noexcept;
/// Copies what is to be inherited from `from`: all of it, or it throws.
void inherit_locals(const chain& from, task_header& to);
void end_inherited_locals(task_header& t) noexcept;
[[noreturn]] void throw_no_local();

template <class T>
struct owned_binding : local_binding {
  explicit owned_binding(const local_binding& from)
      : local_binding{from.key, &copy_of, nullptr, &make, &end}, copy_of(*static_cast<const T*>(from.value)) {}
  static local_binding* make(const local_binding& from) { return new owned_binding(from); }
  static void end(local_binding* b) noexcept { delete static_cast<owned_binding*>(b); }
  T copy_of;
};

template <class T, class A>
class with_local_awaiter final : public composite, public awaiter_base<with_local_awaiter<T, A>> {
 public:
  using value_type = typename branch<A>::value_type;
  with_local_awaiter(const void* key, bool inherit, T&& value, A&& a)
      : composite("task_local"),
        value_(std::move(value)),
        binding_{key, &value_, nullptr, nullptr},
        body_(*this, static_cast<A&&>(a)) {
    if constexpr (std::copy_constructible<T>)
      if (inherit) binding_.copy = &owned_binding<T>::make;
    add(body_);
  }

  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept {
    resumable* const first = start_branches(c);
    binding_.outer = c.in->locals();
    body_.set_locals(&binding_);
    return first;
  }
  outcome<value_type> take() {
    resumed();
    return std::move(body_.result());
  }

 private:
  resumable* branch_ended(branch_base&) noexcept override { return nullptr; }
  [[nodiscard]] bool has_outcome() const noexcept override { return !body_.stopped(); }
  T value_;
  local_binding binding_;
  branch<A> body_;
};

template <class T, class A>
class with_local_awaitable {
 public:
  with_local_awaitable(const void* key, bool inherit, T&& value, A&& a)
      : key_(key), inherit_(inherit), value_(std::move(value)), a_(static_cast<A&&>(a)) {}
  auto operator co_await() && {
    return with_local_awaiter<T, A>(key_, inherit_, std::move(value_), static_cast<A&&>(a_));
  }

 private:
  const void* key_;
  bool inherit_;
  T value_;
  A a_;
};

}  // namespace detail

/// Usually a static. Outlives every with(). What runs at the same time inside one with(), such as the branches of a
/// join, shares the value and sees to it that this does no harm.
template <class T>
class task_local {
 public:
  task_local() noexcept = default;
  /// Copied to tasks that are spawned where it has a value.
  explicit task_local(inherited_t) noexcept
    requires std::copy_constructible<T>
      : inherit_(true) {}
  task_local(const task_local&) = delete;
  task_local& operator=(const task_local&) = delete;

  /// Awaits `aw`, in which this has `value`; an inner with() hides it. The value lives until `aw` has ended.
  template <awaitable A>
  [[nodiscard]] auto with(T value, A&& aw) {
    return detail::with_local_awaitable<T, A>(this, inherit_, std::move(value), static_cast<A&&>(aw));
  }

  /// The value here; throws std::logic_error outside of every with(). Valid as long as the with().
  [[nodiscard]] T& get() const {
    T* const value = try_get();
    if (!value) detail::throw_no_local();
    return *value;
  }
  /// The same, null where there is none.
  [[nodiscard]] T* try_get() const noexcept { return static_cast<T*>(detail::find_local(this)); }

 private:
  bool inherit_ = false;
};

}  // namespace astd
