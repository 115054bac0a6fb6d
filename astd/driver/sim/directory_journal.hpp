// The changes to directories that a crash may undo. Each directory's changes arrive in their order; what touches two
// directories arrives in both or in none.
#pragma once

#include <astd/driver/sim/inode.hpp>

#include <deque>
#include <vector>

namespace astd::driver::sim {

/// From now on `name` in `directory` is `to`; null: nothing.
struct entry_change {
  inode_pointer directory;
  std::string name;
  inode_pointer to;
};

class directory_journal {
 public:
  /// Makes the changes, as one.
  void change(std::vector<entry_change> changes, instant when);
  /// A number above those of all changes so far.
  [[nodiscard]] std::uint64_t changes() const noexcept { return first_ + log_.size(); }
  /// The changes of `directory` before that number, and what they are built on, will survive a crash.
  void store(const inode& directory, std::uint64_t until);
  void store_older_than(instant when);
  void store_all();
  /// Of each change that is not stored, `chance` decides. Then all that is left is in stored_entries.
  void crash(random_stream& chance);

 private:
  struct record {
    instant when;
    std::vector<entry_change> changes;  // empty: stored
  };
  static void keep(record& r);
  void drop_stored() noexcept;

  std::deque<record> log_;
  std::uint64_t first_ = 0;  // the number of log_.front()
};

}  // namespace astd::driver::sim
