// What awaits stand in a channel: see channel.hpp.
#pragma once

#include <astd/base/assert.hpp>
#include <astd/channel/channel_state.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace astd {

template <class T>
class permit;

namespace detail {

/// Why it was not sent.
[[nodiscard]] std::error_code why_not(sent how) noexcept;
[[nodiscard]] inline outcome<void> outcome_of(sent how) noexcept {
  outcome<void> o;
  if (how == sent::yes)
    o.set_value();
  else
    o.set_failure(failure(why_not(how)));
  return o;
}

/// `Arg` is T, for a message of the awaiter's own, or T&&.
template <class T, class Arg>
class send_awaiter final : public channel_waiter, public awaiter_base<send_awaiter<T, Arg>> {
 public:
  using value_type = void;
  send_awaiter(channel_state<T>& state, Arg&& message)
      : channel_waiter(state, side::sends), state_(state), given_(static_cast<Arg&&>(message)), packed_(given_) {}

  bool await_ready() noexcept {
    if (state_.is_time_to_ask_senders() && !has_time()) return false;
    how_ = state_.try_send(packed_.message());
    return how_ == sent::yes || (how_ != sent::full && has_time());
  }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<void> take() noexcept {
    resumed();
    return outcome_of(found_closed() ? sent::closed : how_);
  }
  void await_resume() {
    if (how_ != sent::yes || found_closed()) [[unlikely]]
      take().get();
    resumed();
  }

 private:
  progress proceed(bool first, intrusive_list<channel_waiter>& out) noexcept override {
    how_ = state_.send_in_line(packed_.message(), first, out);
    return how_ != sent::full ? progress::done : progress::none;
  }
  void describe(std::string& out, unsigned) const override { describe_as(out, "send to channel"); }

  channel_state<T>& state_;
  Arg given_;
  packed<T> packed_;
  sent how_ = sent::full;
};

template <class T, class Arg>
class [[nodiscard("it does nothing until it is awaited")]] send_awaitable {
 public:
  send_awaitable(channel_state<T>& state, T&& message) : state_(&state), message_(static_cast<T&&>(message)) {}
  auto operator co_await() && { return send_awaiter<T, Arg>(*state_, static_cast<Arg&&>(message_)); }

 private:
  channel_state<T>* state_;
  Arg message_;
};

template <class T>
class send_many_awaiter final : public channel_waiter, public awaiter_base<send_many_awaiter<T>> {
 public:
  using value_type = void;
  send_many_awaiter(channel_state<T>& state, std::span<T>& messages) noexcept
      : channel_waiter(state, side::sends), state_(state), left_(messages), asked_(messages.size()) {}

  bool await_ready() noexcept {
    how_ = sent::yes;
    for (unsigned n = 0; !left_.empty(); ++n) {
      if (n % 8 == 0 && !has_time()) return false;
      how_ = state_.try_send(left_.front());
      if (how_ != sent::yes) return how_ != sent::full;
      left_ = left_.subspan(1);
    }
    return true;
  }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<void> take() noexcept {
    resumed();
    return outcome_of(found_closed() ? sent::closed : how_);
  }

 private:
  progress proceed(bool first, intrusive_list<channel_waiter>& out) noexcept override {
    for (std::size_t n = 0; !left_.empty(); ++n) {
      if (n == messages_at_once) return progress::some;
      how_ = state_.send_in_line(left_.front(), first, out);
      if (how_ != sent::yes) return how_ != sent::full ? progress::done : progress::none;
      left_ = left_.subspan(1);
    }
    return progress::done;
  }
  // How many are left is known to whoever receives at the moment.
  void describe(std::string& out, unsigned) const override {
    describe_as(out, "send to channel");
    out += ", of " + std::to_string(asked_) + " messages";
  }

  channel_state<T>& state_;
  std::span<T>& left_;
  const std::size_t asked_;
  sent how_ = sent::yes;
};

template <class T>
class [[nodiscard("it does nothing until it is awaited")]] send_many_awaitable {
 public:
  send_many_awaitable(channel_state<T>& state, std::span<T>& messages) noexcept
      : state_(&state), messages_(&messages) {}
  auto operator co_await() const noexcept { return send_many_awaiter<T>(*state_, *messages_); }

 private:
  channel_state<T>* state_;
  std::span<T>* messages_;
};

template <class T>
class reserve_awaiter final : public channel_waiter, public awaiter_base<reserve_awaiter<T>> {
 public:
  using value_type = permit<T>;
  reserve_awaiter(channel_state<T>& state, std::size_t places) noexcept
      : channel_waiter(state, side::sends), state_(state), places_(places) {}

  bool await_ready() noexcept {
    if (!has_time()) return false;
    how_ = state_.try_keep(places_);
    return how_ != sent::full;
  }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<permit<T>> take() noexcept {
    resumed();
    outcome<permit<T>> o;
    if (found_closed()) how_ = sent::closed;
    if (how_ == sent::yes)
      o.set_value(permit<T>(state_, places_));
    else
      o.set_failure(failure(why_not(how_)));
    return o;
  }

 private:
  progress proceed(bool first, intrusive_list<channel_waiter>&) noexcept override {
    how_ = state_.closed() ? sent::closed : state_.keep_in_line(places_, first) ? sent::yes : sent::full;
    return how_ != sent::full ? progress::done : progress::none;
  }
  void describe(std::string& out, unsigned) const override {
    describe_as(out, "reserve in channel");
    if (places_ != 1) out += ", " + std::to_string(places_) + " places";
  }

