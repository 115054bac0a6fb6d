#include <astd/coro/or_return.hpp>
#include <astd/fs/tree_descent.hpp>

#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <sys/stat.h>

namespace astd::fs::detail {

task<bool> list(int directory, const char* path, std::vector<name_and_type>& names) {
  names.clear();
  constexpr std::size_t part = 32 * 1024;
  const auto data = std::make_unique_for_overwrite<char[]>(part);
  const directory_part got =
      co_await or_return(directory_reading(directory, nullptr, 0, data.get(), part, deed("read directory", path)));
  for (std::size_t at = 0; at < got.bytes;) {
    const char* const raw = data.get() + at;
    unsigned short length = 0;
    std::memcpy(&length, raw + offsetof(dirent64, d_reclen), sizeof length);
    at += length;
    const char* const name = raw + offsetof(dirent64, d_name);
    if (std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0)
      names.emplace_back(name, static_cast<unsigned char>(raw[offsetof(dirent64, d_type)]));
  }
  co_return got.descriptor >= 0;
}

task<> descent::enter(level& next, deed whom) {
  levels_.push_back(&next);
  if (levels_.size() - open_from_ <= open_at_once_) co_return;
  level& far = *levels_[open_from_];
  const struct ::statx status = co_await or_return(status_call(far.descriptor(), nullptr, 0, whom));
  far.inode = status.stx_ino;
  far.major = status.stx_dev_major;
  far.minor = status.stx_dev_minor;
  far.handle = file_handle({}, -1, false);
  ++open_from_;
}

task<> descent::leave(deed whom) {
  const level& below = *levels_.back();
  levels_.pop_back();
  if (levels_.empty() || levels_.size() > open_from_) co_return;
  level& here = *levels_.back();
  const int descriptor = co_await or_return(opening(below.descriptor(), "..", O_RDONLY | O_DIRECTORY, 0u, whom));
  here.handle = file_handle({}, descriptor, false);
  const struct ::statx status = co_await or_return(status_call(descriptor, nullptr, 0, whom));
  if (status.stx_ino != here.inode || status.stx_dev_major != here.major || status.stx_dev_minor != here.minor)
    co_await fail(failure_of(std::error_code(ESTALE, std::system_category()), whom));
  open_from_ = levels_.size() - 1;
}

}  // namespace astd::fs::detail
