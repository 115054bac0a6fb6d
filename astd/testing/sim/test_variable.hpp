// For tests: a variable of the environment, as long as this lives; then it is again what it was.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace astd::sim::test {

class variable {
 public:
  /// Null: not set.
  variable(const char* name, const char* value) : name_(name) {
    if (const char* const old = std::getenv(name)) before_ = old;
    put(value);
  }
  ~variable() { put(before_ ? before_->c_str() : nullptr); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

 private:
  void put(const char* value) {
    if (value)
      ::setenv(name_, value, 1);
    else
      ::unsetenv(name_);
  }
  const char* const name_;
  std::optional<std::string> before_;
};

}  // namespace astd::sim::test
