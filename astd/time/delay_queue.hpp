// delay_queue: values that come out when their time has come, and that can be put off or taken out by key until then.
//
//   astd::delay_queue<session_id, session> expiring;
//   expiring.insert(id, std::move(s), 30min);
//   expiring.reset(id, 30min);                         // it was used
//   while (auto entry = co_await expiring.next()) end(std::move(entry->value));
#pragma once

#include <astd/base/spin_lock.hpp>
#include <astd/runtime/duration.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timed_line.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace astd {
namespace detail {

/// A heap of what waits for its time, the earliest first; of one moment, in the order of insertion.
class delay_heap {
 public:
  struct node {
    instant deadline = never;
    std::uint64_t order = 0;
    std::size_t place = 0;
  };
  /// Room for one more. May throw std::bad_alloc; push() does not.
  void make_room() {
    if (nodes_.size() == nodes_.capacity()) nodes_.reserve(nodes_.size() * 2 + 8);
  }
  void push(node& n, instant deadline) noexcept;
  void move(node& n, instant deadline) noexcept;
  void remove(node& n) noexcept;
  void clear() noexcept { nodes_.clear(); }
  [[nodiscard]] node* first() const noexcept { return nodes_.empty() ? nullptr : nodes_.front(); }
  [[nodiscard]] instant earliest() const noexcept { return nodes_.empty() ? never : nodes_.front()->deadline; }

 private:
  void settle(node& n) noexcept;
  void put(std::size_t place, node& n) noexcept {
    nodes_[place] = &n;
    n.place = place;
  }
  std::vector<node*> nodes_;
  std::uint64_t inserted_ = 0;
};

}  // namespace detail

