#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/fs/call.hpp>
#include <astd/fs/file_maker.hpp>
#include <astd/fs/names.hpp>

#include <climits>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace astd::fs {

using detail::call;
using detail::deed;
using detail::failure_of;
using detail::on_path;
using detail::on_two;
using detail::opcode;
using detail::operands;
using detail::status_call;

// ---- what it is

namespace {

bool means_nothing_there(std::error_code code) noexcept {
  return code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory;
}

task<file_status> status_of(path name, int flags) {
  const auto status = co_await as_result(status_call(AT_FDCWD, name.c_str(), flags, deed("stat", name)));
  if (!status) {
    if (means_nothing_there(status.error())) co_return file_status(file_type::not_found);
    co_await fail(failure_of(status.error(), deed("stat", name)));
  }
  co_return file_status(detail::type_of(status->stx_mode), static_cast<perms>(status->stx_mode & 07777));
}

task<bool> is(path name, file_type what) {
  const file_status s = co_await or_return(status_of(std::move(name), 0));
  co_return s.type() == what;
}

}  // namespace

ASTD_CORO_WRAPPER task<file_status> status(path name) { return status_of(std::move(name), 0); }
ASTD_CORO_WRAPPER task<file_status> symlink_status(path name) {
  return status_of(std::move(name), AT_SYMLINK_NOFOLLOW);
}
task<bool> exists(path name) {
  const file_status s = co_await or_return(status_of(std::move(name), 0));
  co_return std::filesystem::exists(s);
}
task<bool> is_other(path name) {
  const file_status s = co_await or_return(status_of(std::move(name), 0));
  co_return std::filesystem::is_other(s);
}
task<bool> is_symlink(path name) {
  const file_status s = co_await or_return(status_of(std::move(name), AT_SYMLINK_NOFOLLOW));
  co_return std::filesystem::is_symlink(s);
}
ASTD_CORO_WRAPPER task<bool> is_regular_file(path name) { return is(std::move(name), file_type::regular); }
ASTD_CORO_WRAPPER task<bool> is_directory(path name) { return is(std::move(name), file_type::directory); }
ASTD_CORO_WRAPPER task<bool> is_block_file(path name) { return is(std::move(name), file_type::block); }
ASTD_CORO_WRAPPER task<bool> is_character_file(path name) { return is(std::move(name), file_type::character); }
ASTD_CORO_WRAPPER task<bool> is_fifo(path name) { return is(std::move(name), file_type::fifo); }
ASTD_CORO_WRAPPER task<bool> is_socket(path name) { return is(std::move(name), file_type::socket); }

task<bool> is_empty(path name) {
  const file_metadata m = co_await or_return(metadata(name));
  if (!m.is_directory()) co_return m.size() == 0;
  char room[4 * driver::largest_directory_entry];
  const detail::directory_part part = co_await or_return(
      detail::directory_reading(AT_FDCWD, name.c_str(), 0, &room[0], sizeof room, deed("read directory", name)));
  if (part.descriptor >= 0) detail::file_handle({}, part.descriptor, false);
  // "." and ".." take the least that an entry takes, twice.
  co_return part.descriptor < 0 && part.bytes <= 2 * 24;
}

task<std::uint64_t> file_size(path name) {
  const struct ::statx status = co_await or_return(status_call(AT_FDCWD, name.c_str(), 0, deed("stat", name)));
  if (S_ISDIR(status.stx_mode))
    co_await fail(failure_of(std::errc::is_a_directory, deed("take the size of", name)));
  if (!S_ISREG(status.stx_mode))
    co_await fail(failure_of(std::errc::operation_not_supported, deed("take the size of", name)));
  co_return status.stx_size;
}

task<std::uint64_t> hard_link_count(path name) {
  const file_metadata m = co_await or_return(metadata(std::move(name)));
  co_return m.hard_link_count();
}

task<file_time_type> last_write_time(path name) {
  const file_metadata m = co_await or_return(metadata(std::move(name)));
  co_return m.modified();
}

task<> last_write_time(path name, file_time_type to) {
  const timespec times[2] = {{0, UTIME_OMIT}, detail::timespec_of(to)};
  operands with;
  with.times = {name.c_str(), 0, times};
  co_await or_return(call(opcode::utimensat, AT_FDCWD, with, deed("set times of", name)));
}

task<bool> equivalent(path one, path other) {
  const file_metadata a = co_await or_return(metadata(std::move(one)));
  const file_metadata b = co_await or_return(metadata(std::move(other)));
  co_return a.device() == b.device() && a.inode() == b.inode();
}

task<space_info> space(path name) {
  struct ::statvfs found{};
  operands with;
  with.space = {name.c_str(), &found};
  co_await or_return(call(opcode::statvfs, AT_FDCWD, with, deed("take the space of", name)));
  const auto unit = static_cast<std::uintmax_t>(found.f_frsize);
  co_return space_info{found.f_blocks * unit, found.f_bfree * unit, found.f_bavail * unit};
}

