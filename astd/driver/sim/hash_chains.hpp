// A hash table whose chains run through its elements. It is never iterated over, so that no order depends on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace astd::driver::sim {

template <class T>
struct chain_link {
  T* next = nullptr;
  T** back = nullptr;  // what points here; null: in no table
  std::uint32_t hash = 0;
};

/// `Link`: the member of T that this table uses.
template <class T, chain_link<T> T::* Link>
class hash_chains {
 public:
  void insert(T& element, std::uint32_t hash) {
    if (count_ >= heads_.size()) grow();
    (element.*Link).hash = hash;
    link(element);
    ++count_;
  }
  /// Does nothing if it is in no table.
  void erase(T& element) noexcept {
    chain_link<T>& l = element.*Link;
    if (!l.back) return;
    *l.back = l.next;
    if (l.next) (l.next->*Link).back = l.back;
    l = {};
    --count_;
  }
  /// The first with this hash that `matches`, or null; the last inserted comes first.
  template <class Matches>
  [[nodiscard]] T* find(std::uint32_t hash, Matches matches) const noexcept {
    if (heads_.empty()) return nullptr;
    for (T* e = heads_[hash & (heads_.size() - 1)]; e; e = (e->*Link).next)
      if ((e->*Link).hash == hash && matches(*e)) return e;
    return nullptr;
  }
  template <class F>
  void each(std::uint32_t hash, F f) const noexcept {
    static_cast<void>(find(hash, [&](T& e) {
      f(e);
      return false;
    }));
  }

 private:
  void link(T& element) noexcept {
    chain_link<T>& l = element.*Link;
    T*& head = heads_[l.hash & (heads_.size() - 1)];
    l.next = head;
    l.back = &head;
    if (head) (head->*Link).back = &l.next;
    head = &element;
  }
  void grow() {
    std::vector<T*> old(heads_.empty() ? 8 : 2 * heads_.size());
    old.swap(heads_);
    for (T* chain : old) {
      // Backwards, so that the last inserted is the first again.
      T* reversed = nullptr;
      while (chain) {
        T* const next = (chain->*Link).next;
        (chain->*Link).next = reversed;
        reversed = chain;
        chain = next;
      }
      while (reversed) {
        T* const next = (reversed->*Link).next;
        link(*reversed);
        reversed = next;
      }
    }
  }
  std::vector<T*> heads_;
  std::size_t count_ = 0;
};

}  // namespace astd::driver::sim
