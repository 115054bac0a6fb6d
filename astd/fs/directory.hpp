// What is in a directory, as streams.
//
//   auto entries = co_await fs::read_dir("photos");
//   for (;;) {
//     auto entry = co_await entries.next();
//     if (!entry) break;
//     co_await println("{}", entry->path().string());
//   }
//
// Names come in the system's order, without "." and "..". Much of a directory is read at once: by one visit to the
// blocking pool, with its opening and closing, unless it is long. What comes or goes meanwhile may be given or not.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/fs/file.hpp>
#include <astd/fs/metadata.hpp>
#include <astd/fs/path.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace astd::fs {

namespace detail {
class directory_visit;
}

/// One name, and what the directory says of it. A plain value; copies share the directory's path.
class directory_entry {
 public:
  /// The directory's path as it was given, and the name.
  [[nodiscard]] fs::path path() const;
  [[nodiscard]] fs::path file_name() const { return name_; }
  /// The same without a copy, as long as the entry.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  /// As the directory was read; a symbolic link is one. Never file_type::unknown.
  [[nodiscard]] file_type type() const noexcept { return type_; }
  [[nodiscard]] std::uint64_t inode() const noexcept { return inode_; }
  /// How many directories are between it and the one that was asked for: 0 for what is in that.
  [[nodiscard]] unsigned depth() const noexcept { return depth_; }

  // What it is now: as the functions of the same names.
  [[nodiscard]] task<file_metadata> metadata() const;
  [[nodiscard]] task<file_metadata> symlink_metadata() const;
  [[nodiscard]] task<file_status> status() const;
  [[nodiscard]] task<file_status> symlink_status() const;
  [[nodiscard]] task<bool> exists() const;
  [[nodiscard]] task<bool> is_directory() const;
  [[nodiscard]] task<bool> is_regular_file() const;
  [[nodiscard]] task<bool> is_symlink() const;
  [[nodiscard]] task<std::uint64_t> file_size() const;
  [[nodiscard]] task<file_time_type> last_write_time() const;

 private:
  friend class detail::directory_visit;
  std::shared_ptr<const std::string> directory_;
  std::string name_;
  file_type type_ = file_type::unknown;
  unsigned depth_ = 0;
  std::uint64_t inode_ = 0;
};

namespace detail {

/// A directory that is being read: what was read of it and not given yet, and its descriptor if there is more.
class directory_visit {
 public:
  directory_visit(std::string directory, unsigned depth, bool follow)
      : directory_(std::make_shared<const std::string>(std::move(directory))), depth_(depth), follow_(follow) {}
  [[nodiscard]] const std::string& directory() const noexcept { return *directory_; }
  /// Whether next() need not wait.
  [[nodiscard]] bool has_entry() const noexcept { return at_ < data_.size(); }
  [[nodiscard]] bool at_end() const noexcept { return begun_ && !has_entry() && handle_.descriptor() < 0; }
  /// Reads some more; `room`: bytes for it. A failure is kept for failed().
  task<> read(std::size_t room);
  [[nodiscard]] const std::optional<failure>& failed() const noexcept { return failed_; }
  /// Of what was read; nothing at its end. The type may be unknown.
  std::optional<directory_entry> take();
  static task<> find_type(directory_entry& of);

 private:
  std::shared_ptr<const std::string> directory_;
  std::string data_;  // as the system gave it
  std::size_t at_ = 0;
  file_handle handle_{{}, -1, false};
  unsigned depth_;
  bool follow_, begun_ = false;
  std::optional<failure> failed_;
};

}  // namespace detail

/// The entries of one directory. One task at a time; not moved or destroyed while next() is awaited.
class directory_iterator {
 public:
  /// Opened by the first next().
  explicit directory_iterator(path name, directory_options options = directory_options::none);
  directory_iterator(directory_iterator&&) noexcept = default;
  directory_iterator& operator=(directory_iterator&&) noexcept = default;

  /// Nothing at the end. Fails with "read directory x: ...". Cancelled, it has taken no entry.
  task<std::optional<directory_entry>> next();

 private:
  friend task<directory_iterator> read_dir(path name);
  task<> begin();
  std::unique_ptr<detail::directory_visit> visit_;
  std::optional<directory_entry> found_;
  bool skips_denied_;
};

/// Opens the directory, and fails if it cannot.
task<directory_iterator> read_dir(path name);

/// All that is in a directory and those below, each directory before what is in it. Symbolic links to directories are not
/// followed unless the options say so. Directories are opened by their paths, and one that has become a symbolic link
/// since it was listed is not entered. Keeps at most 32 KiB and one descriptor for each level. One task at a time.
class recursive_directory_iterator {
 public:
  explicit recursive_directory_iterator(path name, directory_options options = directory_options::none);
  recursive_directory_iterator(recursive_directory_iterator&&) noexcept = default;
  recursive_directory_iterator& operator=(recursive_directory_iterator&&) noexcept = default;

  /// Nothing at the end. After a failure it goes on behind the directory that could not be read. Cancelled, it has taken
  /// no entry.
  task<std::optional<directory_entry>> next();
  /// Of the entry that next() gave last.
  [[nodiscard]] unsigned depth() const noexcept { return depth_; }
  [[nodiscard]] directory_options options() const noexcept { return options_; }
  /// Whether the entry that next() gave last is going to be entered, if it is a directory.
  [[nodiscard]] bool recursion_pending() const noexcept { return entered_next_.has_value(); }
  void disable_recursion_pending() noexcept { entered_next_.reset(); }
  /// Leaves the directory of the entry that next() gave last.
  void pop();

 private:
  friend class walker;
  std::deque<detail::directory_visit> levels_;
  std::optional<directory_entry> entered_next_, found_;
  directory_options options_;
  unsigned depth_ = 0;
};

struct walk_options {
  /// So many directories are read at once.
  unsigned concurrency = 8;
  /// Symbolic links to directories are entered. A circle of them goes on until the path is too long.
  bool follow_links = false;
  /// Directories that may not be read are passed over.
  bool skip_denied = false;
};

/// As recursive_directory_iterator, with several directories read at the same time, and so in an order in which what is in
/// a directory need not follow it at once. Keeps 64 KiB for each of those, and the paths of directories that were met and
/// not entered yet. One task at a time.
class walker {
 public:
  walker(path name, walk_options options);
  walker(walker&&) noexcept = default;
  walker& operator=(walker&&) noexcept = default;
  /// As recursive_directory_iterator::next().
  task<std::optional<directory_entry>> next();

 private:
  bool give_one();
  std::deque<detail::directory_visit> visits_;  // those in front have been read
  std::vector<directory_entry> to_enter_;
  std::optional<directory_entry> found_;
  std::optional<failure> failed_;
  walk_options options_;
};

[[nodiscard]] inline walker walk(path name, walk_options options = {}) { return {std::move(name), options}; }

}  // namespace astd::fs
