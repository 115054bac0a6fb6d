// How a file is opened.
//
//   auto log = co_await fs::open_options().append(true).create(true).open("service.log");
#pragma once

#include <astd/fs/file.hpp>

#include <cstddef>
#include <memory>

namespace astd::fs {

/// All off at first: at least one of read, write and append must be on. A combination that has no meaning (truncate or
/// create without writing, truncate with append) fails with std::errc::invalid_argument.
class open_options {
 public:
  open_options& read(bool on = true) noexcept { return set(read_, on); }
  /// Writes begin at the front; nothing is cut off.
  open_options& write(bool on = true) noexcept { return set(write_, on); }
  /// Each write goes to what is the end at that moment, whoever else writes there.
  open_options& append(bool on = true) noexcept { return set(append_, on); }
  open_options& truncate(bool on = true) noexcept { return set(truncate_, on); }
  /// Made if it does not exist.
  open_options& create(bool on = true) noexcept { return set(create_, on); }
  /// Made by this call, else std::errc::file_exists; create and truncate do not count then.
  open_options& create_new(bool on = true) noexcept { return set(create_new_, on); }
  /// Past the system's cache: buffers, sizes and offsets have to be multiples of direct_alignment(). See aligned_buffer.
  open_options& direct(bool on = true) noexcept { return set(direct_, on); }
  /// The permissions of a file that is made, less the umask; 0666 at first.
  open_options& mode(perms of_new) noexcept {
    mode_ = static_cast<unsigned>(of_new) & 07777;
    return *this;
  }
  open_options& mode(unsigned of_new) noexcept { return mode(static_cast<perms>(of_new)); }
  /// Flags of open(2) beside those that the others stand for: O_NOFOLLOW, O_DSYNC...
  open_options& custom_flags(int flags) noexcept {
    custom_ = flags;
    return *this;
  }

  /// Fails as file::open() does. These options may change or go meanwhile.
  [[nodiscard]] task<file> open(path name) const;

 private:
  open_options& set(bool& which, bool on) noexcept {
    which = on;
    return *this;
  }
  [[nodiscard]] int flags() const noexcept;
  bool read_ = false, write_ = false, append_ = false, truncate_ = false, create_ = false, create_new_ = false,
       direct_ = false;
  unsigned mode_ = 0666;
  int custom_ = 0;
};

/// What buffers, sizes and offsets of direct reads and writes have to be multiples of, in bytes; 0: the file cannot be
/// read and written so. Where the kernel does not say, 4096, which fits nearly everywhere.
task<std::size_t> direct_alignment(file& of);

/// Memory for direct reads and writes, zeros at first.
class aligned_buffer {
 public:
  /// `alignment` is a power of two. Throws std::bad_alloc.
  explicit aligned_buffer(std::size_t size, std::size_t alignment = 4096);
  [[nodiscard]] std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct deleter {
    std::size_t alignment;
    void operator()(std::byte* data) const noexcept;
  };
  std::unique_ptr<std::byte[], deleter> data_;
  std::size_t size_;
};

}  // namespace astd::fs
