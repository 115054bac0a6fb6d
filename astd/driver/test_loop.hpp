// For this room's tests: a loop of one thread over one driver, operations that note their end, a blocking pool of one
// thread, and the list of drivers that every test runs on.
#pragma once

#include <astd/base/spin_lock.hpp>
#include <astd/driver/driver.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>

namespace astd::driver::testing {

struct test_loop;

struct test_operation : operation {
  explicit test_operation(opcode wanted, int descriptor = -1) {
    code = wanted;
    fd = descriptor;
    completed = [](operation& op) noexcept { static_cast<test_operation&>(op).note(); };
  }
  void note() noexcept;
  bool has_ended() const { return ended.load(std::memory_order_acquire); }

  std::atomic<bool> ended{false};
  test_loop* loop = nullptr;
};

struct receiving : test_operation {
  receiving(int descriptor, void* data, std::size_t size, int flags = 0) : test_operation(opcode::recv, descriptor) {
    args.transfer = {data, size, flags, 0};
  }
};
struct sending : test_operation {
  sending(int descriptor, const void* data, std::size_t size, int flags = 0) : test_operation(opcode::send, descriptor) {
    args.transfer = {const_cast<void*>(data), size, flags, 0};
  }
};
struct transferring : test_operation {
  transferring(opcode wanted, int descriptor, const void* data, std::size_t size, std::int64_t offset)
      : test_operation(wanted, descriptor) {
    args.transfer = {const_cast<void*>(data), size, 0, offset};
  }
};
struct polling : test_operation {
  polling(int descriptor, int events) : test_operation(opcode::poll, descriptor) { args.value = events; }
};

/// One thread that performs what it is given, when it is let.
class tiny_pool final : public blocking_executor {
 public:
  tiny_pool();
  ~tiny_pool();
  void execute(operation& op) noexcept override;
  bool withdraw(operation& op) noexcept override;
  /// Nothing is started until let_go().
  void hold();
  void let_go();
  [[nodiscard]] int executed() const { return executed_.load(); }

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<operation*> waiting_;
  bool held_ = false, stop_ = false;
  std::atomic<int> executed_{0};
  std::thread thread_;
};

/// What a runtime's loop does, without tasks. Belongs to the thread that made it.
struct test_loop {
  explicit test_loop(const options& wanted);

  bool submit(test_operation& op);
  void cancel(operation& op);
  /// Takes what has ended and calls `completed`; true if there was anything.
  bool collect(bool owner = true);
  /// One turn: sleeps until `deadline` at most if nothing has ended.
  void turn(detail::instant deadline = detail::never);
  /// Turns until `op` has ended; its result.
  std::int32_t finish(test_operation& op);
  /// Submits and finishes.
  std::int32_t run(test_operation& op);
  std::int32_t run(test_operation&& op) { return run(op); }

  detail::spin_lock lock;
  selected made;
  driver& d;
};

/// A driver to run on: which, and whether shared.
struct setup {
  choice want;
  bool shared;
};
std::string setup_name(const ::testing::TestParamInfo<setup>& info);

class on_each_driver : public ::testing::TestWithParam<setup> {
 protected:
  void SetUp() override;
  [[nodiscard]] options wanted() { return {.want = GetParam().want, .shared = GetParam().shared, .blocking = &pool}; }
  [[nodiscard]] bool is_epoll() const { return GetParam().want == choice::epoll; }
  tiny_pool pool;
};

#define ASTD_ON_EACH_DRIVER(suite)                                                                                    \
  INSTANTIATE_TEST_SUITE_P(drivers, suite,                                                                             \
                           ::testing::Values(::astd::driver::testing::setup{::astd::driver::choice::epoll, true},      \
                                             ::astd::driver::testing::setup{::astd::driver::choice::uring, true},      \
                                             ::astd::driver::testing::setup{::astd::driver::choice::uring, false}),    \
                           ::astd::driver::testing::setup_name)

/// Two ends of a connection, closed at the end if still open.
struct pair {
  explicit pair(int type = SOCK_STREAM);
  pair(int a, int b) : ends{a, b} {}
  ~pair();
  pair(const pair&) = delete;
  pair& operator=(const pair&) = delete;
  int ends[2];
};

/// A listening socket on 127.0.0.1, made through `loop`.
struct listening {
  explicit listening(test_loop& loop, int backlog = 128);
  ~listening();
  listening(const listening&) = delete;
  listening& operator=(const listening&) = delete;
  /// A connection to it by plain blocking calls.
  [[nodiscard]] int dial() const;
  int fd = -1;
  sockaddr_in address{};
};

/// Closes through `loop`.
void close_in(test_loop& loop, int fd);

/// How many descriptors this process has open.
int open_descriptors();

}  // namespace astd::driver::testing
