// Adaptors that leave elements out: filter, take, take_while, drop, drop_while, stride, dedup, fuse.
//
//   auto few = co_await (numbers | stream::filter(is_prime) | stream::take(10) | stream::to<std::vector>());
//
// Predicates may be coroutines.
#pragma once

#include <astd/stream/adaptor.hpp>
#include <astd/stream/transform.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace astd::stream::detail {

template <class S, class J>
class filter_piece : public adaptor<filter_piece<S, J>, S> {
  using given = element_t<S>;

 public:
  using element = typename J::template element<given>;
  filter_piece(S&& s, J&& judge) : adaptor<filter_piece, S>(std::move(s)), judge_(std::move(judge)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return this->stream_.run(through(sink), error);
  }
  template <class Sink>
  flow run_back(Sink&& sink, outcome<void>& error)
    requires requires(S& s) { s.run_back(sink, error); }
  {
    return this->stream_.run_back(through(sink), error);
  }

 private:
  template <class Sink>
  auto through(Sink& sink) {
    return [this, &sink](given&& x) {
      if (!judge_.answer(x)) return true;
      return static_cast<bool>(sink(J::template pass<element>(static_cast<given&&>(x))));
    };
  }
  [[no_unique_address]] J judge_;
};

template <class S, class J>
class take_while_piece : public adaptor<take_while_piece<S, J>, S> {
  using given = element_t<S>;

 public:
  using element = typename J::template element<given>;
  take_while_piece(S&& s, J&& judge) : adaptor<take_while_piece, S>(std::move(s)), judge_(std::move(judge)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    if (over_) return flow::end;
    bool over = false;
    const flow how = this->stream_.run(
        [&](given&& x) {
          if (judge_.answer(x)) return static_cast<bool>(sink(J::template pass<element>(static_cast<given&&>(x))));
          over = true;
          return false;
        },
        error);
    over_ = over;
    return over ? flow::end : how;
  }

 private:
  [[no_unique_address]] J judge_;
  bool over_ = false;
};

template <class S, class J>
class drop_while_piece : public adaptor<drop_while_piece<S, J>, S> {
  using given = element_t<S>;

 public:
  using element = typename J::template element<given>;
  drop_while_piece(S&& s, J&& judge) : adaptor<drop_while_piece, S>(std::move(s)), judge_(std::move(judge)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return this->stream_.run(
        [&](given&& x) {
          if (!began_ && judge_.answer(x)) return true;
          began_ = true;
          return static_cast<bool>(sink(J::template pass<element>(static_cast<given&&>(x))));
        },
        error);
  }

 private:
  [[no_unique_address]] J judge_;
  bool began_ = false;
};

template <class S>
class take_piece : public adaptor<take_piece<S>, S> {
 public:
  using element = element_t<S>;
  take_piece(S&& s, std::size_t n) : adaptor<take_piece, S>(std::move(s)), left_(n) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    std::size_t left = left_;
    if (left == 0) return flow::end;
    bool more = true;
    const counted keep(left_, left);
    const flow how = this->stream_.run(
        [&](element&& x) {
          --left;
          more = sink(static_cast<element&&>(x));
          return more && left != 0;
        },
        error);
    return how == flow::stopped && more ? flow::end : how;
  }
  [[nodiscard]] size_bounds bounds() const {
    size_bounds b = left_ == 0 ? size_bounds{0, 0} : this->stream_.bounds();
    b.least = std::min(b.least, left_);
    b.most = std::min(b.most, left_);
    return b;
  }

 private:
  // Written back when the run ends, however it does: a local is counted in a register.
  struct counted {
    counted(std::size_t& to, const std::size_t& from) noexcept : to_(to), from_(from) {}
    ~counted() { to_ = from_; }
    std::size_t& to_;
    const std::size_t& from_;
  };
  std::size_t left_;
};

template <class S>
class drop_piece : public adaptor<drop_piece<S>, S> {
 public:
  using element = element_t<S>;
  drop_piece(S&& s, std::size_t n) : adaptor<drop_piece, S>(std::move(s)), left_(n) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    if (left_ != 0) {
      const flow how = this->stream_.run([&](element&&) { return --left_ != 0; }, error);
      if (how != flow::stopped) return how;
    }
    return this->stream_.run(sink, error);
  }
  [[nodiscard]] size_bounds bounds() const { return shrunk(this->stream_.bounds(), left_); }

 private:
  std::size_t left_;
};

template <class S>
class stride_piece : public adaptor<stride_piece<S>, S> {
 public:
  using element = element_t<S>;
  stride_piece(S&& s, std::size_t n) : adaptor<stride_piece, S>(std::move(s)), by_(n) {
    if (n == 0) throw_invalid_argument("astd::stream::stride: a step is 1 or more");
  }
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return this->stream_.run(
        [&](element&& x) {
          if (skip_ != 0) {
            --skip_;
            return true;
          }
          skip_ = by_ - 1;
          return static_cast<bool>(sink(static_cast<element&&>(x)));
        },
        error);
  }
  [[nodiscard]] size_bounds bounds() const {
    size_bounds b = shrunk(this->stream_.bounds(), skip_);
    b.least = (b.least + by_ - 1) / by_;
    if (b.most != size_bounds::unknown) b.most = (b.most + by_ - 1) / by_;
    return b;
  }

 private:
  std::size_t by_;
  std::size_t skip_ = 0;
};

