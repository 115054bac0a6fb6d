// What a file is, beside its bytes.
//
//   fs::file_metadata about = co_await fs::metadata(path);
//   if (about.is_regular_file()) total += about.size();
#pragma once

#include <astd/coro/task.hpp>
#include <astd/fs/path.hpp>

#include <cstdint>
#include <optional>

namespace astd::fs {

/// What the system said of a file at one moment. A plain value.
class file_metadata {
 public:
  [[nodiscard]] file_type type() const noexcept { return type_; }
  [[nodiscard]] bool is_directory() const noexcept { return type_ == file_type::directory; }
  [[nodiscard]] bool is_regular_file() const noexcept { return type_ == file_type::regular; }
  [[nodiscard]] bool is_symlink() const noexcept { return type_ == file_type::symlink; }
  /// In bytes; of a symbolic link, the length of what it says.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] perms permissions() const noexcept { return permissions_; }
  [[nodiscard]] file_time_type modified() const noexcept { return modified_; }
  [[nodiscard]] file_time_type accessed() const noexcept { return accessed_; }
  /// When anything about it was last changed, its names and rights as well.
  [[nodiscard]] file_time_type changed() const noexcept { return changed_; }
  /// Nothing where the file system does not keep it.
  [[nodiscard]] std::optional<file_time_type> created() const noexcept { return created_; }
  [[nodiscard]] std::uint64_t hard_link_count() const noexcept { return links_; }
  /// Two names are one file if both are the same.
  [[nodiscard]] std::uint64_t device() const noexcept { return device_; }
  [[nodiscard]] std::uint64_t inode() const noexcept { return inode_; }
  [[nodiscard]] unsigned user() const noexcept { return user_; }
  [[nodiscard]] unsigned group() const noexcept { return group_; }
  /// What it takes on the disk, in bytes.
  [[nodiscard]] std::uint64_t allocated() const noexcept { return allocated_; }
  /// What it is best read and written by.
  [[nodiscard]] std::uint32_t block_size() const noexcept { return block_size_; }

 private:
  friend struct metadata_maker;
  file_type type_ = file_type::none;
  perms permissions_ = perms::none;
  std::uint32_t block_size_ = 0;
  unsigned user_ = 0, group_ = 0;
  std::uint64_t size_ = 0, links_ = 0, device_ = 0, inode_ = 0, allocated_ = 0;
  file_time_type modified_{}, accessed_{}, changed_{};
  std::optional<file_time_type> created_;
};

/// Of what `name` leads to, symbolic links followed. Fails as statx(2) does, naming the path: "stat x: No such file...".
task<file_metadata> metadata(path name);
/// Of the symbolic link itself, if `name` is one.
task<file_metadata> symlink_metadata(path name);

}  // namespace astd::fs
