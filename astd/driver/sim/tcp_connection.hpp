// A TCP connection: one object for both ends and for the bytes of both directions. What travels is numbers: a segment says
// which bytes it brings, and they lie here from the write to the read, however often they are sent.
#pragma once

#include <astd/base/intrusive_list.hpp>
#include <astd/driver/sim/binding.hpp>
#include <astd/driver/sim/byte_ring.hpp>
#include <astd/driver/sim/packet.hpp>

#include <cstddef>
#include <cstdint>

namespace astd::driver::sim {

class message;
class tcp_listener;
class tcp_socket;

enum class tcp_state : std::uint8_t {
  closed,
  syn_sent,
  syn_received,
  established,
  fin_wait_1,
  fin_wait_2,
  close_wait,
  closing,
  last_ack,
  time_wait,
};

/// What a socket sets and its connection uses; an accepted socket has its listener's.
struct tcp_options {
  std::uint32_t send_room = 0, receive_room = 0;  // bytes
  bool no_delay = false;
  bool keep_alive = false;
  std::uint32_t keep_idle = 7'200, keep_interval = 75, keep_count = 9;  // seconds, seconds, probes
  std::uint32_t user_timeout = 0;                                       // milliseconds; 0: as many as it takes
};

/// A piece that came before what precedes it.
struct early_piece {
  std::uint64_t from, to;
  early_piece* next;
};

struct tcp_side_in_stack : detail::list_node {};
struct tcp_side_at_listener : detail::list_node {};

/// One end. Lives in its connection, and in its stack while its state is not closed.
class tcp_side final : public event, public tcp_side_in_stack, public tcp_side_at_listener {
 public:
  tcp_side() = default;

  tcp_connection* whole = nullptr;
  network_stack* stack = nullptr;  // null: not begun
  tcp_socket* socket = nullptr;    // null: not accepted yet, or closed
  tcp_listener* listener = nullptr;
  tcp_state state = tcp_state::closed;
  std::uint8_t index = 0;
  enum class at_listener : std::uint8_t { no, half_open, complete };
  at_listener queued = at_listener::no;
  bool ended = false;         // the peer's FIN was received
  bool receive_shut = false;  // shutdown(SHUT_RD), or close
  int error = 0;              // with which it ended before it was accepted
  chain_link<tcp_side> by_places;
  binding port;
  tcp_options options;

  [[nodiscard]] tcp_side& peer() noexcept;
  [[nodiscard]] const place& local() const noexcept;
  [[nodiscard]] const place& remote() const noexcept;

  /// The first step of the socket that connects.
  void connect() noexcept;
  /// The first step of the side that is connected to.
  void answer(tcp_listener& at, const packet& syn) noexcept;
  void arrive(packet& p) noexcept;

  // ---- sending
  [[nodiscard]] std::uint64_t room() const noexcept;
  [[nodiscard]] bool has_much_room() const noexcept;  // what makes it writable
  void write(const message& m, std::size_t size) noexcept;
  /// What has been written is sent as far as it may be.
  void push() noexcept;
  void send_fin() noexcept;
  // ---- receiving
  [[nodiscard]] std::uint64_t readable() const noexcept;
  [[nodiscard]] byte_ring& incoming() noexcept;
  [[nodiscard]] const byte_ring& incoming() const noexcept;
  /// `size` bytes have been read.
  void consume(std::size_t size) noexcept;

  /// The socket is closed: it ends as TCP does, or by a reset if something was unread or `at_once`.
  void leave(bool at_once) noexcept;
  /// Sends a reset and is no more; the socket, if there is one, is told `error`.
  void abort(int error) noexcept;
  /// Is no more; the socket, if there is one, is told `error`.
  void finish(int error) noexcept;
  /// The machine has crashed: is no more, and tells nobody.
  void vanish() noexcept;
  /// Options were changed.
  void settings_changed() noexcept;

 private:
  void fire() noexcept override;
  [[nodiscard]] byte_ring& outgoing() noexcept;
  [[nodiscard]] const byte_ring& outgoing() const noexcept;
  [[nodiscard]] network& net() const noexcept;
  [[nodiscard]] instant now() const noexcept;
  [[nodiscard]] bool is_local() const noexcept;
  [[nodiscard]] std::uint64_t segment_size() const noexcept;
  [[nodiscard]] std::uint64_t promise() noexcept;
  void begin_timing() noexcept;
  void send(packet_kind kind) noexcept;
  void transmit(std::uint64_t from, std::uint64_t size, bool fin) noexcept;
  void retransmit_first() noexcept;
  void acknowledge(const packet& p) noexcept;
  void fin_acknowledged() noexcept;
  void receive(const packet& p) noexcept;
  void keep_early(std::uint64_t from, std::uint64_t to) noexcept;
  void take_early() noexcept;
  void peer_has_ended() noexcept;
  void established() noexcept;
  void wait_out() noexcept;
  [[nodiscard]] bool retry(instant t) noexcept;  // false: it has given up
  void measure() noexcept;
  void send_acknowledgement() noexcept;
  void schedule() noexcept;
  [[nodiscard]] bool handshaking() const noexcept {
    return state == tcp_state::syn_sent || state == tcp_state::syn_received;
  }

