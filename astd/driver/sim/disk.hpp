// The disk of a simulated machine: what its files and directories hold, and what of that survives a crash.
//
//   disk& d = world.add_machine("server").storage();
//   d.settings().capacity = 1 << 20;
//   d.put("/etc/service.conf", "port = 80\n");
//   ... crash ...
//   d.bytes_of("/var/journal");
//
// It answers as Linux does with ext4, for root, with umask 022 and "/" as the current directory at first. There are no
// special files but these: it begins with /, /tmp, /dev/null and /dev/full.
#pragma once

#include <astd/driver/sim/directory_journal.hpp>
#include <astd/driver/sim/disk_queue.hpp>
#include <astd/driver/sim/inode.hpp>
#include <astd/driver/sim/open_file.hpp>
#include <astd/driver/sim/path.hpp>
#include <astd/driver/sim/standard_streams.hpp>
#include <astd/driver/sim/world.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace astd::driver::sim {

class disk {
 public:
  explicit disk(machine& of);
  disk(const disk&) = delete;
  disk& operator=(const disk&) = delete;
  ~disk();

  // ---- for scenarios and tests
  [[nodiscard]] disk_settings& settings() noexcept { return account_.settings; }
  [[nodiscard]] standard_streams& streams() noexcept { return streams_; }
  /// Puts a file there, stored and not in the cache; makes the directories on the way. Replaces a file.
  void put(const std::string& path, std::string_view bytes);
  /// The same with a directory.
  void put_directory(const std::string& path);
  /// What a file holds; nothing: no file there.
  [[nodiscard]] std::optional<std::string> bytes_of(const std::string& path) const;
  /// What it holds if nothing that is not stored survives.
  [[nodiscard]] std::optional<std::string> stored_bytes_of(const std::string& path) const;
  /// In order; nothing: no directory there.
  [[nodiscard]] std::optional<std::vector<std::string>> names_in(const std::string& path) const;
  /// Bytes of pages that files hold.
  [[nodiscard]] std::uint64_t used() const noexcept { return account_.used; }

  // ---- for the machine
  /// What descriptor 0, 1 or 2 stands for.
  [[nodiscard]] std::unique_ptr<open_file> standard_stream(int number) { return streams_.open(number); }
  /// What serves(op.code): as open_file::start().
  [[nodiscard]] std::int32_t start(operation& op) noexcept;
  /// Whether it is the disk's, whatever its descriptor: what goes by names.
  [[nodiscard]] static bool serves(opcode code) noexcept;
  void cancel(operation& op) noexcept { queue_.cancel(op); }
  [[nodiscard]] bool anything_pending(int descriptor) noexcept { return queue_.anything_pending(descriptor); }
  /// Ends what is pending; forgets what was not synced, or keeps some of it, as the seed says. Open files have let go
  /// of what they stood for.
  void crash() noexcept;

 private:
  friend class disk_file;
  friend class disk_queue;
  /// `op` has waited for the disk: its result.
  [[nodiscard]] std::int32_t carry_out(operation& op, std::uint64_t mark) noexcept;

  // disk_paths.cpp: what names are for.
  [[nodiscard]] std::int32_t find_start(int descriptor, const char* path, inode_pointer& start) const;
  [[nodiscard]] std::int32_t go(int descriptor, const char* path, path_end& end,
                                last_link at_end = last_link::kept) const;
  /// What is to be changed: the descriptor's if there is no path.
  [[nodiscard]] inode_pointer whom(int descriptor, const char* path, last_link at_end, std::int32_t& error) const;
  [[nodiscard]] std::int32_t path_of(const inode& directory, std::string& path) const;
  [[nodiscard]] bool must_be_fetched(const operation& op) const;
  [[nodiscard]] std::int32_t perform(operation& op);
  [[nodiscard]] std::int32_t open(const operation& op);
  [[nodiscard]] inode_pointer open_inode(const inode_pointer& start, const char* path, int flags, unsigned mode,
                                         std::int32_t& error);
  [[nodiscard]] std::int32_t stat(const operation& op) const;
  [[nodiscard]] std::int32_t rename(const operation& op);
  [[nodiscard]] std::int32_t unlink(const operation& op);
  [[nodiscard]] std::int32_t make_directory(const operation& op);
  [[nodiscard]] std::int32_t copy_file(const operation& op);
  // disk_links.cpp
  [[nodiscard]] std::int32_t link(const operation& op);
  [[nodiscard]] std::int32_t make_link(const operation& op);
  [[nodiscard]] std::int32_t read_link(const operation& op) const;
  [[nodiscard]] std::int32_t real_path(const operation& op) const;
  [[nodiscard]] std::int32_t change_mode(const operation& op);
  [[nodiscard]] std::int32_t change_owner(const operation& op);
  [[nodiscard]] std::int32_t change_times(const operation& op);
  [[nodiscard]] std::int32_t space(const operation& op) const;
  [[nodiscard]] std::int32_t change_directory(const operation& op);
  [[nodiscard]] std::int32_t current_path(const operation& op) const;
  [[nodiscard]] std::int32_t list(operation& op);

  [[nodiscard]] inode_pointer make(inode_kind kind, unsigned mode);
  /// Whether a new name fails here, by a fault.
  [[nodiscard]] std::int32_t fault_in_directory() noexcept;
  void change_entries(std::vector<entry_change> changes);
  void touch(inode& changed) noexcept;
  void drop_name(inode& of) noexcept;
  void let_go_if_gone(inode& i) noexcept;

  // disk.cpp
  inode_pointer put_directories(const std::string& path, std::string_view& last);
  [[nodiscard]] inode_pointer find(const std::string& path, directory_entries inode::* in) const;
  void dissolve(bool (*which)(const inode&)) noexcept;
  void write_back(std::uint64_t down_to) noexcept;

  machine& machine_;
  world& world_;
  disk_account account_;
  standard_streams streams_;
  inode_table inodes_;
  std::uint64_t next_number_ = 2;  // the root's, as on ext4
  directory_journal journal_;
  inode_pointer root_;
  inode_pointer current_;  // where relative paths begin
  bool all_cached_ = true;
  disk_queue queue_;
};

}  // namespace astd::driver::sim
