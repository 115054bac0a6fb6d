#include <astd/base/frame_pool.hpp>
#include <astd/coro/awaitable.hpp>

namespace astd::detail {

void* foreign_chain::operator new(std::size_t size) { return allocate_frame(size); }
void foreign_chain::operator delete(void* p, std::size_t size) noexcept { free_frame(p, size); }

bool foreign_chain::start(resumable* first) noexcept {
  if (first) run(*first);
  // Whoever comes second goes on: here that means it has ended already and the awaiter need not be suspended.
  // acq_rel pairs with the exchange in ended(): the outcome is visible on either side.
  if (!one_side_done_.exchange(true, std::memory_order_acq_rel)) return true;
  delete this;
  return false;
}

void foreign_chain::ended(resumable* r) {
  // The chain is the first member; from_end gives the chain, and the chain's address is ours.
  auto* self = reinterpret_cast<foreign_chain*>(&chain::from_end(r));
  if (!self->one_side_done_.exchange(true, std::memory_order_acq_rel)) return;
  const std::coroutine_handle<> awaiting = self->awaiting_;
  delete self;
  set_current_chain(nullptr);
  // Never through defer(): its promise has no link of ours. The stack does not grow: it is either done with when it
  // comes back, or suspended again.
  awaiting.resume();
}

}  // namespace astd::detail
