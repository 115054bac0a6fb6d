// Files: the names of std::filesystem and std::fstream, awaited.
//
//   std::string text = co_await astd::fs::read_to_string("settings");
#pragma once

#include <astd/fs/directory.hpp>
#include <astd/fs/file.hpp>
#include <astd/fs/metadata.hpp>
#include <astd/fs/names.hpp>
#include <astd/fs/open_options.hpp>
#include <astd/fs/path.hpp>
#include <astd/fs/temporary.hpp>
#include <astd/fs/tree.hpp>
#include <astd/fs/whole_file.hpp>
