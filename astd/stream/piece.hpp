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
#include <astd/base/invoke.hpp>
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
    context_ = c;
    gate_.set_resume(&go_on);
    gate_.second_ = this;
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
    const await_context inner{&gate_, context_.in, context_.frame, context_.chain_stays};
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
      return context_.continuation;
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
    return advance() ? context_.continuation : suspend();
  }
  static void go_on(resumable* r) {
    resumable* const next = static_cast<stream_end*>(r->second_)->next();
    ASTD_TRANSFER_TO(next);
  }

  S stream_;
  [[no_unique_address]] E consumer_;
  outcome<void> error_;
  await_context context_{};
  resumable gate_;
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

// ---- what can be made a piece

template <class O>
concept optional_like = requires(O& o) {
  o ? 1 : 0;
  *std::move(o);
};
template <class S>
concept has_next = requires(std::remove_reference_t<S>& s) {
  { s.next() } -> awaitable;
  requires optional_like<std::remove_reference_t<await_result_t<decltype(s.next())>>>;
};
/// Whose next() takes at once what readable() has told of: a channel's receiver.
template <class S>
concept tells_arrivals = requires(std::remove_reference_t<S>& s) {
  { s.readable() } -> awaitable;
  s.try_recv();
};
template <class S>
concept is_range = requires(std::remove_reference_t<S>& r) {
  std::begin(r) != std::end(r);
  *std::begin(r);
};

/// A piece that is owned by somebody else, who also stops what runs in it.
template <class S>
class borrowed : public piece_base<borrowed<S>> {
 public:
  using element = element_t<S>;
  explicit borrowed(S& s) noexcept : stream_(&s) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return stream_->run(sink, error);
  }
  template <class Sink>
  flow run_back(Sink&& sink, outcome<void>& error)
    requires requires(S& s) { s.run_back(sink, error); }
  {
    return stream_->run_back(sink, error);
  }
  resumable* wait(const await_context& c) { return stream_->wait(c); }
  void abandon() noexcept { stream_->abandon(); }
  [[nodiscard]] size_bounds bounds() const { return stream_->bounds(); }
  auto arrival()
    requires can_be_watched<S>
  {
    return stream_->arrival();
  }

 private:
  S* stream_;
};

/// Anything with next(). `S`: an object or an lvalue reference.
template <class S>
class next_source : public piece_base<next_source<S>> {
  using next_type = decltype(std::declval<std::remove_reference_t<S>&>().next());
  using gives = typename operation<next_type>::value_type;

 public:
  using element = as_element<decltype(*std::declval<std::remove_reference_t<gives>>())>;
  explicit next_source(S&& s) : source_(static_cast<S&&>(s)) {}

  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    for (;;) {
      if (over_) return flow::end;
      if (!operation_.is_live()) {
        if (ration_.is_out()) return flow::yield;
        operation_.begin([this]() -> next_type { return source_.next(); });
        if (!operation_.is_ready()) return flow::wait;
      }
      outcome<gives> o;
      operation_.end(o);
      if (o.failed()) [[unlikely]] {
        error.set_error_of(o);
        return flow::failed;
      }
      auto&& next = std::move(o).get();
      if (!next) {
        over_ = true;
        return flow::end;
      }
      if (!sink(static_cast<element&&>(*std::move(next)))) return flow::stopped;
    }
  }
  resumable* wait(const await_context& c) { return operation_.start(c); }
  void abandon() noexcept { operation_.reset(); }
  auto arrival()
    requires tells_arrivals<S>
  {
    return source_.readable();
  }
  [[nodiscard]] size_bounds bounds() const {
    if constexpr (requires {
                    { source_.size_hint() } -> std::same_as<size_bounds>;
                  })
      return over_ ? size_bounds{0, 0} : source_.size_hint();
    else
      return over_ ? size_bounds{0, 0} : size_bounds{};
  }

 private:
  S source_;
  operation<next_type> operation_;
  ration ration_;
  bool over_ = false;
};

/// Any range. `R`: an object or an lvalue reference. The elements of an object that is a container are moved out of it.
template <class R>
class range_source : public piece_base<range_source<R>> {
  using range = std::remove_reference_t<R>;
  using iterator = decltype(std::begin(std::declval<range&>()));
  using sentinel = decltype(std::end(std::declval<range&>()));
  using reference = decltype(*std::declval<iterator&>());
  static constexpr bool owns = !std::is_reference_v<R>;
  static constexpr bool is_container = requires { typename range::value_type; } &&
                                       std::is_lvalue_reference_v<reference> && !requires(range& r) { r.base(); };
  static constexpr bool is_forward = std::forward_iterator<iterator>;

