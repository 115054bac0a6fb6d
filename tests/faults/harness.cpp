// Runs each operation under each kind of fault, and looks at what is left.
#include <astd/base/config.hpp>
#include <astd/base/test_seed.hpp>
#include <astd/coro/ready.hpp>
#include <astd/runtime/this_task.hpp>

#include <gtest/gtest-spi.h>
#include <tests/faults/faults.hpp>
#include <tests/faults/injection.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include <dirent.h>

namespace astd::faults {

std::vector<registered>& all_operations() {
  static std::vector<registered> all;
  return all;
}

void tracked::look() const noexcept {
  if (state_ == alive) return;
  std::fprintf(stderr, "astd_faults: a value was used or destroyed after its end\n");
  std::abort();
}
tracked::~tracked() {
  look();
  // volatile: the last store to an object that goes would be left out.
  const_cast<volatile unsigned&>(state_) = gone;
  live_.fetch_sub(1, std::memory_order_relaxed);
}

namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto patience = ASTD_SANITIZED ? 120s : 60s;

long open_descriptors() {
  long n = 0;
  DIR* const directory = ::opendir("/proc/self/fd");
  while (::readdir(directory)) ++n;
  ::closedir(directory);
  return n - 3;  // ".", "..", and the directory's own
}

/// Ends the program, with a word about the run and all tasks, if a run does not end.
class watchdog {
 public:
  explicit watchdog(runtime& rt) : rt_(rt), thread_([this] { watch(); }) {}
  ~watchdog() {
    {
      std::lock_guard guard(lock_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  void begin(std::string_view name, std::string_view what) {
    std::lock_guard guard(lock_);
    std::snprintf(what_, sizeof what_, "%.*s, %.*s", static_cast<int>(name.size()), name.data(),
                  static_cast<int>(what.size()), what.data());
    ++runs_;
  }

 private:
  void watch() {
    std::unique_lock guard(lock_);
    for (long seen = -1; !over_;) {
      if (seen == runs_) {
        std::fprintf(stderr, "astd_faults: does not end: %s\n", what_);
        fail_allocation(0, false);
        std::fprintf(stderr, "%s\n", rt_.dump_tasks().c_str());
        std::abort();
      }
      seen = runs_;  // before the wait: what stands still is the run that was there then
      changed_.wait_for(guard, patience, [this] { return over_; });
    }
  }
  runtime& rt_;
  std::mutex lock_;
  std::condition_variable changed_;
  bool over_ = false;
  long runs_ = 0;
  char what_[200] = "";
  std::thread thread_;
};

/// What is done to a run, from its beginning to its end.
struct fault {
  std::function<void(join_handle<>&)> arm = [](join_handle<>&) {};
  std::function<void(join_handle<>&)> meanwhile = [](join_handle<>&) {};
  std::function<void()> disarm = [] {};
};

task<> under_fault(scenario& of, std::atomic<bool>& go) {
  while (!go.load(std::memory_order_acquire)) std::this_thread::yield();
  co_await of.operation();
}

task<int> lives() {
  co_await this_task::yield();
  co_await this_task::sleep_for(1us);
  co_return 42;
}

report end_of(runtime& rt, join_handle<>& h) {
  report r;
  try {
    rt.block_on(h);
  } catch (const task_cancelled&) {
    r.how = ending::cancelled;
  } catch (const std::system_error& e) {
    r.how = e.code() == std::errc::not_enough_memory ? ending::out_of_memory : ending::failed;
    r.code = e.code();
    std::snprintf(r.what, sizeof r.what, "%s", e.what());
  } catch (const std::bad_alloc&) {
    r.how = ending::out_of_memory;
  } catch (const std::exception& e) {
    r.how = ending::thrown;
    std::snprintf(r.what, sizeof r.what, "%s", e.what());
  }
  return r;
}

class trial {
 public:
  explicit trial(const registered& of)
      : of_(of), rt_(std::in_place, runtime_options::from_environment()), dog_(std::in_place, *rt_) {}
  ~trial() {
    dog_.reset();
    const shutdown_report end = rt_->shutdown(patience);
    EXPECT_TRUE(end.complete) << end.text;
    rt_.reset();
  }

  /// One run. `what` says which, for messages.
  report run(const std::string& what, const fault& f) {
    before_ = left_over::now();
    const left_over at_first = before_;
    const report r = once(what, f);
    if (!grown()) return r;
    // A cache that a worker fills at its first use, or a leak, which comes again each time.
    for (int i = 0; i < 8; ++i) {
      once(what, f);
      if (!grown()) return r;
    }
    ADD_FAILURE() << what << " leaves something behind each time; 9 runs: " << before_.blocks - at_first.blocks
                  << " blocks, " << before_.descriptors - at_first.descriptors << " descriptors, "
                  << before_.values - at_first.values << " values";
    return r;
  }
  /// Runs that nobody disturbs: fill the caches, and show how long it takes.
  void warm_up() {
    for (int i = 0; i < 3; ++i) {
      const report r = once("undisturbed", {});
      EXPECT_TRUE(r.how == ending::value || allows(r))
          << "undisturbed, it ended " << static_cast<int>(r.how) << r.what;
    }
  }
  [[nodiscard]] std::chrono::nanoseconds took() const { return took_; }
  [[nodiscard]] std::string_view name() const { return of_.name; }
  [[nodiscard]] bool allows(const report& r) { return last_allows_ && r.how != ending::value; }

 private:
  struct left_over {
    long blocks = 0, descriptors = 0, values = 0;
    static left_over now() { return {live_blocks(), open_descriptors(), tracked::live()}; }
  };

  report once(const std::string& what, const fault& f) {
    report r;
    {
      const exempt ours;
      SCOPED_TRACE(what);
      dog_->begin(of_.name, what);
      const std::unique_ptr<scenario> world = of_.make(*rt_);
      std::atomic<bool> go{false};
      auto h = rt_->spawn(under_fault(*world, go));
      f.arm(h);
      const auto began = clock::now();
      go.store(true, std::memory_order_release);
      for (int i = 0; !h.is_finished(); ++i) {
        world->meanwhile();
        f.meanwhile(h);
        if (i < 50)
          std::this_thread::yield();
        else
          std::this_thread::sleep_for(20us);
      }
      took_ = clock::now() - began;
      f.disarm();
      r = end_of(*rt_, h);
      last_allows_ = world->may_end_with(r);
      EXPECT_EQ(rt_->block_on(rt_->spawn(lives())), 42);
      world->check(r);
    }
    return r;
  }

  /// Whether there is more than before. Waits a while for what is on its way out.
  bool grown() {
    const auto end = clock::now() + 100ms;
    for (;;) {
      const left_over now = left_over::now();
      const bool more =
          now.blocks > before_.blocks || now.descriptors > before_.descriptors || now.values > before_.values;
      if (!more || clock::now() > end) {
        before_ = now;
        return more;
      }
      std::this_thread::sleep_for(50us);
    }
  }

  const registered& of_;
  left_over before_;
  std::chrono::nanoseconds took_{0};
  bool last_allows_ = false;
  std::optional<runtime> rt_;
  std::optional<watchdog> dog_;
};

void expect_end(trial& t, const std::string& what, const report& r, std::initializer_list<ending> good) {
  if (std::find(good.begin(), good.end(), r.how) != good.end() || t.allows(r)) return;
  ADD_FAILURE() << what << " ended " << static_cast<int>(r.how) << " " << r.what;
}

class faults : public ::testing::TestWithParam<registered> {};

// The first, so that what a process makes once is made under fault.
TEST_P(faults, without_memory) {
  if (!ASTD_OWN_OPERATOR_NEW) GTEST_SKIP() << "operator new is the sanitizer's";
  trial t(GetParam());
  for (const bool for_good : {false, true}) {
    // Twice: the first may find less than all, since what is made once is made in there.
    for (int round = 0; round < 2; ++round) {
      bool failed = true;
      for (long n = 1; failed; ++n) {
        failed = false;
        const std::string what =
            "the " + std::to_string(n) + "th allocation" + (for_good ? ", and all others, fail" : " fails");
        const report r = t.run(what, {.arm = [=](join_handle<>&) { fail_allocation(n, for_good); },
                                      .disarm =
                                          [&failed] {
                                            failed |= allocation_failed();
                                            fail_allocation(0, false);
                                          }});
        if (failed)
          expect_end(t, what, r, {ending::value, ending::out_of_memory});
        else
          expect_end(t, what, r, {ending::value});
      }
    }
  }
}

TEST_P(faults, cancelled_behind_each_turn) {
  trial t(GetParam());
  t.warm_up();
  const std::uint64_t turns_before = turns();
  constexpr long most = 1000;
  long n = 0;
  for (bool cancelled = true; cancelled && n < most; ++n) {
    cancelled = false;
    const std::string what = "cancelled behind turn " + std::to_string(n);
    const report r = t.run(what, {.arm = [n](join_handle<>& h) { cancel_behind_turn(h, n); },
                                  .disarm = [&cancelled] { cancelled |= take_back_cancel(); }});
    if (cancelled)
      expect_end(t, what, r, {ending::cancelled, ending::value});
    else
      expect_end(t, what, r, {ending::value});
  }
  EXPECT_LT(n, most) << "it never ends by itself";
  EXPECT_GT(turns(), turns_before) << "the harness sees no turns: is detail::run called out of line?";
}

TEST_P(faults, cancelled_at_any_moment) {
  trial t(GetParam());
  t.warm_up();
  std::mt19937 random(test::seed());
  const int rounds = ASTD_SANITIZED ? 20 : 60;
  const auto longest = std::clamp<std::chrono::nanoseconds>(t.took(), 20us, 2ms) * 5 / 4;
  for (int i = 0; i < rounds; ++i) {
    const std::chrono::nanoseconds wait(random() % static_cast<unsigned>(longest.count()));
    const std::string what = "cancelled after " + std::to_string(wait.count()) + " ns";
    clock::time_point when;
    bool asked = false;
    const report r = t.run(what, {
                                     .arm = [&](join_handle<>&) { when = clock::now() + wait, asked = false; },
                                     .meanwhile =
                                         [&](join_handle<>& h) {
                                           if (asked || clock::now() < when) return;
                                           asked = true;
                                           h.request_cancel();
                                         },
                                 });
    expect_end(t, what, r, {ending::cancelled, ending::value});
  }
}

TEST_P(faults, with_operations_that_fail) {
  trial t(GetParam());
  t.warm_up();
  for (unsigned kind = 0; kind < error_kinds; ++kind) {
    for (const bool later : {false, true}) {
      int error = 1;
      for (long n = 1; error != 0; ++n) {
        error = 0;
        const std::string what = "the " + std::to_string(n) + "th operation fails" + (later ? " later" : "") +
                                 ", kind " + std::to_string(kind);
        const report r = t.run(what, {.arm = [=](join_handle<>&) { fail_operation(n, kind, later); },
                                      .disarm =
                                          [&error] {
                                            if (error == 0) error = operation_failed();
                                            fail_operation(0, 0, false);
                                          }});
        if (error == 0 || r.how == ending::value)
          expect_end(t, what, r, {ending::value});
        else if (r.code.value() != error || r.code.category() != std::system_category())
          expect_end(t, what + " with " + std::to_string(error), r, {});
      }
    }
  }
}

// ---- the harness itself

struct leaves_a_task_behind final : scenario {
  task<> operation() override {
    auto h = spawn([](tracked) -> task<> { co_await pending(); }, tracked());
    co_await this_task::sleep_for(1us);
    const auto none = co_await h.cancel();
    static_cast<void>(none);
  }
};

struct hides_what_went_wrong final : scenario {
  task<> operation() override {
    try {
      co_await this_task::yield();
      const auto p = std::make_unique<tracked>();
    } catch (const std::bad_alloc&) {
      throw std::runtime_error("something else");
    }
  }
};

template <class Scenario>
registered only(std::string_view name) {
  return {name, [](runtime&) -> std::unique_ptr<scenario> { return std::make_unique<Scenario>(); }};
}

TEST(harness, sees_what_is_left_behind) {
  const registered leaky = only<leaves_a_task_behind>("leaves_a_task_behind");
  trial t(leaky);
  t.warm_up();
  const auto cancel_while_it_sleeps = [&t] {
    t.run("cancelled while it sleeps", {.arm = [](join_handle<>& h) { cancel_behind_turn(h, 2); },
                                        .disarm = [] { static_cast<void>(take_back_cancel()); }});
  };
  // One of several workers may run the two turns in another order: then there is nothing to see.
  for (int i = 0; i < 100; ++i) {
    ::testing::TestPartResultArray seen;
    {
      ::testing::ScopedFakeTestPartResultReporter catching(&seen);
      cancel_while_it_sleeps();
    }
    if (seen.size() == 0) continue;
    EXPECT_NE(std::string_view(seen.GetTestPartResult(0).message()).find("leaves something behind"),
              std::string_view::npos);
    return;
  }
  ADD_FAILURE() << "it sees nothing";
}

TEST(harness, sees_what_hides_an_error) {
  if (!ASTD_OWN_OPERATOR_NEW) GTEST_SKIP() << "operator new is the sanitizer's";
  const registered wrong = only<hides_what_went_wrong>("hides_what_went_wrong");
  trial t(wrong);
  t.warm_up();
  long seen = 0;
  for (long n = 1; n <= 3; ++n) {
    const report r = t.run("an allocation fails", {.arm = [n](join_handle<>&) { fail_allocation(n, false); },
                                                   .disarm = [] { fail_allocation(0, false); }});
    seen += r.how == ending::thrown;
  }
  EXPECT_EQ(seen, 1);
}

INSTANTIATE_TEST_SUITE_P(of, faults, ::testing::ValuesIn(all_operations()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace

void PrintTo(const registered& value, std::ostream* out) { *out << value.name; }

}  // namespace astd::faults
