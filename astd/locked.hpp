// locked, shared_locked: a value that can only be had with its lock.
//
//   astd::locked<std::map<int, std::string>> names;
//   auto guard = co_await names.lock();
#pragma once

#include <astd/sync/locked.hpp>
