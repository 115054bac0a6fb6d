#include <astd/io/lines.hpp>

namespace astd::io::detail {

void trim_piece(std::string& piece, char delimiter, bool line) noexcept {
  if (piece.empty() || piece.back() != delimiter) return;
  piece.pop_back();
  if (line && !piece.empty() && piece.back() == '\r') piece.pop_back();
}

}  // namespace astd::io::detail
