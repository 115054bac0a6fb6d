#include <astd/channel.hpp>
#include <astd/future.hpp>
#include <astd/mutex.hpp>
#include <astd/semaphore.hpp>
#include <astd/shared_mutex.hpp>
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

astd::task<> read_and_write_often(astd::shared_mutex& m, std::uint64_t& sum, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i % 100 == 0) {
      auto const guard = co_await m.lock();
      ++sum;
    } else {
      auto const guard = co_await m.lock_shared();
      check(sum <= ~std::uint64_t{0} / 2, "rwlock");
    }
  }
}

/// Four tasks, of whose uses one in a hundred writes.
astd::task<> read_and_write(std::uint64_t count) {
  astd::shared_mutex m;
  std::uint64_t sum = 0;
  auto work = [&]() -> astd::task<> {
    std::vector<astd::join_handle<>> handles;
    for (int i = 0; i < 4; ++i) handles.push_back(astd::spawn(read_and_write_often(m, sum, count)));
    for (auto& handle : handles) co_await std::move(handle);
  };
  co_await measure("rwlock", 4 * count, work);
}

astd::task<> take_often(astd::counting_semaphore<>& permits, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    auto const permit = co_await permits.acquire_permit();
    co_await astd::this_task::yield();
  }
}

/// Eight tasks share four permits, and yield with each.
astd::task<> semaphore(std::uint64_t count) {
  astd::counting_semaphore<> permits(4);
  auto work = [&]() -> astd::task<> {
    std::vector<astd::join_handle<>> handles;
    for (int i = 0; i < 8; ++i) handles.push_back(astd::spawn(take_often(permits, count)));
    for (auto& handle : handles) co_await std::move(handle);
  };
  co_await measure("semaphore", 8 * count, work);
}

struct question {
  std::uint64_t value;
  astd::promise<std::uint64_t> reply;
};

astd::task<> answer_questions(astd::receiver<question> questions) {
  for (;;) {
    auto one = co_await questions.recv();
    if (!one) co_return;
    one->reply.set_value(one->value + 1);
  }
}

/// One task asks another, through a channel, and waits for the reply.
astd::task<> request(std::uint64_t count) {
  auto [asking, asked] = astd::channel<question>(64);
  auto server = astd::spawn(answer_questions(std::move(asked)));
  auto work = [&]() -> astd::task<> {
    for (std::uint64_t i = 0; i < count; ++i) {
      question one{i, astd::promise<std::uint64_t>()};
      auto answer = one.reply.get_future();
      co_await asking.send(std::move(one));
      auto const value = co_await answer;
      check(value == i + 1, "request");
    }
  };
  co_await measure("request", count, work);
  asking.close();
  co_await server;
}

constexpr std::uint64_t broadcast_messages = 100;

astd::task<> hear_all(astd::broadcast_receiver<std::uint64_t> receiver) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < broadcast_messages; ++i) {
    auto const message = co_await receiver.recv();
    sum += message.value();
  }
  check(sum == broadcast_messages * (broadcast_messages - 1) / 2, "broadcast");
}

astd::task<> broadcast_to(std::uint64_t receivers) {
  auto work = [&]() -> astd::task<> {
    auto [sender, unused] = astd::broadcast_channel<std::uint64_t>(broadcast_messages);
    std::vector<astd::join_handle<>> handles;
    for (std::uint64_t i = 0; i < receivers; ++i) handles.push_back(astd::spawn(hear_all(sender.subscribe())));
    for (std::uint64_t i = 0; i < broadcast_messages; ++i) {
      sender.send(i);
      co_await astd::this_task::yield();
    }
    for (auto& handle : handles) co_await std::move(handle);
  };
  co_await measure("broadcast", receivers * broadcast_messages, work);
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
  } else if (name == "rwlock") {
    co_await read_and_write(what.number(0, 250'000));
  } else if (name == "semaphore") {
    co_await semaphore(what.number(0, 50'000));
  } else if (name == "broadcast") {
    co_await broadcast_to(what.number(0, 1000));
  } else if (name == "request") {
    co_await request(what.number(0, 200'000));
  } else {
    co_return false;
  }
  co_return true;
}

}  // namespace bench
