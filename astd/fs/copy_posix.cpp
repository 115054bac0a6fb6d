// Copying files and whole trees.
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/fs/call.hpp>
#include <astd/fs/names.hpp>
#include <astd/fs/tree.hpp>
#include <astd/fs/tree_descent.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace astd::fs {

using namespace detail;

namespace {

bool has(copy_options all, copy_options one) noexcept { return (all & one) != copy_options::none; }

// Both ends of a copy, as the system is asked for them and as errors say them.
struct place {
  place(int below, std::string own, std::string all)
      : directory(below), name(std::move(own)), whole(std::move(all)) {}
  int directory;
  std::string name, whole;
};

constexpr std::size_t small = 256 * 1024;  // copied in one visit, with others
constexpr std::size_t piece = 8 << 20;     // between two of them a request to stop is heard
constexpr std::uint64_t worth_sharing = 1 << 20;

bool cannot_copy_inside(std::error_code why) noexcept {
  switch (why.value()) {
    case EXDEV:
    case EINVAL:
    case EOPNOTSUPP:
    case ENOSYS:
    case EBADF:
    case EPERM:
    case ETXTBSY: return true;
    default: return false;
  }
}

operands transfer_of(void* data, std::size_t size, std::uint64_t offset) noexcept {
  operands with;
  with.transfer = {data, size, 0, static_cast<std::int64_t>(offset)};
  return with;
}

task<> copy_by_hand(int from, int to, std::uint64_t at, const deed& whom) {
  constexpr std::size_t size = 64 * 1024;
  const auto buffer = std::make_unique_for_overwrite<char[]>(size);
  for (;;) {
    const std::int32_t n = co_await or_return(call(opcode::read, from, transfer_of(buffer.get(), size, at), whom));
    if (n == 0) co_return;
    for (std::int32_t written = 0; written < n;) {
      const std::int32_t w =
          co_await or_return(call(opcode::write, to,
                                  transfer_of(buffer.get() + written, static_cast<std::size_t>(n - written),
                                              at + static_cast<std::uint64_t>(written)),
                                  whom));
      if (w == 0) co_await fail(failure_of(std::errc::io_error, whom));
      written += w;
    }
    at += static_cast<std::uint64_t>(n);
  }
}

task<> copy_bytes(int from, int to, std::uint64_t size, const deed& whom) {
  if (size >= worth_sharing) {
    operands with;
    with.value = from;
    const auto shared = co_await as_result(call(opcode::ficlone, to, with, whom));
    if (shared) co_return;
  }
  std::uint64_t at = 0;
  while (at < size) {
    operands with;
    with.copy = {from, static_cast<std::int64_t>(at), static_cast<std::int64_t>(at),
                 static_cast<std::size_t>(std::min<std::uint64_t>(piece, size - at))};
    const auto n = co_await as_result(call(opcode::copy_file_range, to, with, whom));
    if (!n && at == 0 && cannot_copy_inside(n.error())) break;
    if (!n) co_await fail(failure_of(n.error(), whom));
    // It has shrunk meanwhile, or it is one of those whose size says nothing of what a read gives.
    if (*n == 0) break;
    at += static_cast<std::uint64_t>(*n);
  }
  // What is known to be longer by now, or has no size at all (/proc), is read to its end.
  if (at == 0) co_await or_return(copy_by_hand(from, to, 0, whom));
}

// `follow`: a symbolic link at the end of `from` is what is meant by it.
task<bool> copy_file_at(place from, place to, copy_options options, bool follow) {
  const deed whom("copy", from.whole, to.whole);
  const int source_flags = O_RDONLY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW);
  const int source_fd = co_await or_return(opening(from.directory, from.name.c_str(), source_flags, 0u, whom));
  const file_handle source({}, source_fd, false);
  const struct ::statx status = co_await or_return(status_call(source_fd, nullptr, 0, whom));
  if (!S_ISREG(status.stx_mode)) co_await fail(failure_of(std::errc::operation_not_supported, whom));
  const unsigned mode = status.stx_mode & 07777;

