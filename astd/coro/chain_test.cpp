// The cancel protocol in every meeting of a request, a start, a completion and another request.
#include <astd/base/config.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/chain.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/promise.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>
#include <astd/coro/test_world.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::cancel_everywhere;
using test::counted;
using test::ending;
using test::manual_executor;
using test::on_stop;
using test::parcel;
using test::test_run;
using test::world;

TEST(chain, that_is_cancelled_before_its_start_runs_to_its_first_suspension) {
  world w;
  manual_executor loop;
  int reached = 0;
  auto program = [&](counted) -> task<> {
    reached = 1;
    co_await ready();
    reached = 2;
    co_await w.pass();
    reached = 3;
  };
  test_run run(loop, program({}));
  run.request_cancel();
  run.start();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(reached, 2);
  EXPECT_EQ(w.started(), 0u) << "an operation of a chain that is to stop is not started";
  EXPECT_EQ(counted::live(), 0);
}

TEST(chain, that_never_suspends_is_not_stopped) {
  manual_executor loop;
  auto program = []() -> task<int> {
    co_await ready();
    co_return 1;
  };
  test_run run(loop, program());
  run.request_cancel();
  run.start();
  EXPECT_EQ(run.value(), 1);
  EXPECT_TRUE(run.as_chain().cancel_requested());
  EXPECT_FALSE(run.as_chain().stopped());
}

// Asks its chain to stop at a moment of its own start, and records what came of it.
class asks_during_start final : public detail::suspension, public detail::awaiter_base<asks_during_start> {
 public:
  enum class moment { before_publish, before_submit };
  using value_type = void;
  asks_during_start(moment when, std::string& log) : when_(when), log_(log) {}
  bool await_ready() const noexcept { return false; }
  detail::resumable* start(const detail::await_context& c) noexcept {
    attach(c);
    if (when_ == moment::before_publish) c.in->request_cancel();
    if (!publish()) {
      log_ += "refused ";
      return stop();
    }
    if (when_ == moment::before_submit) c.in->request_cancel();
    log_ += "submitted ";
    return finish(false);
  }
  detail::outcome<void> take() noexcept {
    resumed();
    log_ += "taken ";
    detail::outcome<void> o;
    o.set_value();
    return o;
  }
  void request_stop() noexcept override {
    log_ += "asked ";
    stop_request_done();
  }
  void describe(std::string&, unsigned) const override {}

 private:
  moment when_;
  std::string& log_;
};

// What is awaited: the awaiter itself cannot be moved.
struct asking_during_start {
  auto operator co_await() const { return asks_during_start(when, log); }
  asks_during_start::moment when;
  std::string& log;
};

TEST(chain, that_is_cancelled_before_publishing_stops_there) {
  std::string log;
  auto program = [&](counted) -> task<> {
    asking_during_start op{asks_during_start::moment::before_publish, log};
    co_await op;
    log += "went on ";
  };
  manual_executor loop;
  test_run run(loop, program({}));
  run.start();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(log, "refused ");
  EXPECT_EQ(counted::live(), 0);
}

TEST(chain, that_is_cancelled_between_publishing_and_completion_gets_the_value_and_stops_later) {
  std::string log;
  auto program = [&](counted) -> task<> {
    asking_during_start op{asks_during_start::moment::before_submit, log};
    co_await op;
    log += "went on ";
    co_await ready();
    co_await pending();
    log += "too far ";
  };
  manual_executor loop;
  test_run run(loop, program({}));
  run.start();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(log, "asked submitted taken went on ");
  EXPECT_EQ(counted::live(), 0);
}

TEST(chain, delivers_what_had_arrived_and_stops_at_the_next_suspension) {
  for (const bool before_resumption : {true, false}) {
    world w;
    manual_executor loop;
    bool went_on = false;
    auto program = [&](counted) -> task<> {
      auto p = co_await w.receive();
      p.accept();
      co_await w.pass();
      went_on = true;
    };
    test_run run(loop, program({}));
    run.start();
    w.deliver();
    if (before_resumption) {
      run.request_cancel();
      EXPECT_EQ(loop.run_until_idle(), 1u);
    } else {
      loop.run_until_idle();
      run.request_cancel();
      loop.run_until_idle();
    }
    EXPECT_EQ(run.how(), ending::stopped);
    EXPECT_EQ(w.accepted(), 1u);
    EXPECT_EQ(w.lost(), 0u);
    EXPECT_FALSE(went_on);
    EXPECT_EQ(counted::live(), 0);
  }
}

TEST(chain, waits_for_an_operation_that_is_slow_to_stop) {
  world w(on_stop::later);
  manual_executor loop;
  auto program = [&](counted) -> task<> { co_await w.pass(); };
  test_run run(loop, program({}));
  run.start();
  run.request_cancel();
  EXPECT_EQ(loop.run_until_idle(), 0u);
  EXPECT_FALSE(run.has_ended());
  EXPECT_GT(counted::live(), 0);
  w.deliver();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(counted::live(), 0);
}

