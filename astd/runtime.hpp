// The runtime: its options, its end, its metrics, its tasks as text.
#pragma once

#include <astd/runtime/runtime.hpp>
