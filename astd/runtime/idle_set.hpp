// Which workers sleep, and how many look for work: what decides whether a wake is needed.
//
// No wake is lost: who announces work does so by a sequentially consistent operation and then reads this; a worker that
// stops searching or goes to sleep says so here by a sequentially consistent read-modify-write and then looks at all
// queues once more. In the total order of these, one of the two sees the other. A worker that pushes for itself looks
// without such an operation first, and announces if it sees that it should (worker::push).
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/config.hpp>

#include <bit>
#include <cstdint>
#include <utility>

namespace astd::detail {

template <unsigned MostWorkers>
class alignas(cache_line_pair) basic_idle_set {
  static_assert(MostWorkers % 64 == 0);

 public:
  static constexpr unsigned most_workers = MostWorkers;
  explicit basic_idle_set(unsigned workers) noexcept : used_words_((workers + 63) / 64) {}

  /// For worker `i`, which has found nothing: calls sleep(), unless any_work() says that there is something after all.
  /// It says so after all pushers can see that `i` sleeps. `searching`: whether the worker counts as searching; it may
  /// do so afterwards that did not before. False: it has not slept.
  template <class AnyWork, class Sleep>
  bool sleep(unsigned i, bool& searching, AnyWork any_work, Sleep sleep) noexcept {
    enter(i, searching);
    const bool slept = !any_work();
    if (slept) sleep();
    if (!leave(i)) searching = true;
    return slept;
  }

  /// The two ends of sleep(), for whoever sleeps without a thread. Between them, once more, it is asked for work.
  void enter(unsigned i, bool& searching) noexcept {
    if (std::exchange(searching, false)) stop_searching();
    words_[i / 64].fetch_or(bit(i), std::memory_order_seq_cst);
  }
  /// Worker `i` is awake again. True: by itself. False: somebody has claimed it, and it counts as searching.
  bool leave(unsigned i) noexcept { return words_[i / 64].fetch_and(~bit(i), std::memory_order_relaxed) & bit(i); }

  /// A glance: whether a push may need to wake somebody. Too early after another thread's step it may see the state
  /// before.
  [[nodiscard]] bool wants_work() const noexcept {
    if (searching_.load(std::memory_order_relaxed) > 0) return false;
    for (unsigned w = 0; w < used_words_; ++w)
      if (words_[w].load(std::memory_order_relaxed)) return true;
    return false;
  }

  /// For a pusher: a sleeper that is to be woken, or -1 if none is needed: somebody searches, or nobody sleeps. The
  /// claimed one counts as searching from now on.
  int claim() noexcept {
    if (searching_.load(std::memory_order_seq_cst) > 0) return -1;
    for (unsigned w = 0; w < used_words_; ++w) {
      std::uint64_t asleep = words_[w].load(std::memory_order_seq_cst);
      while (asleep) {
        // The lowest number first: the same few workers stay awake. relaxed, here and below: it decides whose the sleeper
        // is, and hands nothing over.
        const unsigned b = static_cast<unsigned>(std::countr_zero(asleep));
        const std::uint64_t before = words_[w].fetch_and(~bit(b), std::memory_order_relaxed);
        if (before & bit(b)) {
          searching_.fetch_add(1, std::memory_order_relaxed);
          return static_cast<int>(w * 64 + b);
        }
        asleep = before;
      }
    }
    return -1;
  }

  /// Whether one more may search: at most half of the workers do.
  bool start_searching(unsigned workers) noexcept {
    if (2 * searching_.load(std::memory_order_relaxed) >= static_cast<std::int32_t>(workers)) return false;
    searching_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  /// True: it was the last one.
  bool stop_searching() noexcept { return searching_.fetch_sub(1, std::memory_order_seq_cst) <= 1; }

 private:
  const unsigned used_words_;
  static constexpr std::uint64_t bit(unsigned i) noexcept { return std::uint64_t(1) << (i % 64); }
  // Below zero for a moment if one that was claimed has woken by itself and stops searching before claim() has counted it:
  // then nobody searches, and there is nobody to rely on.
  atomic<std::int32_t> searching_{0};
  atomic<std::uint64_t> words_[most_workers / 64] = {};
};

using idle_set = basic_idle_set<512>;

}  // namespace astd::detail
