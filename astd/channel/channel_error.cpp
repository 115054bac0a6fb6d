#include <astd/channel/channel_error.hpp>

#include <string>

namespace astd {
namespace {

class channel_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "astd.channel"; }
  std::string message(int value) const override {
    switch (static_cast<channel_errc>(value)) {
      case channel_errc::closed: return "channel closed";
      case channel_errc::full: return "channel full";
      case channel_errc::empty: return "channel empty";
      case channel_errc::lagged: return "messages of the channel were missed";
    }
    return "unknown error";
  }
  std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<channel_errc>(value)) {
      case channel_errc::closed: return std::errc::broken_pipe;
      case channel_errc::full:
      case channel_errc::empty: return std::errc::resource_unavailable_try_again;
      default: return {value, *this};
    }
  }
};

}  // namespace

std::error_code make_error_code(channel_errc e) noexcept {
  static const channel_category category;
  return {static_cast<int>(e), category};
}

}  // namespace astd
