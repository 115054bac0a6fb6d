// Random operations on files, carried out on a real directory and on a simulated disk: each must answer the same, and
// both must hold the same in the end.
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/random.hpp>
#include <astd/driver/test_files.hpp>

#include <array>
#include <cstdlib>
#include <map>
#include <sstream>

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

namespace astd::driver::sim {
namespace {

using testing::file_calls;
using testing::test_loop;
using testing::test_options;

// One of the two: a loop, and the descriptors that the sequence has opened, by the place where it keeps them.
struct side {
  side(const test_options& wanted, const std::string& top) : loop(wanted), calls{loop} {
    calls.directory = calls.open(top.c_str(), O_RDONLY | O_DIRECTORY);
    EXPECT_GE(calls.directory, 0);
    open.fill(-1);
  }
  ~side() {
    for (const int fd : open)
      if (fd >= 0) calls.close(fd);
    calls.close(calls.directory);
  }
  test_loop loop;
  file_calls calls;
  std::array<int, 6> open;
};

// One operation and its arguments, decided before either side has seen it.
struct step {
  unsigned kind, flags, mode;
  std::string path, other;
  std::size_t place, beneath;  // beneath: whose directory the paths begin in; the top if it is none of the places
  std::int64_t offset;
  std::size_t size;
  char letter;
};

class sequence {
 public:
  explicit sequence(std::uint64_t seed) : random_(seed) {}

