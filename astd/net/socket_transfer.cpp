#include <astd/net/socket.hpp>
#include <astd/net/socket_readiness.hpp>
#include <astd/net/socket_transfer.hpp>
#include <astd/net/unix_address.hpp>

namespace astd::net::detail {

failure socket_failure(std::error_code error, const char* action, int descriptor) noexcept {
#if ASTD_HAS_EXCEPTIONS
  try {
#endif
    if (const auto name = unix_name_of(descriptor)) return failure(error, action, *name);
#if ASTD_HAS_EXCEPTIONS
  } catch (...) {
    return failure(error);
  }
#endif
  auto address = socket::peer_of(descriptor);
  if (!address) address = socket::local_of(descriptor);
  if (!address) return failure(error, action, "a socket");
#if ASTD_HAS_EXCEPTIONS
  try {
#endif
    return failure(error, action, address->to_string());
#if ASTD_HAS_EXCEPTIONS
  } catch (...) {  // no memory for the text
    return failure(error);
  }
#endif
}

failure socket_transfer::refused() const {
  const bool receiving = code == driver::opcode::recv;
  const char* action = stream_ ? (receiving ? "read" : "write") : (receiving ? "recv" : "send");
  if (args.transfer.flags & peek_flag) action = "peek";
  return socket_failure(error(), action, fd);
}

astd::detail::outcome<std::size_t> vectored_transfer::take() {
  resumed();
  if (failed()) [[unlikely]]
    return socket_failure(error(), code == driver::opcode::recvmsg ? "read" : "write", fd);
  astd::detail::outcome<std::size_t> bytes;
  bytes.set_value(static_cast<std::size_t>(result()));
  return bytes;
}

astd::detail::outcome<void> socket_readiness::take() {
  resumed();
  if (failed()) [[unlikely]]
    return socket_failure(error(), name_of(code), fd);
  astd::detail::outcome<void> ready;
  ready.set_value();
  return ready;
}

}  // namespace astd::net::detail
