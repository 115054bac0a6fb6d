// Internal: connecting a socket, and what its failures say.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/io_awaitable.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/native_address.hpp>
#include <astd/net/socket.hpp>
#include <astd/runtime/io_operation.hpp>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace astd::net::detail {

class connect_awaiter final : public astd::detail::io_awaiter<connect_awaiter, void> {
 public:
  struct arguments {
    arguments(int fd, const socket_address& to) noexcept : descriptor(fd), address(to) {}
    int descriptor;
    socket_address address;
  };
  explicit connect_awaiter(const arguments& a) noexcept
      : io_awaiter(driver::opcode::connect, a.descriptor), address_(a.address) {
    args.address = {address_.data(), &address_.length};
  }
  astd::detail::outcome<void> take() {
    resumed();
    if (failed()) return failure(error());
    astd::detail::outcome<void> done;
    done.set_value();
    return done;
  }

 private:
  native_address address_;
};

/// Its failures have no subject. `socket` outlives the await.
inline auto connect_socket(const socket& socket, const socket_address& address) noexcept {
  return io::detail::io_awaitable<connect_awaiter>(socket.descriptor(), address);
}

/// The name that the user gave, for failures that concern one of its addresses.
class place_name {
 public:
  explicit place_name(const endpoint& where) {
    if (where.has_host()) name_ = where.to_string();
  }
  [[nodiscard]] bool given() const noexcept { return !name_.empty(); }
  /// "connect 192.0.2.1:80", or "connect example.org:80 (192.0.2.1:80)".
  [[nodiscard]] failure refused(std::error_code error, const char* action, const socket_address& address) const;

 private:
  friend class refusals;
  std::string name_;
};

/// What became of each address. One task at a time.
class refusals {
 public:
  void add(std::error_code error, const socket_address& address) { all_.emplace_back(error, address); }
  /// With the error of the last, and the errors of those before where they are others:
  /// "connect example.org:80 ([2001:db8::1]:80: Network is unreachable, 192.0.2.1:80)".
  [[nodiscard]] failure all(const place_name& name, const char* action) const;

 private:
  std::vector<std::pair<std::error_code, socket_address>> all_;
};

/// RFC 8305, 4: the families take turns, beginning with that of the first; otherwise the order stays.
void interleave(std::vector<socket_address>& addresses);

/// A connection to the first of `addresses` that answers (see tcp_stream::connect). Both stay until it is over.
task<socket> connect_to_first(const std::vector<socket_address>& addresses, const place_name& name);

}  // namespace astd::net::detail
