// Internal: going through a tree to remove or to copy it.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/driver/operation.hpp>
#include <astd/fs/call.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

namespace astd::fs::detail {

/// What one visit to the pool does: entries of one directory.
inline constexpr std::size_t in_one_visit = 64;
/// Visits at once, to one directory or to several below one.
inline constexpr std::size_t at_once = 4;

struct name_and_type {
  name_and_type(const char* n, unsigned char t) : name(n), type(t) {}
  std::string name;
  unsigned char type;
};
/// Some more of an open directory; true: there may be others.
task<bool> list(int directory, const char* path, std::vector<name_and_type>& names);

/// Names of one directory, as many as one visit takes to whoever blocks.
using some_names = std::vector<std::string>;
inline void add(std::vector<some_names>& to, std::string name) {
  if (to.empty() || to.back().size() == in_one_visit) to.emplace_back().reserve(in_one_visit);
  to.back().push_back(std::move(name));
}

/// The results are in `each`.
inline call in_one_go(std::vector<driver::operation>& each, const deed& whom) noexcept {
  operands with;
  with.batch = {each.data(), static_cast<unsigned>(each.size())};
  return call(opcode::batch, each.front().fd, with, whom);
}

/// A directory on the way down, and what it is.
struct level {
  explicit level(int descriptor) noexcept : handle({}, descriptor, false) {}
  [[nodiscard]] int descriptor() const noexcept { return handle.descriptor(); }
  file_handle handle;
  std::uint64_t inode = 0;
  std::uint32_t major = 0, minor = 0;
};

/// The way down to where we are. Of a deep tree only the lowest directories are open: those above are closed, and opened
/// again on the way back as what is above the one below. That is no link, and it has to be the same directory as before:
/// who moves one meanwhile leads nobody astray.
class descent {
 public:
  /// From the directory that is open as `base`.
  explicit descent(int base = AT_FDCWD, std::size_t open_at_once = 16) noexcept
      : base_(base), open_at_once_(open_at_once) {}
  /// `next` stays until leave().
  task<> enter(level& next, deed whom);
  /// Afterwards the one above is open.
  task<> leave(deed whom);
  /// Where names are looked for.
  [[nodiscard]] int descriptor() const noexcept { return levels_.empty() ? base_ : levels_.back()->descriptor(); }

 private:
  const int base_;
  const std::size_t open_at_once_;
  std::vector<level*> levels_;
  std::size_t open_from_ = 0;
};

/// Several directories go on beside each other, but only at one place on each way down: else their number would grow with
/// the depth. Each way has fewer levels open then.
enum class breadth : bool { one, several };
inline constexpr std::size_t open_of_several = 4;

}  // namespace astd::fs::detail
