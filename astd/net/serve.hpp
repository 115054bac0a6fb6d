// The accept loop: serve(listener, handler, limits) runs handler(stream) for each connection, and survives what comes.
//
//   task<> greet(net::tcp_stream stream) { co_await io::write_all(stream, "hello\n"); }
//
//   auto listener = co_await net::tcp_listener::bind("0.0.0.0:8080");
//   net::serve_limits limits;
//   limits.connections = 10'000;
//   limits.stop = shutdown.token();
//   auto report = co_await net::serve(listener, greet, limits);
#pragma once

#include <astd/cancel.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/limit.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/net/socket_address.hpp>
#include <astd/net/unix_address.hpp>
#include <astd/runtime/sleep.hpp>
#include <astd/runtime/task_group.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/sync/semaphore.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace astd::net {

/// What serve() keeps to.
struct serve_limits {
  /// So many connections at a time, at least one; further ones wait in the listener's queue.
  std::size_t connections = 10'000;
  /// So many of one peer (an IP address; all local sockets of one path or without a name are one), at least one; further
  /// ones are closed. The largest value: no limit, and nobody is counted.
  std::size_t per_peer = std::numeric_limits<std::size_t>::max();
  /// A handler that takes longer is cancelled, and its connection closed. Zero: as long as it likes.
  std::chrono::nanoseconds deadline{0};
  /// Cancelled: nothing more is accepted, and the handlers come to their end.
  cancel_token stop{};
  /// Handlers that have not ended by so long after `stop` are cancelled.
  std::chrono::nanoseconds drain = std::chrono::seconds(30);
};

/// What has become of the connections; complete when serve() is over.
struct serve_report {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;        // closed at once: too many of their peer, or no memory to serve them
  std::uint64_t finished = 0;       // the handler ended well
  std::uint64_t failed = 0;         // it ended with an error or an exception
  std::uint64_t timed_out = 0;      // of these: it ran into serve's deadline
  std::uint64_t cut_off = 0;        // it was cancelled when draining took too long
  std::uint64_t accept_errors = 0;  // no descriptors, no memory: tried again after a while
  std::error_code last_accept_error;
};

namespace detail {

[[nodiscard]] std::string peer_key(const socket_address& peer);
[[nodiscard]] std::string peer_key(const unix_address& peer);
/// Whether the listener itself is broken: there is no point in another try.
[[nodiscard]] bool ends_accepting(std::error_code error) noexcept;
/// What a handler that ran into serve's deadline ends with: no handler has it by itself, and nobody outside sees it.
[[nodiscard]] std::error_code past_deadline() noexcept;
/// Names the first of the limits that says nothing sensible, for an error; empty if all do.
[[nodiscard]] std::string unusable(const serve_limits& limits);

class serve_state {
 public:
  explicit serve_state(const serve_limits& l)
      : limits(l),
        room(static_cast<std::ptrdiff_t>(
            std::min(l.connections, static_cast<std::size_t>(counting_semaphore<>::max())))) {}
  /// Whether peers are counted at all.
  [[nodiscard]] bool counts_peers() const noexcept {
    return limits.per_peer != std::numeric_limits<std::size_t>::max();
  }
  /// False: it has enough.
  bool add(const std::string& key);
  void remove(const std::string& key) noexcept;
  [[nodiscard]] serve_report report() const;

  const serve_limits limits;
  counting_semaphore<> room;
  std::atomic<std::uint64_t> accepted{0}, refused{0}, ended{0}, finished{0}, failed{0}, timed_out{0},
      accept_errors{0};
  std::error_code last_accept_error;  // the accepting task's

 private:
  std::mutex lock_;
  std::map<std::string, std::size_t> peers_;  // under lock_
};

/// A connection's room, from its beginning to its end, however it ends.
class serve_place {
 public:
  explicit serve_place(semaphore_permit permit) noexcept : permit_(std::move(permit)) {}
  /// False: its peer has enough. Throws std::bad_alloc, and has counted nothing then.
  bool count(serve_state& s, std::string key) {
    if (!s.add(key)) return false;
    state_ = &s;
    key_ = std::move(key);
    return true;
  }
  serve_place(serve_place&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)),
        permit_(std::move(other.permit_)),
        key_(std::move(other.key_)) {}
  serve_place& operator=(serve_place&&) = delete;
  ~serve_place() {
    if (state_) state_->remove(key_);
  }

