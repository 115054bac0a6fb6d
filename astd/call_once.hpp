// once_flag, call_once: does something once, whoever comes first; the others wait until it is done.
//
//   astd::once_flag configured;
//   co_await astd::call_once(configured, load_configuration);
#pragma once

#include <astd/sync/call_once.hpp>
