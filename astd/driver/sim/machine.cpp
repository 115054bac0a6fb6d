#include <astd/base/assert.hpp>
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/local_pair.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/network_stack.hpp>
#include <astd/driver/sim/pipe.hpp>
#include <astd/driver/sim/process.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

namespace astd::driver::sim {
namespace {

constinit thread_local machine* current = nullptr;

enum : std::uint64_t { has_crashed, has_restarted, was_paused, goes_on };

}  // namespace

machine::machine(world& in, std::string name, std::uint32_t number)
    : world_(in),
      name_(std::move(name)),
      number_(number),
      disk_(std::make_unique<disk>(*this)),
      stack_(std::make_unique<network_stack>(*this)) {
  for (int i = 0; i < 3; ++i) standard_[i] = disk_->standard_stream(i);
}

machine::~machine() = default;

// ---- clocks

instant machine::steady_now() const noexcept {
  const instant passed = world_.now() - true_base_;
  if (rate_ == 0) return steady_base_ + passed;
  return steady_base_ + passed + static_cast<instant>(static_cast<double>(passed) * rate_);
}

instant machine::true_time_of(instant deadline) const noexcept {
  if (deadline == detail::never) return deadline;
  const instant until = deadline - steady_base_;
  if (rate_ == 0) return true_base_ + until;
  const double span = static_cast<double>(until) / (1 + rate_);
  // A slow clock may say it later than there is time.
  constexpr double longest = 9e18;
  if (span + static_cast<double>(true_base_) >= longest) return detail::never;
  // Rounded up, and more: before that the clock does not say `deadline` yet.
  return true_base_ + static_cast<instant>(span) + 2;
}

void machine::set_drift(double rate) noexcept {
  ASTD_ASSERT(rate > -1, "a steady clock neither stands nor runs backwards");
  if (rate == rate_) return;
  steady_base_ = steady_now();
  true_base_ = world_.now();
  rate_ = rate;
  // Those that sleep have planned their wake by the old pace.
  world_.wake_drivers_of(*this);
}

// ---- descriptors

void machine::set_descriptor_limit(int limit) noexcept { limit_ = std::clamp(limit, 0, descriptors_each); }

int machine::open(std::shared_ptr<open_file> file) noexcept {
  if (open_ >= limit_ || world_.strikes(fault::no_descriptors, this)) return -EMFILE;
  ++open_;
  if (!free_.empty()) {
    const int place = free_.extract(free_.begin()).value();
    files_[static_cast<std::size_t>(place)] = std::move(file);
    return first_descriptor() + place;
  }
  files_.push_back(std::move(file));
  return first_descriptor() + static_cast<int>(files_.size()) - 1;
}

open_file* machine::find(int descriptor) noexcept {
  if (descriptor >= 0 && descriptor < 3) return standard_[descriptor].get();
  const int place = descriptor - first_descriptor();
  return place >= 0 && place < static_cast<int>(files_.size()) ? files_[static_cast<std::size_t>(place)].get()
                                                               : nullptr;
}

std::int32_t machine::close(int descriptor) noexcept {
  if (descriptor < descriptors_each || !find(descriptor)) return -EBADF;
  ASTD_ASSERT(!disk_->anything_pending(descriptor), "a descriptor is closed while an operation on it is pending");
  const int place = descriptor - first_descriptor();
  // The slot is empty before the file's destructor runs.
  const std::shared_ptr<open_file> gone = std::move(files_[static_cast<std::size_t>(place)]);
  free_.insert(place);
  --open_;
  return 0;
}

std::int32_t machine::start(operation& op) noexcept {
  if (op.code == opcode::close) return close(op.fd);
  if (state_ == state::crashed) return -ECANCELED;
  if (const process* const p = process::here(); p && &p->on() == this && p->is_killed()) return -ECANCELED;
  op.fd = standard_here(op.fd);
  switch (op.code) {
    case opcode::socket: return stack_->make_socket(op);
    case opcode::dup: return duplicate(op.fd);
    case opcode::pipe: return open_pair(sim::make_pipe(*this), op.args.pair.ends);
    case opcode::socket_pair:
      // Datagrams and sequenced packets are not played.
      if (op.args.pair.domain != AF_UNIX || (op.args.pair.type & 0xf) != SOCK_STREAM) return -ENOSYS;
      return open_pair(make_local_pair(*this), op.args.pair.ends);
    case opcode::start_process: return start_process(*op.args.launch.launch);
    case opcode::splice_in:
    case opcode::splice_out:
    case opcode::sendfile:
    case opcode::watch_open:
    case opcode::watch_add:
    case opcode::watch_remove: return -ENOSYS;  // nothing of the kind in this world
    case opcode::ftruncate:
      if (op.args.transfer.offset < 0) return -EINVAL;  // whatever the descriptor is
      break;
    default: break;
  }
  if (disk::serves(op.code)) return disk_->start(op);
  open_file* const file = find(op.fd);
  return file ? file->start(op) : -EBADF;
}

std::int32_t machine::duplicate(int descriptor) noexcept {
  if (descriptor >= 0 && descriptor < 3) return open(standard_[descriptor]);
  if (!find(descriptor)) return -EBADF;
  return open(files_[static_cast<std::size_t>(descriptor - first_descriptor())]);
}

std::int32_t machine::open_pair(std::pair<std::shared_ptr<open_file>, std::shared_ptr<open_file>> both,
                                int* ends) noexcept {
  const int first = open(std::move(both.first));
  if (first < 0) return first;
  const int second = open(std::move(both.second));
  if (second < 0) {
    static_cast<void>(close(first));
    return second;
  }
  ends[0] = first;
  ends[1] = second;
  return 0;
}

std::int32_t machine::try_now(operation& op) noexcept {
  if (state_ == state::crashed) return -ECANCELED;
  open_file* const file = find(op.fd);
  return file ? file->try_now(op) : -EBADF;
}

void machine::perform(operation& op) noexcept {
  machine* const whose = world_.machine_of(op.fd);
  op.result = (whose ? *whose : *this).start(op);
  ASTD_ASSERT(op.result != pending, "an operation that cannot block waits");
}

// ---- its life

void machine::pause() noexcept {
  if (state_ != state::running) return;
  state_ = state::paused;
  world_.note(point::machine, this, was_paused);
}

void machine::go_on() noexcept {
  if (state_ != state::paused) return;
  state_ = state::running;
  world_.note(point::machine, this, goes_on);
  let_go();
}

void machine::park(event& e) {
  // Whatever is woken while the machine stands still is woken once when it goes on.
  if (std::ranges::find(parked_, &e) == parked_.end()) parked_.push_back(&e);
}

void machine::let_go() noexcept {
  for (event* e : std::exchange(parked_, {})) world_.schedule_after(*e, world_.draw_turn());
}

void machine::crash() noexcept {
  if (state_ == state::crashed) return;
  state_ = state::crashed;
  world_.note(point::machine, this, has_crashed);
  stack_->crash();
  std::set<open_file*> crashed;
  for (auto& file : files_)
    if (file && crashed.insert(file.get()).second) file->crash();
  for (auto& file : standard_) file->crash();
  disk_->crash();
  let_go();  // its workers see to the end of their tasks
}

void machine::restart() noexcept {
  if (state_ != state::crashed) return;
  state_ = state::running;
  ++life_;
  system_offset_ = system_beginning;
  world_.note(point::machine, this, has_restarted, life_);
}

machine* machine::here() noexcept { return current; }
machine::turn::turn(machine& m) noexcept : outer_(std::exchange(current, &m)) {}
machine::turn::~turn() { current = outer_; }

}  // namespace astd::driver::sim
