// task_group: tasks that end before the group does. The first failure cancels the rest.
//
//   co_await astd::task_group::run([&](astd::task_group& g) -> astd::task<> {
//     for (const auto& url : urls) g.spawn(fetch(url));
//     auto first = co_await g.next<page>();      // results as they come
//   });
//
// When run() returns, every task that was spawned in the group has ended, whatever happened.
#pragma once

#include <astd/base/intrusive_list.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/coro/composite.hpp>
#include <astd/runtime/spawn.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace astd {

class task_group;

namespace detail {

class group_base;

// A type as an address, to ask for it at run time.
template <class T>
inline constexpr char type_mark = 0;

/// What a group has to know of a task.
struct group_member {
  task_header* task = nullptr;
  const void* type = nullptr;  // type_mark of its value; null for a reference, which next() does not give
  outcome<void> (*error_of)(task_header&) noexcept = nullptr;
  void (*free)(task_header&) noexcept = nullptr;
};

/// A task's membership in a group; lives until the task has ended or, if it has a value that next() may give, until
/// somebody has that.
struct group_child : list_node, group_member {
  group_child(const group_member& member, group_base& in) noexcept : group_member(member), group(&in) {}
  group_base* group;
};

/// Waits until a task with a certain type of value has ended, or none is left.
class next_waiter : public suspension, public list_node {
 public:
  void request_stop() noexcept final;
  void describe(std::string& out, unsigned) const final { out += "task_group::next"; }

 protected:
  next_waiter(group_base& group, const void* type) noexcept : group_(group), type_(type) {}
  [[nodiscard]] bool look() noexcept;
  [[nodiscard]] resumable* wait(const await_context& c) noexcept;
  group_child* found_ = nullptr;
  bool counted_ = false;  // one that ended without a value

 private:
  friend class group_base;
  group_base& group_;
  const void* type_;
  bool stop_asked_ = false;
};

/// The part of a group that knows nothing of its body's type.
class group_base : public composite {
 public:
  /// A child has ended: tells the joiner, next() and the group.
  resumable* child_ended(group_child& c, bool& gone) noexcept;
  void cancel_children(const group_child* except) noexcept;
  /// Before the child is launched. Throws std::bad_alloc.
  void enlist(const group_member& member);
  [[nodiscard]] std::size_t size() const noexcept;
  /// A child that had ended while somebody held its handle: now nobody does, or the value was taken. False: the group
  /// is gone.
  static bool take_over(task_header& t) noexcept;
  static void forget(task_header& t) noexcept;

 protected:
  group_base() noexcept : composite("task_group") {}
  ~group_base();
  /// Whether a request to stop has cost a child its end: then the group has no value to give either.
  [[nodiscard]] bool cut_off() const noexcept { return cut_off_; }
  /// The failure that came first, of the body or of a child.
  [[nodiscard]] outcome<void>& first_failure() noexcept { return failure_; }
  void fail(outcome<void>&& failure, const group_child* by) noexcept;

 private:
  friend class next_waiter;
  struct kind {
    const void* type;
    std::size_t alive;
    std::size_t counted = 0;  // of void: those that have ended, and next() has not told of; nothing of them is kept
  };
  void stop_more() noexcept final;
  // Under next_lock_: what is known of that kind, or null.
  kind* find_kind(const void* type) noexcept;
  // Under next_lock_: whether `w` need not wait; sets what it found.
  bool serve(next_waiter& w) noexcept;
  void serve_waiting(intrusive_list<next_waiter>& served) noexcept;
  void complete(intrusive_list<next_waiter>& served) noexcept;

  // Held while children are asked to stop, so whatever that may lead to takes other locks only.
  mutable spin_lock lock_;
  bool cancelled_ = false;
  bool stop_asked_ = false;  // from outside
  bool cut_off_ = false;     // a child was stopped by that
  std::size_t alive_ = 0;
  intrusive_list<group_child> children_;
  outcome<void> failure_;

  // What next() needs. Taken alone, or inside lock_.
  spin_lock next_lock_;
  kind plain_{&type_mark<void>, 0};  // apart, since nearly every group has those
  std::vector<kind> kinds_;          // the others
  intrusive_list<group_child> finished_;
  intrusive_list<next_waiter> waiting_;

  intrusive_list<group_child> held_;  // ended with a value, when somebody held the handle
};

template <class T>
class next_awaiter final : public next_waiter, public awaiter_base<next_awaiter<T>> {
 public:
  using value_type = std::optional<T>;
  explicit next_awaiter(group_base& group) noexcept : next_waiter(group, &type_mark<T>) {}
  ~next_awaiter() {
    if (found_) free_found();
  }
  bool await_ready() noexcept { return look(); }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<value_type> take() {
    resumed();
    outcome<value_type> o;
    if (!found_) {
      o.set_value();
    } else {
      o.set_value(std::in_place, std::move(static_cast<spawned_task<T>*>(found_->task)->result).get());
      free_found();
    }
    return o;
  }

 private:
  void free_found() noexcept {
    free_task(static_cast<spawned_task<T>*>(found_->task));
    delete std::exchange(found_, nullptr);
  }
};

template <>
class next_awaiter<void> final : public next_waiter, public awaiter_base<next_awaiter<void>> {
 public:
  using value_type = std::optional<std::monostate>;
  explicit next_awaiter(group_base& group) noexcept : next_waiter(group, &type_mark<void>) {}
  bool await_ready() noexcept { return look(); }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<value_type> take() {
    resumed();
    outcome<value_type> o;
    if (counted_)
      o.set_value(std::in_place);
    else
      o.set_value();
    return o;
  }
};

template <class T>
class next_awaitable {
 public:
  explicit next_awaitable(group_base& group) noexcept : group_(group) {}
  auto operator co_await() const noexcept { return next_awaiter<T>(group_); }

