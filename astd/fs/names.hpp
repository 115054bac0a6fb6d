// Names and what is behind them: what std::filesystem's functions of the same names do, awaited.
//
//   co_await fs::create_directories("a/b");
//   co_await fs::rename("a/b", "a/c");
//   bool there = co_await fs::exists("a/b");
//
// They fail with what was tried and the path or paths: "rename a to b: No such file or directory". A request to stop
// ends a function that is made of several operations between two of them. Any number of them, on any threads.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/fs/metadata.hpp>
#include <astd/fs/path.hpp>

#include <cstdint>
#include <optional>

namespace astd::fs {

// ---- what it is

/// file_type::not_found if there is nothing; another error is a failure. Symbolic links are followed.
task<file_status> status(path name);
/// Of the symbolic link itself, if it is one.
task<file_status> symlink_status(path name);
task<bool> exists(path name);
task<bool> is_regular_file(path name);
task<bool> is_directory(path name);
task<bool> is_symlink(path name);
task<bool> is_block_file(path name);
task<bool> is_character_file(path name);
task<bool> is_fifo(path name);
task<bool> is_socket(path name);
/// Neither a regular file nor a directory nor a symbolic link.
task<bool> is_other(path name);
/// A file without bytes, a directory without entries.
task<bool> is_empty(path name);
// The same of a status that one has: nothing to await.
[[nodiscard]] inline bool exists(file_status s) noexcept { return std::filesystem::exists(s); }
[[nodiscard]] inline bool is_regular_file(file_status s) noexcept { return std::filesystem::is_regular_file(s); }
[[nodiscard]] inline bool is_directory(file_status s) noexcept { return std::filesystem::is_directory(s); }
[[nodiscard]] inline bool is_symlink(file_status s) noexcept { return std::filesystem::is_symlink(s); }
[[nodiscard]] inline bool is_block_file(file_status s) noexcept { return std::filesystem::is_block_file(s); }
[[nodiscard]] inline bool is_character_file(file_status s) noexcept {
  return std::filesystem::is_character_file(s);
}
[[nodiscard]] inline bool is_fifo(file_status s) noexcept { return std::filesystem::is_fifo(s); }
[[nodiscard]] inline bool is_socket(file_status s) noexcept { return std::filesystem::is_socket(s); }
[[nodiscard]] inline bool is_other(file_status s) noexcept { return std::filesystem::is_other(s); }
[[nodiscard]] inline bool status_known(file_status s) noexcept { return std::filesystem::status_known(s); }
/// In bytes. A failure unless it is a regular file: std::errc::is_a_directory, or operation_not_supported.
task<std::uint64_t> file_size(path name);
task<std::uint64_t> hard_link_count(path name);
task<file_time_type> last_write_time(path name);
task<> last_write_time(path name, file_time_type to);
/// Whether both are the same file or directory. A failure if either does not exist.
task<bool> equivalent(path one, path other);
/// Of the file system that `name` is on, in bytes.
task<space_info> space(path name);

// ---- changes

/// `how` as in std: replace, add or remove; nofollow fails for a symbolic link with operation_not_supported.
task<> permissions(path name, perms which, perm_options how = perm_options::replace);
task<> set_permissions(path name, perms to);
/// True if it was made, false if there was a directory already.
task<bool> create_directory(path name);
/// With the permissions of `like`.
task<bool> create_directory(path name, path like);
/// With those above it. True if `name` was made.
task<bool> create_directories(path name);
task<> create_symlink(path to, path link);
task<> create_directory_symlink(path to, path link);
task<> create_hard_link(path to, path link);
/// A file, a symbolic link or an empty directory. False if there was nothing.
task<bool> remove(path name);
/// Replaces what has the new name, at one moment: there is always one of the two.
task<> rename(path from, path to);
task<> resize_file(path name, std::uint64_t size);
/// std::nullopt leaves it as it is. Takes rights that most programs do not have.
task<> change_owner(path name, std::optional<unsigned> user, std::optional<unsigned> group);

// ---- where it is

task<path> read_symlink(path name);
/// Without symbolic links, "." and ".."; it must exist.
task<path> canonical(path name);
/// The same for as much of it as exists.
task<path> weakly_canonical(path name);
/// In front of it, the current directory; links and dots are left as they are.
task<path> absolute(path name);
task<path> relative(path name);
task<path> relative(path name, path base);
task<path> proximate(path name);
task<path> proximate(path name, path base);
/// The process has one, which all its threads share.
task<path> current_path();
task<> current_path(path name);
/// $TMPDIR, $TMP, $TEMP, $TEMPDIR or /tmp. Fails if that is no directory.
task<path> temp_directory_path();

/// How directories are made.
///
///   co_await fs::dir_builder().recursive(true).mode(fs::perms::owner_all).create("a/b/c");
class dir_builder {
 public:
  /// Those above it as well; that it exists already is no error then.
  dir_builder& recursive(bool on = true) noexcept {
    recursive_ = on;
    return *this;
  }
  /// Less the umask; 0777 at first.
  dir_builder& mode(perms of_new) noexcept {
    mode_ = static_cast<unsigned>(of_new) & 07777;
    return *this;
  }
  dir_builder& mode(unsigned of_new) noexcept { return mode(static_cast<perms>(of_new)); }
  [[nodiscard]] task<> create(path name) const;

 private:
  bool recursive_ = false;
  unsigned mode_ = 0777;
};

}  // namespace astd::fs
