// An open file.
//
//   auto file = co_await fs::file::create("greeting.txt");
//   co_await io::write_all(file, "hello\n");
//   co_await file.close();                      // says whether everything is really written
//
// Nothing is buffered here: a read asks the system, a write has reached the system when it returns.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/buffer.hpp>
#include <astd/io/descriptor_operations.hpp>

#include <filesystem>
#include <utility>

namespace astd::fs {

using std::filesystem::path;

namespace detail {

/// Owns a descriptor. The destructor never blocks: what may take long is left to the blocking pool.
class file_handle {
 public:
  file_handle(path name, int descriptor, bool writes) noexcept
      : path_(std::move(name)), descriptor_(descriptor), writes_(writes) {}
  file_handle(file_handle&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), writes_(other.writes_) {}
  file_handle& operator=(file_handle&& other) noexcept {
    file_handle(std::move(other)).swap(*this);
    return *this;
  }
  ~file_handle() {
    if (descriptor_ >= 0) abandon();
  }
  void swap(file_handle& other) noexcept {
    path_.swap(other.path_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(writes_, other.writes_);
  }

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] const path& name() const noexcept { return path_; }
  task<> close();
  task<> sync(bool data_only);

 private:
  void abandon() noexcept;
  path path_;
  int descriptor_;
  bool writes_;
};

/// The size that the system tells: 0 for what has none before it is read (pipes, /proc).
task<std::size_t> size_hint(const file_handle& file);

}  // namespace detail

/// A file that is open for reading or for writing, at a position that each read or write moves on. Errors name its
/// path.
///
/// The destructor closes it without blocking, and so without a word about what could not be written: close() tells.
/// One operation at a time; a file is neither moved, closed nor destroyed while one is in flight.
class file {
 public:
  /// For reading. Fails as open(2) does, naming the path: "open x: No such file or directory". Cancelled, it leaves
  /// nothing open.
  static task<file> open(path name);
  /// For writing, from the beginning: made (readable and writable for all, less the umask) if it does not exist,
  /// emptied if it does. Fails as open() does.
  static task<file> create(path name);

  /// Reads at most buffer.size() bytes; gives their number, 0 at the end. Allocates nothing. `buffer` stays until the
  /// await is over.
  [[nodiscard]] io::detail::io_awaitable<io::detail::descriptor_transfer> read(io::mutable_bytes buffer) noexcept;

  /// Gives how many bytes were written, usually all; io::write_all() sees to the rest. Allocates nothing. `buffer`
  /// stays until the await is over.
  [[nodiscard]] io::detail::io_awaitable<io::detail::descriptor_transfer> write(io::const_bytes buffer) noexcept;

  /// Waits until what was written is stored: it is still there after a loss of power, which a write alone does not
  /// promise. sync_all() stores what the file is, too (its times, its rights); sync_data() only what it needs to be read.
  /// That its name survives as well, if the file is new, takes a sync_all() of the folder, which open() opens like a file.
  /// An error means that some of it may be lost, and another try will not tell.
  [[nodiscard]] ASTD_CORO_WRAPPER task<> sync_all() { return handle_.sync(false); }
  [[nodiscard]] ASTD_CORO_WRAPPER task<> sync_data() { return handle_.sync(true); }

  /// Closes the file; an error says that something may not have been written. Whatever it says, the file is closed.
  /// Not interrupted by a request to stop. Does nothing when it is closed already.
  [[nodiscard]] ASTD_CORO_WRAPPER task<> close() { return handle_.close(); }

 private:
  friend class whole_file;
  explicit file(detail::file_handle handle) noexcept : handle_(std::move(handle)) {}
  detail::file_handle handle_;
};

}  // namespace astd::fs
