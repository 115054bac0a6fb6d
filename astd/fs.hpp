// Files: the names of std::filesystem and std::fstream, awaited.
#pragma once

#include <astd/fs/file.hpp>
#include <astd/fs/whole_file.hpp>
