#include <astd/driver/sim/disk_file.hpp>
#include <astd/driver/sim/machine.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

namespace astd::driver::sim {
namespace {

// ext4's, with pages of 4 KiB.
constexpr std::uint64_t largest_file = 0xffffffffULL * page_size;

constexpr instant day = 86'400'000'000'000;

}  // namespace

disk_file::disk_file(disk& of, int flags) noexcept : disk_(of), flags_(flags) {}

disk_file::~disk_file() {
  if (!inode_) return;
  static_cast<void>(lock(LOCK_UN));
  --inode_->descriptors;
  disk_.let_go_if_gone(*inode_);
}

void disk_file::set_inode(inode_pointer what) noexcept {
  inode_ = std::move(what);
  ++inode_->descriptors;
  failures_seen_ = inode_->failures;
}

std::int32_t disk_file::start(operation& op) noexcept {
  if (!inode_) return -EIO;  // it is of a former life
  switch (op.code) {
    case opcode::read:
    case opcode::readv:
    case opcode::write:
    case opcode::writev: return start_transfer(op);
    case opcode::fsync: return start_sync(op);
    case opcode::ftruncate: return resize(op.args.transfer.offset);
    case opcode::poll: return poll(op.args.value);
    case opcode::lseek: return seek(op.args.seek);
    case opcode::fallocate: return allocate(op.args.range);
    case opcode::fadvise: return advise(op.args.range);
    case opcode::flock: return flags_ & O_PATH ? -EBADF : lock(op.args.value);
    case opcode::copy_file_range: return start_copy(op);
    case opcode::ficlone: return -EOPNOTSUPP;
    default: return flags_ & O_PATH ? -EBADF : -ENOTSOCK;
  }
}

void disk_file::cancel(operation& op) noexcept { disk_.queue_.cancel(op); }

std::int32_t disk_file::next_connection(operation&) noexcept { return -ENOTSOCK; }

void disk_file::crash() noexcept {
  listed_ = 0;
  inode_.reset();
}

std::int32_t disk_file::carry_out(operation& op, std::uint64_t mark) noexcept {
  if (op.code == opcode::fsync) return sync(mark);
  if (op.code == opcode::copy_file_range) return copy(op.args.copy);
  const transfer_view what(op);
  if (op.code == opcode::read || op.code == opcode::readv) return read(what, true);
  disk_.write_back(disk_.settings().dirty_limit / 2);
  return write(what);
}

// ---- read and write

std::uint64_t disk_file::place_of(const transfer_view& what) const noexcept {
  return what.offset() < 0 ? position_ : static_cast<std::uint64_t>(what.offset());
}

std::int32_t disk_file::start_transfer(operation& op) {
  const transfer_view what(op);
  const bool reads = op.code == opcode::read || op.code == opcode::readv;
  if (what.offset() < -1) return -EINVAL;
  const int access = flags_ & O_ACCMODE;
  if (flags_ & O_PATH || access == (reads ? O_WRONLY : O_RDONLY)) return -EBADF;
  if (what.size() == 0) return 0;
  if (inode_->is_directory()) return -EISDIR;
  if (inode_->kind == inode_kind::null_device) return reads ? 0 : static_cast<std::int32_t>(what.size());
  if (inode_->kind == inode_kind::full_device) {
    if (!reads) return -ENOSPC;
    what.each(what.size(), [](char* data, std::size_t n) { std::memset(data, 0, n); });
    return static_cast<std::int32_t>(what.size());
  }
  const file_content& content = inode_->content;
  bool waits = !reads && disk_.account_.dirty > disk_.settings().dirty_limit;
  const std::uint64_t from = !reads && flags_ & O_APPEND ? content.now().size() : place_of(what);
  waits |= content.must_be_fetched(from, what.size(), !reads);
  if (!waits) return reads ? read(what, false) : write(what);
  disk_.queue_.add(op, what.size(), 0);
  return pending;
}

std::size_t disk_file::shortened(std::size_t n) {
  if (n > 1 && disk_.world_.strikes(fault::short_transfer, &disk_.machine_))
    return 1 + disk_.world_.at_disks().below(n - 1);
  return n;
}

std::int32_t disk_file::read(const transfer_view& what, bool fetched) {
  file_content& content = inode_->content;
  const std::uint64_t from = place_of(what);
  const std::uint64_t size = content.now().size();
  std::size_t n = from < size ? static_cast<std::size_t>(std::min<std::uint64_t>(what.size(), size - from)) : 0;
  if (n == 0) return 0;
  if (fetched && disk_.world_.strikes(fault::disk_error, &disk_.machine_)) return -EIO;
  content.fetch(from, n);
  n = shortened(n);
  std::uint64_t at = from;
  what.each(n, [&](char* data, std::size_t piece) { at += content.read(at, data, piece); });
  if (what.offset() < 0) position_ = at;
  // As mounted with relatime.
  const instant now = disk_.machine_.system_now();
  inode& i = *inode_;
  if (i.accessed <= std::max(i.modified, i.changed) || i.accessed < now - day) i.accessed = now;
  return static_cast<std::int32_t>(n);
}

std::int32_t disk_file::write(const transfer_view& what) {
  file_content& content = inode_->content;
  world& w = disk_.world_;
  const std::uint64_t from = flags_ & O_APPEND ? content.now().size() : place_of(what);
  std::size_t n = what.size();
  if (from >= largest_file) return -EFBIG;
  n = static_cast<std::size_t>(std::min<std::uint64_t>(n, largest_file - from));
  if (w.strikes(fault::disk_error, &disk_.machine_)) return -EIO;
  if (content.needs_pages(from, n) && w.strikes(fault::disk_full, &disk_.machine_)) return -ENOSPC;
  n = static_cast<std::size_t>(content.room_for(from, n));
  if (n == 0) return -ENOSPC;
  n = shortened(n);
  std::uint64_t at = from;
  what.each(n, [&](const char* data, std::size_t piece) {
    content.write(at, data, piece, w.now());
    at += piece;
  });
  if (what.offset() < 0) position_ = at;
  disk_.touch(*inode_);
  return static_cast<std::int32_t>(n);
}

// ---- the rest

std::int32_t disk_file::start_sync(operation& op) {
  if (flags_ & O_PATH) return -EBADF;
  if (inode_->kind != inode_kind::file && !inode_->is_directory()) return -EINVAL;
  // What was there when it was asked for is stored when it ends.
  const bool directory = inode_->is_directory();
  disk_.queue_.add(op, directory ? page_size : inode_->content.dirty(),
                   directory ? disk_.journal_.changes() : inode_->content.changes());
  return pending;
}

std::int32_t disk_file::sync(std::uint64_t mark) {
  inode& i = *inode_;
  if (disk_.world_.strikes(fault::disk_error, &disk_.machine_)) {
    // As Linux does: the pages count as clean, and each open file is told once.
    if (!i.is_directory()) {
      i.content.lose_changes();
      ++i.failures;
      failures_seen_ = i.failures;
    }
    return -EIO;
  }
  if (disk_.world_.strikes(fault::sync_lost, &disk_.machine_)) return 0;
  if (i.is_directory())
    disk_.journal_.store(i, mark);
  else
    i.content.store(mark);
  return std::exchange(failures_seen_, i.failures) != i.failures ? -EIO : 0;
}

std::int32_t disk_file::resize(std::int64_t size) {
  if (flags_ & O_PATH) return -EBADF;
  if (size < 0) return -EINVAL;
  if (inode_->kind != inode_kind::file || (flags_ & O_ACCMODE) == O_RDONLY) return -EINVAL;
  if (static_cast<std::uint64_t>(size) > largest_file) return -EFBIG;
  inode_->content.resize(static_cast<std::uint64_t>(size), disk_.world_.now());
  disk_.touch(*inode_);
  return 0;
}

std::int32_t disk_file::seek(seek_arguments& a) {
  if (flags_ & O_PATH) return -EBADF;
  if (inode_->kind == inode_kind::null_device || inode_->kind == inode_kind::full_device) {
    a.offset = 0;
    return 0;
  }
  const auto size = static_cast<std::int64_t>(inode_->content.now().size());
  std::int64_t to = a.offset;
  switch (a.whence) {
    case SEEK_SET: break;
    case SEEK_CUR: to += static_cast<std::int64_t>(position_); break;
    case SEEK_END: to += size; break;
    default: return -EINVAL;
  }
  if (to < 0 || static_cast<std::uint64_t>(to) > largest_file) return -EINVAL;
  position_ = static_cast<std::uint64_t>(to);
  if (inode_->is_directory() && to == 0) {
    listed_ = 0;
    last_listed_.clear();
  }
  a.offset = to;
  return 0;
}

// The room is looked for and not kept: who writes there later may find the disk full.
std::int32_t disk_file::allocate(const range_arguments& a) {
  if (a.offset < 0 || a.length <= 0) return -EINVAL;
  if (a.how & ~FALLOC_FL_KEEP_SIZE) return -EOPNOTSUPP;
  if (flags_ & O_PATH || (flags_ & O_ACCMODE) == O_RDONLY) return -EBADF;
  if (inode_->is_directory()) return -EISDIR;
  if (inode_->kind != inode_kind::file) return -ENODEV;
  const auto from = static_cast<std::uint64_t>(a.offset), n = static_cast<std::uint64_t>(a.length);
  if (from > largest_file || n > largest_file - from) return -EFBIG;
  file_content& content = inode_->content;
  if (disk_.account_.settings.capacity != UINT64_MAX && content.room_for(from, n) < n) return -ENOSPC;
  if (disk_.world_.strikes(fault::disk_full, &disk_.machine_)) return -ENOSPC;
  if (a.how & FALLOC_FL_KEEP_SIZE || from + n <= content.now().size()) return 0;
  content.resize(from + n, disk_.world_.now());
  disk_.touch(*inode_);
  return 0;
}

std::int32_t disk_file::advise(const range_arguments& a) const noexcept {
  if (flags_ & O_PATH) return -EBADF;
  return a.length < 0 || a.how < POSIX_FADV_NORMAL || a.how > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

std::int32_t disk_file::lock(int how) {
  inode& i = *inode_;
  const bool exclusive = how == LOCK_EX;
  if (how != LOCK_UN && how != LOCK_SH && !exclusive) return -EINVAL;
  // As Linux does: what one has is given up first, also where the new one is refused.
  if (i.locked_by == this) i.locked_by = nullptr;
  i.shared_by.erase(this);
  if (how == LOCK_UN) return 0;
  if (i.locked_by || (exclusive && !i.shared_by.empty())) return -EWOULDBLOCK;
  if (exclusive)
    i.locked_by = this;
  else
    i.shared_by.insert(this);
  return 0;
}

std::int32_t disk_file::start_copy(operation& op) {
  const copy_arguments& a = op.args.copy;
  open_file* const source = disk_.machine_.find(a.from);
  if (!source) return -EBADF;
  const inode_pointer from = source->on_disk();
  if (!from) return -EINVAL;
  if (inode_->is_directory() || from->is_directory()) return -EISDIR;
  const int read_access = static_cast<disk_file*>(source)->flags_;
  if ((flags_ | read_access) & O_PATH || (flags_ & O_ACCMODE) == O_RDONLY || flags_ & O_APPEND) return -EBADF;
  if ((read_access & O_ACCMODE) == O_WRONLY) return -EBADF;
  if (inode_->kind != inode_kind::file || from->kind != inode_kind::file) return -EINVAL;
  if (a.from_offset < 0 || a.to_offset < 0) return -EINVAL;
  if (a.size == 0) return 0;
  const auto at = static_cast<std::uint64_t>(a.from_offset), to = static_cast<std::uint64_t>(a.to_offset);
  if (from == inode_ && at < to + a.size && to < at + a.size) return -EINVAL;
  const bool waits = disk_.account_.dirty > disk_.settings().dirty_limit ||
                     from->content.must_be_fetched(at, a.size, false) ||
                     inode_->content.must_be_fetched(to, a.size, true);
  if (!waits) return copy(a);
  disk_.queue_.add(op, a.size, 0);
  return pending;
}

std::int32_t disk_file::copy(const copy_arguments& a) {
  open_file* const source = disk_.machine_.find(a.from);
  if (!source || !source->on_disk()) return -EBADF;
  file_content& from = source->on_disk()->content;
  file_content& to = inode_->content;
  const auto at = static_cast<std::uint64_t>(a.from_offset), there = static_cast<std::uint64_t>(a.to_offset);
  const std::uint64_t size = from.now().size();
  std::uint64_t n = at < size ? std::min<std::uint64_t>({a.size, size - at, 1 << 20}) : 0;
  if (n == 0) return 0;
  if (there >= largest_file) return -EFBIG;
  world& w = disk_.world_;
  if (w.strikes(fault::disk_error, &disk_.machine_)) return -EIO;
  if (to.needs_pages(there, n) && w.strikes(fault::disk_full, &disk_.machine_)) return -ENOSPC;
  n = to.room_for(there, std::min(n, largest_file - there));
  if (n == 0) return -ENOSPC;
  n = shortened(static_cast<std::size_t>(n));
  std::string bytes(static_cast<std::size_t>(n), '\0');
  from.fetch(at, n);
  from.read(at, bytes.data(), n);
  to.write(there, bytes.data(), n, w.now());
  disk_.touch(*inode_);
  return static_cast<std::int32_t>(n);
}

// Always ready; the ring refuses to wait for what never comes.
std::int32_t disk_file::poll(int events) const noexcept {
  if (flags_ & O_PATH) return -EBADF;
  const int held = events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
  return held != 0 ? held : -EINVAL;
}

}  // namespace astd::driver::sim
