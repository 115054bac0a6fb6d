// Lists whose links live in the elements: no allocation, removal in constant time.
#pragma once

namespace astd::detail {

/// The links of an element of an intrusive_list. An element is in at most one list by each node it has.
struct list_node {
  list_node* next = nullptr;
  list_node* previous = nullptr;
  [[nodiscard]] bool linked() const noexcept { return next != nullptr; }
};

/// A doubly linked list of elements that derive from list_node. The list owns nothing.
template <class T>
class intrusive_list {
 public:
  constexpr intrusive_list() noexcept { clear(); }
  intrusive_list(const intrusive_list&) = delete;
  intrusive_list& operator=(const intrusive_list&) = delete;

  [[nodiscard]] bool empty() const noexcept { return head_.next == &head_; }
  [[nodiscard]] T* front() noexcept { return empty() ? nullptr : static_cast<T*>(head_.next); }
  /// The element behind `element`, or null behind the last.
  [[nodiscard]] T* after(T& element) noexcept {
    return element.list_node::next == &head_ ? nullptr : static_cast<T*>(element.list_node::next);
  }

  void push_back(T& element) noexcept { insert(*head_.previous, element, head_); }
  void push_front(T& element) noexcept { insert(head_, element, *head_.next); }

  T* pop_front() noexcept {
    T* first = front();
    if (first) erase(*first);
    return first;
  }

  /// Unlinks `element`, which must be in a list.
  static void erase(T& element) noexcept {
    list_node& node = element;
    node.previous->next = node.next;
    node.next->previous = node.previous;
    node.next = node.previous = nullptr;
  }

  /// Moves all of `other` behind our last element.
  void splice(intrusive_list& other) noexcept {
    if (other.empty()) return;
    list_node* first = other.head_.next;
    list_node* last = other.head_.previous;
    first->previous = head_.previous;
    head_.previous->next = first;
    last->next = &head_;
    head_.previous = last;
    other.clear();
  }

 private:
  constexpr void clear() noexcept { head_.next = head_.previous = &head_; }
  static void insert(list_node& before, list_node& node, list_node& behind) noexcept {
    node.previous = &before;
    node.next = &behind;
    before.next = &node;
    behind.previous = &node;
  }
  list_node head_;
};

}  // namespace astd::detail
