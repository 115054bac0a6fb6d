#include <astd/driver/driver.hpp>
#include <astd/driver/generation.hpp>

#include <atomic>
#include <cstdlib>

namespace astd::driver {

namespace {

// Two levels, both in memory that the kernel gives page by page when it is first touched: 2^30 numbers are the most
// that it can give out (fs.nr_open). Never freed, for a descriptor may be closed after the last driver is gone.
constexpr unsigned chunk_bits = 15;
constexpr unsigned chunk_size = 1u << chunk_bits;
constexpr unsigned chunks = 1u << (30 - chunk_bits);
using word = std::atomic<std::uint32_t>;  // bit 0: comes in records; the rest: the generation

std::atomic<word*> table[chunks];

word* find(int fd) noexcept {
  if (fd < 0 || static_cast<unsigned>(fd) >> chunk_bits >= chunks) return nullptr;
  // acquire pairs with the exchange in track_generations().
  word* chunk = table[static_cast<unsigned>(fd) >> chunk_bits].load(std::memory_order_acquire);
  return chunk ? chunk + static_cast<unsigned>(fd) % chunk_size : nullptr;
}

}  // namespace

// The orders: a number passes from the thread that closed it to the thread that gets it through the kernel, which
// orders their memory; the read-modify-writes only keep counts of several threads apart.
std::uint32_t generation_of(int fd) noexcept {
  word* entry = find(fd);
  return entry ? entry->load(std::memory_order_acquire) : 0;
}

bool track_generations(int fd) noexcept {
  if (find(fd)) [[likely]]
    return true;
  if (fd < 0 || static_cast<unsigned>(fd) >> chunk_bits >= chunks) return false;
  auto* fresh = static_cast<word*>(std::calloc(chunk_size, sizeof(word)));
  if (!fresh) return false;
  word* expected = nullptr;
  // release pairs with the load in find().
  if (!table[static_cast<unsigned>(fd) >> chunk_bits].compare_exchange_strong(expected, fresh,
                                                                              std::memory_order_acq_rel)) {
    std::free(fresh);
  }
  return true;
}

void new_generation(int fd) noexcept {
  word* entry = find(fd);
  if (!entry) return;
  std::uint32_t old = entry->load(std::memory_order_relaxed);
  while (
      !entry->compare_exchange_weak(old, (old & ~1u) + 2, std::memory_order_acq_rel, std::memory_order_relaxed)) {
  }
}

void mark_records(int fd) noexcept {
  if (!track_generations(fd)) return;
  if (word* entry = find(fd)) entry->fetch_or(1, std::memory_order_acq_rel);
}

void adopt(int fd) noexcept { new_generation(fd); }

}  // namespace astd::driver