struct equals {
  template <class A, class B>
    requires requires(const A& a, const B& b) { static_cast<bool>(a == b); }
  bool operator()(const A& a, const B& b) const {
    return a == b;
  }
};

template <class S, class E>
class dedup_piece : public adaptor<dedup_piece<S, E>, S> {
 public:
  using element = element_t<S>;
  dedup_piece(S&& s, E&& equal) : adaptor<dedup_piece, S>(std::move(s)), equal_(std::move(equal)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return this->stream_.run(
        [&](element&& x) {
          if (last_ && detail::invoke(equal_, std::as_const(*last_), std::as_const(x))) return true;
          last_.emplace(std::as_const(x));
          return static_cast<bool>(sink(static_cast<element&&>(x)));
        },
        error);
  }

 private:
  E equal_;
  slot<value_t<element>> last_;
};

/// Says by a coroutine `E` whether an element differs from the last that did.
template <class R, class E>
class differing {
 public:
  explicit differing(E&& equal) : equal_(std::move(equal)) {}
  task<bool> operator()(std::remove_reference_t<R>& x) {
    const bool differs = !last_ || !co_await detail::invoke(equal_, std::as_const(*last_), std::as_const(x));
    if (differs) last_.emplace(std::as_const(x));
    co_return differs;
  }

 private:
  E equal_;
  slot<value_t<R>> last_;
};

/// No function, so that it can stand without parentheses although it may have an argument.
struct dedup_adaptor : closure_tag {
  template <class S>
  auto apply(S&& s) const {
    static_assert(callable_with<equals, value_t<element_t<S>>&, value_t<element_t<S>>&>,
                  "astd::stream::dedup: the stream's elements have no ==");
    return dedup_piece<S, equals>(std::move(s), equals());
  }
  [[nodiscard]] dedup_adaptor operator()() const { return {}; }
  template <class E>
  [[nodiscard]] auto operator()(E equal) const {
    return detail::make_closure([equal = std::move(equal)]<class S>(S&& s) mutable {
      using R = element_t<S>;
      static_assert(callable_with<E, const value_t<R>&, const value_t<R>&>,
                    "astd::stream::dedup: the closure cannot be called with two elements of the stream "
                    "(std::invocable)");
      if constexpr (awaits_with<E, const value_t<R>&, const value_t<R>&>)
        return judged<filter_piece>(std::move(s), differing<R, E>(std::move(equal)));
      else
        return dedup_piece<S, E>(std::move(s), std::move(equal));
    });
  }
};

}  // namespace astd::stream::detail

namespace astd::stream {

/// Those of which `p` says true.
template <class P>
[[nodiscard]] auto filter(P p) {
  return detail::make_closure([p = std::move(p)]<class S>(S&& s) mutable {
    ASTD_STREAM_CLOSURE_MUST_FIT("filter", P, S);
    return detail::judged<detail::filter_piece>(std::move(s), std::move(p));
  });
}
/// Those before the first of which `p` says false; that one is lost.
template <class P>
[[nodiscard]] auto take_while(P p) {
  return detail::make_closure([p = std::move(p)]<class S>(S&& s) mutable {
    ASTD_STREAM_CLOSURE_MUST_FIT("take_while", P, S);
    return detail::judged<detail::take_while_piece>(std::move(s), std::move(p));
  });
}
/// Those from the first of which `p` says false.
template <class P>
[[nodiscard]] auto drop_while(P p) {
  return detail::make_closure([p = std::move(p)]<class S>(S&& s) mutable {
    ASTD_STREAM_CLOSURE_MUST_FIT("drop_while", P, S);
    return detail::judged<detail::drop_while_piece>(std::move(s), std::move(p));
  });
}
/// The first n. The stream is asked for no more than those.
[[nodiscard]] inline auto take(std::size_t n) {
  return detail::make_closure([n]<class S>(S&& s) { return detail::take_piece<S>(std::move(s), n); });
}
/// All but the first n.
[[nodiscard]] inline auto drop(std::size_t n) {
  return detail::make_closure([n]<class S>(S&& s) { return detail::drop_piece<S>(std::move(s), n); });
}
/// The first, and every nth after it. Throws std::invalid_argument if n is 0.
[[nodiscard]] inline auto stride(std::size_t n) {
  return detail::make_closure([n]<class S>(S&& s) { return detail::stride_piece<S>(std::move(s), n); });
}
[[nodiscard]] inline auto step_by(std::size_t n) { return stride(n); }
/// Of equal ones that follow each other, the first: `dedup`, `dedup()`, or `dedup(equal)`. Keeps a copy of the last.
inline constexpr detail::dedup_adaptor dedup{};
/// The stream as it is: astd asks no stream again behind its end. For generic code.
[[nodiscard]] inline auto fuse() {
  return detail::make_closure([]<class S>(S&& s) { return S(std::move(s)); });
}

}  // namespace astd::stream
