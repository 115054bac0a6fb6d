// All of astd. A file that needs one module includes that module alone, and compiles faster.
//
//   #include <astd/astd.hpp>
//
//   astd::task<int> async_main() {                  // linked to astd::main
//     co_await astd::println("Hello, world!");
//     co_return 0;
//   }
#pragma once

#include <astd/barrier.hpp>
#include <astd/call_once.hpp>
#include <astd/cancel.hpp>
#include <astd/channel.hpp>
#include <astd/codec.hpp>
#include <astd/condition_variable.hpp>
#include <astd/event.hpp>
#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/latch.hpp>
#include <astd/lazy.hpp>
#include <astd/locked.hpp>
#include <astd/mutex.hpp>
#include <astd/net.hpp>
#include <astd/once_cell.hpp>
#include <astd/os.hpp>
#include <astd/print.hpp>
#include <astd/process.hpp>
#include <astd/random.hpp>
#include <astd/runtime.hpp>
#include <astd/semaphore.hpp>
#include <astd/shared_mutex.hpp>
#include <astd/signal.hpp>
#include <astd/stream.hpp>
#include <astd/task.hpp>
#include <astd/task_tracker.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>
#include <astd/timed_mutex.hpp>
