// Apart from the rest because the models put their own in its place: see models/model_waiting.hpp.
#include <astd/sync/wait_queue.hpp>

#include <thread>

namespace astd::detail {

wait_queue::word wait_queue::lock_slowly() noexcept {
  for (word state;;) {
    for (int i = 0; i < 64; ++i)
      if (try_lock(state)) return state;
    // Whoever has it does not sleep with it, but may have been put aside by the system.
    std::this_thread::yield();
  }
}

}  // namespace astd::detail