// ---- changes

task<> permissions(path name, perms which, perm_options how) {
  const auto has = [how](perm_options one) { return (how & one) != perm_options{}; };
  const deed whom("set permissions of", name);
  const bool adds = has(perm_options::add), removes = has(perm_options::remove);
  if (adds + removes + has(perm_options::replace) != 1)
    co_await fail(failure_of(std::errc::invalid_argument, whom));
  perms to = which & perms::mask;
  if (adds || removes || has(perm_options::nofollow)) {
    const int flags = has(perm_options::nofollow) ? AT_SYMLINK_NOFOLLOW : 0;
    const struct ::statx status = co_await or_return(status_call(AT_FDCWD, name.c_str(), flags, whom));
    if (flags && S_ISLNK(status.stx_mode)) co_await fail(failure_of(std::errc::operation_not_supported, whom));
    const perms now = static_cast<perms>(status.stx_mode & 07777);
    if (adds) to = now | to;
    if (removes) to = now & ~to;
  }
  co_await or_return(call(opcode::fchmodat, AT_FDCWD, on_path(name.c_str(), 0, static_cast<unsigned>(to)), whom));
}

ASTD_CORO_WRAPPER task<> set_permissions(path name, perms to) { return fs::permissions(std::move(name), to); }

namespace {

task<bool> make_directory(path name, unsigned mode) {
  const auto made =
      co_await as_result(call(opcode::mkdirat, AT_FDCWD, on_path(name.c_str(), 0, mode), deed("mkdir", name)));
  if (made) co_return true;
  if (made.error() == std::errc::file_exists) {
    const bool there = co_await or_return(fs::is_directory(name));
    if (there) co_return false;
  }
  co_await fail(failure_of(made.error(), deed("create directory", name)));
  co_return false;
}

task<bool> make_directories(path name, unsigned mode) {
  if (name.empty()) co_await fail(failure_of(std::errc::no_such_file_or_directory, deed("create directory", name)));
  // Up to what there is, and down again.
  std::vector<path> missing;
  path here = name;
  if (!here.has_filename()) here = here.parent_path();  // "a/b/"
  while (!here.empty()) {
    const file_status s = co_await or_return(fs::status(here));
    if (s.type() == file_type::directory) break;
    if (std::filesystem::exists(s))
      co_await fail(failure_of(std::errc::not_a_directory, deed("create directory", here)));
    missing.push_back(here);
    path above = here.parent_path();
    if (above == here) break;
    here = std::move(above);
  }
  bool made = false;
  while (!missing.empty()) {
    const path next = std::move(missing.back());
    missing.pop_back();
    if (next.filename() == "." || next.filename() == "..") continue;
    made = co_await or_return(make_directory(next, mode));
  }
  co_return made;
}

}  // namespace

ASTD_CORO_WRAPPER task<bool> create_directory(path name) { return make_directory(std::move(name), 0777); }
ASTD_CORO_WRAPPER task<bool> create_directories(path name) { return make_directories(std::move(name), 0777); }

task<bool> create_directory(path name, path like) {
  const struct ::statx status = co_await or_return(status_call(AT_FDCWD, like.c_str(), 0, deed("stat", like)));
  if (!S_ISDIR(status.stx_mode)) co_await fail(failure_of(std::errc::not_a_directory, deed("stat", like)));
  const bool made = co_await or_return(make_directory(std::move(name), status.stx_mode & 07777));
  co_return made;
}

namespace {
task<> make_one(path name, unsigned mode) {
  co_await or_return(
      call(opcode::mkdirat, AT_FDCWD, on_path(name.c_str(), 0, mode), deed("create directory", name)));
}
task<> make_all(path name, unsigned mode) { co_await or_return(make_directories(std::move(name), mode)); }
}  // namespace

ASTD_CORO_WRAPPER task<> dir_builder::create(path name) const {
  return recursive_ ? make_all(std::move(name), mode_) : make_one(std::move(name), mode_);
}

task<> create_symlink(path to, path link) {
  co_await or_return(call(opcode::symlinkat, AT_FDCWD, on_two(to.c_str(), AT_FDCWD, link.c_str()),
                          deed("create symbolic link", link, to)));
}
ASTD_CORO_WRAPPER task<> create_directory_symlink(path to, path link) {
  return fs::create_symlink(std::move(to), std::move(link));
}
task<> create_hard_link(path to, path link) {
  co_await or_return(call(opcode::linkat, AT_FDCWD, on_two(to.c_str(), AT_FDCWD, link.c_str()),
                          deed("create hard link", link, to)));
}

