// Other programs: started, fed, listened to, waited for.
//
//   auto listing = co_await astd::process::command("ls").arg("-l").output();
#pragma once

#include <astd/process/child.hpp>
#include <astd/process/command.hpp>
#include <astd/process/exit_status.hpp>
#include <astd/process/pipeline.hpp>
#include <astd/process/stdio.hpp>
