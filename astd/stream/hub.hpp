// What runs behind a stream between two elements: of merge, timeout, chunks_timeout, buffered.
//
// A source that has begun something can only be waited for or cancelled, and cancelling a generator ends it. So that one
// of several may be slow, each source that has to wait is asked by a task of its own, a helper. Helpers, and all they
// use, belong to a hub, which lives until the last of them has ended. What the user gave it goes with the stream if they
// have ended then: the last of them may still be on its way out of the hub.
//
// An end of such a stream stops the helpers and has awaited them when it is over, however it ended. Who asks by next()
// does so by close(); who destroys the stream before its end, without that, asks them to stop and does not wait.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/coro/shield.hpp>
#include <astd/coro/task.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/stream/piece.hpp>
#include <astd/sync/event.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace astd::stream::detail {

class hub {
 public:
  hub() noexcept = default;
  hub(const hub&) = delete;
  hub& operator=(const hub&) = delete;

  /// Somebody has something to say.
  void notify() noexcept { changed.notify_one(); }

  // Helpers count themselves.
  void began() noexcept {
    references_.fetch_add(1, std::memory_order_relaxed);
    running_.fetch_add(1, std::memory_order_relaxed);
  }
  void ended() noexcept;
  // acquire: pairs with ended().
  [[nodiscard]] bool is_quiet() const noexcept { return running_.load(std::memory_order_acquire) == 0; }

  // Only who owns the stream:
  /// Asks all helpers to stop.
  virtual void request_stop() noexcept = 0;
  /// The same; and no other is to begin.
  void close() noexcept {
    closed_ = true;
    request_stop();
  }
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }
  /// Destroys all but the hub itself, which is quiet.
  virtual void clear() noexcept = 0;

  void drop() noexcept;

  event changed{"an element of a stream"};
  event quiet{"the end of a stream"};

 protected:
  virtual ~hub();

 private:
  atomic<std::size_t> references_{1};
  atomic<std::size_t> running_{0};
  bool closed_ = false;
};

/// Waits for one of a hub's events, in a piece.
class hub_wait {
 public:
  resumable* wait(event& e, const await_context& c) {
    operation_.begin([&e] { return e.wait(); });
    if (!operation_.is_ready()) return operation_.start(c);
    return c.continuation;
  }
  /// To be called first in run().
  void settle() noexcept {
    if (!operation_.is_live()) return;
    outcome<void> o;
    operation_.end(o);
  }
  void abandon() noexcept { operation_.reset(); }

 private:
  operation<decltype(std::declval<event&>().wait())> operation_;
};

/// A helper's claim to its hub; the last thing that is destroyed of it.
class claim {
 public:
  explicit claim(hub& h) noexcept : hub_(&h) { h.began(); }
  claim(claim&& other) noexcept : hub_(std::exchange(other.hub_, nullptr)) {}
  claim& operator=(claim&&) = delete;
  ~claim() {
    if (hub_) hub_->ended();
  }

 private:
  hub* hub_;
};

/// A stream's own claim: what it has running is asked to stop when it goes.
template <class H>
class hub_owner {
 public:
  template <class... A>
  explicit hub_owner(std::in_place_t, A&&... a) : hub_(new H(std::forward<A>(a)...)) {}
  hub_owner(hub_owner&& other) noexcept : hub_(std::exchange(other.hub_, nullptr)) {}
  hub_owner& operator=(hub_owner other) noexcept {
    std::swap(hub_, other.hub_);
    return *this;
  }
  ~hub_owner() {
    if (!hub_) return;
    hub_->request_stop();
    if (hub_->is_quiet()) hub_->clear();
    hub_->drop();
  }
  H* operator->() const noexcept { return hub_; }
  H& operator*() const noexcept { return *hub_; }
  explicit operator bool() const noexcept { return hub_ != nullptr; }

 private:
  H* hub_;
};

