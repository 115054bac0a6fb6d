// generator<T>: a stream that is written as a coroutine, with co_yield and co_await.
//
//   astd::generator<std::string> lines(astd::net::tcp_stream& from) {
//     for (;;) {
//       std::string line = co_await read_line(from);
//       if (line.empty()) co_return;
//       co_yield std::move(line);
//     }
//   }
//
// It runs when an element is asked for, in the chain of whoever asks, up to its next co_yield.
#pragma once

#include <astd/base/frame_pool.hpp>
#include <astd/coro/affine.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/stream/as_piece.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

namespace astd {

template <class T>
class generator;

/// `co_yield elements_of(s)`: all elements of the stream or range `s`, one after the other. A generator of the same type
/// gives them straight to whoever asks, however deep they are nested. An rvalue is moved in, an lvalue is referred to.
template <class S>
class elements_of {
 public:
  explicit elements_of(S&& s) noexcept : source(static_cast<S&&>(s)) {}
  S&& source;
};
template <class S>
elements_of(S&&) -> elements_of<S>;

namespace detail {

struct generator_access;
template <class T, class S>
generator<T> each_of(S&& s);

/// The part of a generator's promise that knows nothing of its elements.
class generator_promise_base : public promise_base {
 public:
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  auto final_suspend() noexcept {
    struct end {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept {
        return transfer(promise.continuation());
      }
      void await_resume() const noexcept {}
      generator_promise_base& promise;
    };
    return end{*this};
  }
  void return_void() noexcept {}
  void unhandled_exception() noexcept { end_.set_exception(std::current_exception()); }
  void set_failure(failure f) noexcept { end_.set_failure(std::move(f)); }

  /// Who goes on when this generator has ended, or failed: asked once, then.
  [[nodiscard]] resumable* continuation() noexcept {
    over_ = true;
    if (outer_) {
      root_->leaf_ = outer_;
      outer_->go_on_in(in());
    }
    return promise_base::continuation();
  }

  template <awaitable A>
  decltype(auto) await_transform(A&& a, std::source_location where = std::source_location::current()) {
    set_where(where);
    if constexpr (own_awaitable<A>)
      return static_cast<A&&>(a);
    else
      return affine_awaiter<A>(static_cast<A&&>(a));
  }

  void go_on_in(chain& c) noexcept { start_in(*slot(), c); }
  [[nodiscard]] resumable* frame() noexcept {
    return as_resumable(std::coroutine_handle<promise_base>::from_promise(*this));
  }

 protected:
  generator_promise_base() noexcept : root_(this), leaf_(this) {}
  ~generator_promise_base() = default;

 private:
  friend generator_access;
  generator_promise_base* root_;             // the outermost, which is asked for elements
  generator_promise_base* leaf_;             // of the root: the innermost, which gives them
  generator_promise_base* outer_ = nullptr;  // who has delegated to this one
  const void* item_ = nullptr;               // of the root: what was yielded
  bool over_ = false;
  outcome<void> end_;
};

struct generator_access {
  using promise = generator_promise_base;
  static const void*& item(promise& p) noexcept { return p.root_->item_; }
  static bool over(const promise& p) noexcept { return p.over_; }
  static outcome<void>& end(promise& p) noexcept { return p.end_; }
  static promise& root(promise& p) noexcept { return *p.root_; }
  static promise*& leaf(promise& root) noexcept { return root.leaf_; }
  static promise* outer(promise& p) noexcept { return p.outer_; }
  /// `inner`, with all that it has delegated to, gives its elements to `outer`'s root.
  static promise& nest(promise& inner, promise& outer) noexcept {
    inner.outer_ = &outer;
    promise& leaf = *inner.leaf_;
    for (promise* p = &leaf;; p = p->outer_) {
      p->root_ = outer.root_;
      if (p == &inner) break;
    }
    outer.root_->leaf_ = &leaf;
    inner.leaf_ = &inner;  // not kept while it is nested
    return leaf;
  }
};

/// What co_yield awaits: goes to whoever has asked.
class yielded {
 public:
  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> at) const noexcept {
    promise_base& root = generator_access::root(at.promise());
    return transfer(root.continuation());
  }
  void await_resume() const noexcept {}
};

/// The same, with a copy of its own.
template <class T>
class yielded_copy : public yielded {
 public:
  yielded_copy(const T& value, generator_promise_base& by) : value_(value), by_(by) {}
  bool await_ready() noexcept {
    generator_access::item(by_) = __builtin_addressof(value_);
    return false;
  }

 private:
  T value_;
  generator_promise_base& by_;
};

template <class T>
class yielded_generator {
 public:
  explicit yielded_generator(generator<T>&& inner) noexcept : inner_(std::move(inner)) {}
  bool await_ready() const noexcept { return !inner_; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> outer) noexcept;
  void await_resume();

 private:
  generator<T> inner_;
};

template <class T>
class generator_promise final : public generator_promise_base {
  using object = std::remove_reference_t<T>;

 public:
  generator<T> get_return_object() noexcept;

  yielded yield_value(object&& value) noexcept
    requires(!std::is_reference_v<T>)
  {
    generator_access::item(*this) = __builtin_addressof(value);
    return {};
  }
  yielded_copy<object> yield_value(const object& value)
    requires(!std::is_reference_v<T> && std::copy_constructible<object>)
  {
    return yielded_copy<object>(value, *this);
  }
  yielded yield_value(T value) noexcept
    requires std::is_reference_v<T>
  {
    generator_access::item(*this) = __builtin_addressof(value);
    return {};
  }
  yielded_generator<T> yield_value(elements_of<generator<T>> all) noexcept {
    return yielded_generator<T>(std::move(all.source));
  }
  yielded_generator<T> yield_value(elements_of<generator<T>&> all) noexcept {
    return yielded_generator<T>(std::move(all.source));
  }
  template <class S>
  yielded_generator<T> yield_value(elements_of<S> all) {
    return yielded_generator<T>(each_of<T>(stream::detail::as_piece(static_cast<S&&>(all.source))));
  }
};

}  // namespace detail