  int target_fd = -1;
  path target_name(to.whole);  // now: no memory for it must not cost a descriptor
  const auto made =
      co_await as_result(opening(to.directory, to.name.c_str(), O_WRONLY | O_CREAT | O_EXCL, mode & 0777, whom));
  if (made) {
    target_fd = *made;
  } else {
    if (made.error() != std::errc::file_exists) co_await fail(failure_of(made.error(), whom));
    const struct ::statx there = co_await or_return(status_call(to.directory, to.name.c_str(), 0, whom));
    if (!S_ISREG(there.stx_mode)) co_await fail(failure_of(std::errc::operation_not_supported, whom));
    if (there.stx_ino == status.stx_ino && there.stx_dev_major == status.stx_dev_major &&
        there.stx_dev_minor == status.stx_dev_minor)
      co_await fail(failure_of(std::errc::file_exists, whom));
    if (has(options, copy_options::skip_existing)) co_return false;
    if (has(options, copy_options::update_existing)) {
      if (detail::time_of(status.stx_mtime) <= detail::time_of(there.stx_mtime)) co_return false;
    } else if (!has(options, copy_options::overwrite_existing)) {
      co_await fail(failure_of(std::errc::file_exists, whom));
    }
    target_fd = co_await or_return(opening(to.directory, to.name.c_str(), O_WRONLY | O_TRUNC, 0u, whom));
  }
  file_handle target(std::move(target_name), target_fd, true);
  co_await or_return(copy_bytes(source_fd, target_fd, status.stx_size, whom));
  // The umask has had its say.
  co_await or_return(call(opcode::fchmodat, target_fd, on_path(nullptr, 0, mode), whom));
  co_await or_return(target.close());
  co_return true;
}

// ---- copying a tree

task<> copy_link_at(place from, place to) {
  const deed whom("copy", from.whole, to.whole);
  std::string says(4096, '\0');
  operands with;
  with.text = {from.name.c_str(), says.data(), says.size()};
  const std::int32_t n = co_await or_return(call(opcode::readlinkat, from.directory, with, whom));
  says.resize(static_cast<std::size_t>(n));
  co_await or_return(call(opcode::symlinkat, AT_FDCWD, on_two(says.c_str(), to.directory, to.name.c_str()), whom));
}

// What has no entry in the other directory; an error of it is one of the copy.
task<file_type> type_at(const place& of, bool follow, const deed& whom) {
  const auto found =
      co_await as_result(status_call(of.directory, of.name.c_str(), follow ? 0 : AT_SYMLINK_NOFOLLOW, whom));
  if (found) co_return detail::type_of(found->stx_mode);
  if (found.error() != std::errc::no_such_file_or_directory) co_await fail(failure_of(found.error(), whom));
  co_return file_type::not_found;
}

// Both ways down, the one that is read and the one that is made.
struct two_ways {
  two_ways() = default;
  explicit two_ways(std::size_t open_at_once) noexcept : from(AT_FDCWD, open_at_once), to(AT_FDCWD, open_at_once) {}
  descent from, to;
};

task<> copy_directory(two_ways& ways, place from, place to, copy_options options, bool whole_tree, bool follow,
                      breadth how);

// One entry of a directory that is copied: all but directories.
task<> copy_other(place from, place to, copy_options options, file_type type, bool follow) {
  const deed whom("copy", from.whole, to.whole);
  switch (type) {
    case file_type::symlink:
      if (has(options, copy_options::skip_symlinks)) co_return;
      co_await or_return(copy_link_at(std::move(from), std::move(to)));
      co_return;
    case file_type::regular:
      if (has(options, copy_options::directories_only)) co_return;
      if (has(options, copy_options::create_symlinks)) {
        co_await or_return(
            call(opcode::symlinkat, AT_FDCWD, on_two(from.whole.c_str(), to.directory, to.name.c_str()), whom));
      } else if (has(options, copy_options::create_hard_links)) {
        co_await or_return(
            call(opcode::linkat, from.directory, on_two(from.name.c_str(), to.directory, to.name.c_str()), whom));
      } else {
        co_await or_return(copy_file_at(std::move(from), std::move(to), options, follow));
      }
      co_return;
    default: co_await fail(failure_of(std::errc::operation_not_supported, whom));
  }
}

