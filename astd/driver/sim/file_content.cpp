#include <astd/driver/sim/file_content.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace astd::driver::sim {
namespace {

// f(page's number, from, to) for each page that `n` bytes from `offset` touch; from and to are offsets in the file.
template <class F>
void each_piece(std::uint64_t offset, std::uint64_t n, F f) {
  const std::uint64_t end = offset + n;
  while (offset < end) {
    const std::uint64_t number = offset / page_size;
    const std::uint64_t stop = std::min(end, (number + 1) * page_size);
    f(number, offset, stop);
    offset = stop;
  }
}

constexpr std::uint64_t pages_for(std::uint64_t size) noexcept { return (size + page_size - 1) / page_size; }

}  // namespace

// ---- file_image

std::uint64_t file_image::read(std::uint64_t offset, char* to, std::uint64_t n) const noexcept {
  if (offset >= size_) return 0;
  n = std::min(n, size_ - offset);
  each_piece(offset, n, [&](std::uint64_t number, std::uint64_t from, std::uint64_t stop) {
    const auto found = pages_.find(number);
    char* const target = to + (from - offset);
    if (found == pages_.end())
      std::memset(target, 0, stop - from);
    else
      std::memcpy(target, found->second->data() + from % page_size, stop - from);
  });
  return n;
}

file_image::page& file_image::own(std::uint64_t page_number) {
  std::shared_ptr<page>& p = pages_[page_number];
  if (!p)
    p = std::make_shared<page>();
  else if (p.use_count() > 1)
    p = std::make_shared<page>(*p);
  return *p;
}

void file_image::write(std::uint64_t offset, const char* from, std::uint64_t n) {
  each_piece(offset, n, [&](std::uint64_t number, std::uint64_t start, std::uint64_t stop) {
    std::memcpy(own(number).data() + start % page_size, from + (start - offset), stop - start);
  });
  if (n > 0) size_ = std::max(size_, offset + n);
}

void file_image::resize(std::uint64_t size) {
  if (size < size_) {
    pages_.erase(pages_.lower_bound(pages_for(size)), pages_.end());
    // What comes behind the end later must not show what was there before.
    if (size % page_size != 0 && holds(size / page_size)) {
      page& last = own(size / page_size);
      std::memset(last.data() + size % page_size, 0, page_size - size % page_size);
    }
  }
  size_ = size;
}

void file_image::take(std::uint64_t page_number, const file_image& from) {
  const auto found = from.pages_.find(page_number);
  if (found == from.pages_.end())
    pages_.erase(page_number);
  else
    pages_[page_number] = found->second;
}

std::string file_image::bytes() const {
  std::string result(size_, '\0');
  read(0, result.data(), size_);
  return result;
}

// ---- file_content

file_content::~file_content() {
  forget(changes_.size());
  account_.used -= counted_;
}

void file_content::count_pages() noexcept {
  const std::uint64_t counted = gone_ ? 0 : now_.pages() * page_size;
  account_.used += counted - counted_;
  counted_ = counted;
}

void file_content::note(change c) {
  dirty_ += c.weight();
  account_.dirty += c.weight();
  changes_.push_back(std::move(c));
}

void file_content::forget(std::uint64_t count) noexcept {
  for (; count > 0; --count) {
    dirty_ -= changes_.front().weight();
    account_.dirty -= changes_.front().weight();
    changes_.pop_front();
    ++first_;
  }
}

void file_content::write(std::uint64_t offset, const char* from, std::uint64_t n, instant when) {
  store_older_than(when - account_.settings.data_stays);
  now_.write(offset, from, n);
  fetch(offset, n);
  note({when, offset, std::string(from, n), false});
  count_pages();
}

void file_content::resize(std::uint64_t size, instant when) {
  store_older_than(when - account_.settings.data_stays);
  now_.resize(size);
  not_cached_.erase(not_cached_.lower_bound(pages_for(size)), not_cached_.end());
  note({when, size, {}, true});
  count_pages();
}

bool file_content::needs_pages(std::uint64_t offset, std::uint64_t n) const noexcept {
  bool any = false;
  each_piece(offset, n, [&](std::uint64_t number, std::uint64_t, std::uint64_t) { any |= !now_.holds(number); });
  return any;
}

std::uint64_t file_content::room_for(std::uint64_t offset, std::uint64_t n) const noexcept {
  const disk_account& a = account_;
  if (a.settings.capacity == UINT64_MAX) return n;
  std::uint64_t left = a.settings.capacity > a.used ? (a.settings.capacity - a.used) / page_size : 0;
  std::uint64_t fits = 0;
  bool full = false;
  each_piece(offset, n, [&](std::uint64_t number, std::uint64_t start, std::uint64_t stop) {
    full = full || (!now_.holds(number) && left-- == 0);
    if (!full) fits += stop - start;
  });
  return fits;
}

// ---- the cache

bool file_content::must_be_fetched(std::uint64_t offset, std::uint64_t n, bool for_write) const noexcept {
  if (not_cached_.empty() || n == 0) return false;
  const std::uint64_t end = offset + n;
  for (auto page = not_cached_.lower_bound(offset / page_size);
       page != not_cached_.end() && *page * page_size < end; ++page) {
    const bool whole = offset <= *page * page_size && end >= (*page + 1) * page_size;
    if (!for_write || !whole) return true;
  }
  return false;
}