 public:
  using element = std::conditional_t<owns && is_container, value_t<reference>, as_element<reference>>;
  explicit range_source(R&& r) : range_(static_cast<R&&>(r)) {}
  // The iterators of a range that is moved may not be good any more.
  range_source(range_source&& other) : range_(static_cast<R&&>(other.range_)) { find_place_of(other); }
  range_source(const range_source& other)
    requires(std::is_reference_v<R> || std::copy_constructible<R>)
      : range_(static_cast<const range_source&>(other).range_) {
    find_place_of(other);
  }
  range_source& operator=(range_source other) {
    detail::destroy(*this);
    detail::construct(*this, std::move(other));
    return *this;
  }

  template <class Sink>
  flow run(Sink&& sink, outcome<void>&) {
    begin();
    // A local: the compiler keeps it in registers for the length of the loop.
    place here(*this, *at_);
    const sentinel end = *end_;
    for (;;) {
      if (here.at == end) return flow::end;
      if (here.given % 16 == 15 && !spend_slice()) {
        ++here.given;
        --here.extra;
        return flow::yield;
      }
      if constexpr (is_forward) {
        iterator const now = here.at;
        here.go_on();
        if (!sink(get(now))) return flow::stopped;
      } else {
        const bool more = sink(get(here.at));
        here.go_on();
        if (!more) return flow::stopped;
      }
    }
  }
  template <class Sink>
  flow run_back(Sink&& sink, outcome<void>&)
    requires std::bidirectional_iterator<iterator> && std::same_as<iterator, sentinel>
  {
    begin();
    for (;;) {
      if (*at_ == *end_) return flow::end;
      if (back_ % 16 == 15 && !std::exchange(asked_, true) && !spend_slice()) return flow::yield;
      asked_ = false;
      --*end_;
      ++back_;
      if (!sink(get(*end_))) return flow::stopped;
    }
  }
  [[nodiscard]] size_bounds bounds() const {
    if constexpr (requires { std::size(range_); }) {
      const auto n = static_cast<std::size_t>(std::size(range_)) - taken_ - back_;
      return {n, n};
    } else if constexpr (std::random_access_iterator<iterator> && std::sized_sentinel_for<sentinel, iterator> &&
                         requires { std::begin(range_); }) {
      const auto n = static_cast<std::size_t>(std::end(range_) - std::begin(range_)) - taken_ - back_;
      return {n, n};
    } else {
      return {};
    }
  }

 private:
  // Where a run is; noted when it ends, however it does.
  struct place {
    place(range_source& of, iterator& from) : at(from), source(of) {}
    place(const place&) = delete;
    ~place() {
      source.taken_ = source.taken_ + (given - source.given_) + extra;
      source.given_ = given;
      if constexpr (is_forward) *source.at_ = at;
    }
    void go_on() {
      ++at;
      ++given;
    }
    std::conditional_t<is_forward, iterator, iterator&> at;
    range_source& source;
    std::size_t given = source.given_;
    std::size_t extra = 0;
  };
  static element get(const iterator& at)
    requires(!std::is_reference_v<element>)
  {
    if constexpr (owns && is_container && !std::is_const_v<std::remove_reference_t<reference>>)
      return std::move(*at);
    else
      return *at;
  }
  static element get(const iterator& at)
    requires std::is_reference_v<element>
  {
    return *at;
  }
  void begin() {
    if (at_) return;
    at_.emplace(std::begin(range_));
    end_.emplace(std::end(range_));
  }
  template <class Other>
  void find_place_of(Other& other) {
    if (!other.at_) return;
    taken_ = other.taken_;
    given_ = other.given_;
    back_ = other.back_;
    if constexpr (owns && is_forward) {
      at_.emplace(std::next(std::begin(range_), static_cast<std::ptrdiff_t>(taken_)));
      if constexpr (std::bidirectional_iterator<iterator> && std::same_as<iterator, sentinel>)
        end_.emplace(std::prev(std::end(range_), static_cast<std::ptrdiff_t>(back_)));
      else
        end_.emplace(std::end(range_));
    } else {
      static_assert(!owns || std::copyable<iterator>,
                    "a range that can be gone through once is piped as an lvalue");
      at_.emplace(*other.at_);
      end_.emplace(*other.end_);
    }
  }

