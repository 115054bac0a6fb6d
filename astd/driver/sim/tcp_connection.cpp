#include <astd/driver/sim/network_stack.hpp>
#include <astd/driver/sim/tcp_connection.hpp>
#include <astd/driver/sim/tcp_socket.hpp>

#include <algorithm>
#include <cerrno>

namespace astd::driver::sim {
namespace {

constexpr instant millisecond = 1'000'000, second = 1'000'000'000;

// As Linux has them.
constexpr instant shortest_timeout = 200 * millisecond, longest_timeout = 120 * second, first_timeout = second;
constexpr instant longest_delay = 40 * millisecond;  // of an acknowledgement
constexpr unsigned most_syns = 6, most_syn_acks = 5, most_retries = 15, most_retries_alone = 8;
constexpr instant waiting_time = 60 * second;  // TIME_WAIT, and FIN_WAIT_2 of a closed socket
constexpr instant host_timeout = 3 * second;   // until it is known that nobody has an address
constexpr std::uint64_t segment_on_link = 1'460, segment_inside = 65'483;

}  // namespace

network& tcp_side::net() const noexcept { return stack->net(); }
instant tcp_side::now() const noexcept { return stack->in().now(); }
bool tcp_side::is_local() const noexcept { return whole->local; }
std::uint64_t tcp_side::segment_size() const noexcept { return is_local() ? segment_inside : segment_on_link; }

// ---- packets

void tcp_side::send(packet_kind kind) noexcept {
  packet& p = net().make_packet(kind, *stack, index == 0 ? whole->target : whole->sides[0].stack);
  p.to_side = static_cast<std::uint8_t>(1 - index);
  ++whole->references;
  p.tcp = {whole, next_, got_, promise()};
  net().send(p, &last_arrival_);
}

void tcp_side::transmit(std::uint64_t from, std::uint64_t size, bool fin) noexcept {
  packet& p = net().make_packet(packet_kind::segment, *stack, index == 0 ? whole->target : whole->sides[0].stack);
  p.to_side = static_cast<std::uint8_t>(1 - index);
  p.bytes = static_cast<std::uint32_t>(size);
  p.fin = fin;
  ++whole->references;
  // Whoever answers within the delay of an acknowledgement will do so again: it can wait for the answer.
  if (size > 0 && received_at_ != never_begun && now() - received_at_ < longest_delay) answers_ = true;
  p.tcp = {whole, from, got_, promise()};
  to_acknowledge_ = 0;
  acknowledge_at_ = 0;
  net().send(p, &last_arrival_);
}

// Up to where there is room. It grows in steps worth a packet.
std::uint64_t tcp_side::promise() noexcept {
  const std::uint64_t possible = incoming().begin() + options.receive_room;
  const std::uint64_t step = std::min<std::uint64_t>(options.receive_room / 2, segment_size());
  if (possible > promised_ && (possible - promised_ >= step || got_ == incoming().begin())) promised_ = possible;
  return promised_;
}

// ---- beginning and end

void tcp_side::connect() noexcept {
  state = tcp_state::syn_sent;
  ++whole->references;
  stack->add(*this);
  send(packet_kind::syn);
  begin_timing();
  if (!whole->target) quit_at_ = now() + host_timeout;
  retry_at_ = now() + first_timeout;
  schedule();
}

void tcp_side::answer(tcp_listener& at, const packet& syn) noexcept {
  edge_ = syn.tcp.edge;
  state = tcp_state::syn_received;
  ++whole->references;
  listener = &at;
  queued = at_listener::half_open;
  at.unfinished.push_back(*this);
  stack->add(*this);
  send(packet_kind::syn_ack);
  begin_timing();
  retry_at_ = now() + first_timeout;
  schedule();
}

void tcp_side::begin_timing() noexcept {
  timed_ = next_;
  timed_at_ = now();
}

void tcp_side::established() noexcept {
  state = tcp_state::established;
  retry_at_ = 0;
  retries_ = unanswered_ = 0;
  heard_at_ = now();
  settings_changed();
}

void tcp_side::settings_changed() noexcept {
  if (state == tcp_state::closed || handshaking()) return;
  keep_at_ = options.keep_alive ? heard_at_ + options.keep_idle * second : 0;
  schedule();
}

void tcp_side::leave(bool at_once) noexcept {
  socket = nullptr;
  switch (state) {
    case tcp_state::closed:
    case tcp_state::time_wait: return;
    case tcp_state::syn_sent: return finish(0);
    default: break;
  }
  receive_shut = true;
  const bool unread = readable() > 0;
  if (unread || at_once) return abort(0);
  send_fin();
  if (state == tcp_state::fin_wait_2) {
    quit_at_ = now() + waiting_time;
    schedule();
  }
}

void tcp_side::send_fin() noexcept {
  switch (state) {
    case tcp_state::syn_received:
    case tcp_state::established: state = tcp_state::fin_wait_1; break;
    case tcp_state::close_wait: state = tcp_state::last_ack; break;
    default: return;
  }
  fin_queued_ = true;
  push();
}

void tcp_side::abort(int error_number) noexcept {
  if (state == tcp_state::closed) return;
  if (state != tcp_state::syn_sent && state != tcp_state::time_wait) send(packet_kind::reset);
  finish(error_number);
}

void tcp_side::finish(int error_number) noexcept {
  if (state == tcp_state::closed) return;
  state = tcp_state::closed;
  stack->in().take_out(*this);
  stack->remove(*this);
  while (early_) {
    early_piece* const next = early_->next;
    net().give_back(*early_);
    early_ = next;
  }
  if (queued == at_listener::half_open) {
    detail::intrusive_list<tcp_side_at_listener>::erase(*this);
    queued = at_listener::no;
    listener = nullptr;
  }
  // Nobody will read what is left. What was written arrives as far as it is on its way.
  if (!socket && queued == at_listener::no) incoming().release(net().blocks());
  if (tcp_socket* const s = socket)
    s->side_has_ended(error_number);
  else
    error = error_number;
  net().unref(*whole);
}

void tcp_side::vanish() noexcept {
  socket = nullptr;
  finish(0);
}

void tcp_side::wait_out() noexcept {
  state = tcp_state::time_wait;
  retry_at_ = acknowledge_at_ = keep_at_ = 0;
  quit_at_ = now() + waiting_time;
  schedule();
  if (socket) socket->side_has_ended(0);
}

// ---- arrivals

void tcp_side::arrive(packet& p) noexcept {
  heard_at_ = now();
  probes_ = 0;
  switch (p.kind) {
    case packet_kind::syn: {
      // Sent again; or its sender has begun anew with the same port, and is told by this that we have not.
      if (state == tcp_state::syn_received)
        send(packet_kind::syn_ack);
      else
        send(packet_kind::segment);
      return;
    }
    case packet_kind::syn_ack:
      if (state != tcp_state::syn_sent) return send(packet_kind::segment);
      edge_ = p.tcp.edge;
      if (timed_at_ != never_begun) measure();
      quit_at_ = 0;
      established();
      send(packet_kind::segment);
      if (socket) socket->is_connected();
      return;
    case packet_kind::reset:
      if (state == tcp_state::time_wait) return;
      if (state == tcp_state::syn_received) return finish(0);
      return finish(state == tcp_state::syn_sent     ? ECONNREFUSED
                    : state == tcp_state::close_wait ? EPIPE
                                                     : ECONNRESET);
    case packet_kind::probe: return send(packet_kind::segment);
    default: break;
  }
  if (state == tcp_state::syn_sent) return;
  if (state == tcp_state::time_wait) {
    if (p.fin || p.bytes > 0) send(packet_kind::segment);
    return;
  }
  if (state == tcp_state::syn_received) {
    // The queue is full: as if the packet had not come. The SYN-ACK is sent again.
    if (listener->full()) return;
    edge_ = p.tcp.edge;
    if (timed_at_ != never_begun) measure();
    established();
    listener->has_completed(*this);
  }
  // Bytes for a socket that is closed.
  if (p.bytes > 0 && receive_shut && (state == tcp_state::fin_wait_1 || state == tcp_state::fin_wait_2) &&
      p.tcp.sequence + p.bytes > got_)
    return abort(ECONNRESET);
  acknowledge(p);
  if (state != tcp_state::closed && (p.bytes > 0 || p.fin)) receive(p);
}

void tcp_side::measure() noexcept {
  const instant sample = now() - timed_at_;
  timed_at_ = never_begun;
  if (round_trip_ == 0) {
    round_trip_ = sample;
    deviation_ = sample / 2;
  } else {
    const instant off = sample > round_trip_ ? sample - round_trip_ : round_trip_ - sample;
    deviation_ += (off - deviation_) / 4;
    round_trip_ += (sample - round_trip_) / 8;
  }
  timeout_ = std::min(round_trip_ + std::max(shortest_timeout, 4 * deviation_), longest_timeout);
}

void tcp_side::acknowledge(const packet& p) noexcept {
  const std::uint64_t up_to = p.tcp.acknowledged;
  // The other end answers our probes: it is there, and may be without room for as long as it likes.
  if (unacknowledged_ == next_) unanswered_ = 0;
  if (up_to > unacknowledged_ && up_to <= next_) {
    unacknowledged_ = up_to;
    retries_ = unanswered_ = repeated_ = 0;
    if (timed_at_ != never_begun && up_to >= timed_) measure();
    retry_at_ = unacknowledged_ < next_ ? now() + timeout_ : 0;
    if (p.tcp.edge > edge_) edge_ = p.tcp.edge;
    if (recover_ != 0) {
      if (unacknowledged_ < recover_)
        retransmit_first();
      else
        recover_ = 0;
    }
    if (fin_sent_ && unacknowledged_ == outgoing().end() + 1) {
      fin_acknowledged();
      if (state == tcp_state::closed || state == tcp_state::time_wait) return;
    }
    push();
    if (socket) socket->has_sent();
    return;
  }
  if (up_to == unacknowledged_ && next_ > unacknowledged_ && p.bytes == 0 && !p.fin && p.tcp.edge <= edge_) {
    // Something arrives behind a gap.
    if (recover_ == 0 && ++repeated_ == 3) {
      recover_ = next_;
      retransmit_first();
    }
    return;
  }
  if (p.tcp.edge > edge_) {
    edge_ = p.tcp.edge;
    if (unacknowledged_ == next_) {
      retry_at_ = 0;
      retries_ = 0;
    }
    push();
  }
}

void tcp_side::fin_acknowledged() noexcept {
  switch (state) {
    case tcp_state::fin_wait_1:
      state = tcp_state::fin_wait_2;
      retry_at_ = 0;
      if (!socket) quit_at_ = now() + waiting_time;
      schedule();
      break;
    case tcp_state::closing: wait_out(); break;
    case tcp_state::last_ack: finish(0); break;
    default: break;
  }
}

void tcp_side::receive(const packet& p) noexcept {
  const std::uint64_t from = p.tcp.sequence, to = from + p.bytes;
  if (p.fin) fin_at_ = to;
  if (from > got_) {
    // Something is missing before it. The sender learns so by what is acknowledged.
    if (to > from && to <= promised_) keep_early(from, to);
    return send_acknowledgement();
  }
  if (to <= got_ && (!p.fin || ended)) return send_acknowledgement();  // all of it was here before
  const std::uint64_t had = got_;
  if (to > got_) got_ = std::min(to, promised_);
  if (early_) take_early();
  const std::uint64_t new_bytes = got_ - had;
  const bool end = got_ == fin_at_;
  if (end) ++got_;
  to_acknowledge_ += static_cast<std::uint32_t>(new_bytes);
  received_at_ = now();
  if (end || early_ || to_acknowledge_ >= std::min<std::uint64_t>(2 * segment_size(), options.receive_room / 2)) {
    send_acknowledgement();
  } else if (acknowledge_at_ == 0) {
    acknowledge_at_ = now() + longest_delay;
    schedule();
  }
  if (end) return peer_has_ended();
  if (socket) socket->has_received();
}

void tcp_side::peer_has_ended() noexcept {
  ended = true;
  switch (state) {
    case tcp_state::established: state = tcp_state::close_wait; break;
    case tcp_state::fin_wait_1: state = tcp_state::closing; break;
    case tcp_state::fin_wait_2:
      if (socket) socket->has_received();
      return wait_out();
    default: break;
  }
  if (socket) socket->has_received();
}

void tcp_side::keep_early(std::uint64_t from, std::uint64_t to) noexcept {
  early_piece** at = &early_;
  while (*at && (*at)->to < from) at = &(*at)->next;
  if (!*at || (*at)->from > to) {
    *at = &net().make_early({from, to, *at});
    return;
  }
  early_piece& merged = **at;
  merged.from = std::min(merged.from, from);
  merged.to = std::max(merged.to, to);
  while (merged.next && merged.next->from <= merged.to) {
    early_piece& swallowed = *merged.next;
    merged.to = std::max(merged.to, swallowed.to);
    merged.next = swallowed.next;
    net().give_back(swallowed);
  }
}

void tcp_side::take_early() noexcept {
  while (early_ && early_->from <= got_) {
    early_piece& piece = *early_;
    got_ = std::max(got_, piece.to);
    early_ = piece.next;
    net().give_back(piece);
  }
}

void tcp_side::send_acknowledgement() noexcept { transmit(next_, 0, false); }

// ---- reading and writing

std::uint64_t tcp_side::readable() const noexcept { return got_ - (ended ? 1 : 0) - incoming().begin(); }

void tcp_side::consume(std::size_t size) noexcept {
  incoming().drop(net().blocks(), incoming().begin() + size);
  if (state == tcp_state::closed || state == tcp_state::time_wait || ended) return;
  // Whoever does not answer anyway acknowledges what was read; and room is told when it is worth it.
  const std::uint64_t possible = incoming().begin() + options.receive_room;
  const bool all_read = readable() == 0 && acknowledge_at_ != 0 && !answers_;
  const bool much = promised_ - got_ < options.receive_room / 2 &&
                    possible - promised_ >= std::min<std::uint64_t>(options.receive_room / 2, 2 * segment_size());
  if (all_read || much) send_acknowledgement();
}

std::uint64_t tcp_side::room() const noexcept {
  const std::uint64_t kept = outgoing().end() - std::min(unacknowledged_, outgoing().end());
  return kept < options.send_room ? options.send_room - kept : 0;
}

bool tcp_side::has_much_room() const noexcept { return room() >= options.send_room / 3; }

void tcp_side::write(const message& m, std::size_t size) noexcept {
  m.each(size, [this](const void* data, std::size_t some) { outgoing().append(net().blocks(), data, some); });
  push();
}

void tcp_side::push() noexcept {
  const std::uint64_t end = outgoing().end();
  while (next_ < end) {
    if (next_ >= edge_) break;
    const std::uint64_t size = std::min({end - next_, segment_size(), edge_ - next_});
    const bool last = next_ + size == end;
    if (size < segment_size()) {
      // Nagle, as Minshall mended it: one small segment on its way at a time.
      if (!options.no_delay && !fin_queued_ && small_until_ > unacknowledged_) break;
      small_until_ = next_ + size;
    }
    if (timed_at_ == never_begun && recover_ == 0) {
      timed_ = next_ + size;
      timed_at_ = now();
    }
    const bool fin = last && fin_queued_;
    transmit(next_, size, fin);
    next_ += size;
    if (fin) {
      fin_sent_ = true;
      ++next_;
    }
  }
  if (fin_queued_ && !fin_sent_ && next_ == end) {
    fin_sent_ = true;
    transmit(next_, 0, true);
    ++next_;
  }
  // What is on its way may be lost, and so may the news of room at the other end.
  if (retry_at_ == 0 && (unacknowledged_ < next_ || next_ < end)) {
    retry_at_ = now() + timeout_;
    schedule();
  }
}

void tcp_side::retransmit_first() noexcept {
  timed_at_ = never_begun;
  const std::uint64_t end = outgoing().end();
  if (unacknowledged_ < end) {
    const std::uint64_t size =
        std::min({end - unacknowledged_, segment_size(), std::max<std::uint64_t>(next_ - unacknowledged_, 1)});
    transmit(unacknowledged_, size, fin_sent_ && unacknowledged_ + size == end);
  } else if (fin_sent_) {
    transmit(end, 0, true);
  }
}

// ---- time

void tcp_side::schedule() noexcept {
  instant first = 0;
  for (const instant t : {retry_at_, acknowledge_at_, quit_at_, keep_at_})
    if (t != 0 && (first == 0 || t < first)) first = t;
  // One that is queued for an earlier moment looks again then.
  if (first != 0) stack->in().schedule_by(*this, first);
}

void tcp_side::fire() noexcept {
  const instant t = now();
  if (quit_at_ != 0 && quit_at_ <= t) return finish(state == tcp_state::syn_sent ? EHOSTUNREACH : 0);
  if (acknowledge_at_ != 0 && acknowledge_at_ <= t) {
    answers_ = false;
    send_acknowledgement();
  }
  if (keep_at_ != 0 && keep_at_ <= t) {
    const instant due = heard_at_ + options.keep_idle * second;
    if (probes_ == 0 && due > t) {
      keep_at_ = due;
    } else if (probes_ >= options.keep_count) {
      return abort(ETIMEDOUT);
    } else {
      ++probes_;
      send(packet_kind::probe);
      keep_at_ = t + options.keep_interval * second;
    }
  }
  if (retry_at_ != 0 && retry_at_ <= t && !retry(t)) return;
  schedule();
}

bool tcp_side::retry(instant t) noexcept {
  const auto later = [&](instant first) {
    const instant doubled = retries_ < 20 ? first << retries_ : longest_timeout;
    return t + std::min(doubled, longest_timeout);
  };
  if (handshaking()) {
    const bool asks = state == tcp_state::syn_sent;
    if (retries_ >= (asks ? most_syns : most_syn_acks)) {
      finish(asks ? ETIMEDOUT : 0);
      return false;
    }
    ++retries_;
    timed_at_ = never_begun;
    send(asks ? packet_kind::syn : packet_kind::syn_ack);
    retry_at_ = later(first_timeout);
    return true;
  }
  const bool on_its_way = unacknowledged_ < next_;
  if (!on_its_way && next_ >= outgoing().end()) {
    retry_at_ = 0;
    return true;
  }
  if (retries_ == 0) first_retry_at_ = t;
  const bool too_long = options.user_timeout != 0 && t - first_retry_at_ >= options.user_timeout * millisecond;
  // An end that nobody has any more does not probe for ever, whether it is answered or not.
  const bool alone = !socket && !listener;
  if (too_long || (alone ? retries_ >= most_retries_alone : unanswered_ >= most_retries)) {
    abort(ETIMEDOUT);
    return false;
  }
  if (retries_ < most_retries) ++retries_;  // the pause has its full length by then
  ++unanswered_;
  if (on_its_way) {
    recover_ = next_;
    repeated_ = 0;
    retransmit_first();
  } else {
    send(packet_kind::probe);
  }
  retry_at_ = later(timeout_);
  return true;
}

}  // namespace astd::driver::sim
