// Operations under fault: each is cancelled at every turn of its way, at random moments from another thread, has every
// operation of the driver fail under it, and every allocation. However it ends, it has ended, nothing is lost, nothing
// is left behind, and the runtime works on.
//
// A module describes its operations in astd/**/x_faults.cpp; nothing else is to be done. Where there is no world to
// speak of:
//
//   ASTD_OPERATION(join_of_two) {
//     auto both = co_await join(sleeper(), spawned());
//     static_cast<void>(both);
//   }
//
// Where something could be lost, a scenario makes the world afresh for each run, plays the other side, and counts:
//
//   struct receiving final : scenario {
//     explicit receiving(runtime& rt);               // not under fault
//     task<> operation() override;                   // under fault: notes what it was given
//     void meanwhile() override;                     // the test's thread, again and again: the peer sends one more
//     void check(const report& r) override;          // EXPECT_EQ(given + what is left, sent)
//   };
//   ASTD_SCENARIO(receiving);
//
// The operation may use whatever it likes: branches, tasks of its own, several awaits. What it leaves behind on purpose
// (a detached task) must end by itself.
//
// The program is one of its own, astd_faults: its operator new counts and fails, coroutine frames come from there one by
// one, and it stands between the runtime and two of the library's functions (detail::run, driver::make_driver) by the
// linker's --wrap, so that the library is the one that users get. It runs on every driver, with one worker and with
// several, as the suite does. ASTD_TEST_SEED repeats the random moments.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/runtime/runtime.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

namespace astd::faults {

enum class ending { value, failed, out_of_memory, thrown, cancelled };

/// How a run went.
struct report {
  ending how = ending::value;
  std::error_code code;  // of failed
  char what[160] = "";   // of failed and thrown
};

class scenario {
 public:
  virtual ~scenario() = default;
  virtual task<> operation() = 0;
  virtual void meanwhile() {}
  virtual void check(const report&) {}
  /// Whether it may end so though no fault was injected, or with another error than the one that was.
  virtual bool may_end_with(const report&) { return false; }
};

struct registered {
  std::string_view name;
  std::unique_ptr<scenario> (*make)(runtime&);
};
std::vector<registered>& all_operations();

template <class Scenario>
bool add(std::string_view name) {
  all_operations().push_back({name, [](runtime& rt) -> std::unique_ptr<scenario> {
                                if constexpr (std::is_constructible_v<Scenario, runtime&>)
                                  return std::make_unique<Scenario>(rt);
                                else
                                  return std::make_unique<Scenario>();
                              }});
  return true;
}

/// A value that is destroyed exactly once, or the program ends: to be moved into tasks and results.
class tracked {
 public:
  tracked() noexcept { live_.fetch_add(1, std::memory_order_relaxed); }
  tracked(const tracked& other) noexcept : tracked() { other.look(); }
  tracked(tracked&& other) noexcept : tracked() { other.look(); }
  tracked& operator=(const tracked& other) noexcept {
    look();
    other.look();
    return *this;
  }
  ~tracked();
  static long live() noexcept { return live_.load(); }

 private:
  void look() const noexcept;
  unsigned state_ = alive;
  static constexpr unsigned alive = 0xa11fe, gone = 0xdead;
  static inline std::atomic<long> live_{0};
};

}  // namespace astd::faults

#define ASTD_SCENARIO(type) \
  [[maybe_unused]] static const bool type##_is_registered = ::astd::faults::add<type>(#type)

#define ASTD_OPERATION(name)                     \
  namespace {                                    \
  struct name final : ::astd::faults::scenario { \
    ::astd::task<> operation() override;         \
  };                                             \
  }                                              \
  ASTD_SCENARIO(name);                           \
  ::astd::task<> name::operation()
