#include <astd/base/config.hpp>
#include <astd/runtime/timer_wheel.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <random>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace astd::detail {
namespace {

constexpr instant tick = 1 << 16;
constexpr instant second = 1'000'000'000;

struct test_timer : timer {
  std::size_t id = 0;
};

std::vector<test_timer*> advance(timer_wheel& wheel, instant now) {
  intrusive_list<timer> expired;
  wheel.advance(now, expired);
  std::vector<test_timer*> result;
  while (timer* t = expired.pop_front()) result.push_back(static_cast<test_timer*>(t));
  return result;
}

void set(timer_wheel& wheel, timer& t, instant deadline) {
  t.deadline = deadline;
  wheel.insert(t);
}

TEST(timer_wheel, empty_never_fires) {
  timer_wheel wheel;
  EXPECT_EQ(wheel.next_deadline(), never);
  EXPECT_TRUE(advance(wheel, 0).empty());
  EXPECT_TRUE(advance(wheel, never).empty());
  EXPECT_EQ(wheel.next_deadline(), never);
}

TEST(timer_wheel, fires_at_the_nanosecond_and_not_before) {
  for (instant delay :
       {instant{1}, instant{1000}, tick - 1, tick, tick + 1, second / 1000, second, 3600 * second}) {
    timer_wheel wheel;
    test_timer t;
    const instant start = 123'456'789'012;
    advance(wheel, start);
    set(wheel, t, start + delay);
    EXPECT_EQ(wheel.next_deadline(), start + delay);
    EXPECT_TRUE(advance(wheel, start + delay / 2).empty());
    EXPECT_TRUE(advance(wheel, start + delay - 1).empty());
    EXPECT_EQ(wheel.next_deadline(), start + delay);
    EXPECT_TRUE(t.linked());
    EXPECT_EQ(advance(wheel, start + delay), std::vector<test_timer*>{&t});
    EXPECT_FALSE(t.linked());
    EXPECT_EQ(wheel.next_deadline(), never);
  }
}

TEST(timer_wheel, passed_deadlines_fire_at_the_next_advance_even_if_time_stands_still) {
  timer_wheel wheel;
  advance(wheel, 10 * second);
  test_timer past, present, longest_ago;
  set(wheel, past, 3 * second);
  set(wheel, present, 10 * second);
  set(wheel, longest_ago, INT64_MIN);
  EXPECT_LE(wheel.next_deadline(), 3 * second);
  EXPECT_EQ(advance(wheel, 10 * second), (std::vector<test_timer*>{&past, &present, &longest_ago}));
  EXPECT_EQ(wheel.next_deadline(), never);
}

TEST(timer_wheel, a_clock_that_goes_back_counts_as_standing_still) {
  timer_wheel wheel;
  advance(wheel, 10 * second);
  test_timer t;
  set(wheel, t, 9 * second);
  EXPECT_EQ(advance(wheel, 8 * second).size(), 1u);
  set(wheel, t, 11 * second);
  EXPECT_TRUE(advance(wheel, 8 * second).empty());
  EXPECT_EQ(advance(wheel, 11 * second).size(), 1u);
}

TEST(timer_wheel, far_deadlines_cost_nothing_and_never_comes_last) {
  timer_wheel wheel;
  advance(wheel, 5);
  test_timer last, year, century;
  set(wheel, last, never);
  const instant a_year = 365 * 86400 * second;
  set(wheel, century, 100 * a_year);
  set(wheel, year, a_year);
  EXPECT_EQ(wheel.next_deadline(), a_year);
  EXPECT_TRUE(advance(wheel, a_year - 1).empty());
  EXPECT_EQ(advance(wheel, a_year), std::vector<test_timer*>{&year});
  EXPECT_EQ(wheel.next_deadline(), 100 * a_year);
  EXPECT_EQ(advance(wheel, 200 * a_year), std::vector<test_timer*>{&century});
  EXPECT_TRUE(advance(wheel, never - 1).empty());
  EXPECT_EQ(wheel.next_deadline(), never);
  EXPECT_TRUE(wheel.remove(last));
}

// next_deadline() may be too early when a timer was removed; a virtual clock would jump there.
TEST(timer_wheel, earliest_deadline_is_exact) {
  timer_wheel wheel;
  EXPECT_EQ(wheel.earliest_deadline(), never);
  test_timer soon, later, last;
  set(wheel, soon, 10 * second);
  set(wheel, later, 12 * second);
  set(wheel, last, 4000 * second);
  EXPECT_EQ(wheel.earliest_deadline(), 10 * second);
  EXPECT_TRUE(wheel.remove(soon));
  EXPECT_EQ(wheel.earliest_deadline(), 12 * second);
  EXPECT_TRUE(wheel.remove(later));
  EXPECT_EQ(wheel.earliest_deadline(), 4000 * second);
}

TEST(timer_wheel, instants_before_the_epoch) {
  timer_wheel wheel;
  advance(wheel, -5 * second);
  test_timer a, b;
  set(wheel, b, 1);
  set(wheel, a, -1);
  EXPECT_EQ(wheel.next_deadline(), -1);
  EXPECT_TRUE(advance(wheel, -2).empty());
  EXPECT_EQ(advance(wheel, -1), std::vector<test_timer*>{&a});
  EXPECT_EQ(advance(wheel, 1), std::vector<test_timer*>{&b});
}

TEST(timer_wheel, remove_tells_whether_it_was_in_time) {
  timer_wheel wheel;
  test_timer t, other;
  EXPECT_FALSE(wheel.remove(t));
  set(wheel, t, second);
  EXPECT_TRUE(wheel.remove(t));
  EXPECT_FALSE(t.linked());
  EXPECT_FALSE(wheel.remove(t));
  EXPECT_EQ(wheel.next_deadline(), never);
  EXPECT_TRUE(advance(wheel, 2 * second).empty());

  // Expired and not yet fired: it can still be taken back, by the wheel or by the list.
  set(wheel, t, second);
  set(wheel, other, second);
  intrusive_list<timer> expired;
  wheel.advance(3 * second, expired);
  EXPECT_TRUE(t.linked());
  test_timer late;
  set(wheel, late, never);
  EXPECT_TRUE(wheel.remove(t));
  EXPECT_EQ(expired.front(), &other);
  intrusive_list<timer>::erase(other);
  EXPECT_TRUE(expired.empty());
  EXPECT_FALSE(wheel.remove(other));
  EXPECT_TRUE(wheel.remove(late));
}

TEST(timer_wheel, timers_of_one_tick_in_the_order_of_insertion) {
  timer_wheel wheel;
  advance(wheel, 0);
  std::vector<std::unique_ptr<test_timer>> timers;
  const instant base = 77 * second / tick * tick;
  std::vector<test_timer*> expected;
  for (int i = 0; i < 100; ++i) {
    expected.push_back(timers.emplace_back(std::make_unique<test_timer>()).get());
    set(wheel, *expected.back(), base + (i * 7919) % tick);
    // Time passes between the insertions, so that they start on different levels.
    EXPECT_TRUE(advance(wheel, base / 101 * (i + 1)).empty());
  }
  EXPECT_EQ(advance(wheel, base + tick), expected);
}

// Every boundary between two slots and between two levels, from the inside and the outside, from several positions.
TEST(timer_wheel, cascades_at_every_boundary) {
  for (int bits = 16; bits < 63; ++bits) {
    for (const instant start : {instant{0}, (instant{1} << bits) - tick, (instant{1} << bits) - 1}) {
      for (const instant around :
           {-tick - 1, -tick, -tick + 1, instant{-1}, instant{0}, instant{1}, tick - 1, tick, tick + 1}) {
        const instant deadline = (instant{1} << bits) + around;
        if (deadline <= start) continue;
        for (const bool step : {false, true}) {
          timer_wheel wheel;
          advance(wheel, start);
          test_timer t;
          set(wheel, t, deadline);
          EXPECT_EQ(wheel.next_deadline(), deadline);
          if (step) {  // in leaps that halve the distance
            for (instant now = start; deadline - now > 1; now += (deadline - now) / 2) {
              ASSERT_TRUE(advance(wheel, now).empty()) << bits << ' ' << start << ' ' << deadline << ' ' << now;
              ASSERT_EQ(wheel.next_deadline(), deadline);
            }
          }
          ASSERT_TRUE(advance(wheel, deadline - 1).empty()) << bits << ' ' << start << ' ' << deadline;
          ASSERT_EQ(advance(wheel, deadline).size(), 1u) << bits << ' ' << start << ' ' << deadline;
        }
      }
    }
  }
}

TEST(timer_wheel, a_removed_minimum_wakes_at_most_once) {
  timer_wheel wheel;
  advance(wheel, 0);
  std::vector<test_timer> timers(1000);
  const instant base = 1000 * second;
  for (std::size_t i = 0; i < timers.size(); ++i) set(wheel, timers[i], base + static_cast<instant>(i) * 100);
  for (std::size_t i = 0; i + 1 < timers.size(); ++i) wheel.remove(timers[i]);
  const instant last = timers.back().deadline;
  int turns = 0;
  for (instant now = 0; now < last; ++turns) {
    const instant next = wheel.next_deadline();
    ASSERT_GT(next, now);
    ASSERT_LE(next, last);
    now = next;
    EXPECT_EQ(advance(wheel, now).size(), now == last ? 1u : 0u);
  }
  EXPECT_LE(turns, 3);
}

// The wheel against a sorted set. A timer's memory is given back as soon as it has fired or was removed, half of the
// time, so that the sanitizer sees it if the wheel still writes there.
class oracle {
 public:
  explicit oracle(unsigned seed, instant start) : random_(seed), now_(start) {
    EXPECT_TRUE(advance(wheel_, now_).empty());
  }
  ~oracle() {
    for (const entry& e : set_) delete e.t;
  }

