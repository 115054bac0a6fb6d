// What a crash leaves on a simulated disk. The patterns that programs rely on hold for every seed; those that they only
// believe to hold are found out.
#include <astd/driver/sim/disk_test.hpp>

#include <cerrno>

namespace astd::driver::sim {
namespace {

using testing::disk_world;

constexpr std::uint64_t seeds = 1'000;

// Saves version after version of a file of three pages, until the power goes at a moment that the seed decides.
struct saving {
  bool sync_file = true, rename = true, sync_directory = true;
  double syncs_lost = 0;

  enum class outcome { kept, lost, torn };
  [[nodiscard]] static std::string version(int number) {
    return std::string(3 * page_size - 100, static_cast<char>('a' + number));
  }

  [[nodiscard]] outcome run(std::uint64_t seed) const {
    disk_world here({.seed = seed, .faults = fault_rates().set(fault::sync_lost, syncs_lost)});
    const int directory = here.f.open("/tmp", O_RDONLY | O_DIRECTORY);
    here.d.put("/tmp/saved", version(0));
    random_stream chance(seed);
    here.w.after(chance.between(0, 2'500'000), [&here] { here.m.crash(); });
    int acknowledged = 0, begun = 0;
    while (begun < 5) {
      ++begun;
      if (!save(here, directory, version(begun))) break;
      acknowledged = begun;
    }
    while (here.w.step()) {
    }
    here.crash();
    const auto found = here.d.bytes_of("/tmp/saved");
    for (int v = 0; v <= begun; ++v)
      if (found == version(v)) return v >= acknowledged ? outcome::kept : outcome::lost;
    return outcome::torn;
  }