/// Awaits what `make` makes and gives how it ended, without throwing.
template <class A>
class settled : public awaiter_base<settled<A>> {
 public:
  using inner_type = own_awaiter<A>;
  using value_type = outcome<typename inner_type::value_type>;
  template <class Make>
  explicit settled(Make& make) : made_(make()), inner_(static_cast<A&&>(made_)) {}
  settled(settled&&) = delete;
  bool await_ready() { return inner_->await_ready(); }
  resumable* start(const await_context& c) { return inner_->start(c); }
  value_type await_resume() noexcept {
    value_type o;
    inner_.take_into(o);
    return o;
  }
  outcome<value_type> take() {
    outcome<value_type> o;
    o.set_value(await_resume());
    return o;
  }

 private:
  A made_;
  inner_type inner_;
};
template <class Make>
class settling {
 public:
  explicit settling(Make& make) noexcept : make_(make) {}
  auto operator co_await() const { return settled<decltype(make_())>(make_); }

 private:
  Make& make_;
};
/// `make` outlives the await.
template <class Make>
auto settle(Make& make) noexcept {
  return settling<Make>(make);
}

/// A source, and its helper if it has needed one. One element is taken at a time, when it is asked for. Where the source
/// can be watched the helper does no more, and an element that is not asked for stays where it is.
template <class S>
class lane {
 public:
  using element = element_t<S>;
  explicit lane(S&& s) : source_(std::move(s)) {}

  /// flow::stopped: `to` has an element. flow::wait: the hub will be notified.
  flow poll(hub& of, slot<element>& to, outcome<void>& error) {
    // acquire: pairs with the helper's release.
    switch (state_.load(std::memory_order_acquire)) {
      case state::resting: {
        if (of.is_closed()) return flow::end;
        const flow how = source_.run(
            [&](element&& x) {
              to.emplace(static_cast<element&&>(x));
              return false;
            },
            error);
        if (how == flow::wait)
          want(of);
        else if (how == flow::end)
          end();
        return how;
      }
      case state::taken:
        if (of.is_closed()) return flow::end;
        want(of);
        return flow::wait;
      case state::wanted: return of.is_closed() ? flow::end : flow::wait;
      case state::full:
        to = std::move(item_);
        item_.reset();
        state_.store(state::taken, std::memory_order_relaxed);
        return flow::stopped;
      case state::failed:
        error.set_error_of(error_);
        error_.reset();
        state_.store(state::over, std::memory_order_relaxed);
        return flow::failed;
      case state::over: return flow::end;
    }
    return flow::end;
  }
  void request_stop() noexcept { helper_.request_cancel(); }
  [[nodiscard]] size_bounds bounds() const {
    const state s = state_.load(std::memory_order_acquire);
    if (s == state::resting) return source_.bounds();
    return s == state::over ? size_bounds{0, 0} : size_bounds{};
  }
  template <class F>
  void each_hub(F&& f) {
    if constexpr (runs_ahead<S>) source_.each_hub(f);
  }

 private:
  enum class state : std::uint8_t { resting, wanted, full, taken, failed, over };

