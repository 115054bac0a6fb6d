#include <astd/base/spin_lock.hpp>
#include <astd/io/duplex.hpp>
#include <astd/sync/event.hpp>

#include <algorithm>

namespace astd::io {
namespace detail {

// One direction.
class one_way_pipe {
 public:
  explicit one_way_pipe(std::size_t capacity)
      : memory_(std::make_unique_for_overwrite<std::byte[]>(capacity)), capacity_(capacity) {}

  poll_result<std::size_t> read(mutable_bytes to) noexcept {
    if (to.empty()) return std::size_t{0};
    std::size_t n = 0;
    {
      astd::detail::spin_guard guard(lock_);
      if (size_ == 0) {
        if (ended_ || reader_gone_) return std::size_t{0};
        return not_ready;
      }
      // What is held may go around the end of the memory.
      n = copy_bytes({memory_.get() + begin_, std::min(size_, capacity_ - begin_)}, to);
      n += copy_bytes({memory_.get(), size_ - n},
                      n == to.size() || begin_ + n < capacity_ ? mutable_bytes() : to.drop(n));
      begin_ = (begin_ + n) % capacity_;
      size_ -= n;
    }
    changed.notify_all();
    return n;
  }
  poll_result<std::size_t> write(const_bytes from) noexcept {
    std::size_t n = 0;
    {
      astd::detail::spin_guard guard(lock_);
      if (ended_ || reader_gone_) return std::make_error_code(std::errc::broken_pipe);
      if (from.empty()) return std::size_t{0};
      if (size_ == capacity_) return not_ready;
      const std::size_t end = (begin_ + size_) % capacity_;
      const std::size_t room = capacity_ - size_;
      n = copy_bytes(from, {memory_.get() + end, std::min(room, capacity_ - end)});
      if (end + n == capacity_) n += copy_bytes(from.drop(n), {memory_.get(), room - n});
      size_ += n;
    }
    changed.notify_all();
    return n;
  }
  [[nodiscard]] bool would_read() noexcept {
    astd::detail::spin_guard guard(lock_);
    return size_ != 0 || ended_ || reader_gone_;
  }
  [[nodiscard]] bool would_write() noexcept {
    astd::detail::spin_guard guard(lock_);
    return size_ != capacity_ || ended_ || reader_gone_;
  }
  void end() noexcept {
    {
      astd::detail::spin_guard guard(lock_);
      ended_ = true;
    }
    changed.notify_all();
  }
  void lose_reader() noexcept {
    {
      astd::detail::spin_guard guard(lock_);
      reader_gone_ = true;
      size_ = 0;
    }
    changed.notify_all();
  }

  event changed{"a duplex pipe"};

 private:
  astd::detail::spin_lock lock_;
  const std::unique_ptr<std::byte[]> memory_;
  const std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  bool ended_ = false;
  bool reader_gone_ = false;
};

class duplex_state {
 public:
  explicit duplex_state(std::size_t capacity) : ways_{one_way_pipe(capacity), one_way_pipe(capacity)} {}
  one_way_pipe& from(int side) noexcept { return ways_[side]; }
  one_way_pipe& into(int side) noexcept { return ways_[1 - side]; }

 private:
  one_way_pipe ways_[2];
};

}  // namespace detail

namespace {

// True: it is an outcome.
bool settle(poll_result<std::size_t> tried, const char* action, astd::detail::outcome<std::size_t>& done) noexcept {
  if (tried.is_ready()) done.set_value(tried.value());
  if (tried.is_error()) done.set_failure(failure(tried.error(), action, "a duplex pipe"));
  return !tried.is_not_ready();
}

task<std::size_t> read_later(detail::one_way_pipe& from, mutable_bytes to) {
  for (;;) {
    const auto next = from.changed.wait();
    auto tried = from.read(to);
    if (tried.is_ready()) co_return tried.value();
    co_await next;
  }
}
task<std::size_t> write_later(detail::one_way_pipe& into, const_bytes from) {
  for (;;) {
    const auto next = into.changed.wait();
    auto tried = into.write(from);
    if (tried.is_ready()) co_return tried.value();
    if (tried.is_error()) co_await fail({tried.error(), "write", "a duplex pipe"});
    co_await next;
  }
}

}  // namespace

bool duplex_stream::read_op::now(astd::detail::outcome<std::size_t>& done) noexcept {
  return settle(of->from(side).read(to), "read", done);
}
task<std::size_t> duplex_stream::read_op::later() { return read_later(of->from(side), to); }
bool duplex_stream::write_op::now(astd::detail::outcome<std::size_t>& done) noexcept {
  return settle(of->into(side).write(from), "write", done);
}
task<std::size_t> duplex_stream::write_op::later() { return write_later(of->into(side), from); }

poll_result<std::size_t> duplex_stream::try_read(mutable_bytes to) noexcept { return state_->from(side_).read(to); }
poll_result<std::size_t> duplex_stream::try_write(const_bytes from) noexcept {
  return state_->into(side_).write(from);
}
task<> duplex_stream::readable() {
  detail::one_way_pipe& from = state_->from(side_);
  for (;;) {
    const auto next = from.changed.wait();
    if (from.would_read()) co_return;
    co_await next;
  }
}
task<> duplex_stream::writable() {
  detail::one_way_pipe& into = state_->into(side_);
  for (;;) {
    const auto next = into.changed.wait();
    if (into.would_write()) co_return;
    co_await next;
  }
}

task<> duplex_stream::shutdown_write() {
  state_->into(side_).end();
  co_return;
}
task<> duplex_stream::close() {
  give_up();
  co_return;
}

void duplex_stream::give_up() noexcept {
  if (!state_) return;
  state_->into(side_).end();
  state_->from(side_).lose_reader();
}
duplex_stream::~duplex_stream() { give_up(); }
duplex_stream& duplex_stream::operator=(duplex_stream&& other) noexcept {
  if (this == &other) return *this;
  give_up();
  state_ = std::move(other.state_);
  side_ = other.side_;
  return *this;
}

std::pair<duplex_stream, duplex_stream> duplex(std::size_t capacity) {
  auto state = std::make_shared<detail::duplex_state>(std::max<std::size_t>(capacity, 1));
  duplex_stream first(state, 0);
  return {std::move(first), duplex_stream(std::move(state), 1)};
}

}  // namespace astd::io
