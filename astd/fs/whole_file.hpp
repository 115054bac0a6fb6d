// Whole files at once.
//
//   std::string text = co_await fs::read_to_string("/etc/hostname");
//   co_await fs::write("copy", text);
#pragma once

#include <astd/coro/task.hpp>
#include <astd/fs/file.hpp>
#include <astd/io/buffer.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace astd::fs {

/// Everything that is in the file, to its end, be it a regular file or not. Fails with the error of what failed, with
/// its name and the path: "open x: No such file or directory", "read /tmp: Is a directory"; with
/// std::errc::not_enough_memory if it does not fit into memory. No encoding is checked: a std::string holds any bytes.
/// Cancelling ends it between two reads.
task<std::string> read_to_string(path name);
task<std::vector<std::byte>> read(path name);

/// Makes `data` the file's whole content; the file is made if it does not exist. `data` stays until the await is over.
/// Fails as read does. If it fails or is cancelled in between, the file is there with a part of the data.
task<> write(path name, io::const_bytes data);

}  // namespace astd::fs
