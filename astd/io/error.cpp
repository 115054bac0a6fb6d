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
      case errc::not_flushed: return "Written bytes were not flushed";
      case errc::frame_too_large: return "The frame is too large";
      case errc::invalid_frame: return "The frame is invalid";
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
