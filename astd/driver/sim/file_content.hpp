// What a simulated file holds: what its readers see, and what a crash would leave of it.
#pragma once

#include <astd/driver/sim/disk_settings.hpp>
#include <astd/driver/sim/random.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace astd::driver::sim {

inline constexpr std::uint64_t page_size = 4096;
inline constexpr std::uint64_t sector_size = 512;

/// A size, and the pages that were written; all else is zeros. Copies share pages until one of them writes.
class file_image {
 public:
  using page = std::array<char, page_size>;

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t pages() const noexcept { return pages_.size(); }
  [[nodiscard]] bool holds(std::uint64_t page_number) const noexcept { return pages_.contains(page_number); }
  template <class F>
  void each_page(F f) const {
    for (const auto& [number, what] : pages_) f(number);
  }

  /// What there is of `n` bytes from `offset`.
  std::uint64_t read(std::uint64_t offset, char* to, std::uint64_t n) const noexcept;
  void write(std::uint64_t offset, const char* from, std::uint64_t n);
  void resize(std::uint64_t size);
  /// Takes one page, or the lack of it, from another image.
  void take(std::uint64_t page_number, const file_image& from);
  [[nodiscard]] std::string bytes() const;

 private:
  [[nodiscard]] page& own(std::uint64_t page_number);
  std::map<std::uint64_t, std::shared_ptr<page>> pages_;
  std::uint64_t size_ = 0;
};

class file_content {
 public:
  explicit file_content(disk_account& account) noexcept : account_(account) {}
  file_content(const file_content&) = delete;
  file_content& operator=(const file_content&) = delete;
  ~file_content();

  [[nodiscard]] const file_image& now() const noexcept { return now_; }
  [[nodiscard]] const file_image& stored() const noexcept { return stored_; }

  std::uint64_t read(std::uint64_t offset, char* to, std::uint64_t n) const noexcept {
    return now_.read(offset, to, n);
  }
  void write(std::uint64_t offset, const char* from, std::uint64_t n, instant when);
  void resize(std::uint64_t size, instant when);
  /// Whether a write of these bytes takes room on the disk; how many of them can be written before it is full.
  [[nodiscard]] bool needs_pages(std::uint64_t offset, std::uint64_t n) const noexcept;
  [[nodiscard]] std::uint64_t room_for(std::uint64_t offset, std::uint64_t n) const noexcept;

  // ---- the cache
  /// Whether one of these bytes is on the disk only; for a write: one of those that share a page with them.
  [[nodiscard]] bool must_be_fetched(std::uint64_t offset, std::uint64_t n, bool for_write) const noexcept;
  void fetch(std::uint64_t offset, std::uint64_t n) noexcept;
  void drop_cache();

  // ---- what is stored
  /// A number above those of all changes so far.
  [[nodiscard]] std::uint64_t changes() const noexcept { return first_ + changes_.size(); }
  [[nodiscard]] std::uint64_t dirty() const noexcept { return dirty_; }
  /// The changes before that number will survive a crash.
  void store(std::uint64_t until);
  void store_all() { store(changes()); }
  void store_older_than(instant when);
  /// The disk could not take them: readers see them as long as they are in the cache.
  void lose_changes() noexcept;
  /// Nobody can reach it but by a crash that undoes how it went.
  void let_go() noexcept;
  /// What is stored stays; of each change since then, `chance` decides.
  void crash(random_stream& chance, journal_mode mode);

 private:
  struct change {
    instant when;
    std::uint64_t offset;  // or the new size
    std::string bytes;
    bool resizes;
    [[nodiscard]] std::uint64_t weight() const noexcept { return sizeof(change) + bytes.size(); }
  };
  void note(change c);
  void forget(std::uint64_t count) noexcept;
  void replay(std::uint64_t count);
  void share_all();
  void survive(random_stream& chance, journal_mode mode);
  void count_pages() noexcept;

  disk_account& account_;
  file_image now_, stored_;
  std::deque<change> changes_;
  std::uint64_t first_ = 0;  // the number of changes_.front()
  std::uint64_t dirty_ = 0;
  std::uint64_t counted_ = 0;           // of our pages, in account_
  bool gone_ = false;                   // let_go(): nothing is counted
  std::set<std::uint64_t> not_cached_;  // pages that are on the disk only
};

}  // namespace astd::driver::sim
