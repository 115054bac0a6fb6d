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
#include <utility>
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
///
/// What is watched is the file, not its name: several paths that lead to one file ("x", "./x", a link) share its watch.
/// Each change is given once then, under the path that was added last of those that are still there; the watch ends when
/// the last of them is removed.
class watcher {
 public:
  /// Throws system_error if the system has no room for another.
  watcher();

  /// From the end of the await on. A path that is watched already is the one that was added last, and no more. Fails
  /// with the path: "watch x: No such file or directory".
  task<> add(std::filesystem::path path);
  /// By a path as it was added. What came before is still given, at least of the last thousand watches that ended. False:
  /// it was not watched.
  bool remove(const std::filesystem::path& path) noexcept;

  /// The next change; never empty. Cancelled, it loses none.
  task<std::optional<file_change>> next();

  /// Still ours: an inotify descriptor.
  [[nodiscard]] native_handle as_native_handle() const noexcept { return handle_.get(); }
  /// The caller's from now on, in non-blocking mode; what next() has read already and not given is lost.
  [[nodiscard]] native_handle into_native_handle() && noexcept { return handle_.release(); }
  /// Takes over an inotify descriptor, and sets it to non-blocking mode. Changes of what was not added here are passed over.
  [[nodiscard]] static watcher from_native_handle(native_handle handle) noexcept;

 private:
  struct watch {
    std::vector<std::filesystem::path> paths;  // that lead to it, in the order in which they were added
    bool ended = false;                        // known for what came before
  };
  explicit watcher(owned_handle handle) noexcept : handle_(std::move(handle)) {}
  bool take_held(file_change& into);
  void forget_ended(std::size_t most) noexcept;
  owned_handle handle_;
  std::map<int, watch> watches_;  // by the system's numbers, which are never given twice
  std::size_t ended_ = 0;         // of these
  std::vector<std::byte> held_;   // as the system gave it; from begin_ on it was not looked at
  std::size_t begin_ = 0;
};

}  // namespace astd::os
