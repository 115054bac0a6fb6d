#include <astd/testing/sim/checked.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace astd::sim::detail {
namespace {

[[noreturn]] void refuse(std::string_view what, const std::string& value, std::string_view wanted) {
  throw std::invalid_argument(fmt::format("{} = {}, but it must be {}", what, value, wanted));
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool is_label(std::string_view label) noexcept {
  const auto may_be_in_it = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, may_be_in_it);
}

bool is_host_name(std::string_view name) noexcept {
  if (name.size() > 253) return false;
  for (;;) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (!is_label(label)) return false;
    // An address, or the beginning of one, ends in a number.
    if (dot == std::string_view::npos) return !std::ranges::all_of(label, is_digit);
    name.remove_prefix(dot + 1);
  }
}

}  // namespace

void check_rate(double rate, std::string_view what) {
  if (!(rate >= 0 && rate <= 1)) refuse(what, fmt::format("{}", rate), "a probability, 0 to 1");
}

void check_faults(const fault_rates& rates) {
  for (std::size_t i = 0; i < driver::sim::fault_kinds; ++i) {
    const fault kind = static_cast<fault>(i);
    check_rate(rates.of(kind), fmt::format("the rate of '{}'", name_of(kind)));
  }
}

void check_link(const link& l) {
  check_length(l.latency, std::chrono::nanoseconds(0), "link::latency");
  check_length(l.jitter, std::chrono::nanoseconds(0), "link::jitter");
  check_rate(l.loss, "link::loss");
  check_rate(l.duplication, "link::duplication");
  check_rate(l.reordering, "link::reordering");
}

void check_options(const options& o) {
  if (o.workers && *o.workers == 0) refuse("options::workers", "0", "1 or more, or empty");
  check_link(o.link);
  check_length(o.shortest_turn, std::chrono::nanoseconds(0), "options::shortest_turn");
  check_length(o.longest_turn, o.shortest_turn, "options::longest_turn");
  check_rate(o.later, "options::later");
  if (o.socket_room < 2) refuse("options::socket_room", fmt::format("{}", o.socket_room), "2 or more");
  check_faults(o.faults);
  if (o.time_limit.count() < 0)
    refuse("options::time_limit", fmt::format("{} ns", o.time_limit.count()), "0 or more");
}

void check_host_name(std::string_view name) {
  if (!is_host_name(name))
    refuse("a host's name", fmt::format("'{}'", name),
           "of letters, digits, '-' and '_', at most 63 between two dots, and no address");
}

void check_drift(double rate) {
  if (!(std::isfinite(rate) && rate > -1)) refuse("a clock's drift", fmt::format("{}", rate), "more than -1");
}

void check_length(std::chrono::nanoseconds length, std::chrono::nanoseconds least, std::string_view what) {
  constexpr std::chrono::nanoseconds most = std::chrono::hours(24 * 365);
  if (length < least || length > most)
    refuse(what, fmt::format("{} ns", length.count()), fmt::format("{} ns to a year", least.count()));
}

void check_weight(double weight, std::string_view what) {
  if (!(weight >= 0 && weight <= 1e9)) refuse(what, fmt::format("{}", weight), "0 to a billion");
}

}  // namespace astd::sim::detail
