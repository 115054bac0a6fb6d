// Points in time as the lower floors know them: nanoseconds of the driver's monotonic clock.
#pragma once

#include <cstdint>

namespace astd::detail {

/// Nanoseconds since an epoch that only the driver knows. 2^63 ns are 292 years.
using instant = std::int64_t;

/// A deadline that never comes; what an overflowing deadline becomes.
inline constexpr instant never = INT64_MAX;

}  // namespace astd::detail