 private:
  [[nodiscard]] bool save(disk_world& here, int directory, const std::string& bytes) const {
    const char* const name = rename ? "/tmp/fresh" : "/tmp/saved";
    const int fd = here.f.open(name, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0) return false;
    bool fine = here.f.write(fd, bytes) == static_cast<int>(bytes.size());
    if (sync_file) fine = fine && here.f.sync(fd) == 0;
    static_cast<void>(here.f.close(fd));
    if (rename) fine = fine && here.f.rename("/tmp/fresh", "/tmp/saved") == 0;
    if (sync_directory) fine = fine && here.f.sync(directory) == 0;
    return fine;
  }
};

struct counts {
  explicit counts(const saving& how, std::uint64_t runs = seeds) {
    for (std::uint64_t seed = 0; seed < runs; ++seed) ++of[static_cast<int>(how.run(seed))];
    ::testing::Test::RecordProperty("kept", of[0]);
    ::testing::Test::RecordProperty("lost", of[1]);
    ::testing::Test::RecordProperty("torn", of[2]);
  }
  [[nodiscard]] int lost() const { return of[static_cast<int>(saving::outcome::lost)]; }
  [[nodiscard]] int torn() const { return of[static_cast<int>(saving::outcome::torn)]; }
  int of[3] = {};
};

TEST(disk_crash, what_is_written_aside_synced_renamed_and_synced_is_always_the_old_or_the_new) {
  const counts found(saving{}, 10 * seeds);
  EXPECT_EQ(found.torn(), 0);
  EXPECT_EQ(found.lost(), 0);
}

TEST(disk_crash, renamed_without_a_sync_of_the_file_it_may_be_torn) {
  const counts found(saving{.sync_file = false});
  EXPECT_GT(found.torn(), 0);
}

TEST(disk_crash, renamed_without_a_sync_of_the_directory_it_may_be_the_old_one_again) {
  const counts found(saving{.sync_directory = false});
  EXPECT_EQ(found.torn(), 0);
  EXPECT_GT(found.lost(), 0);
}

TEST(disk_crash, written_in_place_it_may_be_torn) {
  const counts found(saving{.rename = false});
  EXPECT_GT(found.torn(), 0);
  EXPECT_EQ(found.lost(), 0);
}

TEST(disk_crash, a_disk_that_lies_about_syncs_loses_what_it_said_was_safe) {
  const counts found(saving{.syncs_lost = 0.2});
  EXPECT_GT(found.torn(), 0);
  EXPECT_GT(found.lost(), 0);
}

// Each byte is what it was when it was last synced, or what was written there since.
TEST(disk_crash, no_byte_comes_from_elsewhere) {
  int changed = 0, grown = 0;
  for (std::uint64_t seed = 0; seed < seeds / 4; ++seed) {
    disk_world here({.seed = seed});
    random_stream chance(seed, 1);
    const int fd = here.f.open("/tmp/a", O_RDWR | O_CREAT);
    const int directory = here.f.open("/tmp", O_RDONLY);
    ASSERT_EQ(here.f.sync(directory), 0);
    std::string now, synced;
    std::vector<std::string> possible;  // at each place, what was written since the last sync
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t from = chance.below(3 * page_size), n = 1 + chance.below(2 * page_size);
      const char letter = static_cast<char>('a' + i);
      ASSERT_EQ(here.f.write(fd, std::string(n, letter), static_cast<std::int64_t>(from)), static_cast<int>(n));
      if (now.size() < from + n) now.resize(from + n);
      possible.resize(std::max(possible.size(), now.size()));
      for (std::uint64_t at = from; at < from + n; ++at) {
        now[at] = letter;
        possible[at] += letter;
      }
      if (chance.below(10) == 0) {
        ASSERT_EQ(here.f.sync(fd, chance.below(2) == 0), 0);
        synced = now;
        possible.assign(now.size(), {});
      }
    }
    here.crash();
    const std::string found = here.d.bytes_of("/tmp/a").value();
    ASSERT_GE(found.size(), synced.size());
    ASSERT_LE(found.size(), now.size());
    for (std::size_t at = 0; at < found.size(); ++at) {
      const char before = at < synced.size() ? synced[at] : '\0';
      ASSERT_TRUE(found[at] == before || possible[at].find(found[at]) != std::string::npos)
          << "seed " << seed << ", byte " << at;
    }
    changed += found != synced && found != now;
    grown += found.size() > synced.size() && found.size() < now.size();
  }
  EXPECT_GT(changed, 0);
  EXPECT_GT(grown, 0);
}

std::string log_after_a_crash(std::uint64_t seed, journal_mode mode, std::string& written) {
  disk_world here({.seed = seed});
  here.d.settings().journal = mode;
  here.d.put("/tmp/log", "begin\n");
  const int fd = here.f.open("/tmp/log", O_WRONLY | O_APPEND);
  written = "begin\n";
  for (int i = 0; i < 400; ++i) {
    const std::string line = "line " + std::to_string(i) + " of the log\n";
    EXPECT_EQ(here.f.write(fd, line), static_cast<int>(line.size()));
    written += line;
  }
  here.crash();
  return here.d.bytes_of("/tmp/log").value();
}

TEST(disk_crash, what_was_appended_is_cut_off_somewhere) {
  int cut = 0;
  for (std::uint64_t seed = 0; seed < seeds / 4; ++seed) {
    std::string written;
    const std::string found = log_after_a_crash(seed, journal_mode::ordered, written);
    ASSERT_TRUE(written.starts_with(found)) << "seed " << seed;
    cut += found.size() > 6 && found.size() < written.size();
  }
  EXPECT_GT(cut, 0);
}

TEST(disk_crash, where_sizes_arrive_first_there_are_zeros) {
  int with_zeros = 0;
  for (std::uint64_t seed = 0; seed < seeds / 4; ++seed) {
    std::string written;
    const std::string found = log_after_a_crash(seed, journal_mode::writeback, written);
    ASSERT_LE(found.size(), written.size());
    ASSERT_TRUE(found.starts_with("begin\n"));
    for (std::size_t at = 0; at < found.size(); ++at)
      ASSERT_TRUE(found[at] == written[at] || found[at] == '\0') << "seed " << seed << ", byte " << at;
    with_zeros += found.find('\0') != std::string::npos;
  }
  EXPECT_GT(with_zeros, 0);
}

TEST(disk_crash, a_sector_is_old_or_new) {
  int torn = 0;
  for (std::uint64_t seed = 0; seed < seeds / 4; ++seed) {
    disk_world here({.seed = seed});
    here.d.put("/tmp/a", std::string(page_size, 'o'));
    const int fd = here.f.open("/tmp/a", O_WRONLY);
    ASSERT_EQ(here.f.write(fd, std::string(page_size, 'n')), static_cast<int>(page_size));
    here.crash();
    const std::string found = here.d.bytes_of("/tmp/a").value();
    ASSERT_EQ(found.size(), page_size);
    for (std::size_t at = 0; at < page_size; at += sector_size)
      ASSERT_EQ(found.substr(at, sector_size), std::string(sector_size, found[at]));
    torn += found.front() != found.back();
  }
  EXPECT_GT(torn, 0);
}

TEST(disk_crash, a_new_size_arrives_or_not) {
  int old = 0, fresh = 0, other = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    disk_world here({.seed = seed});
    here.d.put("/tmp/a", "old bytes");
    const int fd = here.f.open("/tmp/a", O_WRONLY | O_TRUNC);
    ASSERT_EQ(here.f.write(fd, "new"), 3);
    here.crash();
    const auto found = here.d.bytes_of("/tmp/a");
    ++(found == "old bytes" ? old : found == "new" ? fresh : other);
    EXPECT_TRUE(found == "old bytes" || found == "new" || found == "") << *found;
  }
  EXPECT_GT(old, 0);
  EXPECT_GT(fresh, 0);
  EXPECT_GT(other, 0) << "empty: the size had arrived, and the bytes not";
}

