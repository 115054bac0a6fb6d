// The words of std::filesystem that mean the same here.
#pragma once

#include <filesystem>

namespace astd::fs {

using std::filesystem::copy_options;
using std::filesystem::directory_options;
using std::filesystem::file_status;
using std::filesystem::file_time_type;
using std::filesystem::file_type;
using std::filesystem::path;
using std::filesystem::perm_options;
using std::filesystem::perms;
using std::filesystem::space_info;

}  // namespace astd::fs
