// The machine: any descriptor awaited, native handles, pipes, changes of files.
//
//   auto [reader, writer] = astd::os::pipe();
#pragma once

#include <astd/io/native_handle.hpp>
#include <astd/os/async_fd.hpp>
#include <astd/os/pipe.hpp>
#include <astd/os/watch.hpp>
