// Tasks: task<T>, what starts them (spawn, task_builder, task_group, block_on), what is left in the hand then
// (join_handle), and values that belong to them (task_local).
//
//   astd::task<int> answer() { co_return 42; }
//
//   int n = co_await answer();              // here and now, as a call
//   auto h = astd::spawn(answer());         // by itself, on any worker
//   int m = co_await h;
//
// Linked to astd::main, a program writes one of these instead of main():
//
//   astd::task<int> async_main();
//   astd::task<int> async_main(std::span<const std::string_view> args);   // args[0] is the program
#pragma once

#include <astd/coro/task.hpp>
#include <astd/runtime/block_on.hpp>
#include <astd/runtime/join_handle.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/task_group.hpp>
#include <astd/runtime/task_local.hpp>

#include <span>  // of async_main
#include <string_view>
