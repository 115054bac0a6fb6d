#include <astd/mutex.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <bench/measure.hpp>
#include <bench/waiting_bench.hpp>

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {
namespace {

astd::task<> lock(std::uint64_t count) {
  astd::mutex m;
  std::uint64_t sum = 0;
  auto work = [&]() -> astd::task<> {
    for (std::uint64_t i = 0; i < count; ++i) {
      auto const guard = co_await m.lock();
      ++sum;
    }
  };
  co_await measure("lock", count, work);
  check(sum % count == 0, "lock");
}

astd::task<> lock_often(astd::mutex& m, std::uint64_t& sum, std::uint64_t count, bool yields) {
  for (std::uint64_t i = 0; i < count; ++i) {
    auto const guard = co_await m.lock();
    ++sum;
    if (yields) co_await astd::this_task::yield();
  }
}

astd::task<> lock_by_four(char const* name, std::uint64_t count, bool yields) {
  astd::mutex m;
  std::uint64_t sum = 0;
  auto work = [&]() -> astd::task<> {
    std::vector<astd::join_handle<>> handles;
    for (int i = 0; i < 4; ++i) handles.push_back(astd::spawn(lock_often(m, sum, count, yields)));
    for (auto& handle : handles) co_await std::move(handle);
  };
  co_await measure(name, 4 * count, work);
  check(sum % (4 * count) == 0, name);
}

}  // namespace

astd::task<bool> waiting(arguments what) {
  std::string_view const name = what.name();
  if (name == "lock") {
    co_await lock(what.number(0, 5'000'000));
  } else if (name == "lock_shared") {
    co_await lock_by_four("lock_shared", what.number(0, 250'000), false);
  } else if (name == "lock_held") {
    co_await lock_by_four("lock_held", what.number(0, 100'000), true);
  } else {
    co_return false;
  }
  co_return true;
}

}  // namespace bench
