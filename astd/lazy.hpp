// lazy: a value that is made when it is first asked for.
//
//   astd::lazy<config> settings(load);
//   auto& c = co_await settings.get();
#pragma once

#include <astd/sync/lazy.hpp>
