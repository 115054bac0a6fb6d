// Who waits for a simulated disk. A visit takes a latency and the time of what it moves; so many go on at once.
#pragma once

#include <astd/driver/sim/disk_settings.hpp>
#include <astd/driver/sim/world.hpp>

#include <list>

namespace astd::driver::sim {

class disk;

class disk_queue {
 public:
  disk_queue(disk& of, machine& on, const disk_settings& settings) noexcept
      : disk_(of), machine_(on), settings_(settings) {}
  disk_queue(const disk_queue&) = delete;
  disk_queue& operator=(const disk_queue&) = delete;
  ~disk_queue();

  /// `op` is carried out by disk::carry_out(op, mark) after a visit that moves so many bytes.
  void add(operation& op, std::uint64_t bytes, std::uint64_t mark);
  /// What has begun goes on.
  void cancel(operation& op) noexcept;
  [[nodiscard]] bool anything_pending(int descriptor) noexcept;
  /// All end with -ECANCELED.
  void crash() noexcept;

 private:
  struct visit final : event {
    visit(disk_queue& q, operation& what, std::uint64_t moves, std::uint64_t note)
        : queue(q), op(what), bytes(moves), mark(note) {}
    void fire() noexcept override { queue.end(*this); }
    disk_queue& queue;
    operation& op;
    const std::uint64_t bytes, mark;
    std::list<visit>::iterator self;
  };
  void begin();
  void end(visit& v) noexcept;

  disk& disk_;
  machine& machine_;
  const disk_settings& settings_;
  std::list<visit> waiting_, begun_;
  detail::intrusive_list<operation> operations_;  // theirs: a driver asks whether an operation is in a list
};

}  // namespace astd::driver::sim
