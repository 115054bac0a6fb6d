// The resolver with a name service that does what the tests want.
#include <astd/coro/test_loop.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/resolver.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time.hpp>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace astd::net::detail {
namespace {

using answer = std::shared_ptr<const resolved>;

// Answers when it is told to.
class name_service {
 public:
  void reset() {
    std::lock_guard guard(mutex_);
    asked_ = 0;
    running_ = 0;
    most_running_ = 0;
    open_ = false;
  }
  void answer_all() {
    std::lock_guard guard(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] int asked() const {
    std::lock_guard guard(mutex_);
    return asked_;
  }
  [[nodiscard]] int most_running() const {
    std::lock_guard guard(mutex_);
    return most_running_;
  }
  resolved ask(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++asked_;
    most_running_ = std::max(most_running_, ++running_);
    changed_.wait(lock, [this] { return open_; });
    --running_;
    resolved result;
    if (host == "nowhere")
      result.error = std::make_error_code(std::errc::host_unreachable);
    else
      result.addresses = {socket_address(ipv4_address(192, 0, 2, static_cast<std::uint8_t>(host.size())), 0)};
    return result;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int asked_ = 0;
  int running_ = 0;
  int most_running_ = 0;
  bool open_ = false;
};

name_service service;
resolved ask_service(const std::string& host) noexcept { return service.ask(host); }

task<answer> look_up(resolver& r, std::string host) {
  const answer a = co_await r.look_up(host);
  co_return a;
}

task<> until_asked(int times) {
  while (service.asked() < times) co_await this_task::sleep_for(std::chrono::milliseconds(1));
}

ASTD_TEST(resolver, asks_equal_questions_once) {
  service.reset();
  resolver r(&ask_service, 4);
  std::vector<join_handle<answer>> all;
  for (int i = 0; i < 20; ++i) all.push_back(spawn(look_up, std::ref(r), i % 2 ? "one" : "three"));
  co_await until_asked(2);
  // Nobody can say when a task has got to its question; the service answers no one before all are spawned.
  while (r.in_progress() < 2) co_await this_task::yield();
  co_await this_task::sleep_for(std::chrono::milliseconds(20));
  service.answer_all();
  int right = 0;
  for (int i = 0; i < 20; ++i) {
    const answer a = co_await all[static_cast<std::size_t>(i)];
    right += a->addresses.at(0).ip() == ip_address(ipv4_address(192, 0, 2, i % 2 ? 3 : 5));
  }
  EXPECT_EQ(right, 20);
  EXPECT_EQ(r.in_progress(), 0u);
}

// A question is asked of the world, which is in no loop: virtual time waits for the answer, and for who still wants it.
ASTD_TEST_WITH(resolver, virtual_time_waits_for_an_answer, test::virtual_time()) {
  service.reset();
  resolver r(&ask_service, 1);
  const auto before = steady_clock::now();
  auto alarm = spawn([]() -> task<> { co_await this_task::sleep_for(std::chrono::hours(1)); });
  auto asking = spawn(look_up, std::ref(r), "one");
  std::thread world([] {
    while (service.asked() < 1) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // more than enough to jump
    service.answer_all();
  });
  const answer a = co_await asking;
  EXPECT_EQ(steady_clock::now(), before);
  EXPECT_FALSE(alarm.is_finished());
  world.join();

  service.reset();
  auto given_up = spawn(look_up, std::ref(r), "two");
  while (service.asked() < 1) co_await this_task::yield();
  const auto ended = co_await given_up.cancel();
  EXPECT_FALSE(ended);
  co_await alarm;  // nobody wants the answer: time goes on
  EXPECT_EQ(steady_clock::now() - before, std::chrono::hours(1));
  service.answer_all();
}

ASTD_TEST(resolver, asks_again_later) {
  service.reset();
  service.answer_all();
  resolver r(&ask_service, 4);
  const answer first = co_await look_up(r, "x");
  const answer second = co_await look_up(r, "x");
  EXPECT_EQ(service.asked(), 2);
  EXPECT_NE(first, second);
}

ASTD_TEST(resolver, passes_the_error_on) {
  service.reset();
  service.answer_all();
  resolver r(&ask_service, 4);
  const answer a = co_await look_up(r, "nowhere");
  EXPECT_EQ(a->error, std::errc::host_unreachable);
}

ASTD_TEST(resolver, uses_no_more_threads_than_it_may) {
  service.reset();
  resolver r(&ask_service, 3);
  std::vector<join_handle<answer>> all;
  for (std::size_t i = 0; i < 40; ++i) all.push_back(spawn(look_up, std::ref(r), std::string(i + 1, 'x')));
  co_await until_asked(3);
  co_await this_task::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(service.asked(), 3);
  service.answer_all();
  for (auto& one : all) co_await one;
  EXPECT_EQ(service.asked(), 40);
  EXPECT_LE(service.most_running(), 3);
}

TEST(resolver, lets_who_is_cancelled_go_at_once) {
  service.reset();
  resolver r(&ask_service, 1);
  test::manual_executor loop;
  test::test_run gone(loop, look_up(r, "same"));
  test::test_run stays(loop, look_up(r, "same"));
  test::test_run queued(loop, look_up(r, "queued behind it"));
  gone.start();
  stays.start();
  while (service.asked() < 1) std::this_thread::yield();
  queued.start();
  EXPECT_EQ(r.in_progress(), 2u);
  // The service has not answered: both end without it, and the question that nobody had begun to ask is never asked.
  gone.request_cancel();
  queued.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(gone.how(), test::ending::stopped);
  EXPECT_EQ(queued.how(), test::ending::stopped);
  EXPECT_EQ(r.in_progress(), 1u);
  EXPECT_FALSE(stays.has_ended());
  service.answer_all();
  while (!stays.has_ended()) loop.step();
  EXPECT_EQ(stays.value()->addresses.size(), 1u);
  EXPECT_EQ(service.asked(), 1);
  astd::detail::set_current_chain(nullptr);  // the loop has left one that is about to be gone
}

ASTD_TEST(resolver, finishes_what_nobody_waits_for_any_more) {
  service.reset();
  {
    resolver r(&ask_service, 1);
    auto gone = spawn(look_up, std::ref(r), "x");
    co_await until_asked(1);
    const auto value = co_await gone.cancel();
    EXPECT_FALSE(value);
    EXPECT_EQ(r.in_progress(), 1u);
    service.answer_all();
  }
  EXPECT_EQ(service.asked(), 1);
}

ASTD_TEST(resolver, survives_cancellations_at_any_moment) {
  service.reset();
  service.answer_all();
  resolver r(&ask_service, 2);
  int answered = 0;
  int cancelled = 0;
  for (int i = 0; i < 1000; ++i) {
    auto one = spawn(look_up, std::ref(r), i % 3 ? "same" : "other");
    auto two = spawn(look_up, std::ref(r), "same");
    for (int k = 0; k < i % 11; ++k) co_await this_task::yield();
    const auto first = co_await one.cancel();
    first ? ++answered : ++cancelled;
    const answer second = co_await two;
    EXPECT_EQ(second->addresses.size(), 1u);
  }
  EXPECT_EQ(answered + cancelled, 1000);
  while (r.in_progress() > 0) co_await this_task::yield();
}

}  // namespace
}  // namespace astd::net::detail
