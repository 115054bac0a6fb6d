// Operations that end when the test says so, and a harness that cancels and fails a program at every point it has.
//
//   cancel_everywhere([](world& w) -> task<> {
//     auto p = co_await w.receive();     // a parcel: must reach somebody who accepts it
//     p.accept();
//     co_await w.pass();
//   });
#pragma once

#include <astd/base/frame_pool.hpp>
#include <astd/base/intrusive_list.hpp>
#include <astd/coro/dump.hpp>
#include <astd/coro/own_awaiter.hpp>
#include <astd/coro/test_loop.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace astd::test {

class world;

/// A value that must not be lost.
class parcel {
 public:
  parcel(world& from, std::size_t number) noexcept : from_(&from), number_(number) {}
  parcel(parcel&& other) noexcept : from_(std::exchange(other.from_, nullptr)), number_(other.number_) {}
  parcel& operator=(parcel&& other) noexcept {
    std::swap(from_, other.from_);
    std::swap(number_, other.number_);
    return *this;
  }
  ~parcel();
  void accept() noexcept;
  /// Which operation it came from, from 1.
  [[nodiscard]] std::size_t number() const noexcept { return number_; }

 private:
  world* from_;
  std::size_t number_;
  counted counted_;
};

/// What an operation does that is asked to stop: the ways of the world, from a timer's to a read's that has just come in.
enum class on_stop { at_once, later, with_its_value };

class operation_base : public detail::suspension, public detail::list_node {
 public:
  void request_stop() noexcept final;
  void describe(std::string& out, unsigned) const final { out += "operation " + std::to_string(number_); }

 protected:
  explicit operation_base(world& in) noexcept : world_(in) {}
  ~operation_base() = default;
  detail::resumable* begin(const detail::await_context& c) noexcept;
  virtual void succeed(std::size_t number) noexcept = 0;
  std::optional<failure> failure_;

 private:
  friend class world;
  void set_outcome() noexcept;
  world& world_;
  std::size_t number_ = 0;
  bool stopping_ = false;
  counted counted_;
};

template <class T>
class operation_awaiter final : public operation_base, public detail::awaiter_base<operation_awaiter<T>> {
 public:
  using value_type = T;
  explicit operation_awaiter(world& in) noexcept : operation_base(in), in_(in) {}
  bool await_ready() const noexcept { return false; }
  detail::resumable* start(const detail::await_context& c) noexcept { return begin(c); }
  detail::outcome<T> take() noexcept {
    resumed();
    if (failure_) result_.set_failure(*failure_);
    return std::move(result_);
  }

 private:
  void succeed(std::size_t number) noexcept override {
    if constexpr (std::is_void_v<T>)
      result_.set_value();
    else
      result_.set_value(in_, number);
  }
  world& in_;
  detail::outcome<T> result_;
};

template <class T>
class operation {
 public:
  explicit operation(world& in) noexcept : in_(&in) {}
  auto operator co_await() const noexcept { return operation_awaiter<T>(*in_); }

 private:
  world* in_;
};

/// The operations of one program. Ends them in their order, or with a seed in any.
class world {
 public:
  explicit world(on_stop how = on_stop::at_once, std::uint64_t seed = 0) : how_(how) {
    if (seed) random_.emplace(seed);
  }
  world(const world&) = delete;
  ~world() { EXPECT_TRUE(waiting_.empty()); }

  [[nodiscard]] operation<parcel> receive() noexcept { return operation<parcel>(*this); }
  [[nodiscard]] operation<void> pass() noexcept { return operation<void>(*this); }
  /// The nth operation to be started fails, with EIO.
  void fail(std::size_t n) noexcept { fails_ = n; }
  /// Every nth operation ends before its awaiter has suspended.
  void at_once(std::size_t every) noexcept { at_once_ = every; }

  /// Ends an operation; false if there is none.
  bool deliver() {
    operation_base* op = waiting_.front();
    if (!op) return false;
    if (random_)
      for (auto skip = (*random_)() % count_; skip; --skip) op = waiting_.after(*op);
    end(*op);
    return true;
  }
  /// Ends the operation that was started as the nth, from 1, or fails the test.
  void deliver(std::size_t n) {
    operation_base* op = waiting_.front();
    while (op && op->number_ != n) op = waiting_.after(*op);
    ASSERT_TRUE(op) << "operation " << n << " is not waiting";
    end(*op);
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return count_; }
  [[nodiscard]] std::size_t started() const noexcept { return started_; }
  [[nodiscard]] std::size_t accepted() const noexcept { return accepted_; }
  [[nodiscard]] std::size_t lost() const noexcept { return lost_; }

 private:
  friend class operation_base;
  friend class parcel;
  void add(operation_base& op) noexcept {
    waiting_.push_back(op);
    ++count_;
  }
  void remove(operation_base& op) noexcept {
    waiting_.erase(op);
    --count_;
  }
  void end(operation_base& op) {
    remove(op);
    const bool stops = op.stopping_ && how_ == on_stop::later;
    if (!stops) op.set_outcome();
    op.complete(stops);
  }

  detail::intrusive_list<operation_base> waiting_;
  std::size_t count_ = 0, started_ = 0, fails_ = 0, at_once_ = 0, accepted_ = 0, lost_ = 0;
  on_stop how_;
  std::optional<std::mt19937_64> random_;
};

