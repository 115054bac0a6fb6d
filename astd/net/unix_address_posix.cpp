#include <astd/base/error.hpp>
#include <astd/net/address_text.hpp>
#include <astd/net/unix_address.hpp>
#include <astd/runtime/perform_now.hpp>

#include <fmt/format.h>

#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

namespace astd::net {

static_assert(sizeof(sockaddr_un) <= unix_address::native_size);

namespace {

[[noreturn]] void refuse(const char* why, std::string_view name) {
  astd::detail::throw_invalid_argument((why + detail::in_quotes(name)).c_str());
}

}  // namespace

unix_address::unix_address(kind what, std::string_view text) noexcept
    : kind_(what), size_(static_cast<unsigned char>(text.size())) {
  std::memcpy(text_, text.data(), text.size());
}

unix_address::unix_address(const std::filesystem::path& path) : kind_(kind::path) {
  const std::string& name = path.native();
  if (name.empty() || name.size() > 107 || name.find('\0') != std::string::npos)
    refuse("the path of a local socket has 1 to 107 bytes, none of them zero: ", name);
  size_ = static_cast<unsigned char>(name.size());
  std::memcpy(text_, name.data(), name.size());
}

unix_address unix_address::abstract(std::string_view name) {
  if (name.size() > 107) refuse("an abstract name has at most 107 bytes: ", name);
  return {kind::abstract, name};
}

std::optional<std::filesystem::path> unix_address::path() const {
  if (kind_ != kind::path) return std::nullopt;
  return std::filesystem::path(text());
}

std::optional<std::string_view> unix_address::abstract_name() const noexcept {
  if (kind_ != kind::abstract) return std::nullopt;
  return text();
}

std::string unix_address::to_string() const {
  if (kind_ == kind::unnamed) return "(unnamed)";
  return (kind_ == kind::abstract ? "@" : "") + std::string(text());
}

unsigned unix_address::to_native(void* out) const noexcept {
  sockaddr_un native{};
  native.sun_family = AF_UNIX;
  unsigned length = offsetof(sockaddr_un, sun_path);
  if (kind_ != kind::unnamed) {
    // An abstract name begins behind a zero byte, a path ends with one.
    std::memcpy(native.sun_path + (kind_ == kind::abstract), text_, size_);
    length += size_ + 1u;
  }
  std::memcpy(out, &native, sizeof native);
  return length;
}

unix_address unix_address::from_native(const void* in, unsigned length) noexcept {
  constexpr unsigned before = offsetof(sockaddr_un, sun_path);
  sockaddr_un native{};
  std::memcpy(&native, in, length < sizeof native ? length : sizeof native);
  if (native.sun_family != AF_UNIX || length <= before) return {};
  std::string_view text(native.sun_path, std::min<std::size_t>(length - before, sizeof native.sun_path));
  if (text.front() == '\0') return {kind::abstract, text.substr(1)};
  return {kind::path, text.substr(0, text.find('\0'))};
}

std::optional<std::string> detail::unix_name_of(int descriptor) {
  std::optional<std::string> found;
  for (const auto which : {driver::opcode::peer_name, driver::opcode::local_name}) {
    alignas(8) std::byte native[sizeof(sockaddr_storage)];
    unsigned length = sizeof native;
    driver::operation op;
    op.code = which;
    op.fd = descriptor;
    op.args.address = {reinterpret_cast<sockaddr*>(native), &length};
    astd::detail::perform_now(op);
    if (op.result < 0) continue;
    sa_family_t family;
    std::memcpy(&family, native, sizeof family);
    if (family != AF_UNIX) return std::nullopt;
    const unix_address address = unix_address::from_native(native, length);
    if (!address.is_unnamed()) return address.to_string();
    found = "an unnamed socket";
  }
  return found;
}

}  // namespace astd::net

fmt::format_context::iterator fmt::formatter<astd::net::unix_address>::format(
    const astd::net::unix_address& address, fmt::format_context& context) const {
  return fmt::formatter<fmt::string_view>::format(address.to_string(), context);
}
