// An array whose length is known when it is made, of elements that cannot be moved.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace astd::detail {

/// Room for `capacity` elements in one allocation; they are constructed one by one and stay where they are.
template <class T>
class fixed_array {
 public:
  explicit fixed_array(std::size_t capacity)
      : data_(capacity ? std::allocator<T>().allocate(capacity) : nullptr), capacity_(capacity) {}
  fixed_array(fixed_array&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  ~fixed_array() {
    while (size_) std::destroy_at(data_ + --size_);
    if (data_) std::allocator<T>().deallocate(data_, capacity_);
  }

  template <class... Args>
  T& emplace_back(Args&&... args) {
    T* const made = std::construct_at(data_ + size_, std::forward<Args>(args)...);
    ++size_;
    return *made;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  T* begin() noexcept { return data_; }
  T* end() noexcept { return data_ + size_; }

 private:
  T* data_;
  std::size_t capacity_;
  std::size_t size_ = 0;
};

}  // namespace astd::detail
