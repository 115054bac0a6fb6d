// Random numbers that a simulation decides and can repeat; the system's chance elsewhere.
//
//   astd::random chance;
//   std::ranges::shuffle(servers, chance);
//   auto wait = 100ms + std::chrono::milliseconds(chance.below(50));
#pragma once

#include <astd/runtime/random.hpp>
