// What sources, adaptors and ends of streams have in common.
//
// A piece is a source or an adaptor. It does not hand out one element at a time: run() pushes its elements into a sink
// until the sink wants no more, so that a chain of adaptors over something in memory becomes one loop. Where it cannot go
// on at once it says so and returns:
//
//   using element = R                        an object or an lvalue reference
//   flow run(sink, outcome<void>& error)     calls sink(R&&) until that gives false; must not be called behind `end`
//   resumable* wait(const await_context&)    after flow::wait: begins what is to be awaited; run() again when it has ended
//   void abandon() noexcept                  after wait(): it was stopped instead, and has ended
//   size_bounds bounds() const               how many elements there are
//   awaitable arrival()                      where it can: after flow::wait and abandon(), ends when run() may go on, and
//                                            takes nothing
//
// Only ends await: an stream_end runs the piece, and is what is suspended meanwhile. So adaptors have no coroutine, no
// allocation and no suspension of their own. Sources count what they give: every few elements they ask whether others are
// to run first (flow::yield), so that no chain, whatever it leaves out, keeps a worker to itself.
#pragma once

#include <astd/base/assert.hpp>
#include <astd/base/config.hpp>
#include <astd/base/construct.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/own_awaiter.hpp>
#include <astd/runtime/sleep.hpp>
#include <astd/runtime/slice.hpp>
#include <astd/stream/optional_ref.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd::stream {

/// How many elements a stream still has. Lower and upper bounds, as far as known.
struct size_bounds {
  static constexpr std::size_t unknown = static_cast<std::size_t>(-1);
  std::size_t least = 0;
  std::size_t most = unknown;
  [[nodiscard]] constexpr bool is_exact() const noexcept { return least == most && most != unknown; }
};

}  // namespace astd::stream

namespace astd::stream::detail {

using namespace astd::detail;

enum class flow : std::uint8_t {
  stopped,  // the sink has taken an element and wants no more for now
  end,      // there are no more
  wait,     // something is to be awaited first: wait()
  yield,    // others are to run first
  failed,   // see `error`
};

struct piece_tag {};
template <class S>
concept piece = std::derived_from<std::remove_cvref_t<S>, piece_tag>;

template <class S>
using element_t = typename std::remove_cvref_t<S>::element;
template <class R>
using value_t = std::remove_cvref_t<R>;

/// Elements are objects or lvalue references: an rvalue reference becomes an object.
template <class T>
using as_element = std::conditional_t<std::is_lvalue_reference_v<T>, T, std::remove_cvref_t<T>>;

template <class R>
struct next_of {
  using type = std::optional<R>;
};
template <class T>
struct next_of<T&> {
  using type = stream::optional_ref<T>;
};
/// What next() gives.
template <class R>
using next_t = typename next_of<R>::type;

/// Whether a piece may have something running between two elements: it has to be stopped, and awaited, by whoever ends
/// before it does. See concurrent.hpp.
template <class S>
concept runs_ahead = requires { requires std::remove_cvref_t<S>::runs_ahead; };

/// Can be waited for without an element being taken.
template <class S>
concept can_be_watched = requires(std::remove_cvref_t<S>& s) { s.arrival(); };

/// A place for one element.
template <class R>
class slot {
 public:
  slot() noexcept { ASTD_MAY_BE_WRITTEN(held_); }
  slot(slot&&) = default;
  slot(const slot&) = default;
  // Elements need not be assignable.
  slot& operator=(slot&& other) noexcept(std::is_nothrow_move_constructible_v<R>) {
    reset();
    if (other) emplace(other.get());
    return *this;
  }
  template <class... A>
  void emplace(A&&... a) {
    if constexpr (std::is_reference_v<R>)
      held_ = (__builtin_addressof(a), ...);
    else
      held_.emplace(std::forward<A>(a)...);
  }
  explicit operator bool() const noexcept { return static_cast<bool>(held_); }
  /// The element, where it is.
  std::remove_reference_t<R>& operator*() noexcept { return *held_; }
  const std::remove_reference_t<R>& operator*() const noexcept { return *held_; }
  /// As it was given: an object is moved from.
  R&& get() noexcept {
    if constexpr (std::is_reference_v<R>)
      return *held_;
    else
      return std::move(*held_);
  }
  void reset() noexcept {
    if constexpr (std::is_reference_v<R>)
      held_ = nullptr;
    else
      held_.reset();
    ASTD_MAY_BE_WRITTEN(held_);
  }