  step next() {
    step s;
    s.kind = pick(16);
    constexpr int accesses[] = {O_RDONLY, O_WRONLY, O_RDWR};
    s.flags = static_cast<unsigned>(accesses[pick(3)]);
    for (const int flag : {O_CREAT, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY})
      if (pick(3) == 0) s.flags |= static_cast<unsigned>(flag);
    // Linux before 6.4 has let this pass.
    if (s.flags & O_CREAT) s.flags &= ~static_cast<unsigned>(O_DIRECTORY);
    constexpr unsigned modes[] = {0600, 0644, 0755, 0777, 0700};
    s.mode = modes[pick(5)];
    s.path = path();
    s.other = path();
    s.place = pick(6);
    s.beneath = pick(24);
    constexpr std::int64_t offsets[] = {-1, -1, -1, 0, 1, 511, 512, 4095, 4096, 4097, 8192, 10'000};
    s.offset = offsets[pick(12)];
    constexpr std::size_t sizes[] = {0, 1, 2, 100, 512, 4096, 5000, 12'288};
    s.size = sizes[pick(8)];
    s.letter = static_cast<char>('a' + pick(26));
    return s;
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_.below(n)); }
  // Never out of the directory in which it begins.
  std::string path() {
    constexpr const char* names[] = {"a", "b", "c", "d", "e"};
    std::string result;
    int depth = 0;
    for (unsigned left = 1 + pick(3); left > 0; --left) {
      const unsigned kind = pick(10);
      if (kind == 0) {
        result += '.';
      } else if (kind == 1 && depth > 0) {
        result += "..";
        --depth;
      } else {
        result += names[pick(5)];
        ++depth;
      }
      if (left > 1 || pick(12) == 0) result += pick(8) == 0 ? "//" : "/";
    }
    return result;
  }
  random_stream random_;
};

std::string told(const step& s, side& on) {
  file_calls c = on.calls;
  if (s.beneath < on.open.size() && on.open[s.beneath] >= 0) c.directory = on.open[s.beneath];
  int& fd = on.open[s.place];
  std::ostringstream out;
  switch (s.kind) {
    case 0:
    case 1:
    case 2: {
      if (fd >= 0) on.calls.close(fd);
      fd = c.open(s.path.c_str(), static_cast<int>(s.flags), s.mode);
      out << "open " << s.path << " " << std::oct << s.flags << std::dec << ": " << (fd < 0 ? fd : 0);
      break;
    }
    case 3:
      out << "close " << s.place << ": " << (fd >= 0 ? c.close(fd) : 0);
      fd = -1;
      break;
    case 4:
    case 5: out << "read " << s.size << " at " << s.offset << ": " << c.read(fd, s.size, s.offset); break;
    case 6:
    case 7:
    case 8:
      out << "write " << s.size << " at " << s.offset << ": "
          << c.write(fd, std::string(s.size, s.letter), s.offset);
      break;
    case 9: out << "truncate to " << s.offset << ": " << c.truncate(fd, s.offset); break;
    case 10:
      // Open to its owner, who need not be root here: the simulated disk knows no rights.
      out << "make directory " << s.path << ": " << c.make_directory(s.path.c_str(), s.mode | S_IRWXU);
      break;
    case 11: out << "unlink " << s.path << ": " << c.unlink(s.path.c_str()); break;
    case 12: out << "remove directory " << s.path << ": " << c.remove_directory(s.path.c_str()); break;
    case 13:
    case 14: {
      const unsigned flags = s.letter < 'i' ? RENAME_NOREPLACE : s.letter < 'n' ? RENAME_EXCHANGE : 0;
      out << "rename " << s.path << " to " << s.other << " " << flags << ": "
          << c.rename(s.path.c_str(), s.other.c_str(), flags);
      break;
    }
    case 15: {
      struct ::statx status{};
      const int result = s.letter < 'm' ? c.stat(s.path.c_str(), status) : c.stat_at(fd, "", status, AT_EMPTY_PATH);
      out << "stat " << s.path << ": " << result;
      if (result == 0) {
        out << " mode " << std::oct << status.stx_mode << std::dec;
        if (S_ISREG(status.stx_mode)) out << " size " << status.stx_size << " links " << status.stx_nlink;
      }
      break;
    }
    default: break;
  }
  return out.str();
}

void list_real(const std::string& top, const std::string& below, std::map<std::string, std::string>& found) {
  DIR* const directory = ::opendir((top + below).c_str());
  ASSERT_TRUE(directory);
  while (const dirent* const entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = below + "/" + name;
    struct ::stat status;
    ASSERT_EQ(::stat((top + path).c_str(), &status), 0);
    if (S_ISDIR(status.st_mode)) {
      found[path] = "a directory";
      list_real(top, path, found);
      continue;
    }
    std::string& bytes = found[path];
    std::FILE* const file = std::fopen((top + path).c_str(), "r");
    ASSERT_TRUE(file);
    bytes.resize(static_cast<std::size_t>(status.st_size));
    EXPECT_EQ(std::fread(bytes.data(), 1, bytes.size(), file), bytes.size());
    std::fclose(file);
  }
  ::closedir(directory);
}

void list_simulated(const disk& d, const std::string& top, const std::string& below,
                    std::map<std::string, std::string>& found) {
  const auto names = d.names_in(top + below);
  ASSERT_TRUE(names);
  for (const std::string& name : *names) {
    const std::string path = below + "/" + name;
    if (const auto bytes = d.bytes_of(top + path)) {
      found[path] = *bytes;
    } else {
      found[path] = "a directory";
      list_simulated(d, top, path, found);
    }
  }
}

void compare(std::uint64_t seed, int length) {
  std::string top = ::testing::TempDir() + "astd_differential_XXXXXX";
  ASSERT_NE(::mkdtemp(top.data()), nullptr);
  ASSERT_EQ(::chmod(top.c_str(), 0755), 0);
  world w({.seed = seed});
  machine& m = w.add_machine("here");
  m.storage().put_directory(top);
  {
    test_options real;
    real.want = choice::epoll;
    test_options simulated;
    simulated.machine = &m;
    side there(real, top);
    side here(simulated, top);
    sequence steps(seed);
    for (int i = 0; i < length; ++i) {
      const step s = steps.next();
      const std::string expected = told(s, there);
      std::string got;
      {
        world* const outer = world::set_here(&w);
        const machine::turn turn(m);
        got = told(s, here);
        world::set_here(outer);
      }
      ASSERT_EQ(got, expected) << "seed " << seed << ", step " << i;
    }
    world* const outer = world::set_here(&w);
    std::map<std::string, std::string> in_reality, in_simulation;
    list_real(top, "", in_reality);
    list_simulated(m.storage(), top, "", in_simulation);
    EXPECT_EQ(in_simulation, in_reality) << "seed " << seed;
    world::set_here(outer);
  }
  EXPECT_EQ(std::system(("rm -rf " + top).c_str()), 0);
}

TEST(disk_differential, random_operations_answer_as_linux_does) {
  const mode_t old = ::umask(022);
  for (std::uint64_t seed = 1; seed <= 20 && !HasFailure(); ++seed) compare(seed, 400);
  ::umask(old);
}

}  // namespace
}  // namespace astd::driver::sim