  R range_;
  std::optional<iterator> at_;
  std::optional<sentinel> end_;
  std::size_t taken_ = 0;  // from the front
  std::size_t given_ = 0;  // the same, with the questions for time
  std::size_t back_ = 0;
  bool asked_ = false;
};

}  // namespace astd::stream::detail

namespace astd::stream {

/// Has next(), whose awaitable gives a std::optional, an optional_ref, or whatever else is true if it has an element and
/// gives that by `*`. Behind an empty one next() is not called again by anything in astd.
template <class S>
concept stream = detail::piece<S> || detail::has_next<S>;

/// What can stand in front of `|`: a stream, or a range.
template <class S>
concept source = stream<S> || detail::is_range<S>;

}  // namespace astd::stream

namespace astd::stream::detail {

template <class S>
auto as_piece(S&& s) {
  static_assert(
      stream::source<S>,
      "astd::stream::source: what is piped is neither a stream (next() gives an awaitable of an optional) "
      "nor a range");
  if constexpr (piece<S>) {
    if constexpr (std::is_lvalue_reference_v<S>)
      return borrowed<std::remove_reference_t<S>>(s);
    else
      return std::remove_cvref_t<S>(std::move(s));
  } else if constexpr (has_next<S>) {
    return next_source<S>(static_cast<S&&>(s));
  } else if constexpr (is_range<S>) {
    return range_source<S>(static_cast<S&&>(s));
  }
}
template <class S>
using piece_of = decltype(detail::as_piece(std::declval<S>()));

// ---- what stands behind `|`

struct closure_tag {};

/// `Make` makes an adaptor, or an end, of the piece it is given.
template <class Make>
class closure : public closure_tag {
 public:
  explicit closure(Make make) : make_(std::move(make)) {}
  template <class P>
  auto apply(P&& p) && {
    return std::move(make_)(std::move(p));
  }
  template <class P>
  auto apply(P&& p) const& {
    return Make(make_)(std::move(p));
  }
  template <class P>
  auto apply(P&& p) & {
    return Make(make_)(std::move(p));
  }

 private:
  Make make_;
};

template <class C>
concept is_closure = std::derived_from<std::remove_cvref_t<C>, closure_tag>;

template <class S, is_closure C>
  requires(!is_closure<S>)
auto operator|(S&& s, C&& c) {
  if constexpr (stream::source<S>)
    return static_cast<C&&>(c).apply(detail::as_piece(static_cast<S&&>(s)));
  else
    static_assert(
        stream::source<S>,
        "astd::stream::source: what is piped is neither a stream (next() gives an awaitable of an optional) "
        "nor a range");
}
/// Two adaptors as one.
template <is_closure A, is_closure B>
auto operator|(A&& a, B&& b) {
  auto both = [first = static_cast<A&&>(a), second = static_cast<B&&>(b)]<class P>(P&& p) mutable {
    return std::move(second).apply(std::move(first).apply(std::move(p)));
  };
  return closure<decltype(both)>(std::move(both));
}
/// What needs no argument may stand there without parentheses, as in std::views.
template <class S, is_closure C>
auto operator|(S&& s, C (*make)()) {
  return static_cast<S&&>(s) | make();
}

// ---- closures of the user's

template <class F, class... A>
concept callable_with = std::is_invocable_v<F&, A...>;
template <class F, class... A>
using call_t = decltype(detail::invoke(std::declval<F&>(), std::declval<A>()...));
/// It is a coroutine, or like one: what it gives is to be awaited.
template <class F, class... A>
concept awaits_with = callable_with<F, A...> && awaitable<call_t<F, A...>>;
template <class F, class... A>
struct answer_of {
  using type = call_t<F, A...>;
};
template <class F, class... A>
  requires awaits_with<F, A...>
struct answer_of<F, A...> {
  using type = await_result_t<call_t<F, A...>>;
};
/// What it gives in the end.
template <class F, class... A>
using answer_t = typename answer_of<F, A...>::type;

/// An element, and what a closure said of it.
template <class R, class A>
struct examined {
  examined(R&& e, A&& a) : element(static_cast<R&&>(e)), answer(static_cast<A&&>(a)) {}
  R element;
  A answer;
};
template <class R>
struct examined<R, void> {
  explicit examined(R&& e) : element(static_cast<R&&>(e)) {}
  R element;
};

/// Calls a closure for each element and awaits what it gives. `consumes`: the closure gets the element, and its answer
/// goes on; else the closure sees it, and both go on. When it is stopped meanwhile, that element is lost.
template <class S, class F, bool consumes>
class awaiting_piece : public piece_base<awaiting_piece<S, F, consumes>> {
  using given = element_t<S>;
  using shown = std::conditional_t<consumes, given, std::remove_reference_t<given>&>;
  using call = call_t<F, shown>;
  using answer = typename operation<call>::value_type;