 private:
  std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*, std::optional<value_t<R>>> held_{};
};
template <class R>
next_t<R> take_next(slot<R>& s) {
  next_t<R> out;
  if (s) {
    if constexpr (std::is_reference_v<R>)
      out = next_t<R>(*s);
    else
      out.emplace(s.get());
  }
  return out;
}

/// An operation of a piece's, and what it was made from. Empty when the piece is moved or copied.
template <class A>
class operation {
  struct running {
    template <class Make>
    explicit running(Make& make) : made(make()), awaiter(static_cast<A&&>(made)) {}
    A made;  // the awaiter may refer to it
    own_awaiter<A> awaiter;
  };

 public:
  using value_type = typename own_awaiter<A>::value_type;
  operation() noexcept {}
  operation(const operation&) noexcept {}
  operation& operator=([[maybe_unused]] const operation& other) noexcept {
    ASTD_ASSERT(this == &other || !live_, "a stream was assigned to while it was awaited");
    return *this;
  }
  ~operation() { reset(); }

  template <class Make>
  void begin(Make make) {
    detail::construct(op_, make);
    live_ = true;
  }
  [[nodiscard]] bool is_live() const noexcept { return live_; }
  bool is_ready() { return op_.awaiter->await_ready(); }
  resumable* start(const await_context& c) { return op_.awaiter->start(c); }
  void end(outcome<value_type>& to) noexcept {
    op_.awaiter.take_into(to);
    reset();
  }
  void reset() noexcept {
    if (std::exchange(live_, false)) detail::destroy(op_);
  }

 private:
  union {
    running op_;
  };
  bool live_ = false;
};

/// Asks for time every few elements: asking costs as much as an element.
class ration {
 public:
  bool is_out() noexcept { return ++given_ % 16 == 0 && !spend_slice(); }

 private:
  std::uint8_t given_ = 0;
};

/// Runs a stream into a consumer until that has its result. `S`: a piece, or a reference to one. `E` has
///   using result_type
///   bool feed(element&&)           false: it wants no more
///   result_type finish()           when it has had all, or all it wants
/// It is the awaitable as well: may be moved until it is awaited.
template <class S, class E>
class [[nodiscard("a stream does nothing until it is awaited")]] stream_end
    : public awaiter_base<stream_end<S, E>> {
 public:
  using value_type = typename E::result_type;
  stream_end(S&& s, E&& e) : stream_(static_cast<S&&>(s)), consumer_(std::move(e)) {}
  stream_end(stream_end&& other)
      : stream_(static_cast<S&&>(other.stream_)), consumer_(std::move(other.consumer_)), last_(other.last_) {
    ASTD_ASSERT(!other.waiting_, "what awaits a stream was moved meanwhile");
  }
  ~stream_end() {
    if (waiting_) stream_.abandon();
    if (yields_) detail::destroy(yield_);
  }

  /// The stream has said flow::wait already.
  void set_said_wait() noexcept { last_ = flow::wait; }

  bool await_ready() noexcept { return last_ != flow::wait && advance(); }
  resumable* start(const await_context& c) noexcept {
    detail::construct(held_, c);
    held_.gate.set_resume(&go_on);
    held_.gate.second_ = this;
    return suspend();
  }
  value_type await_resume() {
    if (error_.failed()) [[unlikely]]
      std::move(error_).get();
    return consumer_.finish();
  }
  outcome<value_type> take() {
    outcome<value_type> o;
    if (error_.failed()) {
      o.set_error_of(error_);
      return o;
    }
    if constexpr (std::is_void_v<value_type>) {
      consumer_.finish();
      o.set_value();
    } else {
      o.set_value(consumer_.finish());
    }
    return o;
  }

 private:
  // True when there is nothing more to do.
  bool advance() noexcept {
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      last_ =
          stream_.run([this](element_t<S>&& x) { return consumer_.feed(static_cast<element_t<S>&&>(x)); }, error_);
#if ASTD_HAS_EXCEPTIONS
    } catch (...) {
      error_.set_exception(std::current_exception());
      last_ = flow::failed;
    }
#endif
    return last_ != flow::wait && last_ != flow::yield;
  }
  resumable* suspend() noexcept {
    const await_context inner{&held_.gate, held_.context.in, held_.context.frame, held_.context.chain_stays};
    if (last_ == flow::yield) {
      detail::construct(yield_);
      yields_ = true;
      return yield_.start(inner);
    }
    waiting_ = true;
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      return stream_.wait(inner);
#if ASTD_HAS_EXCEPTIONS
    } catch (...) {
      error_.set_exception(std::current_exception());
      return held_.context.continuation;
    }
#endif
  }
  resumable* next() noexcept {
    waiting_ = false;
    if (yields_) {
      yield_.await_resume();
      detail::destroy(yield_);
      yields_ = false;
    }
    return advance() ? held_.context.continuation : suspend();
  }
  static void go_on(resumable* r) {
    resumable* const next = static_cast<stream_end*>(r->second_)->next();
    ASTD_TRANSFER_TO(next);
  }

  S stream_;
  [[no_unique_address]] E consumer_;
  outcome<void> error_;
  // From start() on: next() is asked for each element, and seldom suspends.
  struct held {
    explicit held(const await_context& c) noexcept : context(c) {}
    await_context context;
    resumable gate;
  };
  static_assert(std::is_trivially_destructible_v<held>);
  union {
    held held_;
  };
  union {
    yield_awaiter yield_;
  };
  flow last_ = flow::end;
  bool waiting_ = false;
  bool yields_ = false;
};

