#include <astd/driver/attempt.hpp>
#include <astd/driver/uring/translate.hpp>

#include <liburing.h>

#include <poll.h>
#include <sys/socket.h>

namespace astd::driver {

namespace {

constexpr unsigned ftruncate_operation = 55;  // IORING_OP_FTRUNCATE, 6.9; newer than the headers of Debian 12

constexpr unsigned no_such_operation = 255;  // that no kernel knows

unsigned clamped(std::size_t size) noexcept { return size < 0x7ffff000 ? static_cast<unsigned>(size) : 0x7ffff000; }

// What is written at the descriptor's own position may be a pipe.
// What is negative is the file's own position, and may say more: see uring_driver::note_position().
std::uint64_t offset_of(std::int64_t offset) noexcept {
  return offset < 0 ? ~0ull : static_cast<std::uint64_t>(offset);
}

int write_flags(const operation& op) noexcept { return at_own_position(op) ? no_signal_flag() : 0; }

}  // namespace

unsigned kernel_operation(opcode code) noexcept {
  switch (code) {
    case opcode::accept:
    case opcode::accept_many: return IORING_OP_ACCEPT;
    case opcode::connect: return IORING_OP_CONNECT;
    case opcode::recv: return IORING_OP_RECV;
    case opcode::send: return IORING_OP_SEND;
    case opcode::recvmsg: return IORING_OP_RECVMSG;
    case opcode::sendmsg: return IORING_OP_SENDMSG;
    case opcode::openat: return IORING_OP_OPENAT;
    case opcode::close: return IORING_OP_CLOSE;
    case opcode::read: return IORING_OP_READ;
    case opcode::write: return IORING_OP_WRITE;
    case opcode::readv: return IORING_OP_READV;
    case opcode::writev: return IORING_OP_WRITEV;
    case opcode::fsync: return IORING_OP_FSYNC;
    case opcode::ftruncate: return ftruncate_operation;
    case opcode::statx: return IORING_OP_STATX;
    case opcode::renameat: return IORING_OP_RENAMEAT;
    case opcode::unlinkat: return IORING_OP_UNLINKAT;
    case opcode::mkdirat: return IORING_OP_MKDIRAT;
    case opcode::linkat: return IORING_OP_LINKAT;
    case opcode::symlinkat: return IORING_OP_SYMLINKAT;
    case opcode::fallocate: return IORING_OP_FALLOCATE;
    case opcode::fadvise: return IORING_OP_FADVISE;
    // The blocking pool's.
    case opcode::readlinkat:
    case opcode::realpath:
    case opcode::read_directory:
    case opcode::fchmodat:
    case opcode::fchownat:
    case opcode::utimensat:
    case opcode::copy_file_range:
    case opcode::ficlone:
    case opcode::copy_file:
    case opcode::batch:
    case opcode::flock:
    case opcode::statvfs:
    case opcode::chdir: return no_such_operation;
    case opcode::readable:
    case opcode::writable:
    case opcode::poll: return IORING_OP_POLL_ADD;
    // The kernel's ring has nothing of the kind.
    case opcode::start_process:
    case opcode::watch_add: return no_such_operation;
    // Waited for by polling; see uring_driver::submit_socket().
    case opcode::recvmmsg:
    case opcode::sendmmsg:
    case opcode::splice_in:
    case opcode::splice_out:
    case opcode::sendfile:
    // Carried out on the spot.
    case opcode::socket_pair:
    case opcode::pipe:
    case opcode::reap_process:
    case opcode::signal_process:
    case opcode::watch_open:
    case opcode::watch_remove:
    case opcode::socket:
    case opcode::bind:
    case opcode::listen:
    case opcode::shutdown:
    case opcode::local_name:
    case opcode::peer_name:
    case opcode::set_option:
    case opcode::get_option:
    case opcode::lseek:
    case opcode::dup:
    case opcode::getcwd: break;
  }
  return IORING_OP_NOP;
}

void translate(const operation& op, io_uring_sqe& entry) noexcept {
  const auto& t = op.args.transfer;
  const auto& m = op.args.message;
  const auto& v = op.args.vectors;
  const auto& p = op.args.path;
  const auto& r = op.args.range;
  switch (op.code) {
    case opcode::accept:
    case opcode::accept_many:
      io_uring_prep_accept(&entry, op.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      break;
    case opcode::connect:
      io_uring_prep_connect(&entry, op.fd, op.args.address.address, *op.args.address.length);
      break;
    case opcode::recv: io_uring_prep_recv(&entry, op.fd, t.data, clamped(t.size), t.flags & ~MSG_WAITALL); break;
    case opcode::send:
      io_uring_prep_send(&entry, op.fd, t.data, clamped(t.size), (t.flags & ~MSG_WAITALL) | MSG_NOSIGNAL);
      break;
    case opcode::recvmsg:
      io_uring_prep_recvmsg(&entry, op.fd, m.message, static_cast<unsigned>(m.flags & ~MSG_WAITALL));
      break;
    case opcode::sendmsg:
      io_uring_prep_sendmsg(&entry, op.fd, m.message,
                            static_cast<unsigned>((m.flags & ~MSG_WAITALL) | MSG_NOSIGNAL));
      break;
    case opcode::readable: io_uring_prep_poll_add(&entry, op.fd, POLLIN); break;
    case opcode::writable: io_uring_prep_poll_add(&entry, op.fd, POLLOUT); break;
    case opcode::openat: io_uring_prep_openat(&entry, op.fd, p.path, p.flags | O_CLOEXEC, p.mode); break;
    case opcode::close: io_uring_prep_close(&entry, op.fd); break;
    case opcode::read: io_uring_prep_read(&entry, op.fd, t.data, clamped(t.size), offset_of(t.offset)); break;
    case opcode::write:
      io_uring_prep_write(&entry, op.fd, t.data, clamped(t.size), offset_of(t.offset));
      entry.rw_flags = write_flags(op);
      break;
    case opcode::readv: io_uring_prep_readv(&entry, op.fd, v.vectors, v.count, offset_of(v.offset)); break;
    case opcode::writev:
      io_uring_prep_writev2(&entry, op.fd, v.vectors, v.count, offset_of(v.offset), write_flags(op));
      break;
    case opcode::fsync: io_uring_prep_fsync(&entry, op.fd, op.args.value ? IORING_FSYNC_DATASYNC : 0); break;
    case opcode::ftruncate:
      io_uring_prep_rw(static_cast<int>(ftruncate_operation), &entry, op.fd, nullptr, 0,
                       static_cast<std::uint64_t>(t.offset));
      break;
    case opcode::statx:
      io_uring_prep_statx(&entry, op.fd, op.args.stat.path, op.args.stat.flags, op.args.stat.mask,
                          op.args.stat.result);
      break;
    case opcode::renameat:
      io_uring_prep_renameat(&entry, op.fd, op.args.two_paths.from, op.args.two_paths.to_directory,
                             op.args.two_paths.to, op.args.two_paths.flags);
      break;
    case opcode::unlinkat: io_uring_prep_unlinkat(&entry, op.fd, p.path, p.flags); break;
    case opcode::mkdirat: io_uring_prep_mkdirat(&entry, op.fd, p.path, p.mode); break;
    case opcode::linkat:
      io_uring_prep_linkat(&entry, op.fd, op.args.two_paths.from, op.args.two_paths.to_directory,
                           op.args.two_paths.to, static_cast<int>(op.args.two_paths.flags));
      break;
    case opcode::symlinkat:
      io_uring_prep_symlinkat(&entry, op.args.two_paths.from, op.args.two_paths.to_directory, op.args.two_paths.to);
      break;
    case opcode::fallocate: io_uring_prep_fallocate(&entry, op.fd, r.how, r.offset, r.length); break;
    case opcode::fadvise:
      // Kernels before 6.11 take 32 bits of the length: less is advised then. Later ones find all of it in `addr`.
      io_uring_prep_fadvise(&entry, op.fd, static_cast<std::uint64_t>(r.offset),
                            r.length > UINT32_MAX ? off_t{UINT32_MAX} : static_cast<off_t>(r.length), r.how);
      entry.addr = static_cast<std::uint64_t>(r.length);
      break;
    case opcode::poll: io_uring_prep_poll_add(&entry, op.fd, static_cast<unsigned>(op.args.value)); break;
    // Carried out on the spot, or on the blocking pool; never here.
    case opcode::readlinkat:
    case opcode::realpath:
    case opcode::read_directory:
    case opcode::fchmodat:
    case opcode::fchownat:
    case opcode::utimensat:
    case opcode::copy_file_range:
    case opcode::ficlone:
    case opcode::copy_file:
    case opcode::batch:
    case opcode::flock:
    case opcode::statvfs:
    case opcode::chdir:
    case opcode::lseek:
    case opcode::dup:
    case opcode::getcwd:
    case opcode::start_process:
    case opcode::watch_add:
    case opcode::socket_pair:
    case opcode::pipe:
    case opcode::reap_process:
    case opcode::signal_process:
    case opcode::watch_open:
    case opcode::watch_remove:
    case opcode::recvmmsg:
    case opcode::sendmmsg:
    case opcode::splice_in:
    case opcode::splice_out:
    case opcode::sendfile:
    case opcode::socket:
    case opcode::bind:
    case opcode::listen:
    case opcode::shutdown:
    case opcode::local_name:
    case opcode::peer_name:
    case opcode::set_option:
    case opcode::get_option: io_uring_prep_nop(&entry); break;
  }
  entry.user_data = reinterpret_cast<std::uintptr_t>(&op);
}

void translate_to_poll(const operation& op, io_uring_sqe& entry) noexcept {
  io_uring_prep_poll_add(&entry, op.fd, is_input(op.code) ? POLLIN : POLLOUT);
  entry.user_data = reinterpret_cast<std::uintptr_t>(&op);
}

}  // namespace astd::driver
