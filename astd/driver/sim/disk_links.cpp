// What a simulated disk does with links, directories that are read, and what is written beside a file's bytes.
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/disk_file.hpp>
#include <astd/driver/sim/machine.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace astd::driver::sim {
namespace {

std::int32_t give(const std::string& text, const text_arguments& a, bool cut) {
  if (a.size == 0) return -EINVAL;
  if (text.size() > a.size && !cut) return -ERANGE;
  const std::size_t n = std::min(text.size(), a.size);
  std::memcpy(a.to, text.data(), n);
  return static_cast<std::int32_t>(n);
}

unsigned char type_of(const inode& i) noexcept {
  switch (i.kind) {
    case inode_kind::file: return DT_REG;
    case inode_kind::directory: return DT_DIR;
    case inode_kind::link: return DT_LNK;
    case inode_kind::null_device:
    case inode_kind::full_device: break;
  }
  return DT_CHR;
}

}  // namespace

inode_pointer disk::whom(int descriptor, const char* path, last_link at_end, std::int32_t& error) const {
  error = 0;
  if (!path) {
    const open_file* const file = machine_.find(descriptor);
    inode_pointer found = file ? file->on_disk() : nullptr;
    if (!found) error = file ? -EPERM : -EBADF;
    return found;
  }
  path_end end;
  error = go(descriptor, path, end, at_end);
  return error == 0 ? look_up(end, error) : nullptr;
}

// ---- links

std::int32_t disk::link(const operation& op) {
  const two_paths_arguments& a = op.args.two_paths;
  if (a.flags & ~static_cast<unsigned>(AT_SYMLINK_FOLLOW)) return -EINVAL;
  path_end from, to;
  const last_link at_end = a.flags & AT_SYMLINK_FOLLOW ? last_link::followed : last_link::followed_if_slashes;
  std::int32_t error = go(op.fd, a.from, from, at_end);
  if (error != 0) return error;
  const inode_pointer there = look_up(from, error);
  if (!there) return error;
  if (error = go(a.to_directory, a.to, to); error != 0) return error;
  if (to.last != path_end::type::name || look_up(*to.directory, to.name, error)) return -EEXIST;
  if (error != -ENOENT) return error;
  if (to.slashes || to.directory->removed) return -ENOENT;
  if (there->is_directory()) return -EPERM;
  if (there->links == 0) return -ENOENT;
  if (error = fault_in_directory(); error != 0) return error;
  ++there->links;
  there->changed = machine_.system_now();
  change_entries({{to.directory, std::string(to.name), there}});
  return 0;
}

std::int32_t disk::make_link(const operation& op) {
  const two_paths_arguments& a = op.args.two_paths;
  if (!a.from) return -EFAULT;
  const std::size_t length = std::strlen(a.from);
  if (length == 0) return -ENOENT;
  if (length >= PATH_MAX) return -ENAMETOOLONG;
  path_end to;
  std::int32_t error = go(a.to_directory, a.to, to);
  if (error != 0) return error;
  if (to.last != path_end::type::name || look_up(*to.directory, to.name, error)) return -EEXIST;
  if (error != -ENOENT) return error;
  if (to.slashes || to.directory->removed) return -ENOENT;
  if (error = fault_in_directory(); error != 0) return error;
  const inode_pointer made = make(inode_kind::link, 0777);
  made->target = a.from;
  made->links = 1;
  change_entries({{to.directory, std::string(to.name), made}});
  return 0;
}

std::int32_t disk::read_link(const operation& op) const {
  std::int32_t error = 0;
  const inode_pointer found = whom(op.fd, op.args.text.path, last_link::followed_if_slashes, error);
  if (!found) return error;
  if (!found->is_link()) return -EINVAL;
  return give(found->target, op.args.text, true);
}

// ---- where one is

std::int32_t disk::path_of(const inode& directory, std::string& path) const {
  path.clear();
  const inode* here = &directory;
  while (here != root_.get()) {
    const inode* const above = here->parent.get();
    if (here->removed || !above) return -ENOENT;
    const auto found = std::ranges::find_if(above->entries, [&](const auto& e) { return e.second.get() == here; });
    if (found == above->entries.end()) return -ENOENT;
    path.insert(0, "/" + found->first);
    here = above;
  }
  if (path.empty()) path = "/";
  return 0;
}

std::int32_t disk::real_path(const operation& op) const {
  path_end end;
  std::int32_t error = go(op.fd, op.args.text.path, end, last_link::followed);
  if (error != 0) return error;
  const inode_pointer found = look_up(end, error);
  if (!found) return error;
  std::string path;
  if (found->is_directory()) {
    if (error = path_of(*found, path); error != 0) return error;
  } else {
    if (error = path_of(*end.directory, path); error != 0) return error;
    if (path != "/") path += '/';
    path += end.name;
  }
  if (path.size() >= PATH_MAX) return -ENAMETOOLONG;
  return give(path, op.args.text, false);
}

std::int32_t disk::change_directory(const operation& op) {
  std::int32_t error = 0;
  const inode_pointer found = whom(AT_FDCWD, op.args.path.path, last_link::followed, error);
  if (!found) return error;
  if (!found->is_directory()) return -ENOTDIR;
  current_ = found;
  return 0;
}

