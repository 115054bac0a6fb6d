#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/network.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/resolver.hpp>
#include <astd/net/socket_address_posix.hpp>
#include <astd/runtime/this_task.hpp>

#include <chrono>

#include <netdb.h>
#include <netinet/in.h>

namespace astd::net::detail {
namespace {

socket_address address_of(const driver::sim::ip& found) noexcept {
  sockaddr_in6 native;
  unsigned length = sizeof native;
  driver::sim::write_place({found, 0}, found.is_v4() ? AF_INET : AF_INET6, &native, length);
  return from_native(reinterpret_cast<const sockaddr*>(&native), length).value_or(socket_address());
}

}  // namespace

task<resolved> resolve_in_world(driver::sim::machine& here, std::string_view host) {
  driver::sim::world& w = here.in();
  co_await this_task::sleep_for(std::chrono::nanoseconds(w.net().draw_lookup()));
  resolved answer;
  if (w.strikes(driver::sim::fault::lookup_failed, &here)) {
    answer.error = {EAI_AGAIN, resolve_category()};
    co_return answer;
  }
  for (const driver::sim::ip& found : w.net().addresses_of(host)) answer.addresses.push_back(address_of(found));
  if (answer.addresses.empty()) answer.error = {EAI_NONAME, resolve_category()};
  co_return answer;
}

}  // namespace astd::net::detail
