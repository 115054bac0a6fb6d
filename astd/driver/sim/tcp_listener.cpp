// The queues behind a listening socket.
#include <astd/driver/sim/network.hpp>
#include <astd/driver/sim/network_stack.hpp>
#include <astd/driver/sim/tcp_connection.hpp>
#include <astd/driver/sim/tcp_socket.hpp>

namespace astd::driver::sim {

tcp_side* tcp_listener::take() noexcept {
  auto* const first = static_cast<tcp_side*>(complete.pop_front());
  if (!first) return nullptr;
  --waiting;
  first->listener = nullptr;
  first->queued = tcp_side::at_listener::no;
  return first;
}

void tcp_listener::has_completed(tcp_side& side) noexcept {
  detail::intrusive_list<tcp_side_at_listener>::erase(side);
  complete.push_back(side);
  side.queued = tcp_side::at_listener::complete;
  // Whoever accepts it has this one.
  ++side.whole->references;
  ++waiting;
  socket->has_connection();
}

void tcp_listener::stop() noexcept {
  while (tcp_side* const side = take()) {
    side->leave(true);
    stack.net().unref(*side->whole);
  }
  while (auto* const half = static_cast<tcp_side*>(unfinished.front())) half->finish(0);
}

}  // namespace astd::driver::sim
