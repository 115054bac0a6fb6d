#include <astd/io/error.hpp>

#include <string>

namespace astd::io {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "astd.io"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::unexpected_end: return "Unexpected end of input";
      case errc::nothing_written: return "Nothing could be written";
    }
    return "Unknown error";
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const category the;
  return the;
}

}  // namespace astd::io
