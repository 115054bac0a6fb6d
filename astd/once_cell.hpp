// once_cell: a value that is made once.
//
//   astd::once_cell<config> cell;
//   auto& c = co_await cell.get_or_init(load);
#pragma once

#include <astd/sync/once_cell.hpp>
