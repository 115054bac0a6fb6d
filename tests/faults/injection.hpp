// What the harness does to a run: the switches that its parts share.
#pragma once

#include <astd/base/config.hpp>
#include <astd/runtime/join_handle.hpp>

#include <cstdint>

namespace astd::faults {

// ---- memory.cpp

/// Clang's thread sanitizer keeps operator new to itself: there no allocation fails, and blocks are not counted.
#define ASTD_OWN_OPERATOR_NEW (!ASTD_SANITIZED || ASTD_ADDRESS_SANITIZED)

/// The n-th allocation from now on fails (1: the next); `for_good`: and all that follow. 0: none.
void fail_allocation(long n, bool for_good) noexcept;
/// Whether one has failed since then.
[[nodiscard]] bool allocation_failed() noexcept;
/// Blocks that were allocated and not freed.
[[nodiscard]] long live_blocks() noexcept;

/// What this thread allocates meanwhile does not fail.
class exempt {
 public:
  exempt() noexcept;
  ~exempt();
  exempt(const exempt&) = delete;
  exempt& operator=(const exempt&) = delete;
};

// ---- driver.cpp

/// The n-th operation that reaches a driver from now on fails; 0: none. `kind` chooses among the errors that may happen
/// to it. `later`: not inside submit(), where that is possible, but when its loop looks next.
void fail_operation(long n, unsigned kind, bool later) noexcept;
inline constexpr unsigned error_kinds = 4;
/// The error with which one failed since then; 0: none did.
[[nodiscard]] int operation_failed() noexcept;

// ---- turns.cpp

/// Requests the cancellation of `target` behind the n-th turn of any worker from now on, on its thread. 0: now.
void cancel_behind_turn(join_handle<>& target, long n) noexcept;
/// Never mind, if it has not happened yet. Whether it has. `target` may go afterwards.
bool take_back_cancel() noexcept;
/// All turns since the program began.
[[nodiscard]] std::uint64_t turns() noexcept;

}  // namespace astd::faults