  void run(int operations) {
    for (int i = 0; i < operations && !::testing::Test::HasFailure(); ++i) {
      switch (random_() % 8) {
        case 0:
        case 1:
        case 2: insert(); break;
        case 3:
        case 4: remove(); break;
        case 5: advance_to(later(leap())); break;
        case 6: advance_to(unless_never(wheel_.next_deadline())); break;
        default: advance_to(unless_never(earliest()) - static_cast<instant>(random_() % 3)); break;
      }
      check();
    }
    advance_to(never);
    EXPECT_TRUE(set_.empty());
  }

 private:
  struct entry {
    instant key;  // tick
    std::size_t number;
    test_timer* t;
    bool operator<(const entry& other) const { return std::tie(key, number) < std::tie(other.key, other.number); }
  };

  instant leap() {
    switch (random_() % 4) {
      case 0: return static_cast<instant>(random_() % 4);
      case 1: return static_cast<instant>(random_() % static_cast<unsigned>(tick));
      default:  // 2^47 ns are 39 hours; time must not come to its end too soon
        return static_cast<instant>(random_() >> (random_() % 64 == 0 ? 1 + random_() % 16 : 17 + random_() % 47));
    }
  }
  instant unless_never(instant time) { return time == never ? later(leap()) : time; }
  instant later(instant by) const { return now_ > never - by ? never : now_ + by; }

