// A child process of a simulated machine. Its program is a function that somebody above runs (programs): here is what the
// rest of the machine sees of it. A program that is nobody's child, a host's own, has no process object.
#pragma once

#include <astd/driver/process_launch.hpp>
#include <astd/driver/sim/open_file.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace astd::driver::sim {

class machine;

class process {
 public:
  process(machine& on, int number, std::string program, const process_launch& launch);
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  [[nodiscard]] machine& on() const noexcept { return machine_; }
  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] const std::string& program() const noexcept { return program_; }  // the path it was started by
  [[nodiscard]] const std::vector<std::string>& arguments() const noexcept { return arguments_; }
  [[nodiscard]] const std::vector<std::string>& environment() const noexcept { return environment_; }  // NAME=value
  /// The machine's descriptors that 0, 1 and 2 stand for here. Those above 2 are its own.
  int standard[3] = {0, 1, 2};

  /// From now on no operation of its own gets out.
  void kill() noexcept { killed_ = true; }
  [[nodiscard]] bool is_killed() const noexcept { return killed_; }
  /// Nothing of it runs any more: CLD_EXITED and a code, or CLD_KILLED and a signal. Its standard streams are closed, and
  /// who waits for it is told.
  void end(int how, int status) noexcept;
  [[nodiscard]] bool has_ended() const noexcept { return how_ != 0; }

  /// What other floors keep for each process: made at its first use, by them.
  std::shared_ptr<void> kept[3];

  /// Whose worker has its turn on this thread: null, or a host's own program.
  [[nodiscard]] static process* here() noexcept;
  class turn {
   public:
    explicit turn(process* p) noexcept;
    ~turn();
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

   private:
    process* const outer_;
  };

 private:
  friend class process_handle;
  machine& machine_;
  const int number_;
  const std::string program_;
  std::vector<std::string> arguments_, environment_;
  bool killed_ = false;
  bool reaped_ = false;
  int how_ = 0, status_ = 0;
  completions pollers_;
};

/// Who runs them.
class programs {
 public:
  /// Whether a program can be started by that path.
  [[nodiscard]] virtual bool knows(std::string_view path) noexcept = 0;
  virtual void start(std::shared_ptr<process> p) = 0;
  /// `p` runs. 0, or a negated errno.
  [[nodiscard]] virtual std::int32_t signal(process& p, int number) noexcept = 0;

 protected:
  ~programs() = default;
};

}  // namespace astd::driver::sim
