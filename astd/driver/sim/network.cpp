#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/network.hpp>
#include <astd/driver/sim/network_stack.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace astd::driver::sim {
namespace {

constexpr std::uint32_t tcp_header = 40, udp_header = 28;
constexpr instant shortest_inside = 1'000, longest_inside = 10'000;  // latencies in one machine
constexpr instant host_timeout = 3'000'000'000;

std::uint64_t key_of(std::uint32_t from, std::uint32_t to) noexcept { return std::uint64_t(from) << 32 | to; }
bool is_datagram(packet_kind kind) noexcept { return kind >= packet_kind::datagram; }

}  // namespace

struct network::connections {
  pool<tcp_connection> all;
  pool<early_piece> early;
};

network::network(world& of) : world_(of), connections_(std::make_unique<connections>()) {}
network::~network() = default;

// ---- links

link_state* network::find_between(std::uint32_t from, std::uint32_t to) noexcept {
  if (links_.empty()) return nullptr;
  const auto found = links_.find(key_of(from, to));
  return found == links_.end() ? nullptr : &found->second;
}

link_settings& network::link(const machine& from, const machine& to) {
  link_state& state = links_[key_of(from.number(), to.number())];
  if (!std::exchange(state.own, true)) state.settings = default_;
  return state.settings;
}

void network::set_default_link(const link_settings& settings) { default_ = settings; }

void network::partition(const machine& from, const machine& to, bool one_way) {
  links_[key_of(from.number(), to.number())].cut = true;
  if (!one_way) links_[key_of(to.number(), from.number())].cut = true;
}

void network::heal(const machine& from, const machine& to, bool one_way) {
  if (link_state* const state = find_between(from.number(), to.number())) state->cut = false;
  if (!one_way) heal(to, from, true);
}

void network::isolate(const machine& m) { m.stack().isolated = true; }

void network::heal_all() {
  for (auto& [key, state] : links_) state.cut = false;  // in any order
  for (const auto& m : world_.machines()) m->stack().isolated = false;
}

bool network::reaches(const machine& from, const machine& to) const noexcept {
  if (&from == &to) return true;
  if (from.stack().isolated || to.stack().isolated) return false;
  const link_state* const state = const_cast<network*>(this)->find_between(from.number(), to.number());
  return !state || !state->cut;
}

// ---- clogging

void network::clog(const machine& m) { m.stack().clogged = true; }

void network::release(const machine& m) {
  if (!std::exchange(m.stack().clogged, false)) return;
  detail::intrusive_list<packet> waiting;
  waiting.splice(m.stack().held);
  while (packet* const p = waiting.pop_front()) {
    // Perhaps the other end is clogged still.
    if (p->from->clogged || p->to->clogged)
      hold(*p);
    else
      world_.schedule_after(*p, world_.on_the_way().between(0, default_.longest));
  }
}

bool network::clogged(const machine& m) const noexcept { return m.stack().clogged; }

void network::hold(packet& p) noexcept { (p.from->clogged ? p.from : p.to)->held.push_back(p); }

// ---- names

void network::add_name(std::string name, const machine& m) { names_.push_back({std::move(name), m.number()}); }

std::vector<ip> network::addresses_of(std::string_view host) const {
  std::vector<std::uint32_t> numbers;
  const auto add = [&](std::uint32_t number) {
    if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) numbers.push_back(number);
  };
  const bool here = host == "localhost";  // also where a machine is called that
  if (const machine* const m = world_.find_machine(host); m && !here) add(m->number());
  for (const further_name& n : names_)
    if (n.name == host) add(n.machine);
  std::vector<ip> found;
  for (const bool v6 : {false, true}) {
    if (v6 && !names_have_v6) break;
    if (here) found.push_back(v6 ? ip::v6_loopback() : ip::v4_loopback());
    for (const std::uint32_t number : numbers) found.push_back(v6 ? v6_of(number) : v4_of(number));
  }
  return found;
}

instant network::draw_lookup() noexcept { return world_.on_the_way().between(shortest_lookup, longest_lookup); }

// ---- what crosses it

packet& network::make_packet(packet_kind kind, network_stack& from, network_stack* to) {
  packet& p = packets_.take(*this);
  p.kind = kind;
  p.from = &from;
  p.to = to;
  return p;
}

void network::drop(packet& p) noexcept {
  if (!is_datagram(p.kind))
    unref(*p.tcp.connection);
  else if (p.udp.room != 0)
    blocks_.give_back(p.udp.data, p.udp.room);
  packets_.give_back(p);
}

packet& network::copy_of(const packet& p) {
  packet& copy = make_packet(p.kind, *p.from, p.to);
  copy.fin = p.fin;
  copy.to_side = p.to_side;
  copy.bytes = p.bytes;
  if (!is_datagram(p.kind)) {
    copy.tcp = p.tcp;
    ++p.tcp.connection->references;
  } else {
    copy.udp = p.udp;
    if (p.udp.room != 0) {
      copy.udp.data = blocks_.take(p.udp.room);
      std::memcpy(copy.udp.data, p.udp.data, p.bytes);
    }
  }
  return copy;
}

