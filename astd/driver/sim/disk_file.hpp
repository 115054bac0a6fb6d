// An open file, directory or device of a simulated disk.
#pragma once

#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/transfer.hpp>

#include <string>

namespace astd::driver::sim {

class disk_file final : public open_file {
 public:
  /// `flags` as of openat.
  disk_file(disk& of, int flags) noexcept;
  ~disk_file() override;
  /// What it stands for; once.
  void set_inode(inode_pointer what) noexcept;

  std::int32_t start(operation& op) noexcept override;
  void cancel(operation& op) noexcept override;
  std::int32_t next_connection(operation&) noexcept override;
  inode_pointer on_disk() const noexcept override { return inode_; }
  void crash() noexcept override;

  /// As many entries as fit, in the kernel's form; `more`: these were not all.
  [[nodiscard]] std::int32_t list(char* to, std::size_t size, bool& more);
  /// As copy_file_range.
  [[nodiscard]] std::int32_t copy(const copy_arguments& a);
  /// After a visit to the disk. `mark`: see sync().
  [[nodiscard]] std::int32_t carry_out(operation& op, std::uint64_t mark) noexcept;

 private:
  [[nodiscard]] std::int32_t start_transfer(operation& op);
  [[nodiscard]] std::int32_t start_sync(operation& op);
  [[nodiscard]] std::int32_t read(const transfer_view& what, bool fetched);
  [[nodiscard]] std::int32_t write(const transfer_view& what);
  [[nodiscard]] std::int32_t sync(std::uint64_t mark);
  [[nodiscard]] std::int32_t resize(std::int64_t size);
  [[nodiscard]] std::int32_t poll(int events) const noexcept;
  [[nodiscard]] std::int32_t seek(seek_arguments& a);
  [[nodiscard]] std::int32_t allocate(const range_arguments& a);
  [[nodiscard]] std::int32_t advise(const range_arguments& a) const noexcept;
  [[nodiscard]] std::int32_t lock(int how);
  [[nodiscard]] std::int32_t start_copy(operation& op);
  [[nodiscard]] std::uint64_t place_of(const transfer_view& what) const noexcept;
  [[nodiscard]] std::size_t shortened(std::size_t n);

  disk& disk_;
  const int flags_;
  inode_pointer inode_;
  std::uint64_t position_ = 0;
  int listed_ = 0;  // "." and ".."
  std::string last_listed_;
  std::uint32_t failures_seen_ = 0;
};

}  // namespace astd::driver::sim
