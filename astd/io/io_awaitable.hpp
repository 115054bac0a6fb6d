// Internal: what a function returns that starts one operation of the driver.
#pragma once

namespace astd::io::detail {

/// The arguments of an `Awaiter`, which cannot be moved, until co_await makes it of them. Awaiting is what starts it.
template <class Awaiter>
class [[nodiscard("it does nothing until it is awaited")]] io_awaitable {
 public:
  template <class... Args>
  explicit io_awaitable(const Args&... args) noexcept : arguments_(args...) {}
  Awaiter operator co_await() const noexcept { return Awaiter(arguments_); }

 private:
  typename Awaiter::arguments arguments_;
};

}  // namespace astd::io::detail