TEST(chain, may_be_cancelled_many_times) {
  for (const on_stop how : {on_stop::at_once, on_stop::later, on_stop::with_its_value}) {
    world w(how);
    manual_executor loop;
    auto program = [&](counted) -> task<> {
      auto p = co_await w.receive();
      p.accept();
      co_await w.pass();
    };
    test_run run(loop, program({}));
    run.start();
    run.request_cancel();
    run.request_cancel();
    w.deliver();
    run.request_cancel();
    loop.run_until_idle();
    run.request_cancel();
    EXPECT_EQ(run.how(), ending::stopped);
    run.request_cancel();
    EXPECT_EQ(loop.run_until_idle(), 0u);
    EXPECT_EQ(w.accepted(), how == on_stop::with_its_value ? 1u : 0u);
    EXPECT_EQ(counted::live(), 0);
  }
}

TEST(chain, can_be_cancelled_after_its_end) {
  manual_executor loop;
  auto program = []() -> task<int> { co_return 1; };
  test_run run(loop, program());
  run.start();
  run.request_cancel();
  EXPECT_EQ(run.value(), 1);
}

TEST(chain, can_ask_itself_to_stop) {
  manual_executor loop;
  bool went_on = false;
  auto inner = [](counted) -> task<> {
    detail::current_chain()->request_cancel();
    co_await ready();
    co_await pending();
  };
  auto program = [&](counted) -> task<> {
    co_await inner({});
    went_on = true;
  };
  test_run run(loop, program({}));
  run.start();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_FALSE(went_on);
  EXPECT_EQ(counted::live(), 0);
}

// Unwinding.

class note {
 public:
  note(std::string& log, std::string text) : log_(log), text_(std::move(text)) {}
  note(const note&) = delete;
  ~note() { log_ += text_ + " "; }

 private:
  std::string& log_;
  std::string text_;
};

task<> nested(std::string& log, int depth, [[maybe_unused]] std::unique_ptr<note> parameter) {
  note a(log, std::to_string(depth) + "a");
  try {
    note b(log, std::to_string(depth) + "b");
    if (depth == 0)
      co_await pending();
    else
      co_await nested(log, depth - 1, std::make_unique<note>(log, std::to_string(depth - 1) + "p"));
    log += "went on ";
  } catch (...) {
    log += "caught ";
    throw;
  }
}

TEST(chain, is_unwound_from_the_innermost_out_without_an_exception) {
  std::string log;
  manual_executor loop;
  test_run run(loop, nested(log, 2, std::make_unique<note>(log, "2p")));
  run.start();
  EXPECT_EQ(log, "");
  run.request_cancel();
  EXPECT_EQ(log, "") << "the request itself destroys nothing";
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(log, "0b 0a 0p 1b 1a 1p 2b 2a 2p ");
}

TEST(chain, is_known_to_the_destructors_of_its_frames) {
  struct asks {
    explicit asks(std::vector<detail::chain*>& in) : seen(in) {}
    ~asks() { seen.push_back(detail::current_chain()); }
    std::vector<detail::chain*>& seen;
  };
  std::vector<detail::chain*> seen;
  manual_executor loop;
  detail::chain* in = nullptr;
  auto inner = [&]() -> task<> {
    asks a(seen);
    in = detail::current_chain();
    co_await pending();
  };
  auto program = [&]() -> task<> {
    asks a(seen);
    co_await inner();
  };
  test_run run(loop, program());
  run.start();
  detail::set_current_chain(nullptr);
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(in, &run.as_chain());
  EXPECT_EQ(seen, (std::vector<detail::chain*>{in, in}));
  detail::set_current_chain(nullptr);
}

TEST(chain, without_frames_can_be_stopped) {
  manual_executor loop;
  test_run run(loop, pending<int>());
  run.start();
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
}

// A thread notes where its chain goes on: frames that have ended must not be asked.
TEST(chain, leaves_a_note_of_what_runs) {
  world w;
  manual_executor loop;
  detail::running_note note;
  auto* const before = detail::set_running_note(&note);
  auto inner = [&](counted) -> task<> { co_await w.pass(); };
  unsigned line = 0;
  auto program = [&]() -> task<> {
    task<> t = inner({});  // its frame is its own
    co_await std::move(t);
    // The frame that was suspended last is gone.
    detail::set_current_chain(detail::current_chain());
    line = __LINE__ + 1;
    co_await w.pass();
  };
  test_run run(loop, program());
  run.start();
  while (w.deliver()) loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::value);
  EXPECT_EQ(note.where.load().line(), line);
  detail::set_running_note(before);
  detail::set_current_chain(nullptr);
}

// Everywhere.

