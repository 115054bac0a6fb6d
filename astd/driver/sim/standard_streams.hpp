// Standard input, output and error of a simulated machine: texts. For a program that merely runs in a simulation, the
// process's own output and error; its input is at its end, for a world does not wait for anybody.
#pragma once

#include <astd/driver/sim/open_file.hpp>
#include <astd/driver/sim/world.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace astd::driver::sim {

class standard_streams {
 public:
  explicit standard_streams(world& in) noexcept : world_(in) {}
  /// What standard input still gives before it ends.
  void add_input(std::string_view text) { input_.append(text); }
  [[nodiscard]] const std::string& output() const noexcept { return written_[0]; }
  [[nodiscard]] const std::string& error() const noexcept { return written_[1]; }
  void clear_output() noexcept { written_[0].clear(), written_[1].clear(); }
  /// What is written there goes to the process's own, instead of being kept.
  void use_real_ones() noexcept { real_ = true; }

  /// What descriptor 0, 1 or 2 stands for.
  [[nodiscard]] std::unique_ptr<open_file> open(int number);

 private:
  class stream;
  [[nodiscard]] std::size_t read(char* to, std::size_t n);
  void write(int number, const char* from, std::size_t n);

  world& world_;
  std::string input_;
  std::size_t read_ = 0;  // so much of it
  std::string written_[2];
  bool real_ = false;
};

}  // namespace astd::driver::sim
