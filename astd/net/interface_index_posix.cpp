#include <astd/net/address_error.hpp>
#include <astd/net/interface_index.hpp>

#include <array>
#include <cerrno>

#include <net/if.h>

namespace astd::net::detail {

std::expected<std::uint32_t, std::error_code> interface_index(std::string_view name) noexcept {
  std::array<char, IF_NAMESIZE> terminated{};
  // A name with a zero inside would be looked up as another, shorter one.
  if (name.empty() || name.size() >= terminated.size() || name.contains('\0')) {
    return std::unexpected(make_error_code(address_errc::unknown_interface));
  }
  name.copy(terminated.data(), name.size());
  unsigned index = ::if_nametoindex(terminated.data());
  if (index != 0) return index;
  int error = errno;
  if (error == ENODEV || error == ENXIO) return std::unexpected(make_error_code(address_errc::unknown_interface));
  return std::unexpected(std::error_code(error, std::system_category()));
}

}  // namespace astd::net::detail
