// std::invoke without <functional>, which costs half a second of compile time.
#pragma once

#include <type_traits>
#include <utility>

namespace astd::detail {

template <class M, class Object, class... A>
decltype(auto) invoke_member(M member, Object&& object, A&&... arguments) {
  if constexpr (requires { object.*member; } && !std::is_member_function_pointer_v<M>)
    return std::forward<Object>(object).*member;
  else if constexpr (requires { (std::forward<Object>(object).*member)(std::forward<A>(arguments)...); })
    return (std::forward<Object>(object).*member)(std::forward<A>(arguments)...);
  else if constexpr (std::is_member_function_pointer_v<M>)
    return ((*std::forward<Object>(object)).*member)(std::forward<A>(arguments)...);
  else
    return (*std::forward<Object>(object)).*member;
}

template <class F, class... A>
decltype(auto) invoke(F&& f, A&&... arguments) {
  if constexpr (std::is_member_pointer_v<std::remove_cvref_t<F>>)
    return invoke_member(f, std::forward<A>(arguments)...);
  else
    return std::forward<F>(f)(std::forward<A>(arguments)...);
}

}  // namespace astd::detail
