#include <astd/condition_variable.hpp>
#include <astd/locked.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;

static_assert(std::is_same_v<decltype(*std::declval<locked_guard<int>&>()), int&>);
static_assert(std::is_same_v<decltype(*std::declval<shared_locked_guard<int>&>()), int&>);
static_assert(std::is_same_v<decltype(*std::declval<shared_locked_shared_guard<int>&>()), const int&>);
static_assert(std::is_same_v<decltype(*std::declval<shared_locked_upgrade_guard<int>&>()), const int&>);

ASTD_TEST(locked, gives_its_value_with_the_lock) {
  locked<std::vector<int>> numbers;
  {
    auto guard = co_await numbers.lock();
    guard->push_back(1);
    (*guard).push_back(2);
    EXPECT_FALSE(numbers.try_lock().has_value());
    auto moved = std::move(guard);
    EXPECT_FALSE(guard.owns_lock());  // NOLINT: what a moved-from guard is, is specified
    EXPECT_EQ(moved->size(), 2u);
  }
  {
    auto guard = numbers.try_lock();
    EXPECT_TRUE(guard.has_value());
    (*guard)->push_back(3);
  }
  numbers.lock_blocking()->push_back(4);
  numbers.unguarded().push_back(5);
  const auto all = std::move(numbers).into_inner();
  EXPECT_EQ(all, (std::vector{1, 2, 3, 4, 5}));
}

ASTD_TEST(locked, holds_what_cannot_be_moved_or_copied) {
  struct fixed {
    fixed(int a, int b) : sum(a + b) {}
    fixed(const fixed&) = delete;
    int sum;
  };
  locked<fixed> value(std::in_place, 1, 2);
  auto guard = co_await value.lock();
  EXPECT_EQ(guard->sum, 3);
  locked<std::unique_ptr<int>> moved(std::make_unique<int>(1));
  EXPECT_EQ(*std::move(moved).into_inner(), 1);
}

ASTD_TEST(locked, a_guard_of_a_part_holds_the_whole) {
  struct person {
    std::string name;
    int age = 0;
  };
  locked<person> p(person{"Ada", 36});
  auto guard = co_await p.lock();
  auto name = guard.map([](person& of) -> std::string& { return of.name; });
  EXPECT_FALSE(guard.owns_lock());
  EXPECT_EQ(*name, "Ada");
  EXPECT_FALSE(p.try_lock().has_value());
  name.unlock();
  EXPECT_TRUE(p.try_lock().has_value());
}

ASTD_TEST(locked, only_one_has_it) {
  locked<int> sum(0);
  auto adds = [](locked<int>& to) -> task<> {
    for (int i = 0; i < 100; ++i) {
      auto guard = co_await to.lock();
      const int before = *guard;
      if (i % 8 == 0) co_await this_task::yield();
      *guard = before + 1;
    }
  };
  std::vector<join_handle<>> all;
  for (int i = 0; i < 50; ++i) all.push_back(spawn(adds, std::ref(sum)));
  for (auto& h : all) co_await h;
  EXPECT_EQ(sum.unguarded(), 5000);
}

ASTD_TEST(locked, its_guard_is_one_for_a_condition_variable) {
  locked<std::vector<int>> queue;
  condition_variable filled;
  auto takes = [](locked<std::vector<int>>& from, condition_variable& cv) -> task<int> {
    auto guard = co_await from.lock();
    while (guard->empty()) co_await cv.wait(guard);
    co_return guard->back();
  };
  auto h = spawn(takes, std::ref(queue), std::ref(filled));
  co_await this_task::yield();
  {
    auto guard = co_await queue.lock();
    guard->push_back(9);
  }
  filled.notify_one();
  const int got = co_await h;
  EXPECT_EQ(got, 9);
}

ASTD_TEST(shared_locked, is_read_by_many_and_written_by_one) {
  shared_locked<std::string> text("a");
  {
    auto first = co_await text.lock_shared();
    auto second = text.try_lock_shared();
    EXPECT_TRUE(second.has_value());
    EXPECT_EQ(*first + **second, "aa");
    EXPECT_FALSE(text.try_lock().has_value());
    auto looking = co_await text.lock_upgrade();
    EXPECT_FALSE(text.try_lock_upgrade().has_value());
    EXPECT_FALSE(looking.try_upgrade().has_value());
    first.unlock();
    second.reset();
    auto writing = co_await looking.upgrade();
    *writing += 'b';
    looking = writing.downgrade_to_upgradable();
    auto again = looking.try_upgrade();
    EXPECT_TRUE(again.has_value());
    **again += 'c';
    auto reading = again->downgrade();
    EXPECT_EQ(*reading, "abc");
    auto size = reading.map([](const std::string& s) -> const char& { return s.front(); });
    EXPECT_EQ(*size, 'a');
    EXPECT_FALSE(text.try_lock().has_value());
  }
  {
    auto writing = co_await timeout(1h, text.lock());
    writing->clear();
  }
  *text.lock_blocking() = "x";
  EXPECT_EQ(*text.lock_shared_blocking(), "x");
  {
    auto looking = text.lock_upgrade_blocking();
    auto writing = looking.upgrade_blocking();
    *writing += 'y';
  }
  EXPECT_EQ(std::move(text).into_inner(), "xy");
}

}  // namespace
