// Which open file a descriptor number stands for, for the whole process: a driver that remembers something of a
// number compares generations, so that a number closed on one loop and given out again on another is never taken for
// its predecessor.
#pragma once

#include <cstdint>

namespace astd::driver {

/// The generation of `fd`; 0 if nobody ever asked for this number by track_generations().
[[nodiscard]] std::uint32_t generation_of(int fd) noexcept;

/// From now on changes of `fd` are counted. False: no memory, or not a possible descriptor. Costs a load when it has
/// been called before.
[[nodiscard]] bool track_generations(int fd) noexcept;

/// The number is about to be closed, or has just been given out: what anybody remembers of it is void.
void new_generation(int fd) noexcept;

/// The stream behind `fd` comes in records from now on (kernel TLS): a short read no longer means that it is drained.
void mark_records(int fd) noexcept;
/// The same after mark_records() as before.
[[nodiscard]] inline std::uint32_t number_of(std::uint32_t generation) noexcept { return generation >> 1; }
[[nodiscard]] inline bool comes_in_records(std::uint32_t generation) noexcept { return generation & 1; }

}  // namespace astd::driver