// A move between directories is in both or in neither, whichever of them is synced.
TEST(disk_crash, a_move_happens_in_both_directories) {
  int moved = 0, stayed = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    disk_world here({.seed = seed});
    here.d.put("/tmp/from/a", "bytes");
    here.d.put_directory("/tmp/to");
    ASSERT_EQ(here.f.make_directory("/tmp/from/sub"), 0);
    ASSERT_EQ(here.f.rename("/tmp/from/a", "/tmp/to/a"), 0);
    const bool sync = seed % 4 == 0;
    if (sync) {
      const int fd = here.f.open(seed % 8 == 0 ? "/tmp/from" : "/tmp/to", O_RDONLY);
      ASSERT_EQ(here.f.sync(fd), 0);
    }
    here.crash();
    const bool in_from = here.d.bytes_of("/tmp/from/a").has_value(),
               in_to = here.d.bytes_of("/tmp/to/a").has_value();
    ASSERT_NE(in_from, in_to) << "seed " << seed;
    if (sync) {
      ASSERT_TRUE(in_to) << "seed " << seed;
    }
    ++(in_to ? moved : stayed);
    struct ::statx status;
    ASSERT_EQ(here.f.stat(in_to ? "/tmp/to/a" : "/tmp/from/a", status), 0);
    ASSERT_EQ(status.stx_nlink, 1u);
  }
  EXPECT_GT(moved, 250);
  EXPECT_GT(stayed, 0);
}

TEST(disk_crash, an_unlinked_file_is_gone_or_there_again) {
  int gone = 0, again = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    disk_world here({.seed = seed});
    here.d.put("/tmp/a", "bytes");
    ASSERT_EQ(here.f.unlink("/tmp/a"), 0);
    EXPECT_EQ(here.d.used(), 0u);
    here.crash();
    const auto found = here.d.bytes_of("/tmp/a");
    ++(found ? again : gone);
    if (found) {
      EXPECT_EQ(*found, "bytes");
      EXPECT_EQ(here.d.used(), page_size);
      const int fd = here.f.open("/tmp/a", O_RDONLY);
      EXPECT_EQ(here.f.stat(fd).stx_nlink, 1u);
      EXPECT_EQ(here.f.read(fd, 10), "bytes");
      here.f.close(fd);
    }
  }
  EXPECT_GT(gone, 0);
  EXPECT_GT(again, 0);
}

