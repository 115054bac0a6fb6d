// Links, directories that are read, locks, copies, and what is written beside a file's bytes: the same answers on every
// driver, and in the simulator.
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/test_files.hpp>

#include <cerrno>
#include <cstdlib>
#include <set>

#include <dirent.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace astd::driver::testing {
namespace {

class file_names : public on_each_driver {
 protected:
  void SetUp() override {
    on_each_driver::SetUp();
    if (IsSkipped()) return;
    top = ::testing::TempDir() + "astd_names_XXXXXX";
    if (is_sim()) {
      top = "/tmp/names";
      machine->storage().put_directory(top);
    } else {
      ASSERT_NE(::mkdtemp(top.data()), nullptr);
    }
    loop.emplace(wanted());
    files.emplace(*loop);
    files->directory = files->open(top.c_str(), O_RDONLY | O_DIRECTORY);
    ASSERT_GE(files->directory, 0);
  }
  void TearDown() override {
    if (!files) return;
    EXPECT_EQ(files->close(files->directory), 0);
    files.reset();
    loop.reset();
    if (!is_sim()) {
      EXPECT_EQ(std::system(("rm -rf " + top).c_str()), 0);
    }
  }

  int two(opcode code, const char* from, const char* to, unsigned flags = 0) {
    test_operation op(code, files->directory);
    op.args.two_paths = {from, to, files->directory, flags};
    return loop->run(op);
  }
  int link(const char* from, const char* to, unsigned flags = 0) { return two(opcode::linkat, from, to, flags); }
  int symlink(const char* what, const char* at) { return two(opcode::symlinkat, what, at); }
  std::string text(opcode code, const char* path, int below) {
    char found[4096];
    test_operation op(code, below);
    op.args.text = {path, found, sizeof found};
    const int n = loop->run(op);
    return n < 0 ? "errno " + std::to_string(-n) : std::string(found, static_cast<std::size_t>(n));
  }
  std::string read_link(const char* path) { return text(opcode::readlinkat, path, files->directory); }
  std::string real(const std::string& path) { return text(opcode::realpath, path.c_str(), AT_FDCWD); }
  int put(const char* path, std::string_view content) { return files->close(files->make(path, content)); }

  // The names in one directory, by visits with so much room.
  std::multiset<std::string> names(const char* path, std::size_t room = 4096) {
    std::multiset<std::string> found;
    std::string data(room, '\0');
    test_operation op(opcode::read_directory, files->directory);
    op.args.directory = {path, O_NOFOLLOW, -1, data.data(), data.size()};
    int n = loop->run(op);
    const int fd = op.args.directory.descriptor;
    for (;;) {
      if (n < 0) return {"errno " + std::to_string(-n)};
      for (int at = 0; at < n;) {
        const auto* const entry = reinterpret_cast<const dirent64*>(data.data() + at);
        found.insert((entry->d_type == DT_DIR   ? "/"
                      : entry->d_type == DT_LNK ? "@"
                                                : "") +
                     std::string(entry->d_name));
        at += entry->d_reclen;
      }
      if (op.args.directory.descriptor < 0) break;
      op.fd = fd;
      op.args.directory = {nullptr, 0, -1, data.data(), data.size()};
      n = loop->run(op);
    }
    if (fd >= 0) {
      EXPECT_EQ(files->close(fd), 0);
    }
    return found;
  }

