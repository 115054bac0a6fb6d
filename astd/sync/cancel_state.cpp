#include <astd/sync/cancel_state.hpp>

namespace astd::detail {
namespace {

// Its address is the thread.
constinit thread_local char this_thread;
void* this_thread_mark() noexcept { return &this_thread; }

}  // namespace

cancel_state* cancel_state::make(cancel_state* parent) {
  auto* const made = new cancel_state(parent);
  if (!parent) return made;
  parent->retain();
  spin_guard guard(parent->lock_);
  if (parent->is_cancelled())
    made->cancelled_.store(true, std::memory_order_relaxed);
  else
    parent->hooks_.push_back(*made);
  return made;
}

// Up the tree as far as nobody else holds it: a chain may be long.
void cancel_state::release() noexcept {
  cancel_state* s = this;
  // acq_rel: the last owner destroys what the others used.
  while (s && s->owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    cancel_state* const parent = s->parent_;
    if (parent) {
      spin_guard guard(parent->lock_);
      if (s->linked()) intrusive_list<cancel_hook>::erase(*s);
    }
    delete s;
    s = parent;
  }
}

bool cancel_state::retain_if_alive() noexcept {
  std::uint32_t owners = owners_.load(std::memory_order_relaxed);
  while (owners != 0)
    if (owners_.compare_exchange_weak(owners, owners + 1, std::memory_order_relaxed, std::memory_order_relaxed))
      return true;
  return false;
}

bool cancel_state::mark() noexcept {
  spin_guard guard(lock_);
  if (is_cancelled()) return false;
  // release: pairs with is_cancelled().
  cancelled_.store(true, std::memory_order_release);
  return true;
}

// One state after another, not one inside the other: a tree may be deep.
bool cancel_state::request_cancel() noexcept {
  if (!mark()) return false;
  retain();  // what we call may drop everything else that holds it
  cancel_state* todo = nullptr;
  call_hooks(todo);
  while (cancel_state* const s = todo) {
    todo = s->next_;
    if (s->mark()) s->call_hooks(todo);
    s->release();
  }
  release();
  return true;
}

// Its children go in front of `todo`.
void cancel_state::call_hooks(cancel_state*& todo) noexcept {
  runner_.store(this_thread_mark(), std::memory_order_relaxed);
  for (;;) {
    cancel_hook* h;
    {
      spin_guard guard(lock_);
      h = hooks_.pop_front();
      if (h && !h->call) {
        auto& child = static_cast<cancel_state&>(*h);
        if (!child.retain_if_alive()) continue;  // it waits for this lock, to go
        child.next_ = todo;
        todo = &child;
        continue;
      }
      // release: pairs with the acquire in wait_until_called(), which sees all that the last call did.
      running_.store(h, std::memory_order_release);
    }
    running_.notify_all();
    if (!h) return;
    h->call(*h);
  }
}

cancel_state::added cancel_state::add(cancel_hook& h, const bool& refused) noexcept {
  spin_guard guard(lock_);
  if (refused) return added::refused;
  if (is_cancelled()) return added::cancelled;
  hooks_.push_back(h);
  return added::waits;
}

bool cancel_state::withdraw(cancel_hook& h, bool& refused) noexcept {
  spin_guard guard(lock_);
  if (!h.linked()) {
    refused = true;
    return false;
  }
  intrusive_list<cancel_hook>::erase(h);
  return true;
}

void cancel_state::wait_until_called(cancel_hook& h) noexcept {
  if (runner_.load(std::memory_order_relaxed) == this_thread_mark()) return;
  while (running_.load(std::memory_order_acquire) == &h) running_.wait(&h, std::memory_order_acquire);
}

resumable* cancelled_awaiter::start(const await_context& c) noexcept {
  attach(c);
  cancel_state* const state = state_.get();
  if (!publish()) return stop();
  if (!state) return nullptr;  // nobody will ever ask
  switch (state->add(*this, refused_)) {
    case cancel_state::added::waits: break;  // from here on we may be gone
    case cancel_state::added::cancelled: return finish(false);
    case cancel_state::added::refused: return finish(true);
  }
  return nullptr;
}

void cancelled_awaiter::told(cancel_hook& h) noexcept { static_cast<cancelled_awaiter&>(h).complete(false); }

void cancelled_awaiter::request_stop() noexcept {
  if (!state_ || state_->withdraw(*this, refused_)) complete(true);
  stop_request_done();
}

}  // namespace astd::detail
