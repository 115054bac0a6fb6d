// An open file.
//
//   auto file = co_await fs::file::create("greeting.txt");
//   co_await io::write_all(file, "hello\n");
//   co_await file.close();                      // says whether everything is really written
//
// Nothing is buffered here: a read asks the system, a write has reached the system when it returns.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/fs/metadata.hpp>
#include <astd/fs/path.hpp>
#include <astd/fs/transfer.hpp>
#include <astd/io/buffer.hpp>
#include <astd/io/descriptor_operations.hpp>
#include <astd/io/kernel_end.hpp>
#include <astd/io/seek_from.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace astd::fs {

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
  [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }
  [[nodiscard]] const path& name() const noexcept { return path_; }
  [[nodiscard]] bool writes() const noexcept { return writes_; }
  task<> close();
  task<> sync(bool data_only);

 private:
  void abandon() noexcept;
  path path_;
  int descriptor_;
  bool writes_;
};

/// Makes files of descriptors.
struct file_maker;

/// The size that the system tells: 0 for what has none before it is read (pipes, /proc).
task<std::size_t> size_hint(const file_handle& file);

}  // namespace detail

/// See file::advise().
enum class file_advice : std::uint8_t { normal, sequential, random, will_need, dont_need, no_reuse };

/// A file that is open for reading or for writing, at a position that each read or write moves on. Errors name its
/// path.
///
/// The destructor closes it without blocking, and so without a word about what could not be written: close() tells.
/// One operation at a time; a file is neither moved, closed nor destroyed while one is in flight.
class file {
 public:
  /// For reading; open_options has the other ways. Fails as open(2) does, naming the path: "open x: No such file or directory". Cancelled, it leaves
  /// nothing open.
  static task<file> open(path name);
  /// For writing, from the beginning: made (readable and writable for all, less the umask) if it does not exist,
  /// emptied if it does. Fails as open() does.
  static task<file> create(path name);
  /// For reading and writing; fails with std::errc::file_exists if anything has that name, a symbolic link as well.
  static task<file> create_new(path name);

  /// Reads at most buffer.size() bytes; gives their number, 0 at the end. Allocates nothing. `buffer` stays until the
  /// await is over.
  [[nodiscard]] io::detail::io_awaitable<io::detail::descriptor_transfer> read(io::mutable_bytes buffer) noexcept;

  /// Gives how many bytes were written, usually all; io::write_all() sees to the rest. Allocates nothing. `buffer`
  /// stays until the await is over.
  [[nodiscard]] io::detail::io_awaitable<io::detail::descriptor_transfer> write(io::const_bytes buffer) noexcept;

  /// The same at `offset`, in bytes from the beginning; the position stays where it is. Several may be under way at once.
  [[nodiscard]] auto read_at(io::mutable_bytes buffer, std::uint64_t offset) noexcept {
    return io::detail::io_awaitable<detail::positional_transfer>(driver::opcode::read, handle_.descriptor(),
                                                                 buffer.data(), buffer.size(), offset, name());
  }
  [[nodiscard]] auto write_at(io::const_bytes buffer, std::uint64_t offset) noexcept {
    return io::detail::io_awaitable<detail::positional_transfer>(driver::opcode::write, handle_.descriptor(),
                                                                 buffer.data(), buffer.size(), offset, name());
  }
  /// read_exact_at() fails with io::errc::unexpected_end if the file ends before; write_all_at() has written a part of it
  /// if it fails or is cancelled.
  task<> read_exact_at(io::mutable_bytes buffer, std::uint64_t offset);
  task<> write_all_at(io::const_bytes buffer, std::uint64_t offset);

  /// One read into the first buffer, then the second and so on; one write of all, one behind the other. The span, too,
  /// stays until the await is over. Of more than 1024 buffers the first 1024.
  [[nodiscard]] auto read_vectored(std::span<const io::mutable_bytes> buffers) noexcept {
    return io::detail::io_awaitable<detail::vectored_transfer>(driver::opcode::readv, handle_.descriptor(), buffers,
                                                               std::int64_t{-1}, name());
  }
  [[nodiscard]] auto write_vectored(std::span<const io::const_bytes> buffers) noexcept {
    return io::detail::io_awaitable<detail::vectored_transfer>(driver::opcode::writev, handle_.descriptor(),
                                                               buffers, std::int64_t{-1}, name());
  }
  [[nodiscard]] auto read_vectored_at(std::span<const io::mutable_bytes> buffers, std::uint64_t offset) noexcept {
    return io::detail::io_awaitable<detail::vectored_transfer>(driver::opcode::readv, handle_.descriptor(), buffers,
                                                               static_cast<std::int64_t>(offset), name());
  }
  [[nodiscard]] auto write_vectored_at(std::span<const io::const_bytes> buffers, std::uint64_t offset) noexcept {
    return io::detail::io_awaitable<detail::vectored_transfer>(driver::opcode::writev, handle_.descriptor(),
                                                               buffers, static_cast<std::int64_t>(offset), name());
  }