  std::optional<test_loop> loop;
  std::optional<file_calls> files;
  std::string top;
};

TEST_P(file_names, symbolic_links) {
  file_calls& f = *files;
  EXPECT_EQ(f.make_directory("d"), 0);
  EXPECT_EQ(put("d/a", "content"), 0);
  EXPECT_EQ(symlink("d", "to_d"), 0);
  EXPECT_EQ(symlink("d/a", "to_a"), 0);
  EXPECT_EQ(symlink("../to_d/a", "d/back"), 0);
  EXPECT_EQ(symlink("loop", "loop"), 0);
  EXPECT_EQ(symlink("nowhere", "dangling"), 0);
  EXPECT_EQ(symlink("x", "to_a"), -EEXIST);
  EXPECT_EQ(symlink("", "new"), -ENOENT);
  EXPECT_EQ(read_link("to_a"), "d/a");
  EXPECT_EQ(read_link("d/a"), "errno 22");
  EXPECT_EQ(read_link("missing"), "errno 2");
  struct ::statx s{};
  EXPECT_EQ(f.stat("to_a", s), 0);
  EXPECT_TRUE(S_ISREG(s.stx_mode));
  EXPECT_EQ(f.stat("to_a", s, AT_SYMLINK_NOFOLLOW), 0);
  EXPECT_EQ(s.stx_mode, S_IFLNK | 0777);
  EXPECT_EQ(s.stx_size, 3u);
  EXPECT_EQ(f.stat("to_d/", s, AT_SYMLINK_NOFOLLOW), 0);
  EXPECT_TRUE(S_ISDIR(s.stx_mode));
  EXPECT_EQ(f.stat("to_a/", s), -ENOTDIR);
  EXPECT_EQ(f.stat("dangling", s), -ENOENT);
  EXPECT_EQ(f.stat("loop", s), -ELOOP);
  EXPECT_EQ(f.stat("loop/x", s), -ELOOP);
  EXPECT_EQ(f.open("to_a", O_RDONLY | O_NOFOLLOW), -ELOOP);
  EXPECT_EQ(f.open("to_d", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), -ENOTDIR);
  EXPECT_EQ(f.open("dangling", O_RDONLY), -ENOENT);
  EXPECT_EQ(f.open("dangling", O_WRONLY | O_CREAT | O_EXCL), -EEXIST);
  const int through = f.open("d/back", O_RDONLY);
  ASSERT_GE(through, 0);
  EXPECT_EQ(f.read(through, 32), "content");
  EXPECT_EQ(f.close(through), 0);
  const int made = f.open("dangling", O_WRONLY | O_CREAT);
  ASSERT_GE(made, 0);
  EXPECT_EQ(f.close(made), 0);
  EXPECT_EQ(f.stat("nowhere", s), 0);
  EXPECT_EQ(f.remove_directory("to_d"), -ENOTDIR);
  EXPECT_EQ(f.rename("to_a", "moved"), 0);
  EXPECT_EQ(read_link("moved"), "d/a");
  EXPECT_EQ(real(top + "/to_d/../d/./back"), real(top) + "/d/a");
  EXPECT_EQ(real(top + "/to_d"), real(top) + "/d");
  EXPECT_EQ(real(top + "/missing"), "errno 2");
  EXPECT_EQ(f.unlink("to_d"), 0);
  EXPECT_EQ(f.stat("d/a", s), 0);
}

TEST_P(file_names, hard_links) {
  file_calls& f = *files;
  EXPECT_EQ(put("a", "content"), 0);
  EXPECT_EQ(f.make_directory("d"), 0);
  EXPECT_EQ(link("a", "d/b"), 0);
  EXPECT_EQ(link("a", "d/b"), -EEXIST);
  EXPECT_EQ(link("missing", "c"), -ENOENT);
  EXPECT_EQ(link("d", "c"), -EPERM);
  EXPECT_EQ(link("a", "no/c"), -ENOENT);
  EXPECT_EQ(symlink("a", "s"), 0);
  EXPECT_EQ(link("s", "s2"), 0);
  EXPECT_EQ(read_link("s2"), "a");
  EXPECT_EQ(link("s", "c", AT_SYMLINK_FOLLOW), 0);
  struct ::statx a{}, b{};
  EXPECT_EQ(f.stat("a", a), 0);
  EXPECT_EQ(f.stat("d/b", b), 0);
  EXPECT_EQ(a.stx_ino, b.stx_ino);
  EXPECT_EQ(a.stx_nlink, 3u);
  EXPECT_EQ(f.unlink("a"), 0);
  EXPECT_EQ(f.stat("d/b", b), 0);
  EXPECT_EQ(b.stx_nlink, 2u);
}

TEST_P(file_names, directories_are_read) {
  file_calls& f = *files;
  EXPECT_EQ(f.make_directory("d"), 0);
  std::multiset<std::string> expected{"/.", "/..", "/sub", "@s"};
  EXPECT_EQ(f.make_directory("d/sub"), 0);
  EXPECT_EQ(symlink("x", "d/s"), 0);
  for (int i = 0; i < 200; ++i) {
    const std::string name = "a file with a long name " + std::to_string(i);
    expected.insert(name);
    EXPECT_EQ(put(("d/" + name).c_str(), ""), 0);
  }
  EXPECT_EQ(names("d", 64 * 1024), expected);
  EXPECT_EQ(names("d", 1024), expected);
  EXPECT_EQ(names("d/sub"), (std::multiset<std::string>{"/.", "/.."}));
  EXPECT_EQ(names("d/s"), std::multiset<std::string>{"errno 20"});
  EXPECT_EQ(names("d/missing"), std::multiset<std::string>{"errno 2"});
}

TEST_P(file_names, what_is_beside_the_bytes) {
  file_calls& f = *files;
  const int fd = f.make("a", "0123456789");
  test_operation mode(opcode::fchmodat, files->directory);
  mode.args.path = {"a", 0, 04755};
  EXPECT_EQ(loop->run(mode), 0);
  EXPECT_EQ(f.stat(fd).stx_mode, S_IFREG | 04755u);
  test_operation by_descriptor(opcode::fchmodat, fd);
  by_descriptor.args.path = {nullptr, 0, 0600};
  EXPECT_EQ(loop->run(by_descriptor), 0);
  EXPECT_EQ(f.stat(fd).stx_mode, S_IFREG | 0600u);
  const timespec when[2] = {{1000, 5}, {0, UTIME_OMIT}};
  const auto modified = f.stat(fd).stx_mtime.tv_sec;
  test_operation times(opcode::utimensat, files->directory);
  times.args.times = {"a", 0, when};
  EXPECT_EQ(loop->run(times), 0);
  EXPECT_EQ(f.stat(fd).stx_atime.tv_sec, 1000);
  EXPECT_EQ(f.stat(fd).stx_atime.tv_nsec, 5u);
  EXPECT_EQ(f.stat(fd).stx_mtime.tv_sec, modified);
  test_operation owner(opcode::fchownat, fd);
  owner.args.owner = {nullptr, 0, ~0u, ~0u};
  EXPECT_EQ(loop->run(owner), 0);
  const auto seek = [&](int whence, std::int64_t offset) {
    test_operation op(opcode::lseek, fd);
    op.args.seek = {whence, offset};
    const int result = loop->run(op);
    return result < 0 ? result : op.args.seek.offset;
  };
  EXPECT_EQ(seek(SEEK_SET, 4), 4);
  EXPECT_EQ(f.read(fd, 2), "45");
  EXPECT_EQ(seek(SEEK_CUR, -1), 5);
  EXPECT_EQ(seek(SEEK_END, -2), 8);
  EXPECT_EQ(seek(SEEK_CUR, -9), -EINVAL);
  test_operation dup(opcode::dup, fd);
  const int other = loop->run(dup);
  ASSERT_GE(other, 0);
  EXPECT_EQ(f.read(other, 1), "8") << "one position for both";
  EXPECT_EQ(f.close(fd), 0);
  EXPECT_EQ(f.read(other, 5), "9");
  test_operation more(opcode::fallocate, other);
  more.args.range = {0, 5, 100};
  EXPECT_EQ(loop->run(more), 0);
  EXPECT_EQ(f.stat(other).stx_size, 105u);
  test_operation advice(opcode::fadvise, other);
  advice.args.range = {POSIX_FADV_SEQUENTIAL, 0, 0};
  EXPECT_EQ(loop->run(advice), 0);
  EXPECT_EQ(f.close(other), 0);
  struct ::statvfs space{};
  test_operation ask(opcode::statvfs, AT_FDCWD);
  ask.args.space = {top.c_str(), &space};
  EXPECT_EQ(loop->run(ask), 0);
  EXPECT_GT(space.f_blocks, 0u);
  EXPECT_LE(space.f_bavail, space.f_blocks);
}

TEST_P(file_names, locks_are_refused_while_another_has_one) {
  file_calls& f = *files;
  const int one = f.make("a", ""), two = f.open("a", O_RDWR);
  const auto lock = [&](int fd, int how) {
    test_operation op(opcode::flock, fd);
    op.args.value = how;
    return loop->run(op);
  };
  EXPECT_EQ(lock(one, LOCK_EX), 0);
  EXPECT_EQ(lock(two, LOCK_EX), -EWOULDBLOCK);
  EXPECT_EQ(lock(two, LOCK_SH), -EWOULDBLOCK);
  EXPECT_EQ(lock(one, LOCK_SH), 0);
  EXPECT_EQ(lock(two, LOCK_SH), 0);
  EXPECT_EQ(lock(two, LOCK_EX), -EWOULDBLOCK);
  EXPECT_EQ(lock(one, LOCK_UN), 0);
  EXPECT_EQ(lock(two, LOCK_EX), 0);
  EXPECT_EQ(f.close(two), 0);
  EXPECT_EQ(lock(one, LOCK_EX), 0);
  EXPECT_EQ(f.close(one), 0);
}

TEST_P(file_names, a_copy_between_files) {
  file_calls& f = *files;
  const int from = f.make("a", "0123456789"), to = f.make("b", "");
  const auto copy = [&](int source, int target, std::int64_t at, std::int64_t there, std::size_t size) {
    test_operation op(opcode::copy_file_range, target);
    op.args.copy = {source, at, there, size};
    return loop->run(op);
  };
  EXPECT_EQ(copy(from, to, 2, 1, 100), 8);
  EXPECT_EQ(f.read(to, 32, 0), std::string("\0"
                                           "23456789",
                                           9));
  EXPECT_EQ(copy(from, to, 10, 0, 100), 0);
  EXPECT_EQ(copy(from, files->directory, 0, 0, 1), -EISDIR);
  const int only_reads = f.open("b", O_RDONLY);
  EXPECT_EQ(copy(from, only_reads, 0, 0, 1), -EBADF);
  for (const int fd : {from, to, only_reads}) EXPECT_EQ(f.close(fd), 0);
}

TEST_P(file_names, a_small_file_is_copied_as_a_whole) {
  file_calls& f = *files;
  const auto copy = [&](const char* from, const char* to, int flags = O_NOFOLLOW, std::size_t most = 100) {
    test_operation op(opcode::copy_file, files->directory);
    op.args.copy_file = {from, to, files->directory, flags, most};
    return loop->run(op);
  };
  ASSERT_EQ(put("a", "0123456789"), 0);
  ASSERT_EQ(put("empty", ""), 0);
  test_operation mode(opcode::fchmodat, files->directory);
  mode.args.path = {"a", 0, 0640};
  ASSERT_EQ(loop->run(mode), 0);
  EXPECT_EQ(copy("a", "b"), 0);
  const int b = f.open("b", O_RDONLY);
  EXPECT_EQ(f.read(b, 32, 0), "0123456789");
  EXPECT_EQ(f.close(b), 0);
  struct ::statx status{};
  ASSERT_EQ(f.stat("b", status), 0);
  EXPECT_EQ(status.stx_mode & 07777, 0640);
  EXPECT_EQ(copy("empty", "c"), 0);
  ASSERT_EQ(f.stat("c", status), 0);
  EXPECT_EQ(status.stx_size, 0u);
  // What is in the way is for others to say.
  EXPECT_EQ(copy("a", "b"), copy_file_declined);
  EXPECT_EQ(copy("none", "d"), copy_file_declined);
  EXPECT_EQ(copy("a", "none/d"), copy_file_declined);
  EXPECT_EQ(copy("a", "d", O_NOFOLLOW, 9), copy_file_declined);
  EXPECT_EQ(copy("a", "d", O_NOFOLLOW, 10), 0);
  ASSERT_EQ(f.make_directory("directory"), 0);
  EXPECT_EQ(copy("directory", "e"), copy_file_declined);
  ASSERT_EQ(symlink("a", "link"), 0);
  EXPECT_EQ(copy("link", "e"), copy_file_declined);
  EXPECT_EQ(names(".").count("e"), 0u);
  EXPECT_EQ(copy("link", "e", 0), 0);
  EXPECT_EQ(names(".").count("e"), 1u);
}

TEST_P(file_names, several_are_done_in_one_visit) {
  ASSERT_EQ(put("a", "0123456789"), 0);
  ASSERT_EQ(files->make_directory("directory"), 0);
  operation each[4];
  each[0].code = opcode::copy_file;
  each[0].args.copy_file = {"a", "b", files->directory, O_NOFOLLOW, 100};
  each[1].code = opcode::unlinkat;
  each[1].args.path = {"directory", 0, 0};
  each[2].code = opcode::unlinkat;
  each[2].args.path = {"none", 0, 0};
  each[3].code = opcode::unlinkat;
  each[3].args.path = {"a", 0, 0};
  for (operation& one : each) one.fd = files->directory;
  test_operation op(opcode::batch, files->directory);
  op.args.batch = {each, 4};
  EXPECT_EQ(loop->run(op), 0);
  EXPECT_EQ(each[0].result, 0);
  EXPECT_EQ(each[1].result, -EISDIR);
  EXPECT_EQ(each[2].result, -ENOENT);
  EXPECT_EQ(each[3].result, 0);
  EXPECT_EQ(names("."), (std::multiset<std::string>{"/.", "/..", "/directory", "b"}));
}

ASTD_ON_DRIVERS(file_names, conforming_setups);

}  // namespace
}  // namespace astd::driver::testing
