// Which workers sleep, and how many look for work: what decides whether a wake is needed.
//
// No wake is lost: who announces work does so by a sequentially consistent operation and then reads this; a worker that
// stops searching or goes to sleep says so here by a sequentially consistent read-modify-write and then looks at all
// queues once more. In the total order of these, one of the two sees the other. A worker that pushes for itself looks
// without such an operation first, and announces if it sees that it should (worker::push).
#pragma once

#include <astd/base/config.hpp>

#include <atomic>
#include <bit>
#include <cstdint>

namespace astd::detail {

class alignas(cache_line_pair) idle_set {
 public:
  static constexpr unsigned most_workers = 512;
  explicit idle_set(unsigned workers) noexcept : used_words_((workers + 63) / 64) {}

  /// Worker `i` is going to sleep; it then looks for work once more.
  void enter(unsigned i) noexcept { words_[i / 64].fetch_or(bit(i), std::memory_order_seq_cst); }

  /// Worker `i` is awake again. True: by itself. False: somebody has claimed it, and it counts as searching.
  bool leave(unsigned i) noexcept { return words_[i / 64].fetch_and(~bit(i), std::memory_order_seq_cst) & bit(i); }

  /// A glance: whether a push may need to wake somebody. Too early after another thread's step it may see the state
  /// before.
  [[nodiscard]] bool wants_work() const noexcept {
    if (searching_.load(std::memory_order_relaxed) != 0) return false;
    for (unsigned w = 0; w < used_words_; ++w)
      if (words_[w].load(std::memory_order_relaxed)) return true;
    return false;
  }

  /// For a pusher: a sleeper that is to be woken, or -1 if none is needed: somebody searches, or nobody sleeps. The
  /// claimed one counts as searching from now on.
  int claim() noexcept {
    if (searching_.load(std::memory_order_seq_cst) != 0) return -1;
    for (unsigned w = 0; w < used_words_; ++w) {
      std::uint64_t asleep = words_[w].load(std::memory_order_seq_cst);
      while (asleep) {
        // The lowest number first: the same few workers stay awake.
        const unsigned b = static_cast<unsigned>(std::countr_zero(asleep));
        if (words_[w].fetch_and(~(std::uint64_t(1) << b), std::memory_order_seq_cst) & (std::uint64_t(1) << b)) {
          searching_.fetch_add(1, std::memory_order_seq_cst);
          return static_cast<int>(w * 64 + b);
        }
        asleep = words_[w].load(std::memory_order_seq_cst);
      }
    }
    return -1;
  }

  /// Whether one more may search: at most half of the workers do.
  bool start_searching(unsigned workers) noexcept {
    if (2 * searching_.load(std::memory_order_relaxed) >= workers) return false;
    searching_.fetch_add(1, std::memory_order_seq_cst);
    return true;
  }
  /// True: it was the last one.
  bool stop_searching() noexcept { return searching_.fetch_sub(1, std::memory_order_seq_cst) == 1; }

  [[nodiscard]] bool all_asleep(unsigned workers) const noexcept {
    unsigned n = 0;
    for (const auto& w : words_) n += static_cast<unsigned>(std::popcount(w.load(std::memory_order_seq_cst)));
    return n == workers;
  }

 private:
  const unsigned used_words_;
  static constexpr std::uint64_t bit(unsigned i) noexcept { return std::uint64_t(1) << (i % 64); }
  std::atomic<std::uint32_t> searching_{0};
  std::atomic<std::uint64_t> words_[most_workers / 64] = {};
};

}  // namespace astd::detail
