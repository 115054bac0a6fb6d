// For this room's tests: a loop of one thread over one driver, operations that note their end, a blocking pool of one
// thread, and the list of drivers that every test runs on.
#pragma once

#include <astd/base/spin_lock.hpp>
#include <astd/driver/driver.hpp>
#include <astd/driver/sim/machine.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

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
  virtual ~test_operation() = default;
  void note() noexcept;
  bool has_ended() const { return ended.load(std::memory_order_acquire); }

  std::atomic<bool> ended{false};
  test_loop* loop = nullptr;
};

struct receiving : test_operation {
  receiving(int descriptor, void* data, std::size_t size, int flags = 0)
      : test_operation(opcode::recv, descriptor) {
    args.transfer = {data, size, flags, 0};
  }
};
struct sending : test_operation {
  sending(int descriptor, const void* data, std::size_t size, int flags = 0)
      : test_operation(opcode::send, descriptor) {
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

/// An accept_many that takes its connections as soon as it is told of them; ended with `result`.
struct accepting : test_operation {
  explicit accepting(int listener) : test_operation(opcode::accept_many, listener) {
    completed = [](operation& op) noexcept { static_cast<accepting&>(op).take(); };
  }
  void take() noexcept;
  std::vector<int> taken;
  bool hold = false;   // take nothing for now
  bool asked = false;  // `completed` was called, and it has not been told that there is none for now
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

/// What make_driver() takes, and more.
struct test_options : options {
  bool old_kernel = false;  // the ring as on the oldest kernel that will do
};

/// What a runtime's loop does, without tasks. Belongs to the thread that made it. On a simulated machine (options::machine)
/// a turn is the next event of its world.
struct test_loop {
  explicit test_loop(const test_options& wanted);
  ~test_loop();

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
  sim::machine* const machine;  // null: a real one
  selected made;
  driver& d;
  const std::thread::id home = std::this_thread::get_id();
};

/// A driver to run on.
struct setup {
  const char* name;
  choice want;
  bool shared = true;
  bool old_kernel = false;
};
void PrintTo(const setup& value, std::ostream* out);

/// Whether this process is ended for asking for io_uring (confined.SIGSYS, cmake/tests.cmake).
bool asking_is_deadly();

class on_each_driver : public ::testing::TestWithParam<setup> {
 protected:
  ~on_each_driver() override;
  void SetUp() override;
  [[nodiscard]] test_options wanted();
  [[nodiscard]] bool is_epoll() const { return GetParam().want == choice::epoll; }
  [[nodiscard]] bool is_sim() const { return GetParam().want == choice::sim; }
  tiny_pool pool;

  // Where is_sim(): a world with one machine, whose turn it is as long as the test runs.
  std::unique_ptr<sim::world> world;
  sim::machine* machine = nullptr;
  std::optional<sim::machine::turn> on_machine;
};

inline constexpr setup all_setups[] = {
    {"epoll", choice::epoll},
    {"uring", choice::uring},
    {"uring_alone", choice::uring, false},
    {"uring_old", choice::uring, true, true},
};

/// What promises the same on each: see the tests of conformance.
inline constexpr setup conforming_setups[] = {all_setups[0], all_setups[1], all_setups[3], {"sim", choice::sim}};

/// Those that another thread may help.
inline constexpr setup shared_setups[] = {all_setups[0], all_setups[1], all_setups[3]};
inline constexpr setup ring_setups[] = {all_setups[1], all_setups[2], all_setups[3]};

#define ASTD_ON_DRIVERS(suite, setups)                                                           \
  INSTANTIATE_TEST_SUITE_P(drivers, suite, ::testing::ValuesIn(::astd::driver::testing::setups), \
                           [](const auto& tested) { return std::string(tested.param.name); })
#define ASTD_ON_EACH_DRIVER(suite) ASTD_ON_DRIVERS(suite, all_setups)

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

/// A driver as `wanted`.
selected make_test_driver(const test_options& wanted);

/// How many descriptors this process has open.
int open_descriptors();

}  // namespace astd::driver::testing
