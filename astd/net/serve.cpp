#include <astd/net/serve.hpp>

namespace astd::net::detail {

std::string peer_key(const socket_address& peer) { return peer.ip().to_string(); }
std::string peer_key(const unix_address& peer) { return peer.to_string(); }

bool ends_accepting(std::error_code error) noexcept {
  return error == std::errc::bad_file_descriptor || error == std::errc::invalid_argument ||
         error == std::errc::not_a_socket || error == std::errc::operation_not_supported;
}

namespace {

class deadline_category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "astd.net.serve"; }
  [[nodiscard]] std::string message(int) const override { return "past serve's deadline"; }
};

}  // namespace

std::error_code past_deadline() noexcept {
  static const deadline_category category;
  return {1, category};
}

std::string unusable(const serve_limits& limits) {
  if (limits.connections == 0) return "connections = 0";
  if (limits.per_peer == 0) return "per_peer = 0";
  return {};
}

bool serve_state::add(const std::string& key) {
  const std::lock_guard guard(lock_);
  std::size_t& count = peers_[key];
  if (count >= limits.per_peer) return false;
  ++count;
  return true;
}

void serve_state::remove(const std::string& key) noexcept {
  const std::lock_guard guard(lock_);
  const auto at = peers_.find(key);
  if (at != peers_.end() && --at->second == 0) peers_.erase(at);
}

serve_report serve_state::report() const {
  serve_report r;
  r.accepted = accepted.load(std::memory_order_relaxed);
  r.refused = refused.load(std::memory_order_relaxed);
  r.finished = finished.load(std::memory_order_relaxed);
  r.failed = failed.load(std::memory_order_relaxed);
  r.timed_out = timed_out.load(std::memory_order_relaxed);
  r.cut_off = r.accepted - r.refused - ended.load(std::memory_order_relaxed);
  r.accept_errors = accept_errors.load(std::memory_order_relaxed);
  r.last_accept_error = last_accept_error;
  return r;
}

}  // namespace astd::net::detail
