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

  [[nodiscard]] bool queued() const noexcept { return place_ != nowhere; }

 protected:
  ~event() = default;

 private:
  friend class event_queue;
  friend class world;
  /// It is no longer queued, and may be gone when this returns.
  virtual void fire() noexcept = 0;

  static constexpr std::size_t nowhere = SIZE_MAX;
  std::size_t place_ = nowhere;
};

/// A heap of four branches, by time; among equals the tie decides, which whoever puts an event in has drawn.
class event_queue {
 public:
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
  /// Of the next event; there is one.
  [[nodiscard]] instant next_time() const noexcept { return heap_.front().when; }
  [[nodiscard]] instant time_of(const event& e) const noexcept { return heap_[e.place_].when; }

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
    event* what;
    [[nodiscard]] bool before(const entry& other) const noexcept {
      return when != other.when ? when < other.when : tie < other.tie;
    }
  };
  void up(std::size_t place, const entry& moving) noexcept;
  void down(std::size_t place, const entry& moving) noexcept;
  void set(std::size_t place, const entry& e) noexcept {
    heap_[place] = e;
    e.what->place_ = place;
  }

  std::vector<entry> heap_;
};

}  // namespace astd::driver::sim
