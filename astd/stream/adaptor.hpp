// The part of adaptors that only passes on.
#pragma once

#include <astd/stream/called.hpp>
#include <astd/stream/closure.hpp>
#include <astd/stream/piece.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace astd::stream::detail {

/// An adaptor of one stream.
template <class Derived, class S>
class adaptor : public piece_base<Derived> {
 public:
  static constexpr bool runs_ahead = detail::runs_ahead<S>;
  explicit adaptor(S&& s) : stream_(std::move(s)) {}
  resumable* wait(const await_context& c) { return stream_.wait(c); }
  void abandon() noexcept { stream_.abandon(); }
  /// As many as there were, or fewer.
  [[nodiscard]] size_bounds bounds() const { return {0, stream_.bounds().most}; }
  template <class F>
  void each_hub(F&& f)
    requires runs_ahead
  {
    stream_.each_hub(f);
  }
  auto arrival()
    requires can_be_watched<S>
  {
    return stream_.arrival();
  }

 protected:
  S stream_;
};

inline size_bounds shrunk(size_bounds b, std::size_t by) noexcept {
  b.least = b.least > by ? b.least - by : 0;
  if (b.most != size_bounds::unknown) b.most = b.most > by ? b.most - by : 0;
  return b;
}
inline size_bounds grown(size_bounds b, size_bounds by) noexcept {
  constexpr std::size_t unknown = size_bounds::unknown;
  b.least = b.least > unknown - by.least ? unknown : b.least + by.least;
  b.most = b.most == unknown || by.most == unknown || b.most > unknown - by.most ? unknown : b.most + by.most;
  return b;
}

/// P<S, by_call<F>, A...>; if F is a coroutine, P over what it answers.
template <template <class...> class P, class S, class F, class... A>
auto judged(S&& s, F&& f, A&&... a) {
  if constexpr (is_awaited<S, F>) {
    using asked = awaiting_piece<S, F, false>;
    return P<asked, by_answer>(asked(std::move(s), std::move(f)), by_answer(), std::forward<A>(a)...);
  } else {
    return P<S, by_call<F>>(std::move(s), by_call<F>{std::move(f)}, std::forward<A>(a)...);
  }
}

/// What passes an examined element on without its answer.
template <class S>
class without_answer : public adaptor<without_answer<S>, S> {
 public:
  using element = decltype(element_t<S>::element);
  using adaptor<without_answer<S>, S>::adaptor;
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return this->stream_.run([&](element_t<S>&& x) { return sink(static_cast<element&&>(x.element)); }, error);
  }
  [[nodiscard]] size_bounds bounds() const { return this->stream_.bounds(); }
};

}  // namespace astd::stream::detail
