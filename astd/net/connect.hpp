// Internal: connecting a socket, and what its failures say.
#pragma once

#include <astd/io/io_awaitable.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/native_address.hpp>
#include <astd/net/socket.hpp>
#include <astd/runtime/io_operation.hpp>

#include <string>

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
  /// "connect 192.0.2.1:80", or "connect example.org:80 (192.0.2.1:80)".
  [[nodiscard]] failure refused(std::error_code error, const char* action, const socket_address& address) const {
    std::string subject = address.to_string();
    if (!name_.empty() && name_ != subject) subject = name_ + " (" + subject + ')';
    return failure(error, action, subject);
  }

 private:
  std::string name_;
};

}  // namespace astd::net::detail