/// Holds values under keys, each until its moment. They come out of next() in the order of their moments, none before
/// its own. Any number of tasks may insert and take, on any thread; each value comes out once. Moments are of the
/// clock of the calling thread: see steady_clock.
///
/// insert() allocates once for each value, and the others nothing; each takes time with the logarithm of the size. Hash
/// and Equal, and the moves of K and T into the queue, are called while it is locked, so they must not use it; Hash and
/// Equal throw nothing. It outlives every wait and is not moved.
template <class K, class T, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class delay_queue : private detail::timed_line {
 public:
  struct entry {
    K key;
    T value;
    steady_clock::time_point deadline;  // its moment; when it comes out later, nobody was there to take it
  };

  delay_queue() = default;

  /// To come out `d` from now. False: there is one with this key already, or the queue is closed; nothing is changed then.
  template <class Rep, class Period>
  bool insert(K key, T value, std::chrono::duration<Rep, Period> d) {
    return insert_for(std::move(key), std::move(value), after(d));
  }
  /// The same with a moment of any clock with now(), which is read here.
  template <class Clock, class Duration>
  bool insert_at(K key, T value, std::chrono::time_point<Clock, Duration> tp) {
    return insert_for(std::move(key), std::move(value), detail::to_instant(tp));
  }
  /// It comes out `d` from now instead. False: it is not there (any more).
  template <class Rep, class Period>
  bool reset(const K& key, std::chrono::duration<Rep, Period> d) noexcept {
    return reset_for(key, after(d));
  }
  template <class Clock, class Duration>
  bool reset_at(const K& key, std::chrono::time_point<Clock, Duration> tp) noexcept {
    return reset_for(key, detail::to_instant(tp));
  }
  /// Takes a value out before its time. Empty: it is not there (any more): then next() has given it, or will.
  std::optional<T> remove(const K& key) {
    node taken;
    waiters through;
    {
      detail::spin_guard guard(lock());
      taken = take_out(items_.find(key));
      end_if_drained(through);
    }
    wake(through);
    if (!taken) return {};
    return std::optional<T>(std::move(taken.mapped().value));
  }
  /// Destroys all values.
  void clear() noexcept {
    items dropped;
    waiters through;
    {
      detail::spin_guard guard(lock());
      heap_.clear();
      dropped.swap(items_);
      end_if_drained(through);
    }
    wake(through);
  }

  /// Waits for the next value whose moment comes, and takes it out: gives std::optional<entry>, which is empty when the
  /// queue is closed and nothing is in it. What is due already is given at once. Several who wait are served in the
  /// order of their arrival. Cancelling it takes nothing out.
  [[nodiscard]] auto next() noexcept {
    static_assert(
        alignof(entry) <= 16,
        "delay_queue: a value that is aligned to more than 16 bytes cannot be taken out in a coroutine, whose "
        "frame is not; insert a std::unique_ptr to it");
    return awaitable(*this);
  }

  /// Nothing can be inserted any more. What is inside comes out in its time; then next() gives an empty optional.
  void close() noexcept {
    waiters through;
    {
      detail::spin_guard guard(lock());
      closed_ = true;
      end_if_drained(through);
    }
    wake(through);
  }
  [[nodiscard]] bool is_closed() const noexcept {
    detail::spin_guard guard(lock());
    return closed_;
  }

  [[nodiscard]] bool contains(const K& key) const noexcept {
    detail::spin_guard guard(lock());
    return items_.contains(key);
  }
  [[nodiscard]] std::size_t size() const noexcept {
    detail::spin_guard guard(lock());
    return items_.size();
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

 private:
  struct item : detail::delay_heap::node {
    explicit item(T&& v) : value(std::move(v)) {}
    const K* key = nullptr;
    T value;
  };
  using items = std::unordered_map<K, item, Hash, Equal>;
  using node = typename items::node_type;

  class awaiter final : public detail::timed_waiter, public detail::awaiter_base<awaiter> {
   public:
    using value_type = std::optional<entry>;
    explicit awaiter(delay_queue& of) noexcept : timed_waiter(of) {}
    bool await_ready() const noexcept { return false; }
    detail::resumable* start(const detail::await_context& c) noexcept { return begin(c); }
    detail::outcome<value_type> take() {
      resumed();
      detail::outcome<value_type> o;
      if (taken_) {
        item& i = taken_.mapped();
        o.set_value(std::in_place, entry{std::move(taken_.key()), std::move(i.value),
                                         steady_clock::time_point(steady_clock::duration(i.deadline))});
      } else {
        o.set_value();
      }
      return o;
    }
    void describe(std::string& out, unsigned) const override { out += "next of a delay_queue"; }

   private:
    friend delay_queue;
    node taken_;
  };
  class awaitable {
   public:
    explicit awaitable(delay_queue& of) noexcept : of_(of) {}
    auto operator co_await() const noexcept { return awaiter(of_); }

   private:
    delay_queue& of_;
  };

  template <class Rep, class Period>
  static detail::instant after(std::chrono::duration<Rep, Period> d) noexcept {
    const detail::instant now = detail::now_here();
    const detail::instant span = detail::to_nanoseconds(d);
    return span >= detail::never - now ? detail::never : now + span;
  }

  bool insert_for(K&& key, T&& value, detail::instant deadline) {
    waiters through;
    {
      detail::spin_guard guard(lock());
      if (closed_) return false;
      heap_.make_room();
      const auto [place, fresh] = items_.try_emplace(std::move(key), std::move(value));
      if (!fresh) return false;
      place->second.key = &place->first;
      heap_.push(place->second, deadline);
      look(through);
    }
    wake(through);
    return true;
  }
  bool reset_for(const K& key, detail::instant deadline) noexcept {
    waiters through;
    {
      detail::spin_guard guard(lock());
      const auto found = items_.find(key);
      if (found == items_.end()) return false;
      heap_.move(found->second, deadline);
      look(through);
    }
    wake(through);
    return true;
  }
  node take_out(typename items::iterator found) noexcept {
    if (found == items_.end()) return {};
    heap_.remove(found->second);
    return items_.extract(found);
  }
  // Who waits for what will not come any more goes on, and may be the end of this when the lock is free.
  void end_if_drained(waiters& through) noexcept {
    if (closed_ && items_.empty()) look(through);
  }

  detail::instant due() const noexcept override { return heap_.earliest(); }
  bool admit(detail::timed_waiter& w, detail::instant now) noexcept override {
    if (heap_.earliest() > now) return closed_ && items_.empty();
    auto* const first = static_cast<item*>(heap_.first());
    if (!first) return closed_;  // `now` is the end of time
    static_cast<awaiter&>(w).taken_ = take_out(items_.find(*first->key));
    return true;
  }

  // Guarded by lock().
  items items_;
  detail::delay_heap heap_;
  bool closed_ = false;
};

}  // namespace astd
