// One request to the outside world: what to do, its arguments, and whom to tell. Every driver carries out the same
// table; the codes follow io_uring's, so that `uring` translates, `epoll` performs, and a simulator plays them.
//
//   operation op;
//   op.code = opcode::recv; op.fd = fd; op.args.transfer = {buffer, size, 0};
//   op.completed = [](operation& op) noexcept { ... op.result ... };
//   if (driver.submit(op)) ...  // ended at once: op.result is set, `completed` is not called
//
// Sockets come from `socket` and `accept` or are made non-blocking before they are handed in. A descriptor that was
// not made by an operation is announced with adopt(). Whoever closes a descriptor has no operation in flight on it.
// Operations of one direction on one descriptor may end in another order than they were submitted in.
#pragma once

#include <astd/base/intrusive_list.hpp>
#include <astd/base/job.hpp>

#include <cstddef>
#include <cstdint>

struct sockaddr;
struct msghdr;
struct mmsghdr;
struct statx;
struct statvfs;
struct iovec;
struct timespec;

namespace astd::driver {

enum class opcode : std::uint8_t {
  // Sockets. Buffers, addresses and names belong to the submitter and live until the operation has ended.
  socket,       // args.socket; result: descriptor (non-blocking, close-on-exec)
  bind,         // args.address {in}
  listen,       // args.value: backlog
  accept,       // result: descriptor (non-blocking, close-on-exec); the peer's address by peer_name. A connection
                // that died while it waited is skipped; -EMFILE leaves the connection waiting: back off.
                // args.value: 1 to end inside submit(), with -EAGAIN if there is none, else 0
  accept_many,  // accepts until it is cancelled or fails; fd and driver::next_connection() alone: see there
  connect,      // args.address {in}
  shutdown,     // args.value: SHUT_RD, SHUT_WR, SHUT_RDWR
  recv,      // args.transfer; result: bytes, 0 at the end. MSG_DONTWAIT: ends inside submit(), with -EAGAIN if need
             // be, and always asks the system; MSG_WAITALL is ignored (here and below)
  send,      // args.transfer; never raises SIGPIPE
  recvmsg,   // args.message
  sendmsg,   // args.message; never raises SIGPIPE
  recvmmsg,  // args.messages; result: how many, at least one: those that are there
  sendmmsg,  // args.messages; result: how many, at least one: those that find room
  readable,  // waits until recv would not have to wait: there are bytes, the end or an error; result: >= 0
  writable,  // the same for send
  local_name,  // args.address {out}
  peer_name,   // args.address {out}
  set_option,  // args.option
  get_option,  // args.option
  // Files and other descriptors.
  openat,     // args.path {path, flags, mode}, fd: directory or AT_FDCWD; result: descriptor (close-on-exec)
  close,      // args.value: 1 when it may block (a file: written back, its blocks freed), 0 for the rest;
              // the descriptor is gone whatever the result says
  read,       // args.transfer + offset (-1: the file's own position)
  write,      // args.transfer + offset (-1: the file's own position)
  readv,      // args.vectors
  writev,     // args.vectors
  fsync,      // args.value: 1 for data only
  ftruncate,  // args.transfer.offset: new size
  statx,      // args.stat
  renameat,   // args.two_paths
  unlinkat,   // args.path {path, flags}
  mkdirat,    // args.path {path, mode}
  linkat,     // args.two_paths
  symlinkat,  // args.two_paths {from: what it says, to, to_directory}
  fallocate,  // args.range {how, offset, length}
  fadvise,    // args.range {how, offset, length}
  // What no ring does: on the blocking pool.
  readlinkat,       // args.text {path, to, size}; result: bytes
  realpath,         // args.text {path, to: PATH_MAX bytes}; result: bytes, without the zero
  read_directory,   // args.directory: see there; result: bytes of struct dirent64
  fchmodat,         // args.path {path or null: fd itself, mode}; follows links
  fchownat,         // args.owner {path or null: fd itself, flags, user, group}
  utimensat,        // args.times {path or null: fd itself, flags, times}
  copy_file_range,  // args.copy, to fd; result: bytes, 0 at the end
  ficlone,          // args.value: from; fd: to. -EOPNOTSUPP, -EXDEV, -EINVAL...: the file system cannot
  copy_file,        // args.copy_file: see there; a small file as a whole
  batch,    // args.batch: several of unlinkat and copy_file, each in turn, in one visit; result: 0, and each has
            // its own. -errno: none was done
  flock,    // args.value: LOCK_SH, LOCK_EX, LOCK_UN; never waits: -EWOULDBLOCK
  statvfs,  // args.space
  chdir,    // args.path {path}
  // At once: these cannot block.
  lseek,   // args.seek; the new position is left in args.seek.offset
  dup,     // result: another descriptor (close-on-exec) of the same open file
  getcwd,  // args.text {to, size}; result: bytes, without the zero
  // Pairs of descriptors, close-on-exec.
  socket_pair,  // args.pair {ends}, args.pair.domain...: both non-blocking
  pipe,         // args.pair {ends: what is read from, what is written to}, .type: O_NONBLOCK for both, or 0
  // Processes. A child is its pidfd: the number cannot be given to another process while it is open.
  start_process,   // args.launch; result: pidfd (close-on-exec)
  reap_process,    // fd: pidfd; args.reap; ends at once: -EAGAIN as long as it runs; poll says when to come back
  signal_process,  // fd: pidfd; args.value: the signal
  // Watching files for changes.
  watch_open,    // result: descriptor (non-blocking, close-on-exec), from which events are read
  watch_add,     // args.path {path, flags: IN_...}; result: the watch
  watch_remove,  // args.value: the watch
  // Waiting.
  poll,  // args.value: POLLIN, POLLOUT...; result: the events that hold
  // Stream sockets and bytes that do not pass through our memory. Not simulated: -ENOSYS.
  splice_in,   // args.splice, from fd into a pipe that is empty; result: bytes, 0 at the end
  splice_out,  // args.splice, to fd from a pipe that is not empty; result: bytes; never raises SIGPIPE
  sendfile,  // args.splice, to fd from a file at its own position, which moves on by the result: bytes, 0 at the end;
             // blocks while the file is not in memory; never raises SIGPIPE
};

struct operation;

struct transfer_arguments {
  void* data;           // const where the operation only reads
  std::size_t size;     // bytes; what exceeds INT32_MAX is done in part
  int flags;            // MSG_*; for files 0
  std::int64_t offset;  // files only; -1: at the file's own position
};
struct address_arguments {
  sockaddr* address;
  unsigned* length;  // in: size of *address; out operations store what the kernel says
};
struct message_arguments {
  msghdr* message;
  int flags;
};
struct messages_arguments {
  mmsghdr* messages;
  unsigned count;  // at least 1
  int flags;
};
struct socket_arguments {
  int domain, type, protocol;
};
struct option_arguments {
  int level, name;
  void* value;
  unsigned* length;  // get_option: in and out; set_option: in
};
struct path_arguments {
  const char* path;
  int flags;
  unsigned mode;
};
struct two_paths_arguments {
  const char* from;
  const char* to;
  int to_directory;
  unsigned flags;
};
struct stat_arguments {
  const char* path;
  int flags;
  unsigned mask;
  struct ::statx* result;
};
struct pair_arguments {
  int* ends;  // room for two
  int domain, type, protocol;
};
struct process_launch;  // driver/process_launch.hpp
struct launch_arguments {
  process_launch* launch;  // lives until the operation has ended
};
struct reap_arguments {
  int* how;     // CLD_EXITED, CLD_KILLED, CLD_DUMPED
  int* status;  // the exit code, or the signal
};
struct connections_arguments {
  void* accepted;  // the driver's: what it has of the connections
};
struct range_arguments {
  int how;  // FALLOC_FL_*, POSIX_FADV_*
  std::int64_t offset, length;
};
struct text_arguments {
  const char* path;
  char* to;
  std::size_t size;
};
/// One visit to the pool for as much of a directory as there is room for: all of it, nearly always.
struct directory_arguments {
  const char* path;  // opened first, from op.fd, with `flags`; null: op.fd is to be read on
  int flags;
  int descriptor;  // out, where a path was given: what is to be read on; -1: all was read, and nothing is open. After a
                   // call without a path: op.fd if there may be more, else -1
  void* data;
  std::size_t size;  // room; 1 KiB at least
};
/// A name of 255 bytes with what stands before it, in struct dirent64.
inline constexpr std::size_t largest_directory_entry = 280;
struct owner_arguments {
  const char* path;
  int flags;
  unsigned user, group;  // ~0u: as it is
};
struct times_arguments {
  const char* path;
  int flags;
  const timespec* times;  // two: accessed, modified
};
struct splice_arguments {
  int other;  // the pipe's end, or the file
  std::size_t size;
  bool no_wait;  // ends inside submit(), with -EAGAIN if need be
};
struct copy_arguments {
  int from;
  std::int64_t from_offset, to_offset;
  std::size_t size;
};
/// A regular file of at most `most` bytes to a name that is not there yet, with its permissions, in one visit. Result: 0,
/// or copy_file_declined: there is something in the way of it, nothing was done, and single steps will say what it is.
/// After an error the new file may be there in part.
struct copy_file_arguments {
  const char* from;  // below op.fd
  const char* to;
  int to_directory;
  int flags;  // O_NOFOLLOW or 0, for `from`
  std::size_t most;
};
inline constexpr std::int32_t copy_file_declined = 1;
struct operation;
struct batch_arguments {
  operation* first;
  unsigned count;
};
struct space_arguments {
  const char* path;
  struct ::statvfs* result;
};
struct seek_arguments {
  int whence;
  std::int64_t offset;
};
struct vectors_arguments {
  const iovec* vectors;
  unsigned count;
  std::int64_t offset;
};

/// Lives in the awaiting frame and stays where it is from submit() until it has ended.
struct operation : detail::list_node {
  opcode code{};
  bool in_flight = false;     // the driver's: submitted and not yet collected
  bool cancel_asked = false;  // the driver's: cancel() was called
  int fd = -1;
  std::int32_t result = 0;        // >= 0, or a negated errno
  std::uint32_t driver_word = 0;  // free for the driver
  /// Called when the operation has ended (accept_many: when there is something to ask for): by whoever runs the loop
  /// that collected it, or by a thread of the blocking pool. The operation may be gone when it returns.
  void (*completed)(operation&) noexcept = nullptr;
  union arguments {
    int value;
    transfer_arguments transfer;
    address_arguments address;
    message_arguments message;
    messages_arguments messages;
    socket_arguments socket;
    option_arguments option;
    path_arguments path;
    two_paths_arguments two_paths;
    stat_arguments stat;
    vectors_arguments vectors;
    connections_arguments connections;
    range_arguments range;
    text_arguments text;
    directory_arguments directory;
    owner_arguments owner;
    times_arguments times;
    copy_arguments copy;
    copy_file_arguments copy_file;
    batch_arguments batch;
    splice_arguments splice;
    space_arguments space;
    seek_arguments seek;
    pair_arguments pair;
    launch_arguments launch;
    reap_arguments reap;
    arguments() noexcept : value(0) {}
  } args;
  detail::job blocking;  // used when the blocking pool carries it out
};

/// Operations that have ended and whose `completed` is still to be called.
using completions = detail::intrusive_list<operation>;

/// The operation's name as in the table, for dumps and messages: "recv".
const char* name_of(opcode code) noexcept;

}  // namespace astd::driver
