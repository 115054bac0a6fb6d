#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/fs/call.hpp>
#include <astd/fs/directory.hpp>
#include <astd/fs/names.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>

namespace astd::fs {

using detail::deed;
using detail::directory_visit;

namespace {

constexpr std::size_t part = 32 * 1024;

std::string with_name(const std::string& directory, std::string_view name) {
  std::string whole;
  whole.reserve(directory.size() + 1 + name.size());
  whole = directory;
  if (!whole.empty() && whole.back() != '/') whole += '/';
  return whole.append(name);
}

file_type type_of_entry(unsigned char type) noexcept {
  switch (type) {
    case DT_REG: return file_type::regular;
    case DT_DIR: return file_type::directory;
    case DT_LNK: return file_type::symlink;
    case DT_BLK: return file_type::block;
    case DT_CHR: return file_type::character;
    case DT_FIFO: return file_type::fifo;
    case DT_SOCK: return file_type::socket;
    default: return file_type::unknown;
  }
}

bool denied(const failure& why) noexcept { return why.code() == std::errc::permission_denied; }

}  // namespace

// ---- an entry

path directory_entry::path() const { return with_name(*directory_, name_); }

ASTD_CORO_WRAPPER task<file_metadata> directory_entry::metadata() const { return fs::metadata(path()); }
ASTD_CORO_WRAPPER task<file_metadata> directory_entry::symlink_metadata() const {
  return fs::symlink_metadata(path());
}
ASTD_CORO_WRAPPER task<file_status> directory_entry::status() const { return fs::status(path()); }
ASTD_CORO_WRAPPER task<file_status> directory_entry::symlink_status() const { return fs::symlink_status(path()); }
ASTD_CORO_WRAPPER task<bool> directory_entry::exists() const { return fs::exists(path()); }
ASTD_CORO_WRAPPER task<bool> directory_entry::is_directory() const { return fs::is_directory(path()); }
ASTD_CORO_WRAPPER task<bool> directory_entry::is_regular_file() const { return fs::is_regular_file(path()); }
ASTD_CORO_WRAPPER task<bool> directory_entry::is_symlink() const { return fs::is_symlink(path()); }
ASTD_CORO_WRAPPER task<std::uint64_t> directory_entry::file_size() const { return fs::file_size(path()); }
ASTD_CORO_WRAPPER task<file_time_type> directory_entry::last_write_time() const {
  return fs::last_write_time(path());
}

// ---- a visit

task<> directory_visit::read(std::size_t room) {
  std::string data;
  data.resize_and_overwrite(room, [](char*, std::size_t n) noexcept { return n; });
  const bool opens = !begun_;
  const deed whom("read directory", *directory_);
  // O_NOFOLLOW: what is no directory any more is not entered.
  const int flags = follow_ ? 0 : O_NOFOLLOW;
  const auto got = co_await as_result(detail::directory_reading(opens ? AT_FDCWD : handle_.descriptor(),
                                                                opens ? directory_->c_str() : nullptr, flags,
                                                                data.data(), room, whom));
  begun_ = true;
  if (!got) {
    failed_ = detail::failure_of(got.error(), whom);
    handle_ = detail::file_handle({}, -1, false);
    co_return;
  }
  data.resize(got->bytes);
  if (got->bytes < room / 2) data.shrink_to_fit();
  data_ = std::move(data);
  at_ = 0;
  if (opens)
    handle_ = detail::file_handle({}, got->descriptor, false);
  else if (got->descriptor < 0)
    handle_ = detail::file_handle({}, -1, false);
}

std::optional<directory_entry> directory_visit::take() {
  while (has_entry()) {
    const char* const raw = data_.data() + at_;
    unsigned short length = 0;
    std::memcpy(&length, raw + offsetof(dirent64, d_reclen), sizeof length);
    at_ += length;
    const char* const name = raw + offsetof(dirent64, d_name);
    if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0))) continue;
    directory_entry entry;
    entry.directory_ = directory_;
    entry.name_ = name;
    entry.type_ = type_of_entry(static_cast<unsigned char>(raw[offsetof(dirent64, d_type)]));
    entry.depth_ = depth_;
    std::memcpy(&entry.inode_, raw + offsetof(dirent64, d_ino), sizeof entry.inode_);
    return entry;
  }
  return std::nullopt;
}

// Some file systems leave it to us to ask. What is gone since is whatever it was.
task<> directory_visit::find_type(directory_entry& of) {
  if (of.type_ != file_type::unknown) co_return;
  const path whole = of.path();
  const auto found =
      co_await as_result(detail::status_call(AT_FDCWD, whole.c_str(), AT_SYMLINK_NOFOLLOW, deed("stat", whole)));
  of.type_ = found ? detail::type_of(found->stx_mode) : file_type::regular;
}

// ---- one directory

