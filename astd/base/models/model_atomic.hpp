// Relacy's atomic in the place of std::atomic, and a way to weaken the memory order of a single operation in the
// code under test: a model that passes all the same has not shown that the order is needed.
#pragma once

// clang-format off: the standard's headers cannot be read under Relacy's macros.
#include <atomic>
#include <source_location>
#include <span>
#include <string_view>

#include <relacy/relacy.hpp>
// clang-format on

// Relacy puts macros in the place of half a dozen words of C and C++; we name its types instead.
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst
#undef assert
#undef errno
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free

namespace astd::models {

/// What an order gives. Weakening takes one of them away.
enum property : unsigned { acquiring = 1, releasing = 2, totally_ordered = 4 };

/// The operations of the files under test are told apart by their lines. An array, since Relacy counts allocations.
struct line_under_test {
  std::source_location where;
  unsigned asked_for = 0;  // the properties that the operation has asked for so far
};
inline std::span<const char* const> files_under_test;  // by the ends of their names
inline constexpr unsigned most_lines = 1000;           // of each
inline constexpr unsigned most_files = 8;
inline line_under_test lines[most_files][most_lines];
inline const line_under_test* weak_line = nullptr;  // the operation that is weakened,
inline unsigned weakened_by = 0;                    // by these properties

/// What the calling thread does right before an operation: how a model has it read or write plain memory there, as the code
/// under test does with pointers and lists that are none of Relacy's variables. Null: nothing.
inline void (*beforehand)(std::source_location at) = nullptr;

inline rl::memory_order translate(unsigned properties, std::source_location at) {
  for (unsigned file = 0; file != files_under_test.size(); ++file) {
    if (!std::string_view(at.file_name()).ends_with(files_under_test[file])) continue;
    line_under_test& line = lines[file][at.line()];
    line.where = at;
    line.asked_for |= properties;
    if (&line == weak_line) properties &= ~(weakened_by | totally_ordered);
  }
  if (properties & totally_ordered) return rl::mo_seq_cst;
  switch (properties) {
    case acquiring | releasing: return rl::mo_acq_rel;
    case acquiring: return rl::mo_acquire;
    case releasing: return rl::mo_release;
    default: return rl::mo_relaxed;
  }
}

inline unsigned properties_of(std::memory_order order, unsigned possible) {
  switch (order) {
    case std::memory_order_relaxed: return 0;
    case std::memory_order_consume:
    case std::memory_order_acquire: return acquiring & possible;
    case std::memory_order_release: return releasing & possible;
    case std::memory_order_acq_rel: return (acquiring | releasing) & possible;
    default: return possible | totally_ordered;
  }
}

template <class T>
class model_atomic {
  using where = std::source_location;

 public:
  model_atomic(T initial = T()) { value_.store(initial, rl::mo_relaxed, $); }

  T load(std::memory_order order, where at = where::current()) const {
    if (beforehand) beforehand(at);
    return value_.load(translate(properties_of(order, acquiring), at), $);
  }
  void store(T value, std::memory_order order, where at = where::current()) {
    if (beforehand) beforehand(at);
    value_.store(value, translate(properties_of(order, releasing), at), $);
  }
  T exchange(T value, std::memory_order order, where at = where::current()) {
    if (beforehand) beforehand(at);
    return value_.exchange(value, translate(properties_of(order, acquiring | releasing), at), $);
  }
  T fetch_add(T value, std::memory_order order, where at = where::current()) {
    if (beforehand) beforehand(at);
    return value_.fetch_add(value, translate(properties_of(order, acquiring | releasing), at), $);
  }
  T fetch_sub(T value, std::memory_order order, where at = where::current()) {
    if (beforehand) beforehand(at);
    return value_.fetch_sub(value, translate(properties_of(order, acquiring | releasing), at), $);
  }
  T fetch_or(T value, std::memory_order order, where at = where::current()) {
    if (beforehand) beforehand(at);
    return value_.fetch_or(value, translate(properties_of(order, acquiring | releasing), at), $);
  }
  T fetch_and(T value, std::memory_order order, where at = where::current()) {
    if (beforehand) beforehand(at);
    return value_.fetch_and(value, translate(properties_of(order, acquiring | releasing), at), $);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order, where at = where::current()) {
    return compare_exchange_strong(expected, desired, order, order, at);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               where at = where::current()) {
    if (beforehand) beforehand(at);
    const rl::memory_order yes = translate(properties_of(success, acquiring | releasing), at);
    const rl::memory_order no = translate(properties_of(failure, acquiring), at);
    for (const T wanted = expected;; expected = wanted) {
      if (value_.compare_exchange_strong(expected, desired, yes, $, rl::mo_relaxed, $)) return true;
      if (acquired(expected, no)) return false;
    }
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                             where at = where::current()) {
    if (beforehand) beforehand(at);
    const rl::memory_order yes = translate(properties_of(success, acquiring | releasing), at);
    const rl::memory_order no = translate(properties_of(failure, acquiring), at);
    if (value_.compare_exchange_weak(expected, desired, yes, $, rl::mo_relaxed, $)) return true;
    while (!acquired(expected, no)) expected = value_.load(rl::mo_relaxed, $);
    return false;
  }
  void wait(T old, std::memory_order order, where at = where::current()) const {
    while (load(order, at) == old) rl::yield(1, $);
  }
  void notify_all() noexcept {}

 private:
  // Relacy's compare-exchange, when it fails, reads the newest value but acquires from any: we read it again by an
  // operation that can only read the newest. False: that is another one meanwhile.
  bool acquired(T& seen, rl::memory_order order) {
    if (order == rl::mo_relaxed) return true;
    T again = seen;
    return value_.compare_exchange_strong(again, again, order, $, rl::mo_relaxed, $);
  }

  rl::atomic<T> value_;
};

}  // namespace astd::models

#define ASTD_ATOMIC astd::models::model_atomic
