// What a simulated disk does with names: the order in which Linux looks for reasons to refuse is kept.
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/disk_file.hpp>
#include <astd/driver/sim/machine.hpp>

#include <cerrno>
#include <climits>
#include <cstring>
#include <span>
#include <utility>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

namespace astd::driver::sim {
namespace {

constexpr unsigned umask_bits = 022;
constexpr int nameless = O_TMPFILE & ~O_DIRECTORY;

statx_timestamp timestamp(instant t) noexcept {
  statx_timestamp result{};
  result.tv_sec = t / 1'000'000'000 - (t % 1'000'000'000 < 0);
  result.tv_nsec = static_cast<std::uint32_t>(t - result.tv_sec * 1'000'000'000);
  return result;
}

bool is_within(const inode& i, const inode& directory) noexcept {
  const inode* here = &i;
  while (here != &directory) {
    const inode* const above = here->parent.get();
    if (!above || above == here) return false;
    here = above;
  }
  return true;
}

}  // namespace

std::int32_t disk::find_start(int descriptor, const char* path, inode_pointer& start) const {
  if (!path) return -EFAULT;
  if (*path == 0) return -ENOENT;
  if (*path == '/' || descriptor == AT_FDCWD) {
    start = *path == '/' ? root_ : current_;
    return 0;
  }
  const open_file* const file = machine_.find(descriptor);
  if (!file) return -EBADF;
  start = file->on_disk();
  return start ? 0 : -ENOTDIR;
}

std::int32_t disk::go(int descriptor, const char* path, path_end& end, last_link at_end) const {
  inode_pointer start;
  const std::int32_t error = find_start(descriptor, path, start);
  return error == 0 ? walk(root_, start, path, end, at_end) : error;
}

// Notes it as fetched: whoever comes next finds it.
bool disk::must_be_fetched(const operation& op) const {
  bool missing = false;
  const auto ask = [&](int descriptor, const char* path) {
    path_end end;
    if (!path) return;
    std::int32_t error = go(descriptor, path, end, last_link::followed);
    missing |= end.fetched;
    if (error != 0) return;
    if (end.directory) missing |= !std::exchange(end.directory->cached, true);
    if (const inode_pointer found = look_up(end, error)) missing |= !std::exchange(found->cached, true);
  };
  const auto& a = op.args;
  switch (op.code) {
    case opcode::statx: ask(op.fd, a.stat.path); break;
    case opcode::readlinkat:
    case opcode::realpath: ask(op.fd, a.text.path); break;
    case opcode::read_directory: ask(op.fd, a.directory.path); break;
    case opcode::fchownat: ask(op.fd, a.owner.path); break;
    case opcode::utimensat: ask(op.fd, a.times.path); break;
    case opcode::statvfs: ask(op.fd, a.space.path); break;
    case opcode::batch:
      for (const operation& one : std::span(a.batch.first, a.batch.count)) missing |= must_be_fetched(one);
      break;
    case opcode::copy_file:
      ask(op.fd, a.copy_file.from);
      ask(a.copy_file.to_directory, a.copy_file.to);
      break;
    case opcode::symlinkat: ask(a.two_paths.to_directory, a.two_paths.to); break;
    case opcode::renameat:
    case opcode::linkat:
      ask(op.fd, a.two_paths.from);
      ask(a.two_paths.to_directory, a.two_paths.to);
      break;
    default: ask(op.fd, a.path.path); break;
  }
  return missing;
}

std::int32_t disk::perform(operation& op) {
  switch (op.code) {
    case opcode::openat: return open(op);
    case opcode::statx: return stat(op);
    case opcode::renameat: return rename(op);
    case opcode::unlinkat: return unlink(op);
    case opcode::mkdirat: return make_directory(op);
    case opcode::linkat: return link(op);
    case opcode::symlinkat: return make_link(op);
    case opcode::readlinkat: return read_link(op);
    case opcode::realpath: return real_path(op);
    case opcode::read_directory: return list(op);
    case opcode::fchmodat: return change_mode(op);
    case opcode::fchownat: return change_owner(op);
    case opcode::utimensat: return change_times(op);
    case opcode::copy_file: return copy_file(op);
    case opcode::batch:
      for (operation& one : std::span(op.args.batch.first, op.args.batch.count)) one.result = perform(one);
      return 0;
    case opcode::statvfs: return space(op);
    case opcode::chdir: return change_directory(op);
    case opcode::getcwd: return current_path(op);
    default: return -ENOSYS;
  }
}

// ---- changes

std::int32_t disk::fault_in_directory() noexcept {
  if (world_.strikes(fault::disk_error, &machine_)) return -EIO;
  if (world_.strikes(fault::disk_full, &machine_)) return -ENOSPC;
  return 0;
}

void disk::touch(inode& changed) noexcept { changed.modified = changed.changed = machine_.system_now(); }

void disk::change_entries(std::vector<entry_change> changes) {
  for (const entry_change& c : changes) touch(*c.directory);
  journal_.store_older_than(world_.now() - settings().names_stay);
  journal_.change(std::move(changes), world_.now());
}

void disk::drop_name(inode& of) noexcept {
  of.changed = machine_.system_now();
  if (of.is_directory()) {
    of.links = 0;
    of.removed = true;
  } else {
    --of.links;
  }
  let_go_if_gone(of);
}

void disk::let_go_if_gone(inode& i) noexcept {
  if (i.links == 0 && i.descriptors == 0) i.content.let_go();
}

// ---- open

std::int32_t disk::open(const operation& op) {
  int flags = op.args.path.flags;
  if (flags & O_PATH) flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
  const bool writes = (flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR;
  if (flags & nameless && (!(flags & O_DIRECTORY) || flags & O_CREAT || !writes)) return -EINVAL;
  if (flags & O_CREAT && flags & O_DIRECTORY) return -EINVAL;
  const char* const path = op.args.path.path;
  inode_pointer start;
  std::int32_t error = find_start(op.fd, path, start);
  if (error == -EFAULT || error == -ENOENT) return error;
  if (std::strlen(path) >= PATH_MAX) return -ENAMETOOLONG;
  // The number first: without one, nothing is made or emptied.
  auto owned = std::make_unique<disk_file>(*this, flags);
  disk_file* const file = owned.get();
  const int descriptor = machine_.open(std::move(owned));
  if (descriptor < 0) return descriptor;
  if (error == 0) {
    if (inode_pointer found = open_inode(start, path, flags, op.args.path.mode, error)) {
      file->set_inode(std::move(found));
      return descriptor;
    }
  }
  static_cast<void>(machine_.close(descriptor));
  return error;
}

inode_pointer disk::open_inode(const inode_pointer& start, const char* path, int flags, unsigned mode,
                               std::int32_t& error) {
  const auto refuse = [&error](std::int32_t why) {
    error = why;
    return inode_pointer();
  };
  path_end end;
  const bool keeps = flags & O_NOFOLLOW || (flags & O_CREAT && flags & O_EXCL);
  if (error = walk(root_, start, path, end, keeps ? last_link::followed_if_slashes : last_link::followed);
      error != 0)
    return nullptr;
  mode &= 07777 & ~umask_bits;
  const bool named = end.last == path_end::type::name;
  if (flags & O_CREAT && named && end.slashes) return refuse(-EISDIR);
  inode_pointer found = look_up(end, error);
  if (!found && error == -ENOENT && flags & O_CREAT && !end.directory->removed) {
    if (error = fault_in_directory(); error != 0) return nullptr;
    found = make(inode_kind::file, mode);
    found->links = 1;
    change_entries({{end.directory, std::string(end.name), found}});
    return found;
  }
  if (!found) return nullptr;
  if (flags & O_CREAT) {
    if (flags & O_EXCL) return refuse(-EEXIST);
    if (found->is_directory()) return refuse(-EISDIR);
  }
  if (flags & O_DIRECTORY && !found->is_directory()) return refuse(-ENOTDIR);
  if (found->is_link() && !(flags & O_PATH)) return refuse(-ELOOP);
  if (flags & nameless) {
    if (found->removed) return refuse(-ENOENT);
    if (error = fault_in_directory(); error != 0) return nullptr;
    return make(inode_kind::file, mode);
  }
  if (found->is_directory() && ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC)) return refuse(-EISDIR);
  if (flags & O_TRUNC && found->kind == inode_kind::file) {
    found->content.resize(0, world_.now());
    touch(*found);
  }
  return found;
}

// ---- stat

std::int32_t disk::stat(const operation& op) const {
  const stat_arguments& a = op.args.stat;
  constexpr int known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
  if (a.flags & ~known || (a.flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE) return -EINVAL;
  if (a.mask & STATX__RESERVED) return -EINVAL;
  struct ::statx& s = *a.result;
  inode_pointer found;
  const bool by_descriptor = a.flags & AT_EMPTY_PATH && (!a.path || *a.path == 0);
  if (!by_descriptor) {
    path_end end;
    const bool keeps = a.flags & AT_SYMLINK_NOFOLLOW;
    std::int32_t error = go(op.fd, a.path, end, keeps ? last_link::followed_if_slashes : last_link::followed);
    if (error == 0) found = look_up(end, error);
    if (!found) return error;
  } else if (op.fd == AT_FDCWD) {
    found = current_;
  } else {
    const open_file* const file = machine_.find(op.fd);
    if (!file) return -EBADF;
    found = file->on_disk();
  }
  s = {};
  s.stx_mask = STATX_BASIC_STATS;
  s.stx_blksize = page_size;
  if (!found) {
    s.stx_mode = op.fd < 3 ? S_IFIFO | 0600 : S_IFSOCK | 0777;
    s.stx_nlink = 1;
    return 0;
  }
  const inode& i = *found;
  s.stx_mask |= STATX_BTIME;
  s.stx_nlink = i.links;
  s.stx_ino = i.number;
  s.stx_uid = i.user;
  s.stx_gid = i.group;
  s.stx_atime = timestamp(i.accessed);
  s.stx_mtime = timestamp(i.modified);
  s.stx_ctime = timestamp(i.changed);
  s.stx_btime = timestamp(i.born);
  s.stx_dev_major = 8;
  s.stx_dev_minor = machine_.number();
  switch (i.kind) {
    case inode_kind::file:
      s.stx_mode = static_cast<std::uint16_t>(S_IFREG | i.mode);
      s.stx_size = i.content.now().size();
      s.stx_blocks = i.content.now().pages() * (page_size / 512);
      break;
    case inode_kind::directory:
      s.stx_mode = static_cast<std::uint16_t>(S_IFDIR | i.mode);
      s.stx_size = page_size;
      s.stx_blocks = page_size / 512;
      break;
    case inode_kind::link:
      s.stx_mode = S_IFLNK | 0777;
      s.stx_size = i.target.size();
      break;
    case inode_kind::null_device:
    case inode_kind::full_device:
      s.stx_mode = static_cast<std::uint16_t>(S_IFCHR | i.mode);
      s.stx_rdev_major = 1;
      s.stx_rdev_minor = i.kind == inode_kind::null_device ? 3 : 7;
      break;
  }
  return 0;
}

// ---- rename

std::int32_t disk::rename(const operation& op) {
  const two_paths_arguments& a = op.args.two_paths;
  const bool exchanges = a.flags & RENAME_EXCHANGE;
  if (a.flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
  if (exchanges && a.flags & RENAME_NOREPLACE) return -EINVAL;
  path_end from, to;
  if (const std::int32_t error = go(op.fd, a.from, from); error != 0) return error;
  if (const std::int32_t error = go(a.to_directory, a.to, to); error != 0) return error;
  if (from.last != path_end::type::name) return -EBUSY;
  if (to.last != path_end::type::name) return a.flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
  std::int32_t error = 0;
  const inode_pointer moved = look_up(*from.directory, from.name, error);
  if (!moved) return error;
  const inode_pointer there = look_up(*to.directory, to.name, error);
  if (!there && error != -ENOENT) return error;
  if (there && a.flags & RENAME_NOREPLACE) return -EEXIST;
  if (exchanges) {
    if (!there) return -ENOENT;
    if (!there->is_directory() && to.slashes) return -ENOTDIR;
  }
  if (!moved->is_directory() && (from.slashes || (!exchanges && to.slashes))) return -ENOTDIR;
  // Neither may be above the other.
  if (moved->is_directory() && is_within(*to.directory, *moved)) return -EINVAL;
  if (there && there->is_directory() && is_within(*from.directory, *there)) return exchanges ? -EINVAL : -ENOTEMPTY;
  if (there == moved) return 0;
  if (to.directory->removed) return -ENOENT;
  if (there && !exchanges) {
    if (moved->is_directory() && !there->is_directory()) return -ENOTDIR;
    if (!moved->is_directory() && there->is_directory()) return -EISDIR;
    if (there->is_directory() && !there->entries.empty()) return -ENOTEMPTY;
  }
  if (error = fault_in_directory(); error != 0) return error;
  const auto arrives = [](const inode_pointer& what, const inode_pointer& from_directory,
                          const inode_pointer& in_directory) {
    if (!what->is_directory()) return;
    --from_directory->links;
    ++in_directory->links;
    what->parent = in_directory;
  };
  arrives(moved, from.directory, to.directory);
  if (exchanges) arrives(there, to.directory, from.directory);
  change_entries({{from.directory, std::string(from.name), exchanges ? there : nullptr},
                  {to.directory, std::string(to.name), moved}});
  moved->changed = machine_.system_now();
  if (exchanges) {
    there->changed = machine_.system_now();
  } else if (there) {
    if (there->is_directory()) --to.directory->links;
    drop_name(*there);
  }
  return 0;
}

// ---- unlink, mkdir

std::int32_t disk::unlink(const operation& op) {
  const path_arguments& a = op.args.path;
  if (a.flags & ~AT_REMOVEDIR) return -EINVAL;
  const bool directories = a.flags & AT_REMOVEDIR;
  path_end end;
  std::int32_t error = go(op.fd, a.path, end);
  if (error != 0) return error;
  switch (end.last) {
    case path_end::type::name: break;
    case path_end::type::dot: return directories ? -EINVAL : -EISDIR;
    case path_end::type::dot_dot: return directories ? -ENOTEMPTY : -EISDIR;
    case path_end::type::root: return directories ? -EBUSY : -EISDIR;
  }
  const inode_pointer found = look_up(*end.directory, end.name, error);
  if (!found) return error;
  if (found->is_directory() != directories) return directories ? -ENOTDIR : -EISDIR;
  if (directories && !found->entries.empty()) return -ENOTEMPTY;
  if (!directories && end.slashes) return -ENOTDIR;
  if (world_.strikes(fault::disk_error, &machine_)) return -EIO;
  change_entries({{end.directory, std::string(end.name), nullptr}});
  if (directories) --end.directory->links;
  drop_name(*found);
  return 0;
}

std::int32_t disk::make_directory(const operation& op) {
  const path_arguments& a = op.args.path;
  path_end end;
  std::int32_t error = go(op.fd, a.path, end);
  if (error != 0) return error;
  if (end.last != path_end::type::name) return -EEXIST;
  if (look_up(*end.directory, end.name, error)) return -EEXIST;
  if (error != -ENOENT) return error;
  if (end.directory->removed) return -ENOENT;
  if (error = fault_in_directory(); error != 0) return error;
  const inode_pointer made = make(inode_kind::directory, a.mode & 01777 & ~umask_bits);
  made->parent = end.directory;
  made->links = 2;
  ++end.directory->links;
  change_entries({{end.directory, std::string(end.name), made}});
  return 0;
}

// ---- a file as a whole

std::int32_t disk::copy_file(const operation& op) {
  const copy_file_arguments& a = op.args.copy_file;
  const auto open_at = [this](int directory, const char* path, int flags, unsigned mode) {
    operation opening;
    opening.code = opcode::openat;
    opening.fd = directory;
    opening.args.path = {path, flags, mode};
    return open(opening);
  };
  struct closing {
    machine& on;
    const int descriptor;
    ~closing() {
      if (descriptor >= 0) static_cast<void>(on.close(descriptor));
    }
  };
  const closing from{machine_, open_at(op.fd, a.from, a.flags | O_RDONLY, 0)};
  if (from.descriptor < 0) return copy_file_declined;
  const inode_pointer source = machine_.find(from.descriptor)->on_disk();
  const std::uint64_t size = source->content.now().size();
  if (source->kind != inode_kind::file || size > a.most) return copy_file_declined;
  const closing to{machine_, open_at(a.to_directory, a.to, O_WRONLY | O_CREAT | O_EXCL, source->mode & 0777)};
  if (to.descriptor < 0) return copy_file_declined;
  auto* const target = static_cast<disk_file*>(machine_.find(to.descriptor));
  for (std::uint64_t at = 0; at < size;) {
    const auto offset = static_cast<std::int64_t>(at);
    const std::int32_t n = target->copy({from.descriptor, offset, offset, static_cast<std::size_t>(size - at)});
    if (n <= 0) return n;
    at += static_cast<std::uint64_t>(n);
  }
  target->on_disk()->mode = source->mode;
  return 0;
}

}  // namespace astd::driver::sim
