// Functions that play programs: what process::command starts on a simulated host.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/driver/sim/process.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/testing/sim/universe.hpp>

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace astd::sim::detail {

struct host_state;

/// By name, or by path.
using program_table = std::map<std::string, std::shared_ptr<child_program>, std::less<>>;
/// Throws std::invalid_argument for a name that cannot be, or that is there.
void add_program(program_table& to, std::string_view name, std::unique_ptr<child_program> what);

/// One that runs, or has ended and still has tasks.
struct running_child {
  running_child(host_state& h, std::shared_ptr<driver::sim::process> p, std::shared_ptr<child_program> f);
  host_state& on;
  const std::shared_ptr<driver::sim::process> process;
  const std::shared_ptr<child_program> what;
  std::vector<std::string_view> arguments, environment;
  int how = 0, status = 0;      // as process::end() has it; 0: it goes on
  std::unique_ptr<runtime> rt;  // before what it uses
  std::chrono::nanoseconds patience{0};
};

/// Those of one host.
class children final : public driver::sim::programs {
 public:
  explicit children(host_state& on) noexcept : on_(on) {}
  children(const children&) = delete;
  children& operator=(const children&) = delete;
  ~children();

  program_table table;

  [[nodiscard]] bool knows(std::string_view path) noexcept override { return find(path) != nullptr; }
  void start(std::shared_ptr<driver::sim::process> p) override;
  [[nodiscard]] std::int32_t signal(driver::sim::process& p, int number) noexcept override;

  /// The host has crashed, and so have they.
  void crash() noexcept;
  /// No task of theirs is left.
  [[nodiscard]] bool have_ended() const noexcept;
  [[nodiscard]] bool none() const noexcept { return all_.empty(); }

 private:
  [[nodiscard]] std::shared_ptr<child_program> find(std::string_view path) const noexcept;
  static task<> live(running_child& c);
  void deliver(running_child& c, int number) noexcept;
  void end(running_child& c, int how, int status) noexcept;
  void settle(const std::shared_ptr<running_child>& c);

  host_state& on_;
  std::list<std::shared_ptr<running_child>> all_;
};

}  // namespace astd::sim::detail
