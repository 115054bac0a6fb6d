// What a failed operation leaves behind: an error code and, where there is one, the name of the thing it concerned.
// It becomes an exception only if the awaiter wants one (see as_result, or_return).
//
//   co_await astd::fail({std::make_error_code(std::errc::io_error), "open", path});
//   ...
//   catch (const astd::system_error& e) {        // also a std::system_error
//     e.code()                                   // == std::errc::io_error
//     e.failure().subject()                      // "open /the/path"
//   }
#pragma once

#include <astd/base/config.hpp>

#include <cstdint>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

namespace astd {

/// An error code with its subject, such as "connect 127.0.0.1:1". Copies share the subject's text, also between
/// threads. One pointer's size; allocates only where a subject is given. If that allocation fails the subject is left
/// out.
class failure {
 public:
  failure() noexcept : failure(std::error_code()) {}
  failure(std::error_code code) noexcept : bits_(in_place(code)) {}  // NOLINT: an error code is a failure
  failure(std::errc code) noexcept : failure(std::make_error_code(code)) {}
  failure(std::error_code code, std::string_view subject) noexcept;
  /// `action` and `subject` are joined by a blank: ("open", "/tmp/x").
  failure(std::error_code code, std::string_view action, std::string_view subject) noexcept;
  failure(const failure& other) noexcept;
  /// What is moved from keeps its code without the subject.
  failure(failure&& other) noexcept : bits_(other.bits_) {
    if (is_shared()) [[unlikely]]
      other.bits_ = in_place(code());
  }
  failure& operator=(failure other) noexcept {
    std::swap(bits_, other.bits_);
    return *this;
  }
  ~failure() {
    if (is_shared()) [[unlikely]]
      release();
  }

  [[nodiscard]] std::error_code code() const noexcept;
  /// "connect 127.0.0.1:1", or empty.
  [[nodiscard]] std::string_view subject() const noexcept;

 private:
  // Either a pointer to code and text, or, with the lowest bit set, the code itself: its value in the upper half, the
  // number of its category between.
  struct shared;
  static std::uint64_t in_place(std::error_code code) noexcept;
  [[nodiscard]] bool is_shared() const noexcept { return (bits_ & 1) == 0; }
  [[nodiscard]] shared* get() const noexcept {
    return reinterpret_cast<shared*>(static_cast<std::uintptr_t>(bits_));
  }
  void release() noexcept;
  std::uint64_t bits_;
};

/// What `co_await` throws when an operation failed: a std::system_error that also names what it concerned.
class system_error : public std::system_error {
 public:
  explicit system_error(astd::failure f);
  [[nodiscard]] const astd::failure& failure() const noexcept { return failure_; }

 private:
  astd::failure failure_;
};

/// What awaiting a join handle throws when its task was cancelled; its code is std::errc::operation_canceled.
class task_cancelled : public system_error {
 public:
  /// `task`: "task 'reader'", "task 7".
  explicit task_cancelled(std::string_view task);
};

/// Error codes of astd's own, each equal to the std::errc that it stands for, with a text that fits.
enum class errc {
  timed_out = 1,  // == std::errc::timed_out, whose own text speaks of connections
};
[[nodiscard]] std::error_code make_error_code(errc e) noexcept;

namespace detail {

/// Throws system_error(f); without exceptions, prints it and aborts.
[[noreturn]] ASTD_NOINLINE void throw_failure(failure f);
[[noreturn]] ASTD_NOINLINE void throw_task_cancelled(std::string_view task);
/// Throws std::invalid_argument(message); without exceptions, prints it and aborts.
[[noreturn]] ASTD_NOINLINE void throw_invalid_argument(const char* message);
[[noreturn]] ASTD_NOINLINE void rethrow(std::exception_ptr e);
/// The code of a std::system_error held by `e`; any other exception is thrown on.
std::error_code code_of(std::exception_ptr e);
/// One line about what `e` holds: "std::runtime_error: text".
void describe_exception(const std::exception_ptr& e, char* out, std::size_t size) noexcept;

}  // namespace detail
}  // namespace astd

template <>
struct std::is_error_code_enum<astd::errc> : std::true_type {};
