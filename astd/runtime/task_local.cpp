#include <astd/base/assert.hpp>
#include <astd/base/config.hpp>
#include <astd/runtime/task_extras.hpp>
#include <astd/runtime/task_local.hpp>

#include <stdexcept>

namespace astd::detail {

void* find_local(const void* key) noexcept {
  const chain* const c = current_chain();
  for (const local_binding* b = c ? c->locals() : nullptr; b; b = b->outer)
    if (b->key == key) return b->value;
  return nullptr;
}

void throw_no_local() {
#if ASTD_HAS_EXCEPTIONS
  throw std::logic_error("astd::task_local::get: it has no value here; use with(value, ...) around the await");
#else
  assertion_failed("task_local::get: it has no value here; use with(value, ...) around the await");
#endif
}

void inherit_locals(const chain& from, task_header& to) {
  const local_binding** last = nullptr;
#if ASTD_HAS_EXCEPTIONS
  try {
#endif
    for (const local_binding* b = from.locals(); b; b = b->outer) {
      if (!b->copy) continue;
      task_extras& extras = extras_of(to);
      local_binding* const copy = b->copy(*b);
      if (last)
        *last = copy;
      else
        extras.inherited = copy;
      last = &copy->outer;
    }
#if ASTD_HAS_EXCEPTIONS
  } catch (...) {
    if (last) end_inherited_locals(to);
    throw;
  }
#endif
  if (last) to.root.set_locals(to.extras->inherited);
}

void end_inherited_locals(task_header& t) noexcept {
  t.root.set_locals(nullptr);
  for (local_binding* b = t.extras->inherited; b;) {
    // All in this list are copies of ours.
    auto* const outer = const_cast<local_binding*>(b->outer);
    b->destroy(b);
    b = outer;
  }
  t.extras->inherited = nullptr;
}

}  // namespace astd::detail
