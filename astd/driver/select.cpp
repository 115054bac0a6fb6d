#include <astd/driver/driver.hpp>
#include <astd/driver/epoll/epoll_driver.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/sim_driver.hpp>
#if ASTD_HAS_URING
#include <astd/driver/uring/uring_driver.hpp>
#endif

#include <cstdio>
#include <cstring>

#include <sys/utsname.h>

namespace astd::driver {

namespace {

selected make_uring(const options& options) {
#if ASTD_HAS_URING
  selected result = make_uring_driver(options);
  if (result.value) {
    utsname system;
    result.reason =
        std::string("io_uring, kernel ") + (::uname(&system) == 0 ? system.release : "?") + ", " + result.reason;
  }
  return result;
#else
  static_cast<void>(options);
  return {nullptr, "built without io_uring", std::make_error_code(std::errc::function_not_supported)};
#endif
}

// `because`: of a driver.
selected make_epoll(const options& options, const std::string& because) {
  int error = 0;
  const char* call = "";
  selected result;
  result.value = make_epoll_driver(options, error, call);
  if (result.value) {
    result.reason = "epoll: " + because;
  } else {
    result.error = std::error_code(-error, std::system_category());
    result.reason = std::string(call) + ": " + std::strerror(-error);
  }
  return result;
}

selected make_sim(const options& options) {
  char seed[32];
  std::snprintf(seed, sizeof seed, "seed %#llx",
                static_cast<unsigned long long>(options.machine->in().options().seed));
  return {std::make_unique<sim::sim_driver>(*options.machine), seed, {}};
}

}  // namespace

selected make_driver(const options& options) {
  if (options.machine) return make_sim(options);
  if (options.want == choice::epoll) return make_epoll(options, "asked for");
  if (options.want == choice::automatic && !options.one_owner)
    return make_epoll(options, "threads take turns, and the kernel ends a ring's operations with their thread");
  selected uring = make_uring(options);
  if (uring.value || options.want == choice::uring) return uring;
  selected epoll = make_epoll(options, uring.reason);
  if (!epoll.value) epoll.reason = uring.reason + "; " + epoll.reason;
  return epoll;
}

bool parse_choice(std::string_view text, choice& result) noexcept {
  if (text == "uring") {
    result = choice::uring;
  } else if (text == "epoll") {
    result = choice::epoll;
  } else if (text == "sim") {
    result = choice::sim;
  } else if (text == "auto" || text.empty()) {
    result = choice::automatic;
  } else {
    return false;
  }
  return true;
}

}  // namespace astd::driver