inline parcel::~parcel() {
  if (from_) ++from_->lost_;
}
inline void parcel::accept() noexcept {
  EXPECT_TRUE(from_) << "accepted twice";
  if (from_) ++std::exchange(from_, nullptr)->accepted_;
}

inline detail::resumable* operation_base::begin(const detail::await_context& c) noexcept {
  attach(c);
  if (!publish()) return stop();
  number_ = ++world_.started_;
  if (world_.at_once_ && number_ % world_.at_once_ == 0) {
    set_outcome();
    return finish(false);
  }
  world_.add(*this);
  return nullptr;
}

inline void operation_base::set_outcome() noexcept {
  if (number_ == world_.fails_)
    failure_ = failure(std::make_error_code(std::errc::io_error), "operation", std::to_string(number_));
  else
    succeed(number_);
}

inline void operation_base::request_stop() noexcept {
  stopping_ = true;
  if (world_.how_ == on_stop::at_once) {
    world_.remove(*this);
    complete(true);
  }
  stop_request_done();
}

/// One run of a program: `make(world&)` gives it as an awaitable.
struct scenario {
  on_stop how = on_stop::at_once;
  std::uint64_t seed = 0;            // 0: everything in order
  std::size_t at_once = 0;           // every nth operation ends without suspending
  std::size_t cancel_at = SIZE_MAX;  // before which step
  std::size_t fail_at = 0;           // which operation
};

struct what_happened {
  std::size_t steps = 0, operations = 0, accepted = 0, lost = 0;
  ending how = ending::none_yet;
};

/// Runs it to its end and checks that nothing is left of it.
template <class Make>
what_happened play(Make& make, const scenario& s) {
  SCOPED_TRACE("on_stop " + std::to_string(static_cast<int>(s.how)) + ", seed " + std::to_string(s.seed) +
               ", at once every " + std::to_string(s.at_once) + ", cancelled at step " +
               std::to_string(s.cancel_at) + ", failing operation " + std::to_string(s.fail_at));
  const long counted_before = counted::live();
  const std::size_t frames_before = detail::frame_pool_usage().in_use;
  what_happened h;
  {
    world w(s.how, s.seed);
    w.fail(s.fail_at);
    w.at_once(s.at_once);
    auto loop = s.seed ? std::make_unique<manual_executor>(s.seed) : std::make_unique<manual_executor>();
    test_run run(*loop, make(w));
    if (s.cancel_at == 0) run.request_cancel();
    run.start();
    bool stuck = false;
    while (!run.has_ended()) {
      if (++h.steps == s.cancel_at) run.request_cancel();
      if (loop->step() || w.deliver()) continue;
      if (h.steps <= s.cancel_at && s.cancel_at != SIZE_MAX) continue;  // waits to be cancelled
      if (stuck) break;
      std::string where;
      detail::describe_chain(run.as_chain(), where, 0);
      ADD_FAILURE() << "nothing is left that could end it; it " << where;
      stuck = true;
      run.request_cancel();
    }
    h.how = run.how();
    h.operations = w.started();
    EXPECT_EQ(w.waiting(), 0u) << "an operation outlived its chain";
    EXPECT_EQ(loop->ready(), 0u);
    if (h.how == ending::value) {
      (void)run.value();
    }
    h.accepted = w.accepted();
    h.lost = w.lost();
  }
  EXPECT_EQ(counted::live(), counted_before);
  EXPECT_EQ(detail::frame_pool_usage().in_use, frames_before);
  return h;
}

struct everywhere {
  bool loses_nothing = true;   // every parcel is accepted, whatever happens
  bool ends_by_itself = true;  // without being cancelled
  unsigned seeds = 4;
};

/// Plays a program with a request to stop before each of its steps, with each of its operations failing, and with both;
/// in different orders, and with operations that take a request to stop differently. `check(scenario, what_happened)`
/// is called behind each.
template <class Make, class Check>
void cancel_everywhere(Make make, everywhere what, Check check) {
  std::size_t plays = 0;
  auto once = [&](const scenario& s) {
    what_happened h = play(make, s);
    if (what.loses_nothing) {
      EXPECT_EQ(h.lost, 0u) << "on_stop " << static_cast<int>(s.how) << ", seed " << s.seed << ", at once "
                            << s.at_once << ", cancelled at " << s.cancel_at << ", failing " << s.fail_at;
    }
    check(s, h);
    ++plays;
    return h;
  };
  for (const on_stop how : {on_stop::at_once, on_stop::later, on_stop::with_its_value})
    for (std::uint64_t seed = 0; seed != what.seeds; ++seed)
      for (const std::size_t at_once : {0, 1, 2, 3}) {
        scenario s{.how = how, .seed = seed, .at_once = at_once};
        if (!what.ends_by_itself) s.cancel_at = 100;
        const what_happened whole = once(s);
        for (std::size_t fail = 0; fail <= whole.operations; ++fail) {
          s.fail_at = fail;
          s.cancel_at = what.ends_by_itself ? SIZE_MAX : 100;
          const std::size_t steps = fail ? once(s).steps : whole.steps;
          for (std::size_t step = 0; step <= steps && step <= 100; ++step) {
            s.cancel_at = step;
            once(s);
          }
        }
        if (testing::Test::HasFailure()) return;  // the first is enough to read
      }
  EXPECT_GT(plays, 20u);
}
template <class Make>
void cancel_everywhere(Make make, everywhere what = {}) {
  cancel_everywhere(std::move(make), what, [](const scenario&, const what_happened&) {});
}

}  // namespace astd::test
