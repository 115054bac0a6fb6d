// What join, race, select, timeout and the like share: an operation made of branches, each a chain of its own.
//
// The branches start in order, each when the one before has suspended or ended, on the thread of the awaiter; from
// then on each runs where it is resumed, so on several workers branches may run at the same time. The whole ends when
// every branch has ended: nothing is left behind. A cancelled composite asks its branches to stop and waits for them.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/coro/own_awaiter.hpp>

#include <cstdint>

namespace astd::detail {

class composite;

/// One branch: its chain, and what there is to await.
class branch_base : public chain {
 public:
  explicit branch_base(composite& owner) noexcept : chain(&ended), owner_(&owner) {}

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool has_value() const noexcept { return settled_ && !failed_; }

 protected:
  ~branch_base() = default;

 private:
  friend class composite;
  static void ended(resumable* r);

  /// Starts the awaiter, or says at once that it is ready (by returning end()).
  virtual resumable* start() = 0;
  /// Takes the outcome; true if it is a failure.
  virtual bool settle() noexcept = 0;

  composite* owner_;
  branch_base* following_ = nullptr;
  bool failed_ = false;
  bool settled_ = false;  // has an outcome, was not stopped
};

template <class A>
class branch final : public branch_base {
 public:
  using value_type = typename own_awaiter<A>::value_type;
  branch(composite& owner, A&& a) : branch_base(owner), awaiter_(static_cast<A&&>(a)) {}
  outcome<value_type>& result() noexcept { return result_; }

 private:
  resumable* start() override {
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      if (awaiter_->await_ready()) return &end();
      return awaiter_->start({&end(), this, nullptr});
#if ASTD_HAS_EXCEPTIONS
    } catch (...) {
      result_.set_exception(std::current_exception());
      return &end();
    }
#endif
  }
  bool settle() noexcept override {
    if (result_.what() == outcome<value_type>::kind::none) awaiter_.take_into(result_);
    return result_.failed();
  }

  own_awaiter<A> awaiter_;
  outcome<value_type> result_;
};

class composite : public suspension {
 public:
  void request_stop() noexcept final;
  void describe(std::string& out, unsigned depth) const override;

 protected:
  explicit composite(const char* name) noexcept : starter_(&start_next, this), name_(name) {}
  ~composite() = default;

  /// In the order in which they start. Before start_branches().
  void add(branch_base& b) noexcept;

  enum class stops {
    before,    // if a stop was requested already, the chain stops here and no branch starts
    branches,  // they are asked to stop then, but the whole goes its way
    behind,    // shielded: no request reaches the branches; the chain stops after the whole has ended
  };
  [[nodiscard]] resumable* start_branches(const await_context& c, stops where = stops::before) noexcept;
  /// From branch_ended() only: one more branch, which starts now and is not reached by requests from outside.
  [[nodiscard]] resumable* start_late(branch_base& b) noexcept;

  /// Asks all branches but `b` to stop.
  void cancel_others(const branch_base* b) noexcept;

  /// Called for each branch that has an outcome, before that is taken: what takes one from the chain of a branch that has
  /// been asked to stop may pass it on (a notification, a permit). Possibly at the same time for several.
  virtual void settling(branch_base&) noexcept {}
  /// Called for each branch, possibly at the same time for several. May return what is to be resumed meanwhile
  /// (from start_late), else null.
  virtual resumable* branch_ended(branch_base& b) noexcept = 0;
  /// Asked when all have ended: whether there is something to give to the awaiter. If not, the chain stops.
  [[nodiscard]] virtual bool has_outcome() const noexcept = 0;

  /// For composites with more to stop than their branches.
  virtual void stop_more() noexcept {}
  /// One more thing that must end before the whole has, and the end of one.
  void retain() noexcept { remaining_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] resumable* release() noexcept;

  [[nodiscard]] branch_base* first() const noexcept { return first_; }
  static branch_base* following(const branch_base& b) noexcept { return b.following_; }

 private:
  friend class branch_base;
  void stop_all() noexcept;
  static void start_next(resumable* r);
  resumable* ended(branch_base& b) noexcept;

  resumable starter_;
  branch_base* first_ = nullptr;
  branch_base* last_ = nullptr;
  branch_base* unstarted_ = nullptr;
  atomic<std::uint32_t> remaining_{1};  // what has not ended: branches, and one while starting
  composite* next_to_stop_ = nullptr;
  stops stops_ = stops::before;
  bool published_ = false;
  const char* name_;
};

}  // namespace astd::detail
