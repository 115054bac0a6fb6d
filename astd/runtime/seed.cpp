#include <astd/base/error.hpp>
#include <astd/runtime/seed.hpp>

#include <charconv>
#include <cstdlib>
#include <string>

namespace astd::detail {

bool read_number(std::string_view text, std::uint64_t& number) noexcept {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  number = n;
  return true;
}

std::uint64_t seed_from_environment(std::uint64_t otherwise) {
  const char* const text = std::getenv("ASTD_SIM_SEED");
  std::uint64_t seed = otherwise;
  if (text && !read_number(text, seed))
    throw_failure(failure(std::make_error_code(std::errc::invalid_argument), "ASTD_SIM_SEED",
                          "= '" + std::string(text) + "', but it must be a number of 64 bits"));
  return seed;
}

}  // namespace astd::detail
