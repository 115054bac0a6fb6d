// An object's life in storage that is its own already: the members of a union. What <memory> has for this costs a user's
// file a tenth of a second.
#pragma once

#include <new>
#include <utility>

namespace astd::detail {

template <class T, class... Args>
void construct(T& place, Args&&... args) {
  ::new (const_cast<void*>(static_cast<const volatile void*>(__builtin_addressof(place))))
      T(std::forward<Args>(args)...);
}

template <class T>
void destroy(T& object) noexcept {
  object.~T();
}

}  // namespace astd::detail
