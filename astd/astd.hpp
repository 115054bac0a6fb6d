// All of astd. A file that needs one module includes that module alone, and compiles faster.
//
//   #include <astd/astd.hpp>
//
//   astd::task<int> async_main() {                  // linked to astd::main
//     co_await astd::println("Hello, world!");
//     co_return 0;
//   }
#pragma once

#include <astd/channel.hpp>
#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>
