#include <astd/driver/operation.hpp>

namespace astd::driver {

const char* name_of(opcode code) noexcept {
  switch (code) {
    case opcode::socket: return "socket";
    case opcode::bind: return "bind";
    case opcode::listen: return "listen";
    case opcode::accept: return "accept";
    case opcode::accept_many: return "accept_many";
    case opcode::connect: return "connect";
    case opcode::shutdown: return "shutdown";
    case opcode::recv: return "recv";
    case opcode::send: return "send";
    case opcode::recvmsg: return "recvmsg";
    case opcode::sendmsg: return "sendmsg";
    case opcode::recvmmsg: return "recvmmsg";
    case opcode::sendmmsg: return "sendmmsg";
    case opcode::splice_in: return "splice_in";
    case opcode::splice_out: return "splice_out";
    case opcode::sendfile: return "sendfile";
    case opcode::readable: return "readable";
    case opcode::writable: return "writable";
    case opcode::local_name: return "local_name";
    case opcode::peer_name: return "peer_name";
    case opcode::set_option: return "set_option";
    case opcode::get_option: return "get_option";
    case opcode::openat: return "openat";
    case opcode::close: return "close";
    case opcode::read: return "read";
    case opcode::write: return "write";
    case opcode::readv: return "readv";
    case opcode::writev: return "writev";
    case opcode::fsync: return "fsync";
    case opcode::ftruncate: return "ftruncate";
    case opcode::statx: return "statx";
    case opcode::renameat: return "renameat";
    case opcode::unlinkat: return "unlinkat";
    case opcode::mkdirat: return "mkdirat";
    case opcode::linkat: return "linkat";
    case opcode::symlinkat: return "symlinkat";
    case opcode::fallocate: return "fallocate";
    case opcode::fadvise: return "fadvise";
    case opcode::readlinkat: return "readlinkat";
    case opcode::realpath: return "realpath";
    case opcode::read_directory: return "read_directory";
    case opcode::fchmodat: return "fchmodat";
    case opcode::fchownat: return "fchownat";
    case opcode::utimensat: return "utimensat";
    case opcode::copy_file_range: return "copy_file_range";
    case opcode::ficlone: return "ficlone";
    case opcode::copy_file: return "copy_file";
    case opcode::batch: return "batch";
    case opcode::flock: return "flock";
    case opcode::statvfs: return "statvfs";
    case opcode::chdir: return "chdir";
    case opcode::lseek: return "lseek";
    case opcode::dup: return "dup";
    case opcode::getcwd: return "getcwd";
    case opcode::socket_pair: return "socket_pair";
    case opcode::pipe: return "pipe";
    case opcode::start_process: return "start_process";
    case opcode::reap_process: return "reap_process";
    case opcode::signal_process: return "signal_process";
    case opcode::watch_open: return "watch_open";
    case opcode::watch_add: return "watch_add";
    case opcode::watch_remove: return "watch_remove";
    case opcode::poll: return "poll";
  }
  return "unknown";
}

}  // namespace astd::driver
