// How a process ended: with a code of its own, or by a signal.
//
//   auto status = co_await process::command("make").status();
//   if (!status.success()) co_await println("make: {}", status);   // "exit code 2", "signal 9 (Killed)"
#pragma once

#include <fmt/core.h>

#include <concepts>
#include <iosfwd>
#include <optional>
#include <string>

namespace astd::process {

class exit_status {
 public:
  /// As if the process had ended with code 0.
  exit_status() noexcept = default;
  /// Ended by itself, with `code` (0 to 255).
  [[nodiscard]] static exit_status exited(int code) noexcept { return exit_status(code, false, false); }
  /// Ended by a signal.
  [[nodiscard]] static exit_status killed(int signal, bool core_dumped = false) noexcept {
    return exit_status(signal, true, core_dumped);
  }

  /// Whether it ended by itself, with code 0.
  [[nodiscard]] bool success() const noexcept { return !by_signal_ && value_ == 0; }
  explicit operator bool() const noexcept { return success(); }
  /// What it gave to exit(); empty if a signal ended it.
  [[nodiscard]] std::optional<int> code() const noexcept {
    return by_signal_ ? std::nullopt : std::optional<int>(value_);
  }
  /// The signal that ended it; empty if it ended by itself.
  [[nodiscard]] std::optional<int> signal() const noexcept {
    return by_signal_ ? std::optional<int>(value_) : std::nullopt;
  }
  /// Whether the signal left a core dump.
  [[nodiscard]] bool core_dumped() const noexcept { return dumped_; }

  /// "exit code 2", "signal 9 (Killed)", "signal 11 (Segmentation fault), core dumped".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const exit_status&, const exit_status&) noexcept = default;

 private:
  exit_status(int value, bool by_signal, bool dumped) noexcept
      : value_(value), by_signal_(by_signal), dumped_(dumped) {}
  int value_ = 0;
  bool by_signal_ = false;
  bool dumped_ = false;
};

template <class Traits, std::same_as<exit_status> S>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& to, const S& status) {
  return to << status.to_string();
}

}  // namespace astd::process

template <>
struct fmt::formatter<astd::process::exit_status> : fmt::formatter<fmt::string_view> {
  fmt::format_context::iterator format(const astd::process::exit_status& status,
                                       fmt::format_context& context) const;
};
