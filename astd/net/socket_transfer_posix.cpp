#include <astd/net/socket.hpp>
#include <astd/net/socket_transfer.hpp>
#include <astd/runtime/perform_now.hpp>

#include <cerrno>
#include <cstring>
#include <new>

#include <sys/socket.h>
#include <sys/uio.h>

namespace astd::net::detail {
namespace {

io::poll_result<std::size_t> attempt(driver::operation& op) noexcept {
  astd::detail::perform_now(op);
  if (op.result >= 0) return static_cast<std::size_t>(op.result);
  if (op.result == -EAGAIN) return io::not_ready;
  return std::error_code(-op.result, std::system_category());
}

}  // namespace

const int peek_flag = MSG_PEEK;

io::poll_result<std::size_t> try_receive(int descriptor, io::mutable_bytes buffer, bool stream,
                                         int flags) noexcept {
  if (stream && buffer.empty()) return std::size_t{0};
  driver::operation op;
  op.code = driver::opcode::recv;
  op.fd = descriptor;
  op.args.transfer = {buffer.data(), buffer.size(), flags | MSG_DONTWAIT, 0};
  return attempt(op);
}

io::poll_result<std::size_t> try_send(int descriptor, io::const_bytes data, bool stream) noexcept {
  if (stream && data.empty()) return std::size_t{0};
  driver::operation op;
  op.code = driver::opcode::send;
  op.fd = descriptor;
  op.args.transfer = {const_cast<std::byte*>(data.data()), data.size(), MSG_DONTWAIT, 0};
  return attempt(op);
}

io::poll_result<std::size_t> try_vectored(driver::opcode recvmsg_or_sendmsg, int descriptor,
                                          buffer_list& buffers) noexcept {
  if (buffers.empty()) return std::size_t{0};
  driver::operation op;
  op.code = recvmsg_or_sendmsg;
  op.fd = descriptor;
  op.args.message = {buffers.message(), MSG_DONTWAIT};
  return attempt(op);
}

io::poll_result<socket> try_accept(int descriptor) noexcept {
  driver::operation op;
  op.code = driver::opcode::accept;
  op.fd = descriptor;
  op.args.value = 1;  // does not wait
  const auto accepted = attempt(op);
  if (accepted.is_error()) return accepted.error();
  if (accepted.is_not_ready()) return io::not_ready;
  return socket(op.result);
}

static_assert(sizeof(iovec) == 16 && alignof(iovec) <= 8);
static_assert(sizeof(msghdr) <= 56 && alignof(msghdr) <= 8);

buffer_list::buffer_list(std::span<const io::mutable_bytes> buffers) noexcept {
  for (const io::mutable_bytes& b : buffers) add(b.data(), b.size());
}

buffer_list::buffer_list(std::span<const io::const_bytes> buffers) noexcept {
  for (const io::const_bytes& b : buffers) add(b.data(), b.size());
}

void buffer_list::add(const void* data, std::size_t size) noexcept {
  if (size == 0 || count_ == capacity) return;
  ::new (static_cast<void*>(pieces_ + count_ * sizeof(iovec))) iovec{const_cast<void*>(data), size};
  ++count_;
}

msghdr* buffer_list::message() noexcept {
  auto* const header = ::new (static_cast<void*>(header_)) msghdr{};
  header->msg_iov = std::launder(reinterpret_cast<iovec*>(pieces_));
  header->msg_iovlen = count_;
  return header;
}

}  // namespace astd::net::detail
