// Relacy's atomic in the place of std::atomic, and a way to weaken the memory order of a single operation in the
// code under test: a model that passes all the same has not shown that the order is needed.
#pragma once

// clang-format off: the standard's headers cannot be read under Relacy's macros.
#include <atomic>
#include <source_location>
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

// The operations of the file under test are told apart by their lines. Arrays, since Relacy counts allocations.
inline const char* file_under_test = "";
inline constexpr unsigned most_lines = 1000;
inline unsigned asked_for[most_lines] = {};  // the properties that the operation at a line has asked for so far
inline unsigned weak_line = 0;               // the operation that is weakened,
inline unsigned weakened_by = 0;             // by these properties

inline rl::memory_order translate(unsigned properties, std::source_location at) {
  if (std::string_view(at.file_name()).ends_with(file_under_test)) {
    asked_for[at.line()] |= properties;
    if (at.line() == weak_line) properties &= ~(weakened_by | totally_ordered);
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
    return value_.load(translate(properties_of(order, acquiring), at), $);
  }
  void store(T value, std::memory_order order, where at = where::current()) {
    value_.store(value, translate(properties_of(order, releasing), at), $);
  }
  T exchange(T value, std::memory_order order, where at = where::current()) {
    return value_.exchange(value, translate(properties_of(order, acquiring | releasing), at), $);
  }
  T fetch_add(T value, std::memory_order order, where at = where::current()) {
    return value_.fetch_add(value, translate(properties_of(order, acquiring | releasing), at), $);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               where at = where::current()) {
    const rl::memory_order yes = translate(properties_of(success, acquiring | releasing), at);
    const rl::memory_order no = translate(properties_of(failure, acquiring), at);
    return value_.compare_exchange_strong(expected, desired, yes, $, no, $);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                             where at = where::current()) {
    const rl::memory_order yes = translate(properties_of(success, acquiring | releasing), at);
    const rl::memory_order no = translate(properties_of(failure, acquiring), at);
    return value_.compare_exchange_weak(expected, desired, yes, $, no, $);
  }

 private:
  rl::atomic<T> value_;
};

}  // namespace astd::models

#define ASTD_ATOMIC astd::models::model_atomic
