// Being told of changes of files.
//
//   os::watcher changes;
//   co_await changes.add("/etc/service");
//   for (;;) {
//     auto change = co_await changes.next();
//     if (change->what == os::change::modified) co_await load(change->path);
//   }
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/native_handle.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

namespace astd::os {

enum class change : unsigned char {
  created,     // in a watched folder
  removed,     // from a watched folder, or what is watched itself
  modified,    // its content
  attributes,  // rights, times, owner, links
  moved_from,  // away from its place, or what is watched itself
  moved_to,    // to its place
  overflow,    // the system has forgotten changes: look at everything again
};

struct file_change {
  change what;
  std::filesystem::path path;  // the watched folder's path with the name in it; as it was given to add()
  std::uint32_t cookie = 0;    // the same for moved_from and moved_to of one move, else 0
};

/// A stream of the changes of the files and folders that were added (inotify): folders not with what is in folders
/// in them. One task at a time in next(); add() and remove() not meanwhile.
class watcher {
 public:
  /// Throws system_error if the system has no room for another.
  watcher();

  /// From the end of the await on. Fails with the path: "watch x: No such file or directory".
  task<> add(std::filesystem::path path);
  /// What came before is still given. False: it was not watched.
  bool remove(const std::filesystem::path& path) noexcept;

  /// The next change; never empty. Cancelled, it loses none.
  task<std::optional<file_change>> next();

 private:
  bool take_held(file_change& into);
  owned_handle handle_;
  std::map<int, std::filesystem::path> paths_;
  std::vector<std::byte> held_;  // as the system gave it; from begin_ on it was not looked at
  std::size_t begin_ = 0;
};

}  // namespace astd::os
