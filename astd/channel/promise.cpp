#include <astd/base/assert.hpp>
#include <astd/channel/promise.hpp>

#include <future>

namespace astd::detail {

void promise_core::drop_future() noexcept {
  // acq_rel: as in drop_reference().
  if (futures_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  change(closing_);
  drop_reference();
}

failure broken_promise() noexcept { return std::make_error_code(std::future_errc::broken_promise); }

void throw_future_error(promise_misuse what) {
#if ASTD_HAS_EXCEPTIONS
  switch (what) {
    case promise_misuse::already_retrieved: throw std::future_error(std::future_errc::future_already_retrieved);
    case promise_misuse::already_satisfied: throw std::future_error(std::future_errc::promise_already_satisfied);
    default: throw std::future_error(std::future_errc::no_state);
  }
#else
  static_cast<void>(what);
  assertion_failed("a promise or future was misused: no state, or used twice");
#endif
}

}  // namespace astd::detail
