#include <astd/coro/or_return.hpp>
#include <astd/signal/stream.hpp>
#include <astd/sync/event.hpp>

#include <csignal>
#include <utility>

namespace astd::signal {

class stream::arrivals final : public detail::listener {
 public:
  explicit arrivals(int signal) noexcept : number(signal) {}
  void arrived(int) noexcept override { changed.notify_one(); }
  const int number;
  event changed{"a signal"};
};

stream::stream(int number) : arrivals_(std::make_shared<arrivals>(number)) { detail::listen(number, arrivals_); }

stream& stream::operator=(stream&& other) noexcept {
  if (this == &other) return *this;
  if (arrivals_) detail::forget(*arrivals_);
  arrivals_ = std::move(other.arrivals_);
  return *this;
}

stream::~stream() {
  if (arrivals_) detail::forget(*arrivals_);
}

int stream::number() const noexcept { return arrivals_->number; }

task<std::optional<int>> stream::next() {
  // Lives as long as the wait, whatever becomes of the stream.
  const std::shared_ptr<arrivals> from = arrivals_;
  co_await from->changed.wait();
  co_return from->number;
}

task<> ctrl_c() {
  stream interrupts(SIGINT);
  co_await interrupts.next();
}

}  // namespace astd::signal
