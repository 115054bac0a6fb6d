#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/disk_queue.hpp>
#include <astd/driver/sim/machine.hpp>

#include <cerrno>

namespace astd::driver::sim {

disk_queue::~disk_queue() {
  for (visit& v : begun_) machine_.in().take_out(v);
}

void disk_queue::add(operation& op, std::uint64_t bytes, std::uint64_t mark) {
  operations_.push_back(op);
  waiting_.emplace_back(*this, op, bytes, mark);
  waiting_.back().self = std::prev(waiting_.end());
  begin();
}

bool disk_queue::anything_pending(int descriptor) noexcept {
  for (operation* op = operations_.front(); op != nullptr; op = operations_.after(*op))
    if (op->fd == descriptor) return true;
  return false;
}

void disk_queue::begin() {
  world& w = machine_.in();
  while (!waiting_.empty() && begun_.size() < std::max(1u, settings_.queue)) {
    visit& v = waiting_.front();
    begun_.splice(begun_.end(), waiting_, v.self);
    instant takes = w.at_disks().between(settings_.shortest, settings_.longest);
    takes += static_cast<instant>(static_cast<double>(v.bytes) * 1e9 /
                                  static_cast<double>(std::max<std::uint64_t>(1, settings_.bytes_per_second)));
    if (w.strikes(fault::disk_slow, &machine_)) takes *= 100;
    w.schedule_after(v, takes);
  }
}

void disk_queue::end(visit& v) noexcept {
  operation& op = v.op;
  const std::uint64_t mark = v.mark;
  begun_.erase(v.self);
  detail::intrusive_list<operation>::erase(op);
  machine_.in().finish(op, disk_.carry_out(op, mark));
  begin();
}

void disk_queue::cancel(operation& op) noexcept {
  for (auto v = waiting_.begin(); v != waiting_.end(); ++v) {
    if (&v->op != &op) continue;
    waiting_.erase(v);
    op.cancel_asked = true;
    detail::intrusive_list<operation>::erase(op);
    return machine_.in().finish(op, -ECANCELED);
  }
}

void disk_queue::crash() noexcept {
  for (visit& v : begun_) machine_.in().take_out(v);
  begun_.clear();
  waiting_.clear();
  while (operation* const op = operations_.pop_front()) machine_.in().finish(*op, -ECANCELED);
}

}  // namespace astd::driver::sim
