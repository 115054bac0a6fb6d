#include <astd/stream/hub.hpp>

namespace astd::stream::detail {

hub::~hub() = default;

void hub::drop() noexcept {
  // acq_rel: the last one destroys what all others have used.
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void hub::ended() noexcept {
  // release: pairs with is_quiet(), whose caller destroys what the helper has used.
  if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) quiet.notify_one();
  drop();
}

}  // namespace astd::stream::detail
