// One simulated machine: a name, an address, clocks, descriptors, a disk, a place in the network.
#pragma once

#include <astd/driver/sim/open_file.hpp>
#include <astd/driver/sim/world.hpp>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace astd::driver::sim {

class disk;
class network_stack;
class programs;

class machine {
 public:
  /// Its clocks' readings when the world begins: see runtime/virtual_clock.hpp, which begins with the same.
  static constexpr instant steady_beginning = 1'000'000'000'000'000;
  static constexpr instant system_beginning = 946'684'800'000'000'000;  // 2000-01-01 00:00:00 UTC

  machine(world& in, std::string name, std::uint32_t number);
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
  ~machine();

  [[nodiscard]] world& in() const noexcept { return world_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }  // 0, 1...

  // ---- clocks: true time, seen through `rate` and an offset
  [[nodiscard]] instant steady_now() const noexcept;
  [[nodiscard]] instant system_now() const noexcept { return steady_now() - steady_beginning + system_offset_; }
  /// The true time at which the steady clock will say `deadline`; never stays never.
  [[nodiscard]] instant true_time_of(instant deadline) const noexcept;
  /// The steady clock runs by so much faster (0.001) or slower (-0.001) than true time from now on; more than -1.
  void set_drift(double rate) noexcept;
  /// Somebody sets the system's clock: by so much, forth or back.
  void jump(instant by) noexcept { system_offset_ += by; }

  // ---- descriptors. A number says whose it is: machines pass none to each other.
  static constexpr int descriptors_each = 1 << 17;
  /// So many machines a world can have.
  static constexpr std::size_t most_machines = INT_MAX / descriptors_each;
  /// The lowest number that is free, as POSIX says; -EMFILE at the limit.
  [[nodiscard]] int open(std::shared_ptr<open_file> file) noexcept;
  /// Null: not open here. 0, 1 and 2 are the standard streams.
  [[nodiscard]] open_file* find(int descriptor) noexcept;
  /// 0, or -EBADF.
  std::int32_t close(int descriptor) noexcept;
  /// At most descriptors_each.
  void set_descriptor_limit(int limit) noexcept;
  [[nodiscard]] int descriptors_open() const noexcept { return open_; }
  /// Does an operation that cannot block, at once.
  void perform(operation& op) noexcept;
  /// A read or a write of a pipe, at once or not: -EAGAIN.
  [[nodiscard]] std::int32_t try_now(operation& op) noexcept;

  // ---- parts
  [[nodiscard]] disk& storage() noexcept { return *disk_; }
  [[nodiscard]] network_stack& stack() const noexcept { return *stack_; }

  // ---- children: see process.hpp
  /// Who runs them; null: nobody, and there are no programs. Outlives the children.
  void set_programs(programs* who) noexcept { programs_ = who; }
  [[nodiscard]] programs* runs_programs() const noexcept { return programs_; }

  // ---- its life
  enum class state : std::uint8_t { running, paused, crashed };
  [[nodiscard]] state now_is() const noexcept { return state_; }
  /// Its workers take no turns; its network stack and its disk go on, as those of a stopped process do.
  void pause() noexcept;
  void go_on() noexcept;
  /// While it is paused: `e` is for when it goes on.
  void park(event& e);
  /// `e` will not live as long as that.
  void forget(event& e) noexcept { std::erase(parked_, &e); }
  /// Power is lost: connections vanish without a word, the disk keeps what was synced and perhaps more. Operations end
  /// with -ECANCELED, and so does all that is submitted afterwards; whoever runs tasks here sees to their end.
  void crash() noexcept;
  /// It is on again, with what the disk has kept, and empty but for that.
  void restart() noexcept;
  /// How often it was started: 1 at first.
  [[nodiscard]] unsigned life() const noexcept { return life_; }

  /// No fault strikes it by chance: it belongs to the scenario.
  void set_spared(bool on) noexcept { spared_ = on; }
  [[nodiscard]] bool spared() const noexcept { return spared_; }

  /// The machine whose worker has its turn on this thread, or null.
  [[nodiscard]] static machine* here() noexcept;
  /// Makes it so, while it lives.
  class turn {
   public:
    explicit turn(machine& m) noexcept;
    ~turn();
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

   private:
    machine* const outer_;
  };

 private:
  void let_go() noexcept;
  friend class sim_driver;
  [[nodiscard]] std::int32_t start(operation& op) noexcept;
  [[nodiscard]] std::int32_t duplicate(int descriptor) noexcept;
  [[nodiscard]] std::int32_t open_pair(std::pair<std::shared_ptr<open_file>, std::shared_ptr<open_file>> both,
                                       int* ends) noexcept;
  [[nodiscard]] std::int32_t start_process(process_launch& launch) noexcept;
  [[nodiscard]] std::int32_t standard_of_child(process_launch& launch, int which) noexcept;
  /// What 0, 1 or 2 stands for in the process whose turn it is; others stand for themselves.
  [[nodiscard]] int standard_here(int descriptor) const noexcept;
  [[nodiscard]] int first_descriptor() const noexcept { return static_cast<int>(number_ + 1) * descriptors_each; }

  world& world_;
  const std::string name_;
  const std::uint32_t number_;
  instant steady_base_ = steady_beginning;  // the steady clock at true_base_
  instant true_base_ = 0;
  double rate_ = 0;  // beyond 1
  instant system_offset_ = system_beginning;
  state state_ = state::running;
  bool spared_ = false;
  unsigned life_ = 1;
  int limit_ = descriptors_each;
  int open_ = 0;
  std::vector<event*> parked_;
  std::unique_ptr<disk> disk_;
  std::unique_ptr<network_stack> stack_;
  std::vector<std::shared_ptr<open_file>>
      files_;           // they know the disk and the stack; several numbers may share one
  std::set<int> free_;  // places in files_
  std::shared_ptr<open_file> standard_[3];
  programs* programs_ = nullptr;
  int next_process_ = 1000;
};

}  // namespace astd::driver::sim