  /// Goes to another position and gives it, from the beginning. Behind the end is allowed; before the beginning is
  /// std::errc::invalid_argument.
  task<std::uint64_t> seek(io::seek_from to);
  ASTD_CORO_WRAPPER task<std::uint64_t> stream_position() { return seek(io::seek_from::current(0)); }
  task<> rewind();

  /// Does nothing: nothing is held back here. For code that serves any writer.
  [[nodiscard]] auto flush() noexcept { return detail::nothing_to_flush(); }

  /// Cuts off what is behind `size` bytes, or appends zeros that take no room.
  task<> set_len(std::uint64_t size);
  task<file_metadata> metadata();
  task<> set_permissions(perms to);
  /// Nothing: that time stays as it is.
  task<> set_times(std::optional<file_time_type> accessed, std::optional<file_time_type> modified);

  /// Finds room on the disk for these bytes now, so that writing them does not fail for lack of it; the file is as long as
  /// that afterwards, unless `keep_size`. std::errc::operation_not_supported where the file system cannot.
  task<> preallocate(std::uint64_t offset, std::uint64_t size, bool keep_size = false);
  /// How these bytes are going to be used; size 0: to the end. Changes nothing but the pace.
  task<> advise(file_advice how, std::uint64_t offset = 0, std::uint64_t size = 0);

  /// Locks the file for itself alone, or for readers, as flock(2) does: against other open files, here and in other
  /// processes, and only against those who lock as well. Clones share a lock. It ends by unlock() or when the last of them
  /// is closed. lock() asks again and again, first after 1 ms, later after 50: nobody's thread waits, and whoever gives up
  /// leaves nothing behind. There is no order among those who wait. try_lock() is false if another has it.
  task<> lock();
  task<> lock_shared();
  task<bool> try_lock();
  task<bool> try_lock_shared();
  task<> unlock();

  /// Another handle to the same open file: both have one position and one lock.
  task<file> try_clone();

  /// For io::copy().
  [[nodiscard]] io::detail::kernel_end_of<file> kernel_source() const noexcept {
    return {{handle_.descriptor(), io::detail::kernel_kind::file, name(), nullptr}};
  }
  [[nodiscard]] io::detail::kernel_end_of<file> kernel_sink() const noexcept { return kernel_source(); }

  /// As it was opened.
  [[nodiscard]] const path& file_path() const noexcept { return handle_.name(); }

  /// Waits until what was written is stored: it is still there after a loss of power, which a write alone does not
  /// promise. sync_all() stores what the file is, too (its times, its rights); sync_data() only what it needs to be read.
  /// That its name survives as well, if the file is new, takes a sync_all() of the folder, which open() opens like a file.
  /// An error means that some of it may be lost, and another try will not tell.
  [[nodiscard]] ASTD_CORO_WRAPPER task<> sync_all() { return handle_.sync(false); }
  [[nodiscard]] ASTD_CORO_WRAPPER task<> sync_data() { return handle_.sync(true); }

  /// Closes the file; an error says that something may not have been written. Whatever it says, the file is closed.
  /// Not interrupted by a request to stop. Does nothing when it is closed already.
  [[nodiscard]] ASTD_CORO_WRAPPER task<> close() { return handle_.close(); }

  /// Still ours.
  [[nodiscard]] int as_native_handle() const noexcept { return handle_.descriptor(); }
  /// The caller's from now on.
  [[nodiscard]] int into_native_handle() && noexcept { return handle_.release(); }
  /// Takes over an open file; `name` is what errors call it.
  [[nodiscard]] static file from_native_handle(int handle, path name = "a file");

 private:
  friend class whole_file;
  friend class open_options;
  friend struct detail::file_maker;
  [[nodiscard]] const char* name() const noexcept { return handle_.name().c_str(); }
  task<bool> lock_once(int how);
  task<> lock_as(int how);
  explicit file(detail::file_handle handle) noexcept : handle_(std::move(handle)) {}
  detail::file_handle handle_;
};

}  // namespace astd::fs