// Directories that were moved into each other, and whose moves may be undone in part.
TEST(disk_crash, directories_stay_a_tree) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    disk_world here({.seed = seed});
    random_stream chance(seed, 2);
    for (const char* path : {"/tmp/a/b/c", "/tmp/d/e", "/tmp/f"}) here.d.put_directory(path);
    const auto path = [&] {
      std::string result = "/tmp";
      for (std::uint64_t n = 1 + chance.below(3); n > 0; --n)
        result += std::string("/") + static_cast<char>('a' + chance.below(6));
      return result;
    };
    for (int i = 0; i < 60; ++i) {
      switch (chance.below(6)) {
        case 0: static_cast<void>(here.f.make_directory(path().c_str())); break;
        case 1: static_cast<void>(here.f.remove_directory(path().c_str())); break;
        case 2: {
          const int fd = here.f.open(path().c_str(), O_RDONLY | O_DIRECTORY);
          if (fd >= 0) {
            EXPECT_EQ(here.f.sync(fd), 0);
            here.f.close(fd);
          }
          break;
        }
        default: static_cast<void>(here.f.rename(path().c_str(), path().c_str())); break;
      }
    }
    here.crash();
    // Every directory is where its ".." says, and has as many links as directories in it and two.
    std::vector<std::string> todo{"/tmp"};
    while (!todo.empty()) {
      const std::string at = std::move(todo.back());
      todo.pop_back();
      const auto names = here.d.names_in(at);
      ASSERT_TRUE(names);
      struct ::statx above, back;
      ASSERT_EQ(here.f.stat(at.c_str(), above), 0);
      ASSERT_EQ(above.stx_nlink, 2 + names->size()) << at << ", seed " << seed;
      for (const std::string& name : *names) {
        ASSERT_EQ(here.f.stat((at + "/" + name + "/..").c_str(), back), 0);
        ASSERT_EQ(back.stx_ino, above.stx_ino);
        todo.push_back(at + "/" + name);
        ASSERT_LT(todo.size(), 100u) << "seed " << seed;
      }
    }
  }
}

TEST(disk_crash, what_is_old_enough_is_there) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    disk_world here({.seed = seed});
    here.f.close(here.f.make("/tmp/a", "bytes"));
    bool passed = false;
    here.w.after(31'000'000'000, [&] { passed = true; });
    while (!passed) here.w.step();
    here.crash();
    EXPECT_EQ(here.d.bytes_of("/tmp/a"), "bytes");
  }
}

TEST(disk_crash, descriptors_of_a_former_life_are_dead) {
  disk_world here(disk_world::prompt());
  const int fd = here.f.make("/tmp/a", "bytes");
  here.m.crash();
  EXPECT_EQ(here.f.write(fd, "x"), -ECANCELED);
  here.m.restart();
  EXPECT_EQ(here.f.write(fd, "x"), -EIO);
  EXPECT_EQ(here.f.close(fd), 0);
  EXPECT_EQ(here.f.close(here.f.make("/tmp/b", "bytes")), 0);
}

TEST(disk_crash, one_seed_one_run) {
  const auto run = [](std::uint64_t seed) {
    disk_world here(
        {.seed = seed,
         .faults = fault_rates().set(fault::disk_error, fault::disk_slow, 0.05).set(fault::short_transfer, 0.1)});
    random_stream chance(seed, 3);
    for (int life = 0; life < 5; ++life) {
      for (int i = 0; i < 30; ++i) {
        const std::string name = "/tmp/" + std::to_string(chance.below(4)),
                          other = "/tmp/" + std::to_string(chance.below(4));
        const int fd = here.f.open(name.c_str(), O_RDWR | O_CREAT);
        if (fd < 0) continue;
        static_cast<void>(here.f.write(fd, std::string(1 + chance.below(9'000), 'x'),
                                       static_cast<std::int64_t>(chance.below(5'000))));
        if (chance.below(3) == 0) static_cast<void>(here.f.sync(fd));
        static_cast<void>(here.f.read(fd, 5'000, 0));
        here.f.close(fd);
        if (chance.below(3) == 0) static_cast<void>(here.f.rename(name.c_str(), other.c_str()));
      }
      here.crash();
    }
    std::uint64_t hash = here.w.trace_hash();
    const std::vector<std::string> names = here.d.names_in("/tmp").value();
    for (const std::string& name : names)
      hash ^= std::hash<std::string>()(name + here.d.bytes_of("/tmp/" + name).value()) * 31;
    return hash;
  };
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    ASSERT_EQ(run(seed), run(seed)) << "seed " << seed;
    ASSERT_NE(run(seed), run(seed + 1)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace astd::driver::sim
