// Files and directories that are gone afterwards.
//
//   auto scratch = co_await fs::temporary_directory::create();
//   co_await fs::write(scratch.path() / "notes", "...");
//   co_await scratch.close();                    // says whether everything is gone
#pragma once

#include <astd/coro/task.hpp>
#include <astd/fs/file.hpp>
#include <astd/fs/path.hpp>

#include <utility>

namespace astd::fs {

namespace detail {

/// A name that is to go. The destructor has it removed in the background: a task of its own, which nobody can stop and
/// for which a shutdown waits. What fails then, nobody hears.
class doomed_name {
 public:
  doomed_name() noexcept = default;
  explicit doomed_name(fs::path name) noexcept : name_(std::move(name)) {}
  doomed_name(doomed_name&& other) noexcept : name_(std::exchange(other.name_, {})) {}
  doomed_name& operator=(doomed_name&& other) noexcept {
    doomed_name(std::move(other)).name_.swap(name_);
    return *this;
  }
  ~doomed_name() {
    if (!name_.empty()) abandon();
  }
  [[nodiscard]] const fs::path& name() const noexcept { return name_; }
  fs::path spare() noexcept { return std::exchange(name_, {}); }
  /// Not interrupted by a request to stop.
  task<> remove();

 private:
  void abandon() noexcept;
  fs::path name_;
};

}  // namespace detail

/// A new file under a name that nobody had, for its owner alone (0600), open for reading and writing.
class temporary_file {
 public:
  /// In temp_directory_path(), or in `directory`.
  static task<temporary_file> create();
  static task<temporary_file> create(path directory);

  /// Reads, writes and the rest: see fs::file.
  [[nodiscard]] fs::file& file() noexcept { return file_; }
  [[nodiscard]] const fs::path& path() const noexcept { return name_.name(); }
  /// Closes it and removes its name. Not interrupted by a request to stop.
  task<> close();
  /// Gives it the name `to` for good, in the place of what had it; both on one file system. It stays open as file().
  task<> persist(fs::path to);
  /// It stays under the name it has.
  fs::path keep() noexcept { return name_.spare(); }

 private:
  temporary_file(fs::file f, detail::doomed_name name) noexcept : file_(std::move(f)), name_(std::move(name)) {}
  fs::file file_;
  detail::doomed_name name_;
};

/// A new directory under a name that nobody had, for its owner alone (0700).
class temporary_directory {
 public:
  static task<temporary_directory> create();
  static task<temporary_directory> create(path directory);

  [[nodiscard]] const fs::path& path() const noexcept { return name_.name(); }
  /// Removes it with all that is in it. Not interrupted by a request to stop.
  task<> close() { return name_.remove(); }
  fs::path keep() noexcept { return name_.spare(); }

 private:
  explicit temporary_directory(detail::doomed_name name) noexcept : name_(std::move(name)) {}
  detail::doomed_name name_;
};

/// Makes `data` the file's whole content at one moment: whoever reads it, and whoever looks after a loss of power, finds
/// the old content or the new. Written under another name beside it, synced, renamed, and its directory synced. It has the
/// permissions that the file had. If it fails or is cancelled before the renaming, the old content is there; what was
/// begun is removed. `data` stays until the await is over.
task<> write_atomic(path name, io::const_bytes data);

}  // namespace astd::fs