void file_content::fetch(std::uint64_t offset, std::uint64_t n) noexcept {
  if (not_cached_.empty() || n == 0) return;
  not_cached_.erase(not_cached_.lower_bound(offset / page_size), not_cached_.lower_bound(pages_for(offset + n)));
}

void file_content::drop_cache() {
  now_.each_page([&](std::uint64_t number) { not_cached_.insert(number); });
}

// ---- what is stored

void file_content::store(std::uint64_t until) {
  if (until <= first_) return;
  const std::uint64_t count = std::min<std::uint64_t>(until - first_, changes_.size());
  if (count == changes_.size())
    share_all();
  else
    replay(count);
  forget(count);
}

void file_content::store_older_than(instant when) {
  std::uint64_t old = 0;
  while (old < changes_.size() && changes_[old].when < when) ++old;
  if (old > 0) store(first_ + old);
}

// A page that was written is shared: memory for one copy only, until somebody writes it again.
void file_content::share_all() {
  std::uint64_t smallest = stored_.size();
  for (const change& c : changes_)
    if (c.resizes) smallest = std::min(smallest, c.offset);
  stored_.resize(smallest);
  if (smallest % page_size != 0) stored_.take(smallest / page_size, now_);
  for (const change& c : changes_) {
    if (c.resizes) continue;
    each_piece(c.offset, c.bytes.size(),
               [&](std::uint64_t number, std::uint64_t, std::uint64_t) { stored_.take(number, now_); });
  }
  stored_.resize(now_.size());
}

void file_content::replay(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const change& c = changes_[i];
    if (c.resizes)
      stored_.resize(c.offset);
    else
      stored_.write(c.offset, c.bytes.data(), c.bytes.size());
  }
}

void file_content::lose_changes() noexcept { forget(changes_.size()); }

void file_content::let_go() noexcept {
  gone_ = true;
  count_pages();
}

void file_content::crash(random_stream& chance, journal_mode mode) {
  if (!changes_.empty()) survive(chance, mode);
  forget(changes_.size());
  now_ = stored_;
  not_cached_.clear();
  drop_cache();
  gone_ = false;
  count_pages();
}

// Pages reach the disk on their own: for each, a number is drawn, and the changes before it have arrived. Some were on
// their way when the power went: their first sectors are of a later moment. New sizes are written to the journal, in
// order: those before a number that is drawn for the file have arrived.
void file_content::survive(random_stream& chance, journal_mode mode) {
  const std::uint64_t n = changes_.size();
  switch (chance.below(4)) {
    case 0: return;
    case 1: replay(n); return;
    default: break;
  }
  struct arrival {
    std::uint64_t first_sectors, others;
    std::uint64_t sectors;  // so many are the first
  };
  const auto draw_arrival = [&]() -> arrival {
    const std::uint64_t kind = chance.below(4);
    const std::uint64_t before = kind == 0 ? 0 : kind == 1 ? n : chance.below(n + 1);
    if (chance.below(3) != 0) return {before, before, 0};
    return {before + chance.below(n - before + 1), before, 1 + chance.below(page_size / sector_size - 1)};
  };
  const std::uint64_t sizes_before = chance.below(n + 1);
  std::map<std::uint64_t, arrival> arrivals;
  bool may_grow = true;
  std::uint64_t cut = UINT64_MAX;  // pages from here on were cut off by a change of size that has not arrived
  for (std::uint64_t i = 0; i < n; ++i) {
    const change& c = changes_[i];
    if (c.resizes) {
      if (i < sizes_before) {
        stored_.resize(c.offset);
        may_grow = true;
      } else {
        cut = std::min(cut, pages_for(c.offset));
      }
      continue;
    }
    const std::uint64_t end = c.offset + c.bytes.size();
    if (mode == journal_mode::writeback && i < sizes_before && end > stored_.size() && cut == UINT64_MAX)
      stored_.resize(end);
    each_piece(c.offset, c.bytes.size(), [&](std::uint64_t number, std::uint64_t start, std::uint64_t stop) {
      if (number >= cut) return;
      auto place = arrivals.find(number);
      if (place == arrivals.end()) place = arrivals.emplace(number, draw_arrival()).first;
      const arrival& a = place->second;
      const std::uint64_t border = number * page_size + a.sectors * sector_size;
      const auto part = [&](std::uint64_t from, std::uint64_t to, std::uint64_t before) {
        if (from >= to) return;
        const bool arrived = i < before;
        if (mode == journal_mode::writeback || !may_grow)
          to = std::min(to, stored_.size());
        else if (!arrived && to > stored_.size())
          may_grow = false;
        if (arrived && from < to) stored_.write(from, c.bytes.data() + (from - c.offset), to - from);
      };
      part(start, std::min(stop, border), a.first_sectors);
      part(std::max(start, border), stop, a.others);
    });
  }
}

}  // namespace astd::driver::sim
