// Several programs, the output of each the input of the next.
//
//   auto words = process::command("cat").arg("book.txt") | process::command("tr").args({" ", "\n"}) |
//                process::command("sort").arg("-u");
//   auto result = co_await words.output();
#pragma once

#include <astd/process/command.hpp>

#include <utility>
#include <vector>

namespace astd::process {

/// What runs of a pipeline. As for one child, the destructor does not wait.
class running_pipeline {
 public:
  /// In the order of the pipeline.
  [[nodiscard]] std::vector<child>& children() noexcept { return children_; }
  /// The first one's and the last one's, if they were piped.
  [[nodiscard]] io::pipe_writer& standard_input() noexcept { return children_.front().standard_input(); }
  [[nodiscard]] io::pipe_reader& standard_output() noexcept { return children_.back().standard_output(); }
  [[nodiscard]] io::pipe_reader& standard_error() noexcept { return children_.back().standard_error(); }
  /// Waits for all, as child::wait() does: their statuses, in order.
  task<std::vector<exit_status>> wait();
  /// child::kill() of each.
  std::suspend_never kill();

 private:
  friend class pipeline;
  explicit running_pipeline(std::vector<child> children) noexcept : children_(std::move(children)) {}
  std::vector<child> children_;
};

/// Made by `|` of commands. The pipes between them are the kernel's: what flows there does not pass through this process.
/// What else was set of a command holds, save for its standard input (all but the first) and output (all but the last).
class pipeline {
 public:
  /// Starts them from first to last. If one cannot be started those before it are killed, and reaped.
  [[nodiscard]] task<running_pipeline> spawn() const;
  /// The status of the last one, when all have ended: as a shell has it.
  [[nodiscard]] task<exit_status> status() const;
  /// What the last one writes, and its status, when all have ended; as command::output().
  [[nodiscard]] task<process::output> output() const;

  friend pipeline operator|(command from, command to) {
    pipeline both;
    both.commands_.push_back(std::move(from));
    both.commands_.push_back(std::move(to));
    return both;
  }
  friend pipeline operator|(pipeline from, command to) {
    from.commands_.push_back(std::move(to));
    return from;
  }

 private:
  pipeline() = default;
  static task<running_pipeline> start(std::vector<command> commands);
  static task<exit_status> run(std::vector<command> commands);
  static task<process::output> collect(std::vector<command> commands);
  std::vector<command> commands_;
};

pipeline operator|(command from, command to);
pipeline operator|(pipeline from, command to);

}  // namespace astd::process