 private:
  serve_state* state_ = nullptr;  // null: not counted
  semaphore_permit permit_;
  std::string key_;
};

/// Whether it can be called as serve() says with what an L accepts.
template <class H, class L, class Connection = await_result_t<decltype(std::declval<L&>().accept())>>
concept serves = requires(H& handler, Connection& c, cancel_token stop) {
  { handler(std::move(c.first), std::as_const(c.second), stop) } -> awaitable;
} || requires(H& handler, Connection& c) {
  { handler(std::move(c.first), std::as_const(c.second)) } -> awaitable;
} || requires(H& handler, Connection& c) {
  { handler(std::move(c.first)) } -> awaitable;
};

template <class H, class Stream, class Address>
auto call_handler(H& handler, Stream&& stream, const Address& peer, const cancel_token& stop) {
  if constexpr (std::is_invocable_v<H&, Stream, const Address&, cancel_token>)
    return handler(std::move(stream), peer, stop);
  else if constexpr (std::is_invocable_v<H&, Stream, const Address&>)
    return handler(std::move(stream), peer);
  else
    return handler(std::move(stream));
}

template <awaitable A>
auto within_deadline(std::chrono::nanoseconds deadline, A handling) {
  return astd::detail::limit_awaitable<A, astd::detail::sleep_awaitable>(
      "serve's deadline", past_deadline(),
      astd::detail::sleep_awaitable(astd::detail::to_nanoseconds(deadline), true), std::move(handling));
}

template <class H, class Stream, class Address>
task<> serve_one(serve_state& s, H& handler, Stream stream, Address peer, [[maybe_unused]] serve_place place) {
  std::error_code error;
  bool thrown = true;
#if ASTD_HAS_EXCEPTIONS
  try {
#endif
    auto handling = call_handler(handler, std::move(stream), peer, s.limits.stop);
    if (s.limits.deadline.count() > 0) {
      // As timeout(), but told from a timeout of the handler's own.
      auto limited = within_deadline(s.limits.deadline, std::move(handling));
      const auto done = co_await as_result(std::move(limited));
      if (!done) error = done.error();
    } else {
      const auto done = co_await as_result(std::move(handling));
      if (!done) error = done.error();
    }
    thrown = false;
#if ASTD_HAS_EXCEPTIONS
  } catch (...) {  // counted below: one connection's failure is not the others'
  }
#endif
  s.ended.fetch_add(1, std::memory_order_relaxed);
  if (!thrown && !error) {
    s.finished.fetch_add(1, std::memory_order_relaxed);
  } else {
    s.failed.fetch_add(1, std::memory_order_relaxed);
    if (error == past_deadline()) s.timed_out.fetch_add(1, std::memory_order_relaxed);
  }
}

/// "127.0.0.1:80", for errors; empty if the listener does not tell.
template <class L>
std::string place_of([[maybe_unused]] const L& listener) {
  if constexpr (requires { listener.local_address().to_string(); }) {
#if ASTD_HAS_EXCEPTIONS
    try {
      return listener.local_address().to_string();
    } catch (const std::system_error&) {  // it is broken already: accept() says how
    }
#else
    return listener.local_address().to_string();
#endif
  }
  return {};
}

/// Serves a connection in the group, unless its peer has enough. Throws std::bad_alloc; the connection is closed then.
template <class H, class Connection>
void begin_to_serve(serve_state& s, H& handler, task_group& group, Connection& connection,
                    semaphore_permit permit) {
  serve_place place(std::move(permit));
  if (s.counts_peers() && !place.count(s, peer_key(connection.second))) {
    s.refused.fetch_add(1, std::memory_order_relaxed);
    return;  // closes it
  }
  group.spawn(serve_one(s, handler, std::move(connection.first), connection.second, std::move(place)));
}

