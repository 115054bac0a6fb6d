// What will happen in a simulated world, and when.
#pragma once

#include <astd/base/instant.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace astd::driver::sim {

using detail::instant;

/// Something that happens at one moment. It lives in whatever it happens to, which takes it out of the queue when it goes
/// before that.
class event {
 public:
  event() = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  [[nodiscard]] bool queued() const noexcept { return slot_ != nowhere; }

 protected:
  ~event() = default;
  /// What fire() will touch first, a few cache lines: they are fetched while the event before this one happens.
  void set_touched(const void* first) noexcept { touched_ = first; }

 private:
  friend class event_queue;
  friend class world;
  /// It is no longer queued, and may be gone when this returns.
  virtual void fire() noexcept = 0;

  static constexpr std::uint32_t nowhere = UINT32_MAX;
  std::uint32_t slot_ = nowhere;
  const void* touched_ = nullptr;
};

/// A heap of four branches, by time; among equals the tie decides, which whoever puts an event in has drawn. Where an event
/// is in the heap stands not in the event but in a table: to move an entry touches nothing far away.
class event_queue {
 public:
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  /// Of the next event; there is one.
  [[nodiscard]] instant next_time() const noexcept { return heap_.front().when; }
  [[nodiscard]] std::uint64_t next_tie() const noexcept { return heap_.front().tie; }
  [[nodiscard]] instant time_of(const event& e) const noexcept { return heap_[places_[e.slot_]].when; }

  /// Puts `e` in, or elsewhere if it is in.
  void put(event& e, instant when, std::uint64_t tie);
  /// Does nothing if it is not in.
  void remove(event& e) noexcept;
  /// The next event, taken out; there is one.
  event& pop() noexcept;

 private:
  struct entry {
    instant when;
    std::uint64_t tie;
    std::uint32_t slot;
    [[nodiscard]] bool before(const entry& other) const noexcept {
      return when != other.when ? when < other.when : tie < other.tie;
    }
  };
  void up(std::size_t place, const entry& moving) noexcept;
  void down(std::size_t place, const entry& moving) noexcept;
  void set(std::size_t place, const entry& e) noexcept {
    heap_[place] = e;
    places_[e.slot] = static_cast<std::uint32_t>(place);
  }

  std::vector<entry> heap_;
  std::vector<std::uint32_t> places_;      // in heap_, by slot
  std::vector<event*> events_;             // by slot
  std::vector<std::uint32_t> free_slots_;  // room for all
};

}  // namespace astd::driver::sim
