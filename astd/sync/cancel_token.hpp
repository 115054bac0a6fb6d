// cancel_source and cancel_token: a request to stop that reaches whoever holds a token, wherever it runs. For what no
// scope covers: tasks stop their children by themselves.
//
//   astd::cancel_source stop;
//   auto served = astd::spawn(serve(listener, stop.token()));
//   ...
//   stop.request_cancel();
//
//   task<> serve(net::tcp_listener& listener, cancel_token stop) {
//     for (;;) {
//       auto accepted = co_await as_result(with_cancel(stop, listener.accept()));
//       if (!accepted) co_return;
//       ...
#pragma once

#include <astd/sync/cancel_state.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace astd {

class cancel_source;

/// Says whether its source was asked to cancel. Copies share that. Any thread; the members do not wait for each other.
class cancel_token {
 public:
  /// One that is never cancelled.
  cancel_token() noexcept = default;

  [[nodiscard]] bool is_cancelled() const noexcept { return state_ && state_->is_cancelled(); }
  /// Whether it has a source at all.
  [[nodiscard]] bool can_be_cancelled() const noexcept { return static_cast<bool>(state_); }

  /// Waits until it is cancelled; goes on at once if it is. Any number may wait. Cancelling the wait changes nothing.
  /// Takes no allocation.
  [[nodiscard]] auto cancelled() const noexcept { return detail::cancelled_awaitable(state_); }

  /// A source whose tokens are cancelled when this one is, and that can be cancelled alone.
  [[nodiscard]] cancel_source child() const;

  /// Whether they have the same source.
  friend bool operator==(const cancel_token& a, const cancel_token& b) noexcept {
    return a.state_.get() == b.state_.get();
  }

 private:
  friend class cancel_source;
  template <class F>
  friend class cancel_callback;
  explicit cancel_token(detail::cancel_reference state) noexcept : state_(std::move(state)) {}
  detail::cancel_reference state_;
};

/// Where the request is made. Copies are the same source. Any thread. Destroying the last one does not cancel: that is
/// cancel_guard's.
class cancel_source {
 public:
  /// One allocation.
  cancel_source() : state_(detail::cancel_state::make(nullptr)) {}
  /// A child: cancelled when `parent` is.
  explicit cancel_source(const cancel_token& parent) : state_(detail::cancel_state::make(parent.state_.get())) {}

  [[nodiscard]] cancel_token token() const noexcept { return cancel_token(state_); }
  /// Cancels the tokens of this source and of all sources below it: wakes who waits, and calls the callbacks, here, before
  /// it returns. False: it was done before. Never waits for a task.
  bool request_cancel() const noexcept { return state_->request_cancel(); }
  [[nodiscard]] bool is_cancelled() const noexcept { return state_->is_cancelled(); }
  /// A source below this one.
  [[nodiscard]] cancel_source child() const { return cancel_source(token()); }

  friend bool operator==(const cancel_source& a, const cancel_source& b) noexcept {
    return a.state_.get() == b.state_.get();
  }

 private:
  detail::cancel_reference state_;
};

inline cancel_source cancel_token::child() const { return cancel_source(*this); }

/// Cancels when it is destroyed: what began in this scope does not outlast it unnoticed.
class [[nodiscard]] cancel_guard {
 public:
  explicit cancel_guard(cancel_source source) noexcept : source_(std::move(source)) {}
  cancel_guard(const cancel_guard&) = delete;
  cancel_guard& operator=(const cancel_guard&) = delete;
  ~cancel_guard() {
    if (armed_) source_.request_cancel();
  }
  /// It will not.
  void dismiss() noexcept { armed_ = false; }

 private:
  cancel_source source_;
  bool armed_ = true;
};

/// Calls `f` when the token is cancelled, on the thread that does it; at once, here, if it is cancelled already. As
/// std::stop_callback: the destructor takes it back, and waits for a call that runs on another thread. `f` throws
/// nothing, and is short: others wait behind it.
template <class F>
class cancel_callback : private detail::cancel_hook {
 public:
  template <class G>
    requires std::constructible_from<F, G>
  cancel_callback(const cancel_token& token, G&& f)
      : cancel_hook(&told), f_(std::forward<G>(f)), state_(token.state_) {
    bool refused = false;
    if (state_) added_ = state_->add(*this, refused) == detail::cancel_state::added::waits;
    if (state_ && !added_) f_();
  }
  cancel_callback(const cancel_callback&) = delete;
  cancel_callback& operator=(const cancel_callback&) = delete;
  ~cancel_callback() {
    bool refused = false;
    if (added_ && !state_->withdraw(*this, refused)) state_->wait_until_called(*this);
  }

 private:
  static void told(cancel_hook& h) noexcept { static_cast<cancel_callback&>(h).f_(); }
  F f_;
  const detail::cancel_reference state_;
  bool added_ = false;
};
template <class F>
cancel_callback(cancel_token, F) -> cancel_callback<F>;

}  // namespace astd
