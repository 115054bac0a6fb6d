// What a simulated disk keeps under a name, or no name any more: files, directories, devices.
#pragma once

#include <astd/driver/sim/file_content.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace astd::driver::sim {

struct inode;
using inode_pointer = std::shared_ptr<inode>;
using directory_entries = std::map<std::string, inode_pointer, std::less<>>;

enum class inode_kind : std::uint8_t { file, directory, link, null_device, full_device };

/// All there are, by their numbers: also those that only an open descriptor or an unfinished change still knows.
using inode_table = std::map<std::uint64_t, inode*>;

struct inode : std::enable_shared_from_this<inode> {
  inode(inode_table& all, disk_account& account, std::uint64_t own_number, inode_kind what, unsigned permissions,
        instant now)
      : table(all), number(own_number), kind(what), mode(permissions), content(account) {
    accessed = modified = changed = born = now;
    table.emplace(number, this);
  }
  inode(const inode&) = delete;
  inode& operator=(const inode&) = delete;
  ~inode() { table.erase(number); }

  [[nodiscard]] bool is_directory() const noexcept { return kind == inode_kind::directory; }
  [[nodiscard]] bool is_link() const noexcept { return kind == inode_kind::link; }

  inode_table& table;
  const std::uint64_t number;
  const inode_kind kind;
  unsigned mode;  // permissions
  unsigned user = 0, group = 0;
  unsigned links = 0;  // names; of a directory: its own, ".", and its children's ".."
  unsigned descriptors = 0;
  bool cached = true;
  std::uint32_t failures = 0;                 // how often what was written got lost on its way to the disk
  instant accessed, modified, changed, born;  // by the machine's system clock

  file_content content;

  // A symbolic link: what it says.
  std::string target;

  // Who has locked it: open files.
  const void* locked_by = nullptr;
  std::set<const void*> shared_by;

  // A directory.
  directory_entries entries, stored_entries;
  inode_pointer parent;  // of the root: itself
  bool removed = false;
};

}  // namespace astd::driver::sim
