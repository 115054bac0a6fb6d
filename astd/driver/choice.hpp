// Which driver a user asks for: runtime_options::driver, and ASTD_DRIVER in the environment.
//
//   astd::runtime rt({.driver = astd::driver::choice::epoll});
#pragma once

#include <cstdint>
#include <string_view>

namespace astd::driver {

enum class choice : std::uint8_t {
  automatic,  // io_uring where the kernel allows it, else epoll
  uring,      // or none: the runtime's constructor then throws and says why
  epoll,
  sim,  // a simulated machine, all of it in this process: see testing/sim.hpp
};

/// "uring", "epoll", "sim" and "auto" (also ""); nothing else.
[[nodiscard]] bool parse_choice(std::string_view text, choice& result) noexcept;

}  // namespace astd::driver
