#include <astd/driver/test_loop.hpp>
#if ASTD_HAS_URING
#include <astd/driver/uring/uring_driver.hpp>
#endif

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ostream>

#include <arpa/inet.h>
#include <dirent.h>
#include <unistd.h>

namespace astd::driver::testing {

void test_operation::note() noexcept {
  // The pool's thread notes the end while the loop sleeps. Under the lock, so that the loop outlives the wake.
  detail::spin_guard guard(loop->lock);
  test_loop& l = *loop;
  ended.store(true, std::memory_order_release);
  if (std::this_thread::get_id() != l.home) l.d.wake();
}

void accepting::take() noexcept {
  test_loop& l = *loop;
  std::int32_t got;
  {
    // What it may be told next, by another thread, comes after -EAGAIN and takes the lock first.
    detail::spin_guard guard(l.lock);
    asked = true;
    if (hold) return;
    while ((got = l.d.next_connection(*this)) >= 0) taken.push_back(got);
    if (got == -EAGAIN) asked = false;
  }
  if (std::this_thread::get_id() != l.home) l.d.wake();
  if (got == -EAGAIN) return;
  result = got;
  note();
}

tiny_pool::tiny_pool() : thread_([this] { run(); }) {}

tiny_pool::~tiny_pool() {
  {
    std::lock_guard guard(mutex_);
    stop_ = true;
    held_ = false;
  }
  changed_.notify_all();
  thread_.join();
}

void tiny_pool::execute(operation& op) noexcept {
  std::lock_guard guard(mutex_);
  waiting_.push_back(&op);
  changed_.notify_all();
}

bool tiny_pool::withdraw(operation& op) noexcept {
  std::lock_guard guard(mutex_);
  auto found = std::find(waiting_.begin(), waiting_.end(), &op);
  if (found == waiting_.end()) return false;
  waiting_.erase(found);
  return true;
}

void tiny_pool::hold() {
  std::lock_guard guard(mutex_);
  held_ = true;
}

void tiny_pool::let_go() {
  std::lock_guard guard(mutex_);
  held_ = false;
  changed_.notify_all();
}

void tiny_pool::run() {
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return (!held_ && !waiting_.empty()) || (stop_ && waiting_.empty()); });
    if (waiting_.empty()) return;
    operation* op = waiting_.front();
    waiting_.pop_front();
    guard.unlock();
    ++executed_;
    perform(*op);
    op->completed(*op);
    guard.lock();
  }
}

test_loop::test_loop(const test_options& wanted)
    : machine(wanted.machine), made(make_test_driver(wanted)), d(*made.value) {}

test_loop::~test_loop() { detail::spin_guard guard(lock); }

bool test_loop::submit(test_operation& op) {
  op.loop = this;
  op.ended.store(false, std::memory_order_relaxed);
  detail::spin_guard guard(lock);
  const bool at_once = d.submit(op);
  if (at_once) op.ended.store(true, std::memory_order_relaxed);
  return at_once;
}

void test_loop::cancel(operation& op) {
  detail::spin_guard guard(lock);
  d.cancel(op);
}

bool test_loop::collect(bool owner) {
  completions done;
  {
    detail::spin_guard guard(lock);
    d.collect(done, owner);
  }
  bool any = false;
  while (operation* op = done.pop_front()) {
    any = true;
    op->completed(*op);
  }
  return any;
}

void test_loop::turn(detail::instant deadline) {
  if (collect()) return;
  if (machine) {
    if (!machine->in().step()) {
      std::fputs("nothing can happen any more in this world\n", stderr);
      std::abort();
    }
    collect();
    return;
  }
  {
    detail::spin_guard guard(lock);
    d.prepare_wait();
  }
  d.wait(deadline);
  collect();
}

std::int32_t test_loop::finish(test_operation& op) {
  while (!op.has_ended()) turn();
  return op.result;
}

std::int32_t test_loop::run(test_operation& op) {
  submit(op);
  return finish(op);
}

void PrintTo(const setup& value, std::ostream* out) { *out << value.name; }

selected make_test_driver(const test_options& wanted) {
  if (!wanted.old_kernel) return make_driver(wanted);
#if ASTD_HAS_URING
  return make_old_uring_driver(wanted);
#else
  return {nullptr, "built without io_uring", std::make_error_code(std::errc::function_not_supported)};
#endif
}

test_options on_each_driver::wanted() {
  test_options result;
  result.want = GetParam().want;
  result.shared = GetParam().shared;
  result.blocking = &pool;
  result.old_kernel = GetParam().old_kernel;
  result.machine = machine;
  return result;
}

bool asking_is_deadly() { return std::getenv("ASTD_URING_IS_DEADLY") != nullptr; }

on_each_driver::~on_each_driver() {
  if (world) sim::world::set_here(nullptr);
}

void on_each_driver::SetUp() {
  if (is_sim()) {
    world = std::make_unique<sim::world>(sim::world_options{.seed = 1});
    machine = &world->add_machine("here");
    sim::world::set_here(world.get());
    on_machine.emplace(*machine);
    return;
  }
  if (!is_epoll() && asking_is_deadly()) GTEST_SKIP() << "NOT RUN: io_uring must not be asked for here";
  selected probe = make_test_driver(wanted());
  if (!probe.value) GTEST_SKIP() << "NOT RUN on this driver: " << probe.reason;
  RecordProperty("driver", probe.reason);
}

pair::pair(int type) {
  EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  adopt(ends[0]);
  adopt(ends[1]);
}
pair::~pair() {
  for (int& end : ends) {
    if (end < 0) continue;
    operation op;
    op.code = opcode::close;
    op.fd = end;
    perform(op);
  }
}

listening::listening(test_loop& loop, int backlog) {
  test_operation make(opcode::socket);
  make.args.socket = {AF_INET, SOCK_STREAM, 0};
  fd = loop.run(make);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  unsigned length = sizeof address;
  test_operation bind(opcode::bind, fd);
  bind.args.address = {reinterpret_cast<sockaddr*>(&address), &length};
  EXPECT_EQ(loop.run(bind), 0);
  test_operation listen(opcode::listen, fd);
  listen.args.value = backlog;
  EXPECT_EQ(loop.run(listen), 0);
  test_operation name(opcode::local_name, fd);
  name.args.address = {reinterpret_cast<sockaddr*>(&address), &length};
  EXPECT_EQ(loop.run(name), 0);
}
listening::~listening() {
  operation op;
  op.code = opcode::close;
  op.fd = fd;
  if (fd >= 0) perform(op);
}
int listening::dial() const {
  const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(s, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return s;
}

void close_in(test_loop& loop, int fd) {
  test_operation op(opcode::close, fd);
  EXPECT_EQ(loop.run(op), 0);
}

int open_descriptors() {
  int count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count - 3;  // ".", "..", and the directory's own
}

}  // namespace astd::driver::testing