std::int32_t disk::current_path(const operation& op) const {
  std::string path;
  const std::int32_t error = path_of(*current_, path);
  return error == 0 ? give(path, op.args.text, false) : error;
}

// ---- beside the bytes

std::int32_t disk::change_mode(const operation& op) {
  std::int32_t error = 0;
  const inode_pointer found = whom(op.fd, op.args.path.path, last_link::followed, error);
  if (!found) return error;
  found->mode = op.args.path.mode & 07777;
  found->changed = machine_.system_now();
  return 0;
}

std::int32_t disk::change_owner(const operation& op) {
  const owner_arguments& a = op.args.owner;
  std::int32_t error = 0;
  const bool keeps = a.flags & AT_SYMLINK_NOFOLLOW;
  const inode_pointer found = whom(op.fd, a.path, keeps ? last_link::kept : last_link::followed, error);
  if (!found) return error;
  if (a.user != ~0u) found->user = a.user;
  if (a.group != ~0u) found->group = a.group;
  found->changed = machine_.system_now();
  return 0;
}

std::int32_t disk::change_times(const operation& op) {
  const times_arguments& a = op.args.times;
  std::int32_t error = 0;
  const bool keeps = a.flags & AT_SYMLINK_NOFOLLOW;
  const inode_pointer found = whom(op.fd, a.path, keeps ? last_link::kept : last_link::followed, error);
  if (!found) return error;
  const instant now = machine_.system_now();
  const auto set = [now](instant& which, const timespec& to) {
    if (to.tv_nsec == UTIME_OMIT) return;
    which = to.tv_nsec == UTIME_NOW ? now : static_cast<instant>(to.tv_sec) * 1'000'000'000 + to.tv_nsec;
  };
  set(found->accessed, a.times[0]);
  set(found->modified, a.times[1]);
  found->changed = now;
  return 0;
}

std::int32_t disk::space(const operation& op) const {
  std::int32_t error = 0;
  const inode_pointer found = whom(AT_FDCWD, op.args.space.path, last_link::followed, error);
  if (!found) return error;
  struct ::statvfs& s = *op.args.space.result;
  s = {};
  const std::uint64_t all = std::min<std::uint64_t>(account_.settings.capacity, INT64_MAX);
  s.f_bsize = s.f_frsize = page_size;
  s.f_blocks = all / page_size;
  s.f_bfree = s.f_bavail = (all - std::min(all, account_.used)) / page_size;
  s.f_namemax = 255;
  return 0;
}

// ---- directories that are read

std::int32_t disk::list(operation& op) {
  directory_arguments& a = op.args.directory;
  a.descriptor = -1;
  int fd = op.fd;
  if (a.path) {
    operation opening;
    opening.code = opcode::openat;
    opening.fd = op.fd;
    opening.args.path = {a.path, a.flags | O_RDONLY | O_DIRECTORY, 0};
    fd = open(opening);
    if (fd < 0) return fd;
  }
  open_file* const file = machine_.find(fd);
  if (!file) return -EBADF;
  if (!file->on_disk() || !file->on_disk()->is_directory()) return -ENOTDIR;
  bool more = false;
  const std::int32_t filled = static_cast<disk_file*>(file)->list(static_cast<char*>(a.data), a.size, more);
  if (more && filled >= 0)
    a.descriptor = fd;
  else if (a.path)
    static_cast<void>(machine_.close(fd));
  return filled;
}

std::int32_t disk_file::list(char* to, std::size_t size, bool& more) {
  if (flags_ & O_PATH) return -EBADF;
  if (inode_->removed) return -ENOENT;
  std::size_t filled = 0;
  const auto put = [&](const std::string& name, const inode& what) {
    const std::size_t length = (offsetof(dirent64, d_name) + name.size() + 1 + 7) / 8 * 8;
    if (size - filled < length) return false;
    dirent64 entry{};
    entry.d_ino = what.number;
    entry.d_reclen = static_cast<unsigned short>(length);
    entry.d_type = disk_.settings().tells_types ? type_of(what) : static_cast<unsigned char>(DT_UNKNOWN);
    std::memset(to + filled, 0, length);
    std::memcpy(to + filled, &entry, offsetof(dirent64, d_name));
    std::memcpy(to + filled + offsetof(dirent64, d_name), name.c_str(), name.size() + 1);
    filled += length;
    return true;
  };
  more = true;
  if (listed_ == 0) {
    if (!put(".", *inode_)) return -EINVAL;
    listed_ = 1;
  }
  if (listed_ == 1) {
    if (!put("..", inode_->parent ? *inode_->parent : *inode_)) return static_cast<std::int32_t>(filled);
    listed_ = 2;
  }
  // From where it was, whatever has come and gone since.
  auto next = last_listed_.empty() ? inode_->entries.begin() : inode_->entries.upper_bound(last_listed_);
  for (; next != inode_->entries.end(); ++next) {
    if (!put(next->first, *next->second)) return static_cast<std::int32_t>(filled);
    last_listed_ = next->first;
  }
  more = false;
  return static_cast<std::int32_t>(filled);
}

}  // namespace astd::driver::sim