void network::send(packet& p, instant* last_arrival) noexcept {
  ++sent_;
  if (!is_datagram(p.kind)) p.goes_to(&p.tcp.connection->sides[p.to_side]);
  world_.note(point::packet, &p.from->of(), static_cast<std::uint64_t>(p.kind), p.bytes);
  random_stream& chance = world_.on_the_way();
  if (p.from == p.to) {
    instant when = world_.now() + chance.between(shortest_inside, longest_inside);
    instant& last = last_arrival ? *last_arrival : p.from->last_inside;
    last = when = std::max(when, last + 1);
    return world_.schedule(p, when);
  }
  if (!p.to) return send_to_nobody(p);
  link_state* state = find_between(p.from->number(), p.to->number());
  if (!state && default_.bytes_per_second != 0) state = &links_[key_of(p.from->number(), p.to->number())];
  const link_settings& settings = state && state->own ? state->settings : default_;
  if (p.from->isolated || p.to->isolated || (state && state->cut)) return drop(p);
  // Whom a fault would strike: who sends, unless the packet is for one that is spared.
  const machine* const struck = p.to->of().spared() ? &p.to->of() : &p.from->of();
  if (chance.chance(settings.loss) || world_.strikes(fault::packet_lost, struck)) return drop(p);
  if (p.kind == packet_kind::segment && p.bytes > 0 && world_.strikes(fault::connection_reset, struck))
    reset_both_ends(p);

  instant when = world_.now();
  if (settings.bytes_per_second != 0) {
    const std::uint64_t size = p.bytes + (is_datagram(p.kind) ? udp_header : tcp_header);
    const auto time_of = [&](std::uint64_t bytes) {
      return static_cast<instant>(static_cast<double>(bytes) * 1e9 /
                                  static_cast<double>(settings.bytes_per_second));
    };
    state->busy_until = std::max(state->busy_until, when);
    if (state->busy_until - when > time_of(settings.queue)) return drop(p);
    state->busy_until += time_of(size);
    when = state->busy_until;
  }
  if (chance.chance(settings.duplication) || world_.strikes(fault::packet_duplicated, struck))
    set_out(copy_of(p), when + chance.between(settings.shortest, settings.longest));
  instant latency = chance.between(settings.shortest, settings.longest);
  if (chance.chance(settings.reordering) || world_.strikes(fault::packet_delayed, struck)) {
    latency += (1 + static_cast<instant>(chance.below(30))) * std::max<instant>(settings.longest, 1);
    last_arrival = nullptr;
  }
  when += latency;
  if (last_arrival) *last_arrival = when = std::max(when, *last_arrival + 1);
  set_out(p, when);
}

void network::set_out(packet& p, instant arrival) noexcept {
  if (p.from->clogged || p.to->clogged) [[unlikely]]
    hold(p);
  else
    world_.schedule(p, arrival);
}

// A datagram's sender is told some time later that nobody has the address; whoever connects finds out by itself.
void network::send_to_nobody(packet& p) noexcept {
  if (p.kind == packet_kind::datagram) {
    packet& answer = make_packet(packet_kind::unreachable, *p.from, p.from);
    answer.udp = {p.udp.target, p.udp.source, nullptr, 0};
    world_.schedule_after(answer, host_timeout);
  }
  drop(p);
}

// As if both had been told so by the other.
void network::reset_both_ends(const packet& p) noexcept {
  for (const std::uint8_t side : {0, 1}) {
    network_stack* const to = side == p.to_side ? p.to : p.from;
    packet& reset = make_packet(packet_kind::reset, side == p.to_side ? *p.from : *p.to, to);
    reset.to_side = side;
    ++p.tcp.connection->references;
    reset.tcp = {p.tcp.connection, 0, 0, 0};
    world_.schedule_after(reset, world_.on_the_way().between(0, default_.longest));
  }
}

void packet::fire() noexcept { on.arrive(*this); }

void network::arrive(packet& p) noexcept {
  // What was on its way when a machine was clogged is held there.
  if (p.to->clogged && p.from != p.to) return hold(p);
  if (!p.to->up()) return drop(p);
  world_.note(point::arrived, &p.to->of(), static_cast<std::uint64_t>(p.kind), p.bytes);
  p.to->arrive(p);
}

network_stack* network::stack_at(const ip& address) const noexcept {
  const auto number = number_of(address);
  const auto& machines = world_.machines();
  return number && *number < machines.size() ? &machines[static_cast<std::size_t>(*number)]->stack() : nullptr;
}

// ---- connections

tcp_connection& network::make_connection() {
  tcp_connection& c = connections_->all.take();
  c.on = this;
  return c;
}

void network::unref(tcp_connection& c) noexcept {
  if (--c.references != 0) return;
  for (byte_ring& stream : c.streams) stream.release(blocks_);
  connections_->all.give_back(c);
}

early_piece& network::make_early(const early_piece& piece) { return connections_->early.take(piece); }
void network::give_back(early_piece& piece) noexcept { connections_->early.give_back(piece); }

}  // namespace astd::driver::sim
