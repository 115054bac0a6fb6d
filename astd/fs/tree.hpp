// Whole trees: copying and removing.
//
//   co_await fs::copy("photos", "backup", fs::copy_options::recursive);
//   auto gone = co_await fs::remove_all("photos");
//
// Below the path that is given, everything is reached from its directory's descriptor and no symbolic link is followed
// that is not meant to be: whoever swaps a directory for a link meanwhile leads nothing astray. Descriptors of 16 levels
// on each side are open at most, however deep the tree is, of 20 more where several directories go on beside each other,
// and those of the files that are being copied.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/fs/path.hpp>

#include <cstdint>

namespace astd::fs {

/// A regular file's bytes and permissions. `options` say what happens to a file that has the new name: none is a failure
/// (std::errc::file_exists), skip_existing, overwrite_existing, update_existing (if it is older). True if it was copied.
/// The bytes are shared where the file system can, else copied inside the system. If it fails or is cancelled in between,
/// a part is there.
task<bool> copy_file(path from, path to, copy_options options = copy_options::none);

/// As std::filesystem::copy: files, links, and with copy_options::recursive directories and all that is in them, several
/// at a time. The first failure ends it; what has been copied stays.
task<> copy(path from, path to, copy_options options = copy_options::none);

task<> copy_symlink(path from, path to);

/// A file, or a directory with all that is in it; a symbolic link itself. How many names went; 0 if there was nothing. A
/// request to stop ends it in between.
task<std::uint64_t> remove_all(path name);

}  // namespace astd::fs