// Regular files of a directory, when they were listed.
task<> copy_some(place from, place to, some_names names, copy_options options, bool follow) {
  std::vector<driver::operation> each(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const char* const name = names[i].c_str();
    each[i].code = opcode::copy_file;
    each[i].fd = from.directory;
    each[i].args.copy_file = {name, name, to.directory, follow ? 0 : O_NOFOLLOW, small};
  }
  co_await or_return(in_one_go(each, deed("copy", from.whole, to.whole)));
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (each[i].result == 0) continue;
    place one(from.directory, names[i], from.whole + '/' + names[i]);
    place other(to.directory, names[i], to.whole + '/' + names[i]);
    if (each[i].result != driver::copy_file_declined) {
      const std::error_code why(-each[i].result, std::system_category());
      co_await fail(failure_of(why, deed("copy", one.whole, other.whole)));
    }
    co_await or_return(copy_file_at(std::move(one), std::move(other), options, follow));
  }
}

task<> copy_branch(place from, place to, copy_options options, bool follow) {
  two_ways ways(open_of_several);
  co_await or_return(copy_directory(ways, std::move(from), std::move(to), options, true, follow, breadth::one));
}

task<> copy_directory(two_ways& ways, place from, place to, copy_options options, bool whole_tree, bool follow,
                      breadth how) {
  const deed whom("copy", from.whole, to.whole);
  const int flags = O_RDONLY | O_DIRECTORY | (follow ? 0 : O_NOFOLLOW);
  const int source_fd = co_await or_return(opening(from.directory, from.name.c_str(), flags, 0u, whom));
  level source(source_fd);
  const struct ::statx status = co_await or_return(status_call(source_fd, nullptr, 0, whom));
  const auto made = co_await as_result(
      call(opcode::mkdirat, to.directory, on_path(to.name.c_str(), 0, (status.stx_mode & 07777) | S_IRWXU), whom));
  if (!made && made.error() != std::errc::file_exists) co_await fail(failure_of(made.error(), whom));
  const int target_fd = co_await or_return(
      opening(to.directory, to.name.c_str(), O_RDONLY | O_DIRECTORY | (made ? O_NOFOLLOW : 0), 0u, whom));
  level target(target_fd);
  co_await or_return(ways.from.enter(source, whom));
  co_await or_return(ways.to.enter(target, whom));

  const bool keeps_links = has(options, copy_options::copy_symlinks) || has(options, copy_options::skip_symlinks) ||
                           has(options, copy_options::create_symlinks);
  const bool copies_files = !has(options, copy_options::directories_only) &&
                            !has(options, copy_options::create_symlinks) &&
                            !has(options, copy_options::create_hard_links);
  std::vector<name_and_type> names;
  some_names below;
  for (bool more = true; more;) {
    more = co_await or_return(list(source_fd, from.whole.c_str(), names));
    std::vector<some_names> files;
    for (const name_and_type& entry : names) {
      place one(source_fd, entry.name, from.whole + '/' + entry.name);
      file_type type = entry.type == DT_REG   ? file_type::regular
                       : entry.type == DT_DIR ? file_type::directory
                                              : file_type::unknown;
      if (type == file_type::unknown) type = co_await or_return(type_at(one, !keeps_links, whom));
      if (type == file_type::not_found) {
        // Listed, and gone since; or a symbolic link that leads nowhere.
        const file_type itself = co_await or_return(type_at(one, false, whom));
        if (itself == file_type::not_found) continue;
        co_await fail(failure_of(std::errc::no_such_file_or_directory, deed("copy", one.whole)));
      }
      if (type == file_type::directory) {
        if (whole_tree) below.push_back(entry.name);
      } else if (type == file_type::regular && copies_files) {
        add(files, entry.name);
      } else {
        place other(target_fd, entry.name, to.whole + '/' + entry.name);
        co_await or_return(copy_other(std::move(one), std::move(other), options, type, !keeps_links));
      }
    }
    for (std::size_t at = 0; at < files.size();) {
      std::vector<task<>> copying;
      for (; at < files.size() && copying.size() < at_once; ++at) {
        copying.push_back(copy_some(place(source_fd, {}, from.whole), place(target_fd, {}, to.whole),
                                    std::move(files[at]), options, !keeps_links));
      }
      co_await or_return(try_join(std::move(copying)));
    }
  }
  names = {};
  const auto below_from = [&](const std::string& name) {
    return place(ways.from.descriptor(), name, from.whole + '/' + name);
  };
  const auto below_to = [&](const std::string& name) {
    return place(ways.to.descriptor(), name, to.whole + '/' + name);
  };
  if (how == breadth::one || below.size() < 2) {
    for (const std::string& name : below) {
      co_await or_return(copy_directory(ways, below_from(name), below_to(name), options, true, !keeps_links, how));
    }
  } else {
    for (std::size_t at = 0; at < below.size();) {
      std::vector<task<>> branches;
      for (; at < below.size() && branches.size() < at_once; ++at)
        branches.push_back(copy_branch(below_from(below[at]), below_to(below[at]), options, !keeps_links));
      co_await or_return(try_join(std::move(branches)));
    }
  }
  co_await or_return(ways.from.leave(whom));
  co_await or_return(ways.to.leave(whom));
  if (made) {
    // Last, since it may take the right to go up from here.
    co_await or_return(
        call(opcode::fchmodat, target.descriptor(), on_path(nullptr, 0, status.stx_mode & 07777u), whom));
  }
}

