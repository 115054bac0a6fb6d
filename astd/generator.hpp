// generator<T>: a coroutine that yields values, and may await in between; a stream.
//
//   astd::generator<int> numbers() { for (int i = 0;; ++i) co_yield i; }
#pragma once

#include <astd/stream/generator.hpp>