  channel_state<T>& state_;
  std::size_t places_;
  sent how_ = sent::full;
};

template <class T>
class [[nodiscard("it does nothing until it is awaited")]] reserve_awaitable {
 public:
  reserve_awaitable(channel_state<T>& state, std::size_t places) noexcept : state_(&state), places_(places) {}
  auto operator co_await() const noexcept { return reserve_awaiter<T>(*state_, places_); }

 private:
  channel_state<T>* state_;
  std::size_t places_;
};

template <class T>
class recv_awaiter final : public receiving_waiter<T>, public awaiter_base<recv_awaiter<T>> {
 public:
  using value_type = std::optional<T>;
  explicit recv_awaiter(channel_state<T>& state) noexcept : receiving_waiter<T>(state) {}

  bool await_ready() noexcept {
    if (this->state_.is_time_to_ask_receivers() && !this->has_time()) return false;
    return this->state_.try_receive(this->slot_) || (this->state_.is_over() && this->has_time());
  }
  resumable* start(const await_context& c) noexcept { return this->wait(c); }
  outcome<std::optional<T>> take() {
    outcome<std::optional<T>> o;
    o.set_value(await_resume());
    return o;
  }
  std::optional<T> await_resume() {
    this->resumed();
    if (!this->slot_) return std::nullopt;
    return std::optional<T>(std::in_place, unpacked<T>(*this->slot_));
  }

 private:
  void describe(std::string& out, unsigned) const override { this->describe_as(out, "recv of channel"); }
};

template <class T>
class [[nodiscard("it does nothing until it is awaited")]] recv_awaitable {
 public:
  explicit recv_awaitable(channel_state<T>& state) noexcept : state_(&state) {}
  auto operator co_await() const noexcept { return recv_awaiter<T>(*state_); }

 private:
  channel_state<T>* state_;
};

/// Waits for a message and leaves it where it is.
template <class T>
class readable_awaiter final : public channel_waiter, public awaiter_base<readable_awaiter<T>> {
 public:
  using value_type = void;
  explicit readable_awaiter(channel_state<T>& state) noexcept : channel_waiter(state, side::looks), state_(state) {}

  bool await_ready() noexcept { return has_time() && state_.may_have_message(); }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<void> take() noexcept {
    resumed();
    outcome<void> o;
    o.set_value();
    return o;
  }

 private:
  progress proceed(bool, intrusive_list<channel_waiter>&) noexcept override {
    return state_.has_message() || state_.ended() ? progress::done : progress::none;
  }
  void describe(std::string& out, unsigned) const override { describe_as(out, "readable of channel"); }

  channel_state<T>& state_;
};

template <class T>
class [[nodiscard("it does nothing until it is awaited")]] readable_awaitable {
 public:
  explicit readable_awaitable(channel_state<T>& state) noexcept : state_(&state) {}
  auto operator co_await() const noexcept { return readable_awaiter<T>(*state_); }

 private:
  channel_state<T>* state_;
};

template <class T>
class recv_many_awaiter final : public receiving_waiter<T>, public awaiter_base<recv_many_awaiter<T>> {
 public:
  using value_type = std::size_t;
  recv_many_awaiter(channel_state<T>& state, std::vector<T>& to, std::size_t limit) noexcept
      : receiving_waiter<T>(state), to_(to), limit_(limit) {}

  bool await_ready() {
    if (limit_ == 0) return true;
    make_room(1);  // for what may be handed to us
    if (!this->has_time()) return false;
    receive_some();
    return received_ != 0;
  }
  resumable* start(const await_context& c) noexcept { return this->wait(c); }
  outcome<std::size_t> take() {
    outcome<std::size_t> o;
    o.set_value(await_resume());
    return o;
  }
  std::size_t await_resume() {
    this->resumed();
    if (this->slot_) {
      to_.push_back(unpacked<T>(*this->slot_));
      this->slot_.reset();
      ++received_;
      receive_some();
    }
    return received_;
  }

 private:
  void make_room(std::size_t n) {
    if (to_.capacity() - to_.size() < n) to_.reserve(std::max(to_.size() + n, to_.capacity() * 2));
  }
  void receive_some() {
    const std::size_t n = std::min(limit_ - received_, this->state_.size());
    if (n == 0) return;
#if ASTD_HAS_EXCEPTIONS
    try {
      make_room(n);
    } catch (...) {
      if (received_ == 0) throw;
      return;  // they stay where they are
    }
#else
    make_room(n);
#endif
    if constexpr (is_boxed_message<T>) {
      for (std::size_t i = 0; i < n; ++i, ++received_) {
        std::optional<message_of<T>> m;
        if (!this->state_.try_receive(m)) return;
        to_.push_back(unpacked<T>(*m));
      }
    } else {
      received_ += this->state_.receive_some(n, [this](T&& m) { to_.push_back(std::move(m)); });
    }
  }
  void describe(std::string& out, unsigned) const override { this->describe_as(out, "recv_many of channel"); }

  std::vector<T>& to_;
  const std::size_t limit_;
  std::size_t received_ = 0;
};

template <class T>
class [[nodiscard("it does nothing until it is awaited")]] recv_many_awaitable {
 public:
  recv_many_awaitable(channel_state<T>& state, std::vector<T>& to, std::size_t limit) noexcept
      : state_(&state), to_(&to), limit_(limit) {}
  auto operator co_await() const noexcept { return recv_many_awaiter<T>(*state_, *to_, limit_); }

 private:
  channel_state<T>* state_;
  std::vector<T>* to_;
  std::size_t limit_;
};

}  // namespace detail
}  // namespace astd