  void want(hub& of) {
    if constexpr (can_be_watched<S>)
      if (state_.load(std::memory_order_relaxed) == state::resting) source_.abandon();
    // release: the helper sees that the element is gone, and the source its own.
    state_.store(state::wanted, std::memory_order_release);
    if (has_helper_)
      wanted_.notify_one();
    else
      begin_helper(of);
  }
  void end() noexcept {
    state_.store(state::over, std::memory_order_release);
    wanted_.notify_one();  // a helper that is left has nothing to do any more
  }
  void begin_helper(hub& of) {
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      if constexpr (can_be_watched<S>)
        helper_ = spawn(watch(claim(of), of, *this));
      else
        helper_ = spawn(help(claim(of), of, *this));
      has_helper_ = true;
#if ASTD_HAS_EXCEPTIONS
    } catch (...) {
      // No memory: whoever asks again begins again.
      source_.abandon();
      state_.store(state::resting, std::memory_order_relaxed);
      throw;
    }
#endif
  }
  static task<> watch(claim, hub& of, lane& self) {
    for (;;) {
      co_await self.source_.arrival();
      self.say(of, state::resting);
      for (;;) {
        // acquire: pairs with want() and end().
        const state now = self.state_.load(std::memory_order_acquire);
        if (now == state::over) co_return;
        if (now == state::wanted) break;
        co_await self.wanted_.wait();
      }
    }
  }
  static task<> help(claim, hub& of, lane& self) {
    for (bool first = true;; first = false) {
      auto ask = [&self, first] {
        auto next = next_from(self.source_);
        if (first) next.set_said_wait();
        return next;
      };
      auto next = co_await settle(ask);
      if (next.failed()) {
        self.error_.set_error_of(next);
        self.say(of, state::failed);
        break;
      }
      auto x = std::move(next).get();
      if (!x) {
        self.say(of, state::over);
        break;
      }
      if constexpr (std::is_reference_v<element>)
        self.item_.emplace(*x);
      else
        self.item_.emplace(*std::move(x));
      self.say(of, state::full);
      while (self.state_.load(std::memory_order_acquire) != state::wanted) co_await self.wanted_.wait();
    }
  }
  void say(hub& of, state s) noexcept {
    state_.store(s, std::memory_order_release);  // pairs with poll()
    of.notify();
  }

  S source_;
  atomic<state> state_{state::resting};
  slot<element> item_;
  outcome<void> error_;
  event wanted_{"demand for an element of a stream"};
  join_handle<void> helper_;
  bool has_helper_ = false;
};

/// Closes the hubs of a stream, and waits until they are quiet. A piece without elements and no coroutine: what cleans up
/// must not need memory.
template <class S>
class closing_piece : public piece_base<closing_piece<S>> {
 public:
  using element = nothing;
  explicit closing_piece(S& s) noexcept : stream_(&s) {}
  template <class Sink>
  flow run(Sink&&, outcome<void>&) noexcept {
    wait_.settle();
    // From the outermost in: what is inside a helper's source is the helper's until that has ended.
    busy_ = nullptr;
    stream_->each_hub([this](hub& h) {
      if (busy_) return;
      h.close();
      if (!h.is_quiet()) busy_ = &h;
    });
    return busy_ ? flow::wait : flow::end;
  }
  resumable* wait(const await_context& c) noexcept { return wait_.wait(busy_->quiet, c); }
  void abandon() noexcept { wait_.abandon(); }

 private:
  S* stream_;
  hub* busy_ = nullptr;
  hub_wait wait_;
};
template <class S>
auto close_helpers(S& s) noexcept {
  using closing = closing_piece<S>;
  return stream_end<closing, nothing_consumer<nothing>>(closing(s), {});
}
template <class Derived>
auto piece_base<Derived>::close()
  requires runs_ahead<Derived>
{
  return close_helpers(static_cast<Derived&>(*this));
}

template <class S, class E>
class [[nodiscard("a stream does nothing until it is awaited")]] stopping_end {
 public:
  stopping_end(S&& s, E&& e) : stream_(std::move(s)), consumer_(std::move(e)) {}
  auto operator co_await() && {
    auto stop = [s = &stream_] { return close_helpers(*s); };
    return finally(stream_end<S&, E>(stream_, std::move(consumer_)), std::move(stop)).operator co_await();
  }

 private:
  S stream_;
  E consumer_;
};

/// The same for an end that is a task: `make` makes it of the stream.
template <class S, class Make>
class [[nodiscard("a stream does nothing until it is awaited")]] stopping_task {
 public:
  stopping_task(S&& s, Make&& make) : stream_(std::move(s)), make_(std::move(make)) {}
  auto operator co_await() && {
    auto stop = [s = &stream_] { return close_helpers(*s); };
    return finally(make_(borrowed<S>(stream_)), std::move(stop)).operator co_await();
  }

 private:
  S stream_;
  Make make_;
};
template <class S, class Make>
auto stop_behind(S&& s, Make&& make) {
  return stopping_task<S, Make>(std::move(s), std::move(make));
}

}  // namespace astd::stream::detail
