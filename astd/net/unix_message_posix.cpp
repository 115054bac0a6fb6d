#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/net/socket_transfer.hpp>
#include <astd/net/unix_message.hpp>
#include <astd/runtime/perform_now.hpp>
#include <astd/runtime/this_task.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>

#include <sys/socket.h>
#include <sys/uio.h>

namespace astd::net::detail {
namespace {

using driver::opcode;
using driver::operation;

static_assert(sizeof(msghdr) <= 56 && sizeof(iovec) <= 16);
static_assert(CMSG_SPACE(unix_message::most_handles * sizeof(int)) <= 1032);

std::error_code carry_out(operation& op) noexcept {
  astd::detail::perform_now(op);
  if (op.result >= 0) return {};
  return {-op.result, std::system_category()};
}

operation make(opcode what, int descriptor) noexcept {
  operation op;
  op.code = what;
  op.fd = descriptor;
  return op;
}

int native(unix_kind what) noexcept {
  if (what == unix_kind::stream) return SOCK_STREAM;
  return what == unix_kind::datagram ? SOCK_DGRAM : SOCK_SEQPACKET;
}

unix_address name(opcode which, int descriptor, std::error_code& error) noexcept {
  alignas(8) std::byte native[128];
  unsigned length = sizeof native;
  operation op = make(which, descriptor);
  op.args.address = {reinterpret_cast<sockaddr*>(native), &length};
  error = carry_out(op);
  return error ? unix_address() : unix_address::from_native(native, length);
}

class unix_connect_awaiter final : public astd::detail::io_awaiter<unix_connect_awaiter, void> {
 public:
  struct arguments {
    arguments(int fd, const unix_address& where) noexcept : descriptor(fd), to(where) {}
    int descriptor;
    unix_address to;
  };
  explicit unix_connect_awaiter(const arguments& a) noexcept
      : io_awaiter(opcode::connect, a.descriptor), length_(a.to.to_native(address_)) {
    args.address = {reinterpret_cast<sockaddr*>(address_), &length_};
  }
  astd::detail::outcome<void> take() {
    resumed();
    if (failed()) return failure(error());
    astd::detail::outcome<void> done;
    done.set_value();
    return done;
  }

 private:
  alignas(8) std::byte address_[112];
  unsigned length_;
};

}  // namespace

// ---- messages

void unix_message::prepare(const void* data, std::size_t size) noexcept {
  auto* const piece = ::new (static_cast<void*>(piece_)) iovec{const_cast<void*>(data), size};
  auto* const header = ::new (static_cast<void*>(header_)) msghdr{};
  header->msg_iov = piece;
  header->msg_iovlen = 1;
}

msghdr* unix_message::header() noexcept { return std::launder(reinterpret_cast<msghdr*>(header_)); }

void unix_message::to(const unix_address& address) noexcept {
  header()->msg_namelen = address.to_native(address_);
  header()->msg_name = address_;
}

void unix_message::attach(std::span<const os::native_handle> handles) noexcept {
  if (handles.empty()) return;
  msghdr* const h = header();
  const std::size_t bytes = handles.size() * sizeof(int);
  std::memset(control_, 0, sizeof control_);
  h->msg_control = control_;
  h->msg_controllen = CMSG_SPACE(bytes);
  cmsghdr* const c = CMSG_FIRSTHDR(h);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(c), handles.data(), bytes);
}

void unix_message::make_room(bool for_address, bool for_handles) noexcept {
  msghdr* const h = header();
  if (for_address) {
    h->msg_name = address_;
    h->msg_namelen = sizeof address_;
  }
  if (for_handles) {
    h->msg_control = control_;
    h->msg_controllen = sizeof control_;
  }
}

unix_address unix_message::sender() noexcept { return unix_address::from_native(address_, header()->msg_namelen); }

void unix_message::take_handles(std::size_t most, std::vector<os::owned_handle>& to, bool& truncated) {
  msghdr* const h = header();
  truncated = h->msg_flags & MSG_CTRUNC;
  // First of all they get an owner.
  std::size_t count = 0;
  os::owned_handle all[most_handles];
  for (cmsghdr* c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < here && count < most_handles; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      io::detail::adopt_descriptor(fd);
      all[count++] = os::owned_handle(fd);
    }
  }
  h->msg_controllen = 0;
  if (count > most) truncated = true;
  const std::size_t kept = std::min(count, most);
  to.reserve(kept);
  for (std::size_t i = 0; i < kept; ++i) to.push_back(std::move(all[i]));
}

void unix_message::drop_handles() noexcept {
  std::vector<os::owned_handle> none;
  bool truncated;
  take_handles(0, none, truncated);
}

// ---- awaiters

unix_send_awaiter::unix_send_awaiter(const arguments& a) noexcept
    : io_awaiter(opcode::sendmsg, a.descriptor), to_(a.to) {
  if (a.handles.size() > unix_message::most_handles) refused_ = "send more than 253 descriptors at once";
  if (a.needs_a_byte && a.buffer.empty() && !a.handles.empty()) refused_ = "send descriptors without a byte";
  message_.prepare(a.buffer.data(), a.buffer.size());
  if (!to_.is_unnamed()) message_.to(to_);
  // One more than there may be: the system refuses it by its own error, which is the same for all.
  message_.attach(a.handles.first(std::min(a.handles.size(), unix_message::most_handles)));
  if (refused_) operation::fd = -1;
  args.message = {message_.header(), 0};
}

