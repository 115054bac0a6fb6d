// Internal: a command as the driver wants it, and what comes of it.
#pragma once

#include <astd/driver/process_launch.hpp>
#include <astd/process/command.hpp>

#include <memory>
#include <string>
#include <vector>

namespace astd::process::detail {

class launch {
 public:
  /// Copies everything that is needed. `defaults`: for the streams that the command does not speak of.
  launch(const command& from, const stdio& input, const stdio& others);
  launch(const launch&) = delete;
  launch& operator=(const launch&) = delete;

  /// Starts the program, once.
  static task<child> start(std::unique_ptr<launch> self);

 private:
  void choose_programs();
  void choose_environment(const command& from);
  void choose_limits(const command& from);
  void refuse_what_cannot_be_passed(const command& from);

  driver::process_launch native_;
  bool kills_;
  std::string program_;
  std::string directory_;
  std::string refused_;  // what cannot be passed, for the error
  stdio standard_[3];
  std::shared_ptr<const std::string> pipe_names_[3];  // of those that are piped
  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
  std::vector<std::string> programs_;
  std::vector<char*> argument_pointers_;
  std::vector<char*> environment_pointers_;
  std::vector<const char*> program_pointers_;
  std::vector<driver::process_launch::limit> limits_;
};

}  // namespace astd::process::detail
