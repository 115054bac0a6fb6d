// Which clock a runtime lives by.
#pragma once

#include <cstdint>

namespace astd {

enum class clock_kind : std::uint8_t {
  real_time,     // the machine's
  virtual_time,  // stands still while anything runs, and jumps to the next deadline when everything sleeps
};

}  // namespace astd
