#include <astd/driver/driver.hpp>
#include <astd/driver/epoll/epoll_driver.hpp>
#if ASTD_HAS_URING
#include <astd/driver/uring/uring_driver.hpp>
#endif

#include <cstring>

#include <sys/utsname.h>

namespace astd::driver {

namespace {

selected make_uring(const options& options) {
  selected result;
#if ASTD_HAS_URING
  result.value = make_uring_driver(options, result.reason);
  if (result.value) {
    utsname system;
    result.reason =
        std::string("io_uring, kernel ") + (::uname(&system) == 0 ? system.release : "?") + ", " + result.reason;
  }
#else
  static_cast<void>(options);
  result.reason = "built without io_uring";
#endif
  return result;
}

selected make_epoll(const options& options) {
  int error = 0;
  const char* call = "";
  selected result;
  result.value = make_epoll_driver(options, error, call);
  if (!result.value) result.reason = std::string(call) + ": " + std::strerror(-error);
  return result;
}

}  // namespace

selected make_driver(const options& options) {
  if (options.want == choice::epoll) {
    selected result = make_epoll(options);
    result.reason = result.value ? "epoll: asked for" : "no driver: " + result.reason;
    return result;
  }
  if (options.want == choice::automatic && !options.one_owner) {
    selected result = make_epoll(options);
    result.reason = (result.value ? "epoll: " : "no driver: " + result.reason + "; ") +
                    std::string("threads take turns, and the kernel ends a ring's operations with their thread");
    return result;
  }
  selected uring = make_uring(options);
  if (uring.value || options.want == choice::uring) return uring;
  selected epoll = make_epoll(options);
  epoll.reason = (epoll.value ? "epoll: " : "no driver: " + epoll.reason + "; ") + uring.reason;
  return epoll;
}

bool parse_choice(std::string_view text, choice& result) noexcept {
  if (text == "uring") {
    result = choice::uring;
  } else if (text == "epoll") {
    result = choice::epoll;
  } else if (text == "auto" || text.empty()) {
    result = choice::automatic;
  } else {
    return false;
  }
  return true;
}

}  // namespace astd::driver
