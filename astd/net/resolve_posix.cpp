#include <astd/net/resolve.hpp>
#include <astd/net/resolver.hpp>
#include <astd/net/socket_address_posix.hpp>

#include <algorithm>
#include <cerrno>
#include <new>

#include <netdb.h>

namespace astd::net {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "astd.resolve"; }
  std::string message(int value) const override { return ::gai_strerror(value); }
  std::error_condition default_error_condition(int value) const noexcept override {
    switch (value) {
      case EAI_AGAIN: return std::errc::resource_unavailable_try_again;
      case EAI_MEMORY: return std::errc::not_enough_memory;
      default: return {value, *this};
    }
  }
};

}  // namespace

const std::error_category& resolve_category() noexcept {
  static const category the;
  return the;
}

namespace detail {

resolved resolve_now(const std::string& host) noexcept {
  resolved result;
  // A zero byte would end the name early and so ask for another one.
  if (host.find('\0') != std::string::npos) {
    result.error = {EAI_NONAME, resolve_category()};
    return result;
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // each address once, not once for each kind of socket
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    result.error = error == EAI_SYSTEM ? std::error_code(errno, std::system_category())
                                       : std::error_code(error, resolve_category());
    return result;
  }
#if ASTD_HAS_EXCEPTIONS
  try {
#endif
    for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
      const auto address = from_native(entry->ai_addr, entry->ai_addrlen);
      // /etc/hosts may say the same twice.
      if (address &&
          std::find(result.addresses.begin(), result.addresses.end(), *address) == result.addresses.end())
        result.addresses.push_back(*address);
    }
    if (result.addresses.empty()) result.error = {EAI_NONAME, resolve_category()};
#if ASTD_HAS_EXCEPTIONS
  } catch (const std::bad_alloc&) {
    result.error = std::make_error_code(std::errc::not_enough_memory);
  }
#endif
  ::freeaddrinfo(list);
  return result;
}

}  // namespace detail
}  // namespace astd::net