 private:
  group_base& group_;
};

template <class T>
group_member as_group_member(spawned_task<T>* t) noexcept {
  group_member m;
  m.task = t;
  if constexpr (!std::is_reference_v<T>) m.type = &type_mark<T>;
  m.error_of = [](task_header& h) noexcept {
    auto& result = static_cast<spawned_task<T>&>(h).result;
    outcome<void> copy;
    if (result.what() == outcome<T>::kind::failed) copy.set_failure(result.error());
    if (result.what() == outcome<T>::kind::thrown) copy.set_exception(result.exception());
    return copy;
  };
  m.free = [](task_header& h) noexcept { free_task(static_cast<spawned_task<T>*>(&h)); };
  return m;
}

/// What ends a task that belongs to a group.
resumable* end_group_child(task_header& t, bool& gone) noexcept;

template <class F>
class group_awaitable;

}  // namespace detail

/// A join_handle that may be dropped without a word: the group waits for the task all the same. Converts to one.
template <class T>
class group_handle : public join_handle<T> {
 public:
  explicit group_handle(join_handle<T>&& handle) noexcept : join_handle<T>(std::move(handle)) {}
};

/// Made by run(); lives until every task in it has ended.
class task_group : protected detail::group_base {
 public:
  /// Calls body(group) and awaits the task it returns, then all tasks of the group; gives the body's value. The first
  /// failure, of the body or of a task, cancels the others and is thrown when all have ended. Cancelling run() cancels
  /// them all; if that cost one of them its end, there is no value, whatever the body returned. `body` is moved in, or copied if it is an lvalue.
  template <class F>
    requires std::is_invocable_v<std::decay_t<F>&, task_group&>
  [[nodiscard]] static auto run(F&& body) {
    return detail::group_awaitable<F>(static_cast<F&&>(body));
  }

  /// As astd::spawn. The handle may be awaited, cancelled or dropped; a task that fails fails the group all the same.
  /// In a group that is being cancelled the task ends before it begins. What the task refers to outlives run(). Any
  /// thread, while the group lives. Allocates, and throws std::bad_alloc.
  template <class T>
  group_handle<T> spawn(task<T> t, std::source_location where = std::source_location::current()) {
    const detail::spawn_place place = detail::place_now();
    auto made = detail::prepare_task(std::move(t), place, where);
    detail::inherit_here(*made);  // before it is the group's: what may fail comes first
    enlist(detail::as_group_member(made.get()));
    detail::launch(*made, place);
    return group_handle<T>(join_handle<T>::of(made.release()));
  }
  /// The same for a callable and its arguments: see astd::spawn.
  template <class F, class... A>
    requires detail::spawnable<F, A...>
  auto spawn(F&& f, A&&... arguments) {
    return spawn(detail::make_task(std::forward<F>(f), std::forward<A>(arguments)...));
  }

  /// The value of the next task to end with a T, of those whose handle was dropped; empty when none of those is left
  /// and no task with a T is running. Several may wait. Values that nobody asks for are kept until run() returns, so a
  /// group that serves for ever spawns tasks without a value.
  /// next(), without a type, tells of each task without a value that has ended, whoever has its handle: a std::optional of
  /// std::monostate.
  template <class T = void>
    requires(!std::is_reference_v<T>)
  [[nodiscard]] auto next() noexcept {
    return detail::next_awaitable<T>(*this);
  }

  /// Asks all tasks, not the body, to stop; tasks spawned from now on do not begin. Any thread.
  void request_cancel() noexcept { cancel_children(nullptr); }
  /// How many tasks have not ended.
  [[nodiscard]] std::size_t size() const noexcept { return group_base::size(); }

 protected:
  task_group() noexcept = default;
  ~task_group() = default;
};

namespace detail {

/// Calls it when the group has begun: it may spawn before it returns its task, or throw.
template <class F>
std::invoke_result_t<F&, task_group&> call_body(F& function, task_group& g) {
  if constexpr (std::is_void_v<typename std::invoke_result_t<F&, task_group&>::value_type>)
    co_await function(g);
  else
    co_return co_await function(g);
}

template <class F>
class group_awaiter final : public task_group, public awaiter_base<group_awaiter<F>> {
  using body_task = std::invoke_result_t<std::decay_t<F>&, task_group&>;
  static_assert(is_task<body_task>, "task_group::run: the body takes a task_group& and returns a task");

 public:
  using value_type = typename body_task::value_type;
  explicit group_awaiter(F&& body) : function_(static_cast<F&&>(body)), body_(*this, call_body(function_, *this)) {
    add(body_);
  }

  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept { return start_branches(c); }
  outcome<value_type> take() {
    resumed();
    if (!first_failure().failed()) return std::move(body_.result());
    outcome<value_type> failed;
    failed.set_error_of(first_failure());
    return failed;
  }

 private:
  resumable* branch_ended(branch_base& b) noexcept override {
    if (b.failed()) {
      outcome<void> copy;
      copy.set_error_of(body_.result());
      fail(std::move(copy), nullptr);
    }
    return nullptr;
  }
  [[nodiscard]] bool has_outcome() const noexcept override {
    return (!body_.stopped() && !cut_off()) || const_cast<group_awaiter*>(this)->first_failure().failed();
  }
  std::decay_t<F> function_;  // lives as long as its task
  branch<body_task> body_;
};

template <class F>
class group_awaitable {
 public:
  explicit group_awaitable(F&& body) : body_(static_cast<F&&>(body)) {}
  auto operator co_await() && { return group_awaiter<F>(static_cast<F&&>(body_)); }

 private:
  F body_;
};

}  // namespace detail
}  // namespace astd
