// What block_on throws in a simulated world, and sim::run.
#pragma once

#include <string>
#include <system_error>

namespace astd::sim {

/// Nothing can ever happen any more in a simulated world, and block_on has not ended. what() has each task's chain of
/// awaits. The code is std::errc::resource_deadlock_would_occur.
class deadlock : public std::system_error {
 public:
  explicit deadlock(const std::string& tasks);
};

}  // namespace astd::sim
