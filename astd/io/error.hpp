// What can go wrong in reading and writing beside what the system reports.
//
//   auto header = co_await as_result(io::read_exact(stream, buffer));
//   if (!header && header.error() == io::errc::unexpected_end) ...
#pragma once

#include <system_error>

namespace astd::io {

enum class errc {
  unexpected_end = 1,  // the source ended before it had given what was asked for
  nothing_written,     // the writer took none of the bytes and named no reason
  not_flushed,         // a writer was destroyed that still held bytes: flush() or close() it
  frame_too_large,     // a frame of a codec is longer than its limit
  invalid_frame,       // what arrived is no frame, or a frame cannot be written so
};

/// The category of these codes: "astd.io".
const std::error_category& error_category() noexcept;
inline std::error_code make_error_code(errc error) noexcept { return {static_cast<int>(error), error_category()}; }

}  // namespace astd::io

template <>
struct std::is_error_code_enum<astd::io::errc> : std::true_type {};
