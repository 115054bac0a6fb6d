// Where a path leads on a simulated disk, component by component as Linux goes.
#pragma once

#include <astd/driver/sim/inode.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace astd::driver::sim {

/// The last component of a path and the directory that it is looked for in.
struct path_end {
  enum class type : std::uint8_t { name, dot, dot_dot, root };
  inode_pointer directory;
  std::string_view name;
  type last = type::root;
  bool slashes = false;                        // behind it
  bool fetched = false;                        // something on the way was not in the cache
  std::shared_ptr<const std::string> spelled;  // what `name` is a part of, where a symbolic link led here
};

/// Whether a symbolic link at the end is followed; those on the way are.
enum class last_link : std::uint8_t { followed, followed_if_slashes, kept };

/// Goes to the end of `path`, which is not empty, from `start`. 0, or a negated errno.
[[nodiscard]] std::int32_t walk(const inode_pointer& root, const inode_pointer& start, const char* path,
                                path_end& end, last_link at_end);

/// What `name` is in `directory`; null and an errno in `error` if nothing.
[[nodiscard]] inode_pointer look_up(const inode& directory, std::string_view name, std::int32_t& error);

/// What is at the end; null and an errno in `error` if nothing, or no directory where slashes follow.
[[nodiscard]] inode_pointer look_up(const path_end& end, std::int32_t& error);

}  // namespace astd::driver::sim