place place_of(const path& name) { return {AT_FDCWD, name.native(), name.native()}; }

}  // namespace

task<bool> copy_file(path from, path to, copy_options options) {
  const bool copied = co_await or_return(copy_file_at(place_of(from), place_of(to), options, true));
  co_return copied;
}

task<> copy_symlink(path from, path to) { co_await or_return(copy_link_at(place_of(from), place_of(to))); }

task<> copy(path from, path to, copy_options options) {
  const deed whom("copy", from, to);
  const bool links = has(options, copy_options::create_symlinks) || has(options, copy_options::skip_symlinks) ||
                     has(options, copy_options::copy_symlinks);
  const bool keeps_target_links =
      has(options, copy_options::create_symlinks) || has(options, copy_options::skip_symlinks);
  place source = place_of(from), target = place_of(to);
  const file_type type = co_await or_return(type_at(source, !links, whom));
  const file_type there = co_await or_return(type_at(target, !keeps_target_links, whom));
  if (type == file_type::not_found) co_await fail(failure_of(std::errc::no_such_file_or_directory, whom));
  if (there != file_type::not_found) {
    const int follow = keeps_target_links ? AT_SYMLINK_NOFOLLOW : 0;
    const struct ::statx a =
        co_await or_return(status_call(AT_FDCWD, from.c_str(), links ? AT_SYMLINK_NOFOLLOW : 0, whom));
    const struct ::statx b = co_await or_return(status_call(AT_FDCWD, to.c_str(), follow, whom));
    if (a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor)
      co_await fail(failure_of(std::errc::file_exists, whom));
  }
  if (type == file_type::directory) {
    if (there != file_type::not_found && there != file_type::directory)
      co_await fail(failure_of(std::errc::file_exists, whom));
    if (has(options, copy_options::create_symlinks)) co_await fail(failure_of(std::errc::is_a_directory, whom));
    const bool recursive = has(options, copy_options::recursive);
    if (!recursive && options != copy_options::none) co_return;
    // Into itself, it would have no end.
    if (recursive) {
      const path real = co_await or_return(fs::canonical(from));
      const path real_target = co_await or_return(fs::weakly_canonical(to));
      const auto [end, rest] = std::mismatch(real.begin(), real.end(), real_target.begin(), real_target.end());
      if (end == real.end()) co_await fail(failure_of(std::errc::invalid_argument, whom));
    }
    two_ways ways;
    co_await or_return(
        copy_directory(ways, std::move(source), std::move(target), options, recursive, true, breadth::several));
    co_return;
  }
  if (type == file_type::symlink) {
    if (has(options, copy_options::skip_symlinks)) co_return;
    if (!has(options, copy_options::copy_symlinks)) co_await fail(failure_of(std::errc::invalid_argument, whom));
    co_await or_return(copy_link_at(std::move(source), std::move(target)));
    co_return;
  }
  if (type == file_type::regular && there == file_type::directory && !has(options, copy_options::create_symlinks) &&
      !has(options, copy_options::create_hard_links))
    target = place_of(to / from.filename());
  co_await or_return(copy_other(std::move(source), std::move(target), options, type, true));
}

}  // namespace astd::fs
