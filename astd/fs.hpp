// Files: the names of std::filesystem and std::fstream, awaited.
//
//   std::string text = co_await astd::fs::read_to_string("settings");
#pragma once

#include <astd/fs/file.hpp>
#include <astd/fs/whole_file.hpp>