  // Sent up to next_, acknowledged up to unacknowledged_, allowed up to edge_; FIN counts as one behind the last byte.
  std::uint64_t next_ = 0, unacknowledged_ = 0, edge_ = 0;
  std::uint64_t small_until_ = 0;  // Nagle: the end of the last segment that was not full
  std::uint64_t recover_ = 0;      // what was sent when a loss was noticed; 0: none
  // Received without a gap up to got_, promised room up to promised_.
  std::uint64_t got_ = 0, promised_ = 0;
  std::uint64_t fin_at_ = UINT64_MAX;  // where the peer's FIN stands, once one was seen
  early_piece* early_ = nullptr;       // sorted, disjoint
  std::uint32_t to_acknowledge_ = 0;   // bytes
  // How often something was sent again: what the next pause depends on, and what giving up depends on.
  std::uint8_t retries_ = 0, unanswered_ = 0;
  std::uint8_t repeated_ = 0, probes_ = 0;
  bool fin_queued_ = false, fin_sent_ = false, answers_ = false;
  // When what is to happen; 0: not.
  instant retry_at_ = 0, acknowledge_at_ = 0, quit_at_ = 0, keep_at_ = 0;
  instant heard_at_ = 0, first_retry_at_ = 0;
  instant last_arrival_ = 0;  // of what was sent
  // One segment's way there and back is timed at once.
  std::uint64_t timed_ = 0;
  static constexpr instant never_begun = -1;
  instant timed_at_ = never_begun, received_at_ = never_begun;
  instant round_trip_ = 0, deviation_ = 0;
  instant timeout_ = 1'000'000'000;
};

struct tcp_connection {
  tcp_connection() noexcept {
    for (std::uint8_t i = 0; i < 2; ++i) {
      sides[i].whole = this;
      sides[i].index = i;
    }
  }
  tcp_side sides[2];  // [0] has connected to [1]
  place places[2];
  byte_ring streams[2];  // by sender
  network* on = nullptr;
  network_stack* target = nullptr;  // of the connect; null: nobody there
  bool local = false;
  std::uint32_t references = 0;  // sockets, sides that are not closed, packets
};

inline tcp_side& tcp_side::peer() noexcept { return whole->sides[1 - index]; }
inline const place& tcp_side::local() const noexcept { return whole->places[index]; }
inline const place& tcp_side::remote() const noexcept { return whole->places[1 - index]; }
inline byte_ring& tcp_side::outgoing() noexcept { return whole->streams[index]; }
inline const byte_ring& tcp_side::outgoing() const noexcept { return whole->streams[index]; }
inline byte_ring& tcp_side::incoming() noexcept { return whole->streams[1 - index]; }
inline const byte_ring& tcp_side::incoming() const noexcept { return whole->streams[1 - index]; }

/// The queues behind a listening socket.
class tcp_listener {
 public:
  tcp_listener(tcp_socket& s, network_stack& on, const binding& where) noexcept
      : socket(&s), stack(on), bound_to(where) {}
  tcp_listener(const tcp_listener&) = delete;
  tcp_listener& operator=(const tcp_listener&) = delete;

  tcp_socket* socket;
  network_stack& stack;
  const binding& bound_to;
  chain_link<tcp_listener> by_port;
  std::uint32_t number = 0;  // among the machine's, in order of listening
  std::uint32_t backlog = 0;
  std::uint32_t waiting = 0;                              // complete, not accepted
  detail::intrusive_list<tcp_side_at_listener> complete;  // in order
  detail::intrusive_list<tcp_side_at_listener> unfinished;

  [[nodiscard]] bool full() const noexcept { return waiting > backlog; }
  /// The next complete one, or null. It belongs to nobody.
  [[nodiscard]] tcp_side* take() noexcept;
  void has_completed(tcp_side& side) noexcept;
  /// Nobody listens any more: all are reset.
  void stop() noexcept;
};

}  // namespace astd::driver::sim