 public:
  using element =
      std::conditional_t<consumes, as_element<std::conditional_t<std::is_void_v<answer>, nothing, answer>>,
                         examined<given, answer>>;
  static constexpr bool runs_ahead = detail::runs_ahead<S>;
  awaiting_piece(S&& s, F&& f) : stream_(std::move(s)), f_(std::move(f)) {}
  // A closure of the user's may have no assignment; as std::views do, it is made anew.
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    for (;;) {
      if (operation_.is_live()) {
        bool more = true;
        if (!settle(sink, error, more)) return flow::failed;
        if (!more) return flow::stopped;
      }
      bool failed = false;
      const flow how = stream_.run(
          [&](given&& x) {
            held_.emplace(static_cast<given&&>(x));
            operation_.begin([this]() -> call { return detail::invoke(f_, show()); });
            if (!operation_.is_ready()) return false;
            bool more = true;
            failed = !settle(sink, error, more);
            return more && !failed;
          },
          error);
      if (failed) return flow::failed;
      if (how == flow::stopped && operation_.is_live()) return flow::wait;
      return how;
    }
  }
  resumable* wait(const await_context& c) { return operation_.is_live() ? operation_.start(c) : stream_.wait(c); }
  void abandon() noexcept {
    if (operation_.is_live()) {
      operation_.reset();
      held_.reset();
    } else {
      stream_.abandon();
    }
  }
  [[nodiscard]] size_bounds bounds() const { return stream_.bounds(); }
  template <class G>
  void each_hub(G&& g)
    requires runs_ahead
  {
    stream_.each_hub(g);
  }
  // For buffered(), which awaits several of them at once.
  S release_stream() { return std::move(stream_); }
  F release_closure() { return std::move(f_); }
  F& function() noexcept { return f_; }

 private:
  shown show() noexcept {
    if constexpr (consumes)
      return static_cast<given&&>(held_.get());
    else
      return *held_;
  }
  template <class Sink>
  bool settle(Sink& sink, outcome<void>& error, bool& more) {
    outcome<answer> o;
    operation_.end(o);
    if (o.failed()) [[unlikely]] {
      error.set_error_of(o);
      held_.reset();
      return false;
    }
    if constexpr (consumes) {
      held_.reset();
      if constexpr (std::is_void_v<answer>)
        more = sink(nothing());
      else
        more = sink(static_cast<element&&>(std::move(o).get()));
    } else {
      slot<given> x = std::move(held_);
      held_.reset();
      if constexpr (std::is_void_v<answer>)
        more = sink(element(x.get()));
      else
        more = sink(element(x.get(), std::move(o).get()));
    }
    return true;
  }

  S stream_;
  F f_;
  slot<given> held_;
  operation<call> operation_;
};

/// `s`, or `s` with what `f` says of its elements, if that is to be awaited.
template <class S, class F>
inline constexpr bool is_awaited = awaits_with<F, std::remove_reference_t<element_t<S>>&>;

// How adaptors look at elements, be they examined or not yet.
template <class F>
struct by_call {
  template <class X>
  decltype(auto) answer(X&& x) {
    return detail::invoke(f, x);
  }
  template <class R>
  using element = R;
  template <class R, class X>
  static R&& pass(X&& x) noexcept {
    return static_cast<R&&>(x);
  }
  F f;
};
struct by_answer {
  template <class X>
  decltype(auto) answer(X&& x) {
    return static_cast<decltype(x.answer)&>(x.answer);
  }
  template <class R>
  using element = decltype(R::element);
  template <class R, class X>
  static R&& pass(X&& x) noexcept {
    return static_cast<R&&>(x.element);
  }
};

#define ASTD_STREAM_CLOSURE_MUST_FIT(name, F, S)                                                                \
  static_assert(                                                                                                \
      ::astd::stream::detail::callable_with<F, std::remove_reference_t<::astd::stream::detail::element_t<S>>&>, \
      "astd::stream::" name ": the closure cannot be called with an element of the stream (std::invocable)")

}  // namespace astd::stream::detail
