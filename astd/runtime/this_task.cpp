#include <astd/runtime/this_task.hpp>

namespace astd::this_task {
namespace {

detail::task_header* running() noexcept {
  const detail::chain* c = detail::current_chain();
  return c ? c->task() : nullptr;
}

}  // namespace

task_id get_id() noexcept {
  const detail::task_header* t = running();
  return t ? t->id : 0;
}

std::string_view name() noexcept {
  const detail::task_header* t = running();
  return t ? detail::name_of_task(*t) : std::string_view();
}

void request_cancel() noexcept {
  if (detail::task_header* t = running()) t->root.request_cancel();
}

bool is_cancelled() noexcept {
  const detail::chain* c = detail::current_chain();
  return c && (c->cancel_requested() || (c->task() && c->task()->root.cancel_requested()));
}

}  // namespace astd::this_task