TEST(chain, can_be_cancelled_and_fail_everywhere) {
  struct program {
    static task<> inner(world& w, counted) {
      co_await w.pass();
      auto p = co_await w.receive();
      p.accept();
    }
    static task<> failing(world& w, counted) {
      co_await or_return(inner(w, {}));
      auto p = co_await or_return(w.receive());
      p.accept();
    }
    static task<parcel> passing_on(world& w, counted) {
      auto p = co_await w.receive();
      co_return p;
    }
    static task<> outer(world& w) {
      counted local;
      co_await inner(w, {});
      auto r = co_await as_result(failing(w, {}));
      if (r) co_await w.pass();
      for (int i = 0; i != 2; ++i) {
        auto p = co_await passing_on(w, {});
        p.accept();
        auto q = co_await as_result(w.receive());
        if (q) q->accept();
      }
    }
  };
  cancel_everywhere([](world& w) { return program::outer(w); }, {},
                    [](const auto& s, const auto& h) {
                      if (s.cancel_at == 0) {
                        // With operations that end at once there is no suspension at which to stop, except where one is not even started.
                        EXPECT_EQ(h.how, ending::stopped);
                        EXPECT_EQ(h.operations, 0u);
                      }
                      if (s.cancel_at == SIZE_MAX && !s.fail_at) {
                        EXPECT_EQ(h.how, ending::value);
                      }
                    });
}

// Two threads.

// Ends on one thread while it is asked to stop on another.
class contested final : public detail::suspension, public detail::awaiter_base<contested> {
 public:
  using value_type = int;
  explicit contested(std::atomic<contested*>& place) : place_(place) {}
  bool await_ready() const noexcept { return false; }
  detail::resumable* start(const detail::await_context& c) noexcept {
    attach(c);
    if (!publish()) return stop();
    place_.store(this, std::memory_order_release);
    return nullptr;
  }
  detail::outcome<int> take() noexcept {
    resumed();
    detail::outcome<int> o;
    o.set_value(asked_.load(std::memory_order_relaxed));
    return o;
  }
  // On the world's thread.
  void end() noexcept { complete(false); }
  void request_stop() noexcept override {
    asked_.store(1, std::memory_order_relaxed);
    stop_request_done();
  }
  void describe(std::string&, unsigned) const override {}

 private:
  std::atomic<contested*>& place_;
  std::atomic<int> asked_{0};
};

struct contending {
  auto operator co_await() const { return contested(place); }
  std::atomic<contested*>& place;
};

TEST(chain, survives_a_request_at_the_same_time_as_the_completion) {
  constexpr int rounds = ASTD_SANITIZED ? 4'000 : 20'000;
  test::threads_executor on(2);
  std::atomic<int> cancelled{0};
  std::atomic<contested*> waiting{nullptr};
  std::atomic<detail::chain*> victim{nullptr};
  std::atomic<bool> over{false};

  auto program = [](std::atomic<contested*>& place, counted) -> task<int> {
    contending c{place};
    auto asked = co_await c;
    auto again = co_await c;
    co_return asked + again;
  };
  // The thread that asks: as soon as there is somebody to ask.
  std::thread canceller([&] {
    while (!over.load()) {
      if (detail::chain* c = victim.exchange(nullptr)) {
        c->request_cancel();
        cancelled.fetch_add(1);
      }
    }
  });
  int stopped = 0, values = 0;
  for (int i = 0; i != rounds; ++i) {
    test_run run(on, program(waiting, {}));
    int expected = cancelled.load();
    // One that the thread has not taken yet is asked once, not twice.
    const auto ask = [&] { expected += !victim.exchange(const_cast<detail::chain*>(&run.as_chain())); };
    if (i % 2) ask();
    run.start();
    while (!run.has_ended())
      if (contested* op = waiting.exchange(nullptr, std::memory_order_acquire)) {
        if (i % 2 == 0) ask();
        op->end();
      }
    if (run.how() == ending::stopped)
      ++stopped;
    else
      ++values;
    // Whoever asks keeps the chain alive until it has asked.
    expected -= victim.exchange(nullptr) != nullptr;
    while (cancelled.load() != expected) std::this_thread::yield();
    waiting.store(nullptr);
  }
  over.store(true);
  canceller.join();
  EXPECT_EQ(stopped + values, rounds);
  EXPECT_EQ(counted::live(), 0);
}

TEST(chain, survives_many_requests_at_the_same_time) {
  constexpr int rounds = ASTD_SANITIZED ? 2'000 : 10'000;
  for (int i = 0; i != rounds / 100; ++i) {
    // Many chains in a row for each pair of threads.
    test::threads_executor on(1);
    std::vector<std::unique_ptr<test_run<decltype(pending<int>())>>> runs;
    for (int k = 0; k != 100; ++k) {
      runs.push_back(std::make_unique<test_run<decltype(pending<int>())>>(on, pending<int>()));
      runs.back()->start();
    }
    auto ask_all = [&] {
      for (auto& r : runs) r->request_cancel();
    };
    std::thread a(ask_all), b(ask_all);
    a.join();
    b.join();
    for (auto& r : runs) {
      r->wait();
      EXPECT_EQ(r->how(), ending::stopped);
    }
  }
}

}  // namespace
