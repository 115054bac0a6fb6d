#include <astd/sync/lock_several.hpp>

#include <algorithm>

namespace astd::detail {
namespace {

// All but the one at `first`, which is held. Which one could not be had, then none is held any more; or how many there
// are.
std::size_t try_others(std::span<one_lock* const> all, std::size_t first) {
  for (std::size_t n = 1; n != all.size(); ++n) {
    const std::size_t i = (first + n) % all.size();
    if (all[i]->try_take()) continue;
    for (std::size_t back = 0; back != n; ++back) all[(first + back) % all.size()]->give_back();
    return i;
  }
  return all.size();
}

}  // namespace

bool are_distinct(std::initializer_list<const void*> locks) noexcept {
  for (auto one = locks.begin(); one != locks.end(); ++one)
    if (std::find(one + 1, locks.end(), *one) != locks.end()) return false;
  return true;
}

// As std::lock does it: the next to be waited for is the one that was in the way.
task<> take_all(std::span<one_lock* const> all) {
  std::size_t first = 0;
  do {
    const std::size_t waited_for = first;
    co_await all[waited_for]->take();
    first = try_others(all, waited_for);
  } while (first != all.size());
}

bool try_take_all(std::span<one_lock* const> all) { return all[0]->try_take() && try_others(all, 0) == all.size(); }

}  // namespace astd::detail
