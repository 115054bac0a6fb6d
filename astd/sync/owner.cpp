#include <astd/coro/task_header.hpp>
#include <astd/sync/owner.hpp>

namespace astd::detail {

std::uint64_t owner::running_task() noexcept {
  const chain* const c = current_chain();
  const task_header* const t = c ? c->task() : nullptr;
  return t ? t->id : 0;
}

void owner::describe(std::string& out) const {
  const std::uint64_t task = task_.load(std::memory_order_relaxed);
  out += task ? ", held by task " + std::to_string(task) : std::string(", held by a thread");
}

}  // namespace astd::detail