task<bool> remove(path name) {
  const deed whom("remove", name);
  auto gone = co_await as_result(call(opcode::unlinkat, AT_FDCWD, on_path(name.c_str()), whom));
  // Linux says the first of a directory, POSIX the second.
  if (!gone && (gone.error() == std::errc::is_a_directory || gone.error() == std::errc::operation_not_permitted)) {
    const std::error_code first = gone.error();
    gone = co_await as_result(call(opcode::unlinkat, AT_FDCWD, on_path(name.c_str(), AT_REMOVEDIR), whom));
    if (!gone && gone.error() == std::errc::not_a_directory) gone = std::unexpected(first);
  }
  if (gone) co_return true;
  if (!means_nothing_there(gone.error())) co_await fail(failure_of(gone.error(), whom));
  co_return false;
}

task<> rename(path from, path to) {
  co_await or_return(
      call(opcode::renameat, AT_FDCWD, on_two(from.c_str(), AT_FDCWD, to.c_str()), deed("rename", from, to)));
}

task<> resize_file(path name, std::uint64_t size) {
  file target = co_await or_return(detail::file_maker::open(std::move(name), O_WRONLY, 0, "resize"));
  co_await or_return(target.set_len(size));
  co_await or_return(target.close());
}

task<> change_owner(path name, std::optional<unsigned> user, std::optional<unsigned> group) {
  operands with;
  with.owner = {name.c_str(), 0, user.value_or(~0u), group.value_or(~0u)};
  co_await or_return(call(opcode::fchownat, AT_FDCWD, with, deed("change owner of", name)));
}

// ---- where it is

namespace {

using room = std::unique_ptr<char[]>;
room new_room() { return room(new char[PATH_MAX]); }

operands into(const room& to, const char* path) noexcept {
  operands with;
  with.text = {path, to.get(), PATH_MAX};
  return with;
}
path text_in(const room& to, std::int32_t size) { return {to.get(), to.get() + size}; }

}  // namespace

task<path> read_symlink(path name) {
  const room found = new_room();
  const std::int32_t size = co_await or_return(
      call(opcode::readlinkat, AT_FDCWD, into(found, name.c_str()), deed("read symbolic link", name)));
  co_return text_in(found, size);
}

task<path> canonical(path name) {
  const room found = new_room();
  const std::int32_t size =
      co_await or_return(call(opcode::realpath, AT_FDCWD, into(found, name.c_str()), deed("resolve", name)));
  co_return text_in(found, size);
}

task<path> current_path() {
  const room found = new_room();
  const std::int32_t size =
      co_await or_return(call(opcode::getcwd, -1, into(found, nullptr), deed("take the current directory")));
  co_return text_in(found, size);
}

task<> current_path(path name) {
  co_await or_return(call(opcode::chdir, AT_FDCWD, on_path(name.c_str()), deed("go to", name)));
}

task<path> absolute(path name) {
  if (name.empty() || deed::has_zero(name.native()))
    co_await fail(failure_of(std::errc::invalid_argument, deed("make absolute", name)));
  if (name.is_absolute()) co_return name;
  path whole = co_await or_return(fs::current_path());
  whole /= name;
  co_return whole;
}

task<path> weakly_canonical(path name) {
  path known, rest;
  auto part = name.begin();
  for (; part != name.end(); ++part) {
    path next = known / *part;
    const bool there = co_await or_return(fs::exists(next));
    if (!there) break;
    known = std::move(next);
  }
  if (!known.empty()) {
    path real = co_await or_return(fs::canonical(known));
    known = std::move(real);
  }
  for (; part != name.end(); ++part) rest /= *part;
  if (!rest.empty()) known /= rest;
  co_return known.lexically_normal();
}

task<path> relative(path name, path base) {
  const path here = co_await or_return(fs::weakly_canonical(std::move(name)));
  const path from = co_await or_return(fs::weakly_canonical(std::move(base)));
  co_return here.lexically_relative(from);
}
task<path> proximate(path name, path base) {
  const path here = co_await or_return(fs::weakly_canonical(std::move(name)));
  const path from = co_await or_return(fs::weakly_canonical(std::move(base)));
  co_return here.lexically_proximate(from);
}
task<path> relative(path name) {
  path base = co_await or_return(fs::current_path());
  path found = co_await or_return(fs::relative(std::move(name), std::move(base)));
  co_return found;
}
task<path> proximate(path name) {
  path base = co_await or_return(fs::current_path());
  path found = co_await or_return(fs::proximate(std::move(name), std::move(base)));
  co_return found;
}

task<path> temp_directory_path() {
  path found = "/tmp";
  // A simulated machine has no environment.
  if (!driver::sim::machine::here()) {
    for (const char* variable : {"TMPDIR", "TMP", "TEMP", "TEMPDIR"}) {
      if (const char* const value = std::getenv(variable); value && *value) {
        found = value;
        break;
      }
    }
  }
  const bool good = co_await or_return(fs::is_directory(found));
  if (!good)
    co_await fail(failure_of(std::errc::not_a_directory, deed("take the directory for temporary files", found)));
  co_return found;
}

}  // namespace astd::fs