/// An end of a stream that may have something running behind it: see concurrent.hpp.
template <class S, class E>
class stopping_end;

/// The end `e` of `s`.
template <class S, class E>
auto end_with(S&& s, E e) {
  if constexpr (runs_ahead<S>)
    return stopping_end<S, E>(std::move(s), std::move(e));
  else
    return stream_end<S, E>(std::move(s), std::move(e));
}

/// The consumer of next().
template <class R>
class first_element {
 public:
  using result_type = next_t<R>;
  bool feed(R&& x) {
    element_.emplace(static_cast<R&&>(x));
    return false;
  }
  result_type finish() { return take_next(element_); }

 private:
  slot<R> element_;
};

/// The consumer that has no use for elements.
template <class R>
struct nothing_consumer {
  using result_type = void;
  bool feed(R&&) noexcept { return true; }
  void finish() noexcept {}
};

template <class S>
auto next_from(S& s) {
  return stream_end<S&, first_element<element_t<S>>>(s, {});
}

/// What every piece offers.
template <class Derived>
class piece_base : public piece_tag {
 public:
  /// The next element, or nothing behind the last. The stream outlives the await, and is not moved meanwhile.
  [[nodiscard]] auto next() {
    return stream_end<Derived&, first_element<element_t<Derived>>>(static_cast<Derived&>(*this), {});
  }
  [[nodiscard]] size_bounds size_hint() const { return static_cast<const Derived&>(*this).bounds(); }
  /// How many elements there still are, where that is known.
  [[nodiscard]] std::size_t size() const {
    const size_bounds b = size_hint();
    ASTD_ASSERT(b.is_exact(), "size() of a stream whose number of elements is not known: ask size_hint()");
    return b.least;
  }
  /// The last of what is left, for streams that have two ends.
  [[nodiscard]] auto next_back();
  /// For streams that have something running between two elements (merge, timeout, chunks_timeout, buffered): stops that,
  /// and has awaited it. What had been taken by then is still given by next(); behind it is the end. Takes no memory, and
  /// does not fail.
  [[nodiscard]] auto close()
    requires runs_ahead<Derived>;

  // For pieces that never wait, and know nothing of their size.
  resumable* wait(const await_context& c) noexcept { return c.continuation; }
  void abandon() noexcept {}
  [[nodiscard]] size_bounds bounds() const noexcept { return {}; }

 protected:
  piece_base() = default;
};

}  // namespace astd::stream::detail
