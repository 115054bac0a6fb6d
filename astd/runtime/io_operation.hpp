// Awaiting one operation of the driver: the base of every awaiter that touches the outside world.
//
// A derived class fills in the operation (opcode, descriptor, arguments), calls start_io() in start(), and turns
// result() into its value in take(). The operation goes to the loop of the worker that runs the chain at that moment
// and stays there until it has ended; cancelling asks the driver and waits for the answer, so buffers and addresses
// belong to the caller again once the await is over, however it ends.
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/driver/operation.hpp>

#include <string_view>

namespace astd::detail {

class loop;
class worker;

class io_operation : public suspension, protected driver::operation {
 public:
  void request_stop() noexcept final;
  void describe(std::string& out, unsigned depth) const override;

 protected:
  io_operation(driver::opcode what, int descriptor) noexcept {
    code = what;
    fd = descriptor;
    completed = &ended;
  }
  ~io_operation() = default;

  /// What start() of the derived awaiter returns.
  [[nodiscard]] resumable* start_io(const await_context& c) noexcept;

  /// The driver's result: >= 0, or a negated errno. First thing in take(): call resumed().
  [[nodiscard]] int result() const noexcept { return driver::operation::result; }
  [[nodiscard]] bool failed() const noexcept { return result() < 0; }
  [[nodiscard]] std::error_code error() const noexcept { return {-result(), std::system_category()}; }
  /// The failure, with what was tried on what ("connect", "127.0.0.1:80") where there is something to name.
  [[nodiscard]] failure failed_with(std::string_view action, std::string_view subject) const noexcept {
    return failure(error(), action, subject);
  }

 private:
  static void ended(driver::operation& op) noexcept;
  static void start_on_worker(resumable* r);
  resumable* submit_to(worker& here) noexcept;
  loop* home_ = nullptr;
};

/// For operations whose outcome is the result itself.
template <class Derived, class T>
class io_awaiter : public io_operation, public awaiter_base<Derived> {
 public:
  using value_type = T;
  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept { return start_io(c); }

 protected:
  using io_operation::io_operation;
  ~io_awaiter() = default;
};

}  // namespace astd::detail
