// Removing whole trees.
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/fs/call.hpp>
#include <astd/fs/tree.hpp>
#include <astd/fs/tree_descent.hpp>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace astd::fs {

using namespace detail;

namespace {

task<std::uint64_t> remove_directory(descent& way, std::string name, std::string whole, breadth how);

// True: gone. False: it is a directory.
task<bool> unlink_one(int directory, std::string name, std::string whole) {
  const auto gone =
      co_await as_result(call(opcode::unlinkat, directory, on_path(name.c_str()), deed("remove", whole)));
  if (gone || gone.error() == std::errc::no_such_file_or_directory) co_return true;
  if (gone.error() == std::errc::is_a_directory) co_return false;
  if (gone.error() == std::errc::operation_not_permitted) {
    // What POSIX says of directories, and Linux of files that may not be touched.
    const struct ::statx status =
        co_await or_return(status_call(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, deed("remove", whole)));
    if (S_ISDIR(status.stx_mode)) co_return false;
  }
  co_await fail(failure_of(gone.error(), deed("remove", whole)));
  co_return false;
}

// Those of them that are directories are left, and given.
task<some_names> unlink_some(int directory, some_names names, const std::string& whole) {
  std::vector<driver::operation> each(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    each[i].code = opcode::unlinkat;
    each[i].fd = directory;
    each[i].args.path = {names[i].c_str(), 0, 0};
  }
  co_await or_return(in_one_go(each, deed("remove", whole)));
  some_names directories;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (each[i].result == 0 || each[i].result == -ENOENT) continue;
    // Alone, it says what is the matter.
    bool gone = false;
    if (each[i].result != -EISDIR)
      gone = co_await or_return(unlink_one(directory, names[i], whole + '/' + names[i]));
    if (!gone) directories.push_back(std::move(names[i]));
  }
  co_return directories;
}

task<std::uint64_t> remove_branch(int directory, std::string name, std::string whole) {
  descent way(directory, open_of_several);
  const std::uint64_t gone =
      co_await or_return(remove_directory(way, std::move(name), std::move(whole), breadth::one));
  co_return gone;
}

task<std::uint64_t> remove_contents(descent& way, const std::string& whole, breadth how) {
  std::uint64_t gone = 0;
  const int directory = way.descriptor();
  std::vector<name_and_type> names;
  some_names below;
  for (bool more = true; more;) {
    more = co_await or_return(list(directory, whole.c_str(), names));
    std::vector<some_names> others;
    for (name_and_type& entry : names) {
      if (entry.type == DT_DIR)
        below.push_back(std::move(entry.name));
      else
        add(others, std::move(entry.name));
    }
    for (std::size_t at = 0; at < others.size();) {
      std::vector<task<some_names>> unlinking;
      for (; at < others.size() && unlinking.size() < at_once; ++at) {
        gone += others[at].size();
        unlinking.push_back(unlink_some(directory, std::move(others[at]), whole));
      }
      const std::vector<some_names> found = co_await or_return(try_join(std::move(unlinking)));
      for (const some_names& directories : found) {
        gone -= directories.size();
        below.insert(below.end(), directories.begin(), directories.end());
      }
    }
  }
  // All of it has been read: what is above may be closed while we are further down.
  names = {};
  if (how == breadth::one || below.size() < 2) {
    for (const std::string& name : below) {
      const std::uint64_t n = co_await or_return(remove_directory(way, name, whole + '/' + name, how));
      gone += n;
    }
    co_return gone;
  }
  for (std::size_t at = 0; at < below.size();) {
    std::vector<task<std::uint64_t>> branches;
    for (; at < below.size() && branches.size() < at_once; ++at)
      branches.push_back(remove_branch(directory, below[at], whole + '/' + below[at]));
    const std::vector<std::uint64_t> found = co_await or_return(try_join(std::move(branches)));
    for (const std::uint64_t n : found) gone += n;
  }
  co_return gone;
}

task<std::uint64_t> remove_directory(descent& way, std::string name, std::string whole, breadth how) {
  const deed whom("remove", whole);
  const int above = way.descriptor();
  std::uint64_t gone = 0;
  const auto opened =
      co_await as_result(opening(above, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0u, whom));
  if (!opened) {
    if (opened.error() == std::errc::no_such_file_or_directory) co_return 0;
    // It was a directory when it was listed: now it is something that is not entered.
    if (opened.error() == std::errc::not_a_directory ||
        opened.error() == std::errc::too_many_symbolic_link_levels) {
      const bool unlinked = co_await or_return(unlink_one(above, name, whole));
      co_return unlinked ? 1 : 0;
    }
    co_await fail(failure_of(opened.error(), whom));
  }
  {
    level here(*opened);
    co_await or_return(way.enter(here, whom));
    gone = co_await or_return(remove_contents(way, whole, how));
    co_await or_return(way.leave(whom));
  }
  const auto removed =
      co_await as_result(call(opcode::unlinkat, way.descriptor(), on_path(name.c_str(), AT_REMOVEDIR), whom));
  if (removed)
    ++gone;
  else if (removed.error() != std::errc::no_such_file_or_directory)
    co_await fail(failure_of(removed.error(), whom));
  co_return gone;
}

}  // namespace

task<std::uint64_t> remove_all(path name) {
  const auto gone =
      co_await as_result(call(opcode::unlinkat, AT_FDCWD, on_path(name.c_str()), deed("remove", name)));
  if (gone) co_return 1;
  if (gone.error() == std::errc::no_such_file_or_directory || gone.error() == std::errc::not_a_directory)
    co_return 0;
  if (gone.error() != std::errc::is_a_directory && gone.error() != std::errc::operation_not_permitted)
    co_await fail(failure_of(gone.error(), deed("remove", name)));
  const struct ::statx status =
      co_await or_return(status_call(AT_FDCWD, name.c_str(), AT_SYMLINK_NOFOLLOW, deed("remove", name)));
  if (!S_ISDIR(status.stx_mode)) co_await fail(failure_of(gone.error(), deed("remove", name)));
  descent way;
  const std::uint64_t n = co_await or_return(remove_directory(way, name.native(), name.native(), breadth::several));
  co_return n;
}

}  // namespace astd::fs
