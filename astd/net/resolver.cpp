#include <astd/net/resolver.hpp>

namespace astd::net::detail {

resolver::awaitable resolver::look_up(std::string_view host) {
  std::lock_guard guard(mutex_);
  if (!pool_)
    pool_.emplace(astd::detail::blocking_pool_options{.max_threads = max_threads_, .thread_name = "resolver"});
  return awaitable(*this, host);
}

std::size_t resolver::in_progress() const {
  std::lock_guard guard(mutex_);
  return in_progress_;
}

// The request that asks what `r` asks: one under way, or `r` itself.
resolver::request& resolver::ask(std::unique_ptr<request> r) noexcept {
  bucket& same_hash = bucket_of(*r);
  for (request* other = same_hash.front(); other; other = same_hash.after(*other))
    if (other->host == r->host) return *other;
  r->run = &resolver::run;
  same_hash.push_back(*r);
  ++in_progress_;
  pool_->submit(*r);
  return *r.release();
}

void resolver::run(astd::detail::job& j) noexcept {
  const std::unique_ptr<request> r(&static_cast<request&>(j));
  resolver& self = r->by;
  *r->answer = self.how_(r->host);
  std::unique_lock lock(self.mutex_);
  // From here on the same question is a new one.
  bucket::erase(*r);
  --self.in_progress_;
  // One by one: the others may be cancelled meanwhile. Whoever was unlinked here is ours to complete.
  while (lookup* waiter = r->waiting.pop_front()) {
    lock.unlock();
    waiter->complete(false, astd::detail::urgency::queued);
    lock.lock();
  }
}

astd::detail::resumable* resolver::lookup::start(const astd::detail::await_context& c) noexcept {
  attach(c);
  hold_.begin();
  if (!publish()) return stop();
  std::unique_lock lock(by_.mutex_);
  if (stopping_) {  // between publish() and here: the end was left to us
    lock.unlock();
    return finish(true);
  }
  asked_ = &by_.ask(std::move(own_));
  answer_ = asked_->answer;
  asked_->waiting.push_back(*this);
  return nullptr;
}

void resolver::lookup::request_stop() noexcept {
  std::unique_ptr<request> unwanted;
  bool unlinked = false;
  {
    std::lock_guard guard(by_.mutex_);
    stopping_ = true;
    if (linked()) {
      astd::detail::intrusive_list<lookup>::erase(*this);
      unlinked = true;
      if (asked_->waiting.empty() && by_.pool_->withdraw(*asked_)) {
        bucket::erase(*asked_);
        --by_.in_progress_;
        unwanted.reset(asked_);
      }
    }
  }
  if (unlinked) complete(true);
  stop_request_done();
}

void resolver::lookup::describe(std::string& out, unsigned) const {
  // asked_ may be gone when the answer has come; own_ is, as soon as the question is asked.
  out += "lookup of a host name";
}

}  // namespace astd::net::detail