astd::detail::outcome<std::size_t> unix_send_awaiter::take() {
  resumed();
  if (refused_) return failure(std::make_error_code(std::errc::invalid_argument), refused_);
  if (failed() && !to_.is_unnamed()) return failed_with("send to", to_.to_string());
  if (failed()) return socket_failure(error(), "send", fd);
  astd::detail::outcome<std::size_t> sent;
  sent.set_value(static_cast<std::size_t>(result()));
  return sent;
}

unix_recv_from_awaiter::unix_recv_from_awaiter(const arguments& a) noexcept
    : io_awaiter(opcode::recvmsg, a.descriptor) {
  message_.prepare(a.buffer.data(), a.buffer.size());
  message_.make_room(true, false);
  args.message = {message_.header(), 0};
}

astd::detail::outcome<unix_recv_from_awaiter::value_type> unix_recv_from_awaiter::take() {
  resumed();
  if (failed()) return socket_failure(error(), "recv at", fd);
  astd::detail::outcome<value_type> received;
  received.set_value(static_cast<std::size_t>(result()), message_.sender());
  return received;
}

unix_recv_handles_awaiter::unix_recv_handles_awaiter(const arguments& a) noexcept
    : io_awaiter(opcode::recvmsg, a.descriptor), most_(a.most), nothing_(a.nothing) {
  message_.prepare(a.buffer.data(), a.buffer.size());
  message_.make_room(false, true);
  args.message = {message_.header(), MSG_CMSG_CLOEXEC};
  operation::result = -1;
}

unix_recv_handles_awaiter::~unix_recv_handles_awaiter() {
  if (!taken_ && operation::result >= 0) message_.drop_handles();
}

astd::detail::outcome<received_handles> unix_recv_handles_awaiter::take() {
  resumed();
  received_handles got;
  if (!nothing_) {
    if (failed()) return socket_failure(error(), "recv at", fd);
    got.size = static_cast<std::size_t>(result());
    taken_ = true;
    message_.take_handles(most_, got.handles, got.truncated);
  }
  astd::detail::outcome<value_type> received;
  received.set_value(std::move(got));
  return received;
}

// ---- sockets

std::expected<socket, std::error_code> make_unix(unix_kind what) noexcept {
  operation op = make(opcode::socket, -1);
  op.args.socket = {AF_UNIX, native(what), 0};
  if (auto error = carry_out(op)) return std::unexpected(error);
  return socket(op.result);
}

std::expected<std::pair<socket, socket>, std::error_code> make_unix_pair(unix_kind what) noexcept {
  int ends[2];
  operation op = make(opcode::socket_pair, -1);
  op.args.pair = {ends, AF_UNIX, native(what), 0};
  if (auto error = carry_out(op)) return std::unexpected(error);
  return std::pair<socket, socket>(socket(ends[0]), socket(ends[1]));
}

std::error_code bind_unix(const socket& s, const unix_address& address) noexcept {
  alignas(8) std::byte native[112];
  unsigned length = address.to_native(native);
  operation op = make(opcode::bind, s.descriptor());
  op.args.address = {reinterpret_cast<sockaddr*>(native), &length};
  return carry_out(op);
}

unix_address unix_local(int descriptor) {
  std::error_code error;
  const unix_address found = name(opcode::local_name, descriptor, error);
  if (error) astd::detail::throw_failure({error, "local address", "of a local socket"});
  return found;
}

unix_address unix_peer(int descriptor) {
  std::error_code error;
  const unix_address found = name(opcode::peer_name, descriptor, error);
  if (error) astd::detail::throw_failure({error, "peer address", "of a local socket"});
  return found;
}

unix_address unix_peer_or_none(int descriptor) noexcept {
  std::error_code error;
  return name(opcode::peer_name, descriptor, error);
}

unix_credentials unix_peer_credentials(int descriptor) {
  ucred found{};
  unsigned size = sizeof found;
  operation op = make(opcode::get_option, descriptor);
  op.args.option = {SOL_SOCKET, SO_PEERCRED, &found, &size};
  if (const auto error = carry_out(op))
    astd::detail::throw_failure({error, "peer credentials", "of a local socket"});
  return {found.pid, found.uid, found.gid};
}

socket adopt_socket(os::native_handle handle) noexcept {
  io::detail::adopt_descriptor(handle);
  io::detail::set_blocking(handle, false);
  return socket(handle);
}

task<> connect_unix(const socket& s, unix_address to) {
  std::chrono::milliseconds pause(1);
  for (;;) {
    const auto connected = co_await as_result(io::detail::io_awaitable<unix_connect_awaiter>(s.descriptor(), to));
    if (connected) co_return;
    // The listener's queue is full, and epoll cannot wait for room in it.
    if (connected.error() != std::errc::resource_unavailable_try_again)
      co_await fail({connected.error(), "connect", to.to_string()});
    co_await this_task::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }
}

}  // namespace astd::net::detail
