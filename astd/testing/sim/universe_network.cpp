#include <astd/driver/sim/network.hpp>
#include <astd/testing/sim/checked.hpp>
#include <astd/testing/sim/universe_state.hpp>

namespace astd::sim {
namespace {

driver::sim::link_settings settings_of(const link& l) {
  driver::sim::link_settings s;
  s.shortest = l.latency.count();
  s.longest = (l.latency + l.jitter).count();
  s.loss = l.loss;
  s.duplication = l.duplication;
  s.reordering = l.reordering;
  s.bytes_per_second = l.bandwidth;
  return s;
}

}  // namespace

void detail::universe_state::set_default_link(const link& l) {
  simulation.in().net().set_default_link(settings_of(l));
}

net::ip_address host::address() const noexcept {
  // As world::add_machine() gives them: 10.0.0.1, 10.0.0.2...
  return net::ipv4_address::from_bits(0x0a000001 + state_->machine.number());
}

void universe::set_link(which from, which to, const link& l) {
  detail::check_link(l);
  world().net().link(find(from).machine(), find(to).machine()) = settings_of(l);
}
void universe::set_links(const link& l) {
  detail::check_link(l);
  state_.set_default_link(l);
  for (const auto& from : state_.hosts)
    for (const auto& to : state_.hosts)
      if (from != to) set_link(*from, *to, l);
}

void universe::partition(which a, which b) { world().net().partition(find(a).machine(), find(b).machine()); }
void universe::partition_one_way(which from, which to) {
  world().net().partition(find(from).machine(), find(to).machine(), true);
}
void universe::partition(std::span<host* const> a, std::span<host* const> b) {
  for (host* one : a)
    for (host* other : b) partition(*one, *other);
}
void universe::isolate(which h) { world().net().isolate(find(h).machine()); }
void universe::heal() { world().net().heal_all(); }
void universe::heal(which a, which b) { world().net().heal(find(a).machine(), find(b).machine()); }
void universe::clog(which h) { world().net().clog(find(h).machine()); }
void universe::add_name(std::string_view name, which h) {
  detail::check_host_name(name);
  world().net().add_name(std::string(name), find(h).machine());
}
void universe::release(which h) { world().net().release(find(h).machine()); }

}  // namespace astd::sim
