// Apart from the rest because the models put their own in its place: see models/model_waiting.hpp.
#include <astd/base/backoff.hpp>
#include <astd/sync/wait_queue.hpp>

namespace astd::detail {

wait_queue::word wait_queue::lock_slowly() noexcept {
  word state;
  backoff until_it_is_free;
  do until_it_is_free.wait();
  while (!try_lock(state));
  return state;
}

}  // namespace astd::detail