template <class L, class H>
task<> accept_all(serve_state& s, L& listener, H& handler, task_group& group, const std::string& where) {
  constexpr std::chrono::milliseconds shortest(1), longest(500);
  std::chrono::milliseconds pause = shortest;
  for (;;) {
    auto permit = co_await s.room.acquire_permit();
    std::error_code error;
    {
      auto got = co_await as_result(listener.accept());
      if (got) {
        // Nothing is awaited from the accept to the spawn: a connection that was accepted is served.
        s.accepted.fetch_add(1, std::memory_order_relaxed);
#if ASTD_HAS_EXCEPTIONS
        try {
#endif
          begin_to_serve(s, handler, group, *got, std::move(permit));
#if ASTD_HAS_EXCEPTIONS
        } catch (const std::bad_alloc&) {
          s.refused.fetch_add(1, std::memory_order_relaxed);
          error = std::make_error_code(std::errc::not_enough_memory);
        }
#endif
      } else {
        error = got.error();
      }
    }
    if (!error) {
      pause = shortest;
      continue;
    }
    s.accept_errors.fetch_add(1, std::memory_order_relaxed);
    s.last_accept_error = error;
    if (ends_accepting(error)) {
      // Not in one expression with `?`: GCC 12 makes both failures, and destroys the chosen one twice.
      if (where.empty()) co_await fail(failure(error, "serve"));
      co_await fail(failure(error, "serve", where));
    }
    // Others still wait: asked again at once the system would say the same. What ends meanwhile makes room.
    co_await this_task::sleep_for(pause);
    pause = std::min(pause * 2, longest);
  }
}

inline task<> stopped(cancel_token stop) {
  if (!stop.can_be_cancelled()) co_await pending();
  co_await stop.cancelled();
}

inline task<> drained_too_long(cancel_token stop, std::chrono::nanoseconds drain) {
  co_await stopped(std::move(stop));
  co_await this_task::sleep_for(drain);
}

template <class L, class H>
task<> serve_until_stopped(serve_state& s, L& listener, H& handler) {
  const std::string where = place_of(listener);
  auto body = [&s, &listener, &handler, &where](task_group& group) -> task<> {
    auto accepting = race(accept_all(s, listener, handler, group, where), stopped(s.limits.stop));
    co_await std::move(accepting);
  };
  co_await task_group::run(body);
}

template <class L, class H>
task<serve_report> serve_with(L listener, H handler, serve_limits limits) {
  if (const std::string wrong = unusable(limits); !wrong.empty())
    co_await fail({std::make_error_code(std::errc::invalid_argument), "serve with", wrong});
  serve_state s(limits);
  auto all = race(serve_until_stopped(s, listener, handler), drained_too_long(limits.stop, limits.drain));
  co_await std::move(all);
  co_return s.report();
}

}  // namespace detail

/// Accepts until limits.stop is cancelled, and calls handler(stream), handler(stream, peer) or handler(stream, peer,
/// stop), whichever it can be called with, for each connection: a task of its own, on any worker; so the handler is called
/// from several threads. What the handler returns is awaited; its errors and exceptions are counted and concern nobody
/// else. The stream belongs to it.
///
/// Out of descriptors or memory, it waits (1 ms at first, up to half a second) and goes on; a connection that was accepted
/// but finds no memory to be served is closed, and counted as refused. Connections that died in the queue do not concern
/// it. It fails only if the listener itself is broken ("serve 127.0.0.1:80: Invalid argument"), and then the handlers are
/// cancelled; and with invalid_argument, which names the limit, for `connections` or `per_peer` of 0. Over when all
/// handlers have ended. Cancelled, it cancels them.
///
/// `listener`: a tcp_listener, a unix_listener, or anything whose accept() gives a pair of stream and address; an lvalue
/// is referred to and outlives the await, an rvalue is moved in.
template <class Listener, class Handler>
[[nodiscard]] ASTD_CORO_WRAPPER task<serve_report> serve(Listener&& listener, Handler handler,
                                                         serve_limits limits = {}) {
  constexpr bool fits = detail::serves<Handler, std::remove_reference_t<Listener>>;
  static_assert(
      fits,
      "astd::net::serve: the handler cannot be called with (stream), (stream, peer) or (stream, peer, stop), or "
      "gives nothing that can be awaited");
  if constexpr (fits)
    return detail::serve_with<Listener, Handler>(std::forward<Listener>(listener), std::move(handler),
                                                 std::move(limits));
}

}  // namespace astd::net