/// A stream of Ts: objects, or references (generator<T&>), which refer to what was yielded until the next element is asked
/// for. Move-only; an rvalue is piped, or an lvalue is referred to.
///
/// Elements are moved out of what was given to co_yield, or copied if that is an lvalue. An exception that leaves the
/// coroutine, and the error of an or_return or fail in it, is what next() ends with then; behind it is the end. A
/// generator may be asked on another thread, and in another task, each time.
///
/// Parameters by reference outlive it. Destroyed before its end, it destroys what is alive in it, where it stands: at a
/// co_yield, or before its start. If who asks is cancelled while it awaits something, what it awaits ends first, then the
/// coroutine is destroyed, and next() gives the end from then on: so a limit of time (`timeout(d, g.next())`) ends it.
/// stream::timeout and stream::merge do not.
///
/// One allocation, from the frame pool, for each generator; none for an element.
template <class T>
class [[nodiscard("a generator does nothing until it is asked for an element")]] generator
    : public stream::detail::piece_base<generator<T>> {
  static_assert(!std::is_rvalue_reference_v<T> && !std::is_void_v<T>,
                "astd::generator: elements are objects or lvalue references");

 public:
  using promise_type = detail::generator_promise<T>;
  using element = T;
  using value_type = std::remove_cvref_t<T>;

  generator() noexcept : slot_(nullptr) {}
  generator(generator&& other) noexcept = default;
  generator& operator=(generator&& other) noexcept {
    if (this != &other) {
      detail::destroy(*this);
      detail::construct(*this, std::move(other));
    }
    return *this;
  }
  ~generator() { destroy(); }

  /// False when moved from, and behind the end.
  explicit operator bool() const noexcept { return static_cast<bool>(slot_.frame()); }

  // What a piece has.
  template <class Sink>
  stream::detail::flow run(Sink&& sink, detail::outcome<void>& error) {
    using access = detail::generator_access;
    if (!slot_.frame()) return stream::detail::flow::end;
    promise_type& p = promise();
    if (const void* const item = std::exchange(access::item(p), nullptr)) {
      using object = std::remove_reference_t<T>;
      if (!sink(static_cast<T&&>(*static_cast<object*>(const_cast<void*>(item)))))
        return stream::detail::flow::stopped;
    }
    if (access::over(p)) {
      detail::outcome<void> end = std::move(access::end(p));
      destroy();
      if (!end.failed()) return stream::detail::flow::end;
      error.set_error_of(end);
      return stream::detail::flow::failed;
    }
    return ration_.is_out() ? stream::detail::flow::yield : stream::detail::flow::wait;
  }
  detail::resumable* wait(const detail::await_context& c) noexcept {
    using access = detail::generator_access;
    promise_type& p = promise();
    slot_.connect(c.continuation, c.frame);
    p.start_in(slot_, *c.in);
    detail::generator_promise_base& leaf = *access::leaf(p);
    if (&leaf != &p) leaf.go_on_in(*c.in);
    return leaf.frame();
  }
  void abandon() noexcept {}  // its frame was destroyed

 private:
  friend promise_type;
  friend detail::yielded_generator<T>;
  explicit generator(std::coroutine_handle<promise_type> frame) noexcept : slot_(frame) {}
  promise_type& promise() const noexcept {
    return std::coroutine_handle<promise_type>::from_address(slot_.frame().address()).promise();
  }
  // From the innermost out: a deep nest is not destroyed by recursion.
  void destroy() noexcept {
    using access = detail::generator_access;
    if (!slot_.frame()) return;
    promise_type& root = promise();
    detail::generator_promise_base* p = access::leaf(root);
    while (p != &root) {
      detail::generator_promise_base* const outer = access::outer(*p);
      p->destroy_frame();
      p = outer;
    }
    slot_.destroy_frame();
  }

  detail::frame_slot slot_;
  stream::detail::ration ration_;
};

namespace detail {

template <class T>
generator<T> generator_promise<T>::get_return_object() noexcept {
  return generator<T>(std::coroutine_handle<generator_promise>::from_promise(*this));
}

template <class T>
template <class P>
std::coroutine_handle<> yielded_generator<T>::await_suspend(std::coroutine_handle<P> at) noexcept {
  generator_promise_base& outer = at.promise();
  generator_promise<T>& inner = inner_.promise();
  inner_.slot_.connect(as_resumable(at), &outer);
  inner.start_in(inner_.slot_, outer.in());
  generator_promise_base& leaf = generator_access::nest(inner, outer);
  if (&leaf != &inner) leaf.go_on_in(outer.in());
  // An element that it has given already is ours.
  return transfer(leaf.frame());
}
template <class T>
void yielded_generator<T>::await_resume() {
  if (!inner_) return;
  outcome<void> end = std::move(generator_access::end(inner_.promise()));
  inner_.slot_.destroy_frame();
  if (end.failed()) std::move(end).get();
}

/// Any other source as a generator.
template <class T, class S>
generator<T> each_of_piece(S s) {
  for (;;) {
    auto next = co_await s.next();
    if (!next) break;
    if constexpr (std::is_reference_v<T>)
      co_yield static_cast<T>(*next);
    else
      co_yield static_cast<T>(*std::move(next));
  }
}
template <class T, class S>
generator<T> each_of(S&& s) {
  return each_of_piece<T, std::remove_cvref_t<S>>(std::move(s));
}

}  // namespace detail
}  // namespace astd
