// For the conformance tests: every reader and writer there is, each behind the same face. A new one joins by a line in
// sources() or targets(), in test_kinds.cpp.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/any_stream.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace astd::test {

/// A reader that gives a content: what `feeder` is told, to the end; or all of it by itself, where there is no feeder.
struct source {
  io::any_reader reader;
  std::optional<io::any_writer> feeder;
};
struct source_kind {
  const char* name;
  task<source> (*make)(std::string content);
};
std::span<const source_kind> sources();

/// A writer, and where what it was given arrives: at `far`, in `memory`, or in a file of that name.
struct target {
  io::any_writer writer;
  std::optional<io::any_reader> far;
  std::shared_ptr<std::string> memory;
  std::string file;
};
struct target_kind {
  const char* name;
  task<target> (*make)();
};
std::span<const target_kind> targets();

}  // namespace astd::test
