// Where a local socket is: a path, an abstract name, or nowhere.
//
//   net::unix_address("/run/service.sock")
//   net::unix_address::abstract("service")       // Linux: no file, gone with its last socket
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace astd::net {

class unix_address {
 public:
  /// Unnamed: that of a socket which was not bound.
  unix_address() noexcept = default;
  /// A path, at most 107 bytes and without a zero byte: anything else throws std::invalid_argument.
  unix_address(const std::filesystem::path& path);  // NOLINT: a path is an address
  unix_address(const char* path) : unix_address(std::filesystem::path(path)) {}
  unix_address(const std::string& path) : unix_address(std::filesystem::path(path)) {}
  unix_address(std::string_view path) : unix_address(std::filesystem::path(path)) {}
  /// At most 107 bytes, any of them; else throws std::invalid_argument.
  [[nodiscard]] static unix_address abstract(std::string_view name);

  [[nodiscard]] bool is_unnamed() const noexcept { return kind_ == kind::unnamed; }
  /// Empty if it is none.
  [[nodiscard]] std::optional<std::filesystem::path> path() const;
  [[nodiscard]] std::optional<std::string_view> abstract_name() const noexcept;
  /// The path; "@name"; "(unnamed)".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const unix_address& a, const unix_address& b) noexcept {
    return a.kind_ == b.kind_ && a.text() == b.text();
  }

  /// For us: the system's form, 110 bytes at most, and back.
  static constexpr unsigned native_size = 110;
  unsigned to_native(void* out) const noexcept;
  [[nodiscard]] static unix_address from_native(const void* in, unsigned length) noexcept;

 private:
  enum class kind : unsigned char { unnamed, path, abstract };
  unix_address(kind what, std::string_view text) noexcept;
  [[nodiscard]] std::string_view text() const noexcept { return {text_, size_}; }
  kind kind_ = kind::unnamed;
  unsigned char size_ = 0;
  char text_[108] = {};
};

namespace detail {

/// What a local socket is called in errors: its peer, else itself. Empty: it is no local socket.
[[nodiscard]] std::optional<std::string> unix_name_of(int descriptor);

}  // namespace detail
}  // namespace astd::net

template <>
struct fmt::formatter<astd::net::unix_address> : fmt::formatter<fmt::string_view> {
  fmt::format_context::iterator format(const astd::net::unix_address& address, fmt::format_context& context) const;
};