directory_iterator::directory_iterator(path name, directory_options options)
    : visit_(std::make_unique<directory_visit>(name.native(), 0u, true)),
      skips_denied_((options & directory_options::skip_permission_denied) != directory_options::none) {}

task<std::optional<directory_entry>> directory_iterator::next() {
  for (;;) {
    // Kept while it is asked what it is: whoever cancels that has not lost it.
    if (!found_) found_ = visit_->take();
    if (found_) {
      if (found_->type() == file_type::unknown) co_await directory_visit::find_type(*found_);
      co_return std::exchange(found_, std::nullopt);
    }
    if (visit_->at_end()) co_return std::nullopt;
    co_await visit_->read(part);
    if (visit_->failed() && !(skips_denied_ && denied(*visit_->failed()))) co_await fail(*visit_->failed());
  }
}

task<> directory_iterator::begin() {
  co_await visit_->read(part);
  if (visit_->failed()) co_await fail(*visit_->failed());
}

task<directory_iterator> read_dir(path name) {
  directory_iterator entries(std::move(name));
  co_await or_return(entries.begin());
  co_return entries;
}

// ---- and those below

namespace {
bool has(directory_options all, directory_options one) noexcept { return (all & one) != directory_options::none; }
}  // namespace

recursive_directory_iterator::recursive_directory_iterator(path name, directory_options options)
    : options_(options) {
  levels_.emplace_back(name.native(), 0u, true);
}

task<std::optional<directory_entry>> recursive_directory_iterator::next() {
  const bool follows = has(options_, directory_options::follow_directory_symlink);
  if (entered_next_) {
    levels_.emplace_back(entered_next_->path().native(), entered_next_->depth() + 1, follows);
    entered_next_.reset();
  }
  while (!levels_.empty()) {
    directory_visit& here = levels_.back();
    // Kept while it is asked what it is: whoever cancels that has not lost it.
    if (!found_) found_ = here.take();
    if (found_) {
      if (found_->type() == file_type::unknown) co_await directory_visit::find_type(*found_);
      bool enters = found_->type() == file_type::directory;
      if (found_->type() == file_type::symlink && follows) {
        const auto leads_to_directory = co_await as_result(found_->is_directory());
        enters = leads_to_directory && *leads_to_directory;
      }
      if (enters) entered_next_ = found_;
      depth_ = found_->depth();
      co_return std::exchange(found_, std::nullopt);
    }
    if (here.at_end()) {
      levels_.pop_back();
      continue;
    }
    co_await here.read(part);
    if (here.failed()) {
      failure why = *here.failed();
      levels_.pop_back();
      if (denied(why) && has(options_, directory_options::skip_permission_denied)) continue;
      co_await fail(std::move(why));
    }
  }
  co_return std::nullopt;
}

void recursive_directory_iterator::pop() {
  entered_next_.reset();
  found_.reset();
  if (!levels_.empty()) levels_.pop_back();
}

walker::walker(path name, walk_options options) : options_(options) {
  visits_.emplace_back(name.native(), 0u, true);
}

// Of what was read: an entry, a failure, or neither.
bool walker::give_one() {
  while (!visits_.empty()) {
    directory_visit& front = visits_.front();
    if (front.failed()) {
      failure why = *front.failed();
      visits_.pop_front();
      if (denied(why) && options_.skip_denied) continue;
      failed_ = std::move(why);
      return true;
    }
    found_ = front.take();
    if (found_) return true;
    if (!front.at_end()) return false;
    visits_.pop_front();
  }
  return false;
}

task<std::optional<directory_entry>> walker::next() {
  for (;;) {
    if (!found_ && !give_one()) {
      // All that was read has been given: the next directories, together.
      while (visits_.size() < std::max(1u, options_.concurrency) && !to_enter_.empty()) {
        const directory_entry& deepest = to_enter_.back();
        visits_.emplace_back(deepest.path().native(), deepest.depth() + 1, options_.follow_links);
        to_enter_.pop_back();
      }
      if (visits_.empty()) co_return std::nullopt;
      std::vector<task<>> readings;
      readings.reserve(visits_.size());
      for (directory_visit& v : visits_)
        if (!v.has_entry() && !v.at_end() && !v.failed()) readings.push_back(v.read(2 * part));
      if (readings.size() == 1)
        co_await std::move(readings.front());
      else
        co_await join(std::move(readings));
      continue;
    }
    if (failed_) {
      failure why = std::move(*failed_);
      failed_.reset();
      co_await fail(std::move(why));
    }
    if (found_->type() == file_type::unknown) co_await directory_visit::find_type(*found_);
    bool enters = found_->type() == file_type::directory;
    if (found_->type() == file_type::symlink && options_.follow_links) {
      const auto leads_to_directory = co_await as_result(found_->is_directory());
      enters = leads_to_directory && *leads_to_directory;
    }
    if (enters) to_enter_.push_back(*found_);
    co_return std::exchange(found_, std::nullopt);
  }
}

}  // namespace astd::fs
