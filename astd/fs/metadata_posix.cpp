#include <astd/coro/or_return.hpp>
#include <astd/fs/call.hpp>
#include <astd/fs/metadata.hpp>

#include <chrono>
#include <string>
#include <string_view>

#include <sys/sysmacros.h>

namespace astd::fs {

struct metadata_maker {
  static file_metadata of(const struct ::statx& s) noexcept {
    file_metadata m;
    m.type_ = detail::type_of(s.stx_mode);
    m.permissions_ = static_cast<perms>(s.stx_mode & 07777);
    m.block_size_ = s.stx_blksize;
    m.user_ = s.stx_uid;
    m.group_ = s.stx_gid;
    m.size_ = s.stx_size;
    m.links_ = s.stx_nlink;
    m.device_ = ::makedev(s.stx_dev_major, s.stx_dev_minor);
    m.inode_ = s.stx_ino;
    m.allocated_ = s.stx_blocks * 512;
    m.modified_ = detail::time_of(s.stx_mtime);
    m.accessed_ = detail::time_of(s.stx_atime);
    m.changed_ = detail::time_of(s.stx_ctime);
    if (s.stx_mask & STATX_BTIME) m.created_ = detail::time_of(s.stx_btime);
    return m;
  }
};

namespace detail {

namespace {
// A zero byte would end the text, and an empty name could not be seen.
std::string shown(std::string_view name) {
  if (name.empty()) return "\"\"";
  std::string text;
  for (const char c : name) {
    if (c)
      text += c;
    else
      text += "\\0";
  }
  return text;
}
}  // namespace

failure failure_of(std::error_code code, const deed& of) {
  if (!of.subject.data()) return {code, of.action};
  if (!of.other.data()) return {code, of.action, shown(of.subject)};
  return {code, of.action, shown(of.subject) + " to " + shown(of.other)};
}

file_type type_of(unsigned mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG: return file_type::regular;
    case S_IFDIR: return file_type::directory;
    case S_IFLNK: return file_type::symlink;
    case S_IFBLK: return file_type::block;
    case S_IFCHR: return file_type::character;
    case S_IFIFO: return file_type::fifo;
    case S_IFSOCK: return file_type::socket;
    default: return file_type::unknown;
  }
}

file_time_type time_of(const statx_timestamp& at) noexcept {
  const std::chrono::sys_time<std::chrono::nanoseconds> t(std::chrono::seconds(at.tv_sec) +
                                                          std::chrono::nanoseconds(at.tv_nsec));
  return std::chrono::file_clock::from_sys(t);
}

::timespec timespec_of(file_time_type at) noexcept {
  const auto t = std::chrono::file_clock::to_sys(at);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(t);
  return {static_cast<time_t>(seconds.time_since_epoch().count()), static_cast<long>((t - seconds).count())};
}

file_metadata metadata_of(const struct ::statx& s) noexcept { return metadata_maker::of(s); }

}  // namespace detail

using detail::deed;
using detail::status_call;

task<file_metadata> metadata(path name) {
  const struct ::statx status = co_await or_return(status_call(AT_FDCWD, name.c_str(), 0, deed("stat", name)));
  co_return detail::metadata_of(status);
}

task<file_metadata> symlink_metadata(path name) {
  const struct ::statx status =
      co_await or_return(status_call(AT_FDCWD, name.c_str(), AT_SYMLINK_NOFOLLOW, deed("stat", name)));
  co_return detail::metadata_of(status);
}

}  // namespace astd::fs