  void insert() {
    if (set_.size() > 300) return;
    for (std::uint64_t more = random_() % 4 == 0 ? random_() % 20 : 1; more; --more) {
      if (idle_.empty()) idle_.push_back(std::make_unique<test_timer>());
      insert(idle_.back().release());
      idle_.pop_back();
    }
  }
  void insert(test_timer* t) {
    t->deadline = later(leap());
    if (random_() % 10 == 0) t->deadline = now_ - leap();
    if (random_() % 20 == 0) t->deadline = never;
    if (!set_.empty() && random_() % 5 == 0)
      t->deadline = std::next(set_.begin(), random_() % set_.size())->t->deadline;
    set_.insert({std::max(t->deadline >> 16, now_ >> 16), ++number_, t});
    exact_ = exact_ || set_.size() == 1;
    wheel_.insert(*t);
  }
  void remove() {
    if (set_.empty()) {
      EXPECT_EQ(wheel_.next_deadline(), never);
      return;
    }
    const auto victim = std::next(set_.begin(), random_() % set_.size());
    EXPECT_TRUE(wheel_.remove(*victim->t));
    EXPECT_FALSE(wheel_.remove(*victim->t));
    retire(victim->t);
    set_.erase(victim);
    exact_ = false;
  }
  void advance_to(instant to) {
    if (to > now_) now_ = to;
    std::vector<test_timer*> expected;
    for (auto it = set_.begin(); it != set_.end() && it->key <= now_ >> 16;) {
      if (it->t->deadline <= now_) {
        expected.push_back(it->t);
        it = set_.erase(it);
      } else {
        ++it;
      }
    }
    intrusive_list<timer> expired;
    wheel_.advance(to, expired);
    for (test_timer* t : expected) {
      // Some are taken back at the last moment.
      if (random_() % 8 == 0)
        EXPECT_TRUE(wheel_.remove(*t));
      else
        EXPECT_EQ(expired.pop_front(), t);
      EXPECT_FALSE(t->linked());
      retire(t);
    }
    EXPECT_TRUE(expired.empty());
    if (now_ != never) {
      EXPECT_GT(wheel_.next_deadline(), now_);
    }
  }
  void retire(test_timer* t) {
    std::unique_ptr<test_timer> unused(t);
    if (random_() % 2 == 0) idle_.push_back(std::move(unused));
  }
  instant earliest() const {
    instant first = never;
    for (const entry& e : set_) first = std::min(first, e.t->deadline);
    return first;
  }
  void check() {
    if (exact_)
      EXPECT_EQ(wheel_.next_deadline(), earliest());
    else
      EXPECT_LE(wheel_.next_deadline(), earliest());
  }

