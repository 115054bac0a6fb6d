#include <astd/driver/sim/directory_journal.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace astd::driver::sim {
namespace {

void set(directory_entries& entries, const entry_change& c) {
  if (c.to)
    entries.insert_or_assign(c.name, c.to);
  else
    entries.erase(c.name);
}

}  // namespace

void directory_journal::change(std::vector<entry_change> changes, instant when) {
  for (const entry_change& c : changes) set(c.directory->entries, c);
  log_.push_back({when, std::move(changes)});
}

void directory_journal::keep(record& r) {
  for (const entry_change& c : r.changes) set(c.directory->stored_entries, c);
  r.changes.clear();
}

void directory_journal::drop_stored() noexcept {
  while (!log_.empty() && log_.front().changes.empty()) {
    log_.pop_front();
    ++first_;
  }
}

void directory_journal::store(const inode& directory, std::uint64_t until) {
  if (until <= first_) return;
  // From the newest back: what is stored needs all that came before it in its directories.
  std::set<std::uint64_t> needed{directory.number};
  std::vector<record*> chosen;
  for (std::uint64_t i = std::min<std::uint64_t>(until - first_, log_.size()); i-- > 0;) {
    record& r = log_[i];
    if (std::ranges::none_of(r.changes,
                             [&](const entry_change& c) { return needed.contains(c.directory->number); }))
      continue;
    for (const entry_change& c : r.changes) needed.insert(c.directory->number);
    chosen.push_back(&r);
  }
  while (!chosen.empty()) {
    keep(*chosen.back());
    chosen.pop_back();
  }
  drop_stored();
}

void directory_journal::store_older_than(instant when) {
  for (record& r : log_) {
    if (r.when >= when) break;
    keep(r);
  }
  drop_stored();
}

void directory_journal::store_all() {
  for (record& r : log_) keep(r);
  drop_stored();
}

void directory_journal::crash(random_stream& chance) {
  const std::uint64_t kind = chance.below(4);
  if (kind == 0) {
    log_.clear();
    return;
  }
  std::set<std::uint64_t> cut;  // directories of which nothing more has arrived
  for (record& r : log_) {
    const bool arrived =
        std::ranges::none_of(r.changes, [&](const entry_change& c) { return cut.contains(c.directory->number); }) &&
        (kind == 1 || chance.below(4) != 0);
    if (arrived)
      keep(r);
    else
      for (const entry_change& c : r.changes) cut.insert(c.directory->number);
  }
  log_.clear();
}

}  // namespace astd::driver::sim
