// Internal: options as members of the public types. Setters and getters throw a system_error if the system refuses, which
// names the option and the socket's address; none of them waits.
#pragma once

#include <astd/net/socket.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <system_error>

namespace astd::net {

/// When a silent connection is asked whether its peer is still there, and how often before it is given up.
struct keepalive_times {
  std::chrono::seconds idle{7200};    // silence before the first question; 1 to 32,767
  std::chrono::seconds interval{75};  // between questions; 1 to 32,767
  int probes = 9;                     // unanswered ones before the connection ends; 1 to 127
};

namespace detail {

/// `Socket` has a member descriptor(), for us alone.
template <class Socket>
class ip_options {
 public:
  /// How many routers a packet may pass (IPv6: hop limit): 1 to 255.
  void set_ttl(unsigned hops) { set_option(fd(), socket_option::time_to_live, count_for_option(hops), "set ttl"); }
  [[nodiscard]] unsigned ttl() const {
    return static_cast<unsigned>(get_option(fd(), socket_option::time_to_live, "ttl"));
  }
  /// The type of service (IPv6: traffic class) of what is sent: 0 to 255.
  void set_tos(unsigned value) {
    set_option(fd(), socket_option::type_of_service, count_for_option(value), "set tos");
  }
  [[nodiscard]] unsigned tos() const {
    return static_cast<unsigned>(get_option(fd(), socket_option::type_of_service, "tos"));
  }
  /// Bytes that the system keeps for what was written and not yet sent, or was received and not yet read. The system may
  /// make it more (Linux doubles it) or less; the getters say what it is.
  void set_send_buffer_size(std::size_t bytes) {
    set_option(fd(), socket_option::send_buffer, count_for_option(static_cast<std::int64_t>(bytes)),
               "set send buffer size");
  }
  [[nodiscard]] std::size_t send_buffer_size() const {
    return static_cast<std::size_t>(get_option(fd(), socket_option::send_buffer, "send buffer size"));
  }
  void set_receive_buffer_size(std::size_t bytes) {
    set_option(fd(), socket_option::receive_buffer, count_for_option(static_cast<std::int64_t>(bytes)),
               "set receive buffer size");
  }
  [[nodiscard]] std::size_t receive_buffer_size() const {
    return static_cast<std::size_t>(get_option(fd(), socket_option::receive_buffer, "receive buffer size"));
  }
  /// The error that waits at the socket, an empty code if there is none; asking takes it away.
  [[nodiscard]] std::error_code take_error() { return detail::take_error(fd()); }

 private:
  [[nodiscard]] int fd() const noexcept { return static_cast<const Socket&>(*this).descriptor(); }
};

template <class Socket>
class tcp_options : public ip_options<Socket> {
 public:
  /// Whether small writes go out at once (true) or may wait for acknowledgements of earlier ones and be sent together
  /// (false, the default: Nagle's algorithm).
  void set_nodelay(bool on) { set_option(fd(), socket_option::no_delay, on, "set nodelay"); }
  [[nodiscard]] bool nodelay() const { return get_option(fd(), socket_option::no_delay, "nodelay") != 0; }

  /// What the destructor does with what was written and not yet acknowledged: nothing given, the system sends it in the
  /// background (the default). 0 drops it and resets the connection. More than 0 would make closing wait, so that the
  /// destructor would block its thread: who wants to know that everything has arrived ends the writing side and reads to
  /// the end instead.
  void set_linger(std::optional<std::chrono::seconds> time) {
    if (time && time->count() < 0)
      astd::detail::throw_failure({std::make_error_code(std::errc::invalid_argument), "set linger", "of a socket"});
    detail::set_linger(fd(), time ? count_for_option(time->count()) : -1);
  }
  [[nodiscard]] std::optional<std::chrono::seconds> linger() const {
    const int seconds = get_linger(fd());
    if (seconds < 0) return std::nullopt;
    return std::chrono::seconds(seconds);
  }

  /// Whether the system asks the peer of a silent connection whether it is still there (false by default).
  void set_keepalive(bool on) { set_option(fd(), socket_option::keep_alive, on, "set keepalive"); }
  [[nodiscard]] bool keepalive() const { return get_option(fd(), socket_option::keep_alive, "keepalive") != 0; }
  /// Sets the times, and turns it on.
  void set_keepalive(const keepalive_times& times) {
    set_option(fd(), socket_option::keep_idle, count_for_option(times.idle.count()), "set keepalive idle time");
    set_option(fd(), socket_option::keep_interval, count_for_option(times.interval.count()),
               "set keepalive interval");
    set_option(fd(), socket_option::keep_count, times.probes, "set keepalive probes");
    set_keepalive(true);
  }
  [[nodiscard]] net::keepalive_times keepalive_times() const {
    return {std::chrono::seconds(get_option(fd(), socket_option::keep_idle, "keepalive idle time")),
            std::chrono::seconds(get_option(fd(), socket_option::keep_interval, "keepalive interval")),
            get_option(fd(), socket_option::keep_count, "keepalive probes")};
  }

  /// How long what was sent may stay unacknowledged before the connection is given up; 0: as long as the system thinks
  /// fit (the default).
  void set_user_timeout(std::chrono::milliseconds time) {
    set_option(fd(), socket_option::user_timeout, count_for_option(time.count()), "set user timeout");
  }
  [[nodiscard]] std::chrono::milliseconds user_timeout() const {
    return std::chrono::milliseconds(get_option(fd(), socket_option::user_timeout, "user timeout"));
  }

  /// Whether what comes is acknowledged at once. The system falls back by itself: set it again where it matters.
  void set_quickack(bool on) { set_option(fd(), socket_option::quick_ack, on, "set quickack"); }
  [[nodiscard]] bool quickack() const { return get_option(fd(), socket_option::quick_ack, "quickack") != 0; }

 private:
  [[nodiscard]] int fd() const noexcept { return static_cast<const Socket&>(*this).descriptor(); }
};

/// Where both ends are.
template <class Stream>
class addresses {
 public:
  /// Our end's address, and the other's. Throw system_error only if the system has no memory for the answer.
  [[nodiscard]] socket_address local_address() const {
    return value_or_throw(socket::local_of(static_cast<const Stream&>(*this).descriptor()), "local address");
  }
  [[nodiscard]] socket_address peer_address() const {
    return value_or_throw(socket::peer_of(static_cast<const Stream&>(*this).descriptor()), "peer address");
  }
};

}  // namespace detail
}  // namespace astd::net
