// What a simulated disk is like.
#pragma once

#include <astd/base/instant.hpp>

#include <cstdint>

namespace astd::driver::sim {

using detail::instant;

/// How a crash finds a file that has grown since it was synced.
enum class journal_mode : std::uint8_t {
  /// Its size and what was appended arrive together, from the front: as ext4's data=ordered, in short.
  ordered,
  /// Its size may have arrived before what was appended, which then reads as zeros.
  writeback,
};

struct disk_settings {
  /// What one visit to the disk takes, without what it moves; drawn between the two, in nanoseconds.
  instant shortest = 50'000, longest = 200'000;
  std::uint64_t bytes_per_second = 500'000'000;
  /// So many visits at once; the others wait in line.
  unsigned queue = 32;
  /// With more than this that is not written back, a write waits for the disk.
  std::uint64_t dirty_limit = 64 << 20;
  /// What all files together may take, in bytes.
  std::uint64_t capacity = UINT64_MAX;
  journal_mode journal = journal_mode::ordered;
  /// What nobody has synced is written back after so long: what files hold, and what directories name.
  instant data_stays = 30'000'000'000, names_stay = 5'000'000'000;
  /// Whether a directory that is read says of each name what it is, as most file systems do.
  bool tells_types = true;
};

/// What all files of a disk share.
struct disk_account {
  disk_settings settings;
  std::uint64_t used = 0;   // bytes of pages that files hold
  std::uint64_t dirty = 0;  // bytes that were written and not stored
};

}  // namespace astd::driver::sim