  std::mt19937_64 random_;
  instant now_;
  timer_wheel wheel_;
  std::set<entry> set_;
  std::vector<std::unique_ptr<test_timer>> idle_;
  std::size_t number_ = 0;
  bool exact_ = true;  // nothing was removed since the wheel was empty
};

TEST(timer_wheel, does_what_a_sorted_set_does) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    // A leap to `never` ends time: several short lives, from different positions.
    for (unsigned life = 0; life < 50; ++life)
      oracle(seed * 1000 + life, static_cast<instant>(std::mt19937_64(seed + life)()) >> (life % 60 + 2))
          .run(ASTD_SANITIZED ? 500 : 2000);
  }
}

TEST(timer_wheel, a_million_timers) {
  constexpr std::size_t count = ASTD_SANITIZED ? 100'000 : 1'000'000;
  timer_wheel wheel;
  advance(wheel, 17 * second);
  std::vector<test_timer> timers(count);
  std::mt19937_64 random(1);
  for (test_timer& t : timers) set(wheel, t, 17 * second + static_cast<instant>(random() % (100 * second)));
  for (std::size_t i = 0; i < count; i += 2) EXPECT_TRUE(wheel.remove(timers[i]));
  std::size_t fired = 0;
  instant last = 0;
  for (instant now = 17 * second; fired < count / 2;) {
    now = std::max(wheel.next_deadline(), now + 10'000'000);
    for (test_timer* t : advance(wheel, now)) {
      ASSERT_LE(t->deadline, now);
      ASSERT_LE(last >> 16, t->deadline >> 16);
      last = t->deadline;
      ++fired;
    }
  }
  EXPECT_EQ(wheel.next_deadline(), never);
}

}  // namespace
}  // namespace astd::detail
