#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/race.hpp>
#include <astd/net/connect.hpp>
#include <astd/sync/event.hpp>
#include <astd/sync/semaphore.hpp>
#include <astd/time/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <mutex>

namespace astd::net::detail {
namespace {

// RFC 8305, 5 and 8: "Connection Attempt Delay".
constexpr std::chrono::milliseconds delay_between_attempts{250};

// Each attempt is a socket. A name may have as many addresses as its owner likes; by then four seconds have gone, and an
// address more is worth less than what waits already.
constexpr std::ptrdiff_t most_attempts_at_once = 16;

task<socket> connect_once(const socket_address& address) {
  auto made = socket::make(socket_kind::stream, address);
  if (!made) co_await fail(made.error());
  co_await or_return(connect_socket(*made, address));
  co_return std::move(*made);
}

/// What the attempts of one connect share. They may run on several threads.
struct attempts {
  explicit attempts(const std::vector<socket_address>& where) : addresses(where) {}
  const std::vector<socket_address>& addresses;
  std::mutex lock;
  refusals refused;  // under lock
  counting_semaphore<> room{most_attempts_at_once};
};

task<socket> attempt_from(attempts& all, std::size_t first);

/// One address; tells `failed` when it has failed.
task<socket> attempt_one(attempts& all, std::size_t which, event& failed) {
  [[maybe_unused]] const auto place = co_await all.room.acquire_permit();
  auto connected = co_await as_result(connect_once(all.addresses[which]));
  if (connected) co_return std::move(*connected);
  {
    const std::lock_guard guard(all.lock);
    all.refused.add(connected.error(), all.addresses[which]);
  }
  failed.notify_one();
  co_await fail(connected.error());
}

/// The addresses behind it, from when it has failed, or has taken too long.
task<socket> attempt_rest(attempts& all, std::size_t first, event& failed) {
  co_await as_result(timeout(delay_between_attempts, failed.wait()));
  socket connected = co_await or_return(attempt_from(all, first));
  co_return connected;
}

task<socket> attempt_from(attempts& all, std::size_t first) {
  event failed("an earlier address");
  if (first + 1 == all.addresses.size()) {
    socket last = co_await or_return(attempt_one(all, first, failed));
    co_return last;
  }
  socket connected =
      co_await or_return(try_race(attempt_one(all, first, failed), attempt_rest(all, first + 1, failed)));
  co_return connected;
}

}  // namespace

failure place_name::refused(std::error_code error, const char* action, const socket_address& address) const {
  refusals one;
  one.add(error, address);
  return one.all(*this, action);
}

failure refusals::all(const place_name& name, const char* action) const {
  if (all_.empty()) return std::make_error_code(std::errc::not_enough_memory);  // for a word about them
  const std::error_code error = all_.back().first;
  std::string tried;
  for (const auto& [why, address] : all_) {
    if (!tried.empty()) tried += ", ";
    tried += address.to_string();
    if (why != error) tried += ": " + why.message();
  }
  if (name.given() && name.name_ != tried) tried = name.name_ + " (" + tried + ')';
  return failure(error, action, tried);
}

void interleave(std::vector<socket_address>& addresses) {
  if (addresses.empty()) return;
  std::vector<socket_address> families[2];
  for (const socket_address& a : addresses)
    families[a.is_ipv4() == addresses.front().is_ipv4() ? 0 : 1].push_back(a);
  addresses.clear();
  for (std::size_t i = 0; i < families[0].size() || i < families[1].size(); ++i)
    for (const auto& family : families)
      if (i < family.size()) addresses.push_back(family[i]);
}

task<socket> connect_to_first(const std::vector<socket_address>& addresses, const place_name& name) {
  if (addresses.size() == 1) {
    auto connected = co_await as_result(connect_once(addresses.front()));
    if (connected) co_return std::move(*connected);
    co_await fail(name.refused(connected.error(), "connect", addresses.front()));
  }
  attempts all(addresses);
  auto connected = co_await as_result(attempt_from(all, 0));
  if (connected) co_return std::move(*connected);
  co_await fail(all.refused.all(name, "connect"));
}

}  // namespace astd::net::detail
