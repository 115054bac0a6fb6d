// What an operation on a file answers, by errno and result: the same on every driver, and in the simulator. Where they
// differ, the simulator is wrong.
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/test_files.hpp>

#include <cerrno>
#include <cstdlib>

#include <poll.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

namespace astd::driver::testing {
namespace {

class file_conformance : public on_each_driver {
 protected:
  void SetUp() override {
    on_each_driver::SetUp();
    if (IsSkipped()) return;
    std::string pattern = ::testing::TempDir() + "astd_files_XXXXXX";
    if (is_sim()) {
      pattern = "/tmp/files";
      machine->storage().put_directory(pattern);
    } else {
      ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    }
    old_umask = ::umask(022);
    loop.emplace(wanted());
    files.emplace(*loop);
    top = pattern;
    files->directory = files->open(pattern.c_str(), O_RDONLY | O_DIRECTORY);
    ASSERT_GE(files->directory, 0);
  }
  void TearDown() override {
    if (!files) return;
    ::umask(old_umask);
    if (files->directory >= 0) {
      EXPECT_EQ(files->close(files->directory), 0);
    }
    files.reset();
    loop.reset();
    if (!is_sim()) {
      EXPECT_EQ(std::system(("rm -rf " + top).c_str()), 0);
    }
  }
  std::optional<test_loop> loop;
  std::optional<file_calls> files;
  std::string top;
  mode_t old_umask = 0;
};

TEST_P(file_conformance, the_life_of_a_file) {
  file_calls& f = *files;
  EXPECT_EQ(f.open("a", O_RDONLY), -ENOENT);
  const int fd = f.open("a", O_RDWR | O_CREAT, 0666);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(f.write(fd, "hello world"), 11);
  EXPECT_EQ(f.read(fd, 32), "");
  EXPECT_EQ(f.read(fd, 32, 6), "world");
  EXPECT_EQ(f.read(fd, 32, 11), "");
  EXPECT_EQ(f.read(fd, 32, 1'000'000), "");
  EXPECT_EQ(f.truncate(fd, 5), 0);
  EXPECT_EQ(f.sync(fd), 0);
  EXPECT_EQ(f.sync(fd, true), 0);
  EXPECT_EQ(f.stat(fd).stx_size, 5u);
  EXPECT_EQ(f.stat(fd).stx_mode, S_IFREG | 0644u);
  EXPECT_EQ(f.stat(fd).stx_nlink, 1u);
  EXPECT_EQ(f.rename("a", "b"), 0);
  EXPECT_EQ(f.read(fd, 32, 0), "hello");
  EXPECT_EQ(f.unlink("b"), 0);
  EXPECT_EQ(f.unlink("b"), -ENOENT);
  EXPECT_EQ(f.stat(fd).stx_nlink, 0u);
  EXPECT_EQ(f.read(fd, 32, 0), "hello");
  EXPECT_EQ(f.close(fd), 0);
  EXPECT_EQ(f.close(fd), -EBADF);
  EXPECT_EQ(f.make_directory("d"), 0);
  EXPECT_EQ(f.make_directory("d"), -EEXIST);
  EXPECT_EQ(f.remove_directory("d"), 0);
}

TEST_P(file_conformance, open_refuses_as_linux_does) {
  file_calls& f = *files;
  f.close(f.make("file", "x"));
  ASSERT_EQ(f.make_directory("dir"), 0);
  const std::string longest(255, 'n'), too_long(256, 'n'),
      deep = std::string(2047, '/') + "a/" + std::string(2048, '.');
  struct {
    const char* path;
    int flags;
    int result;
  } const refused[] = {
      {"", O_RDONLY, -ENOENT},
      {"", O_WRONLY | O_CREAT, -ENOENT},
      {"nothing", O_RDONLY, -ENOENT},
      {"nothing/", O_RDONLY, -ENOENT},
      {"nothing/file", O_WRONLY | O_CREAT, -ENOENT},
      {"nothing/../file", O_RDONLY, -ENOENT},
      {"file/", O_RDONLY, -ENOTDIR},
      {"file/.", O_RDONLY, -ENOTDIR},
      {"file/..", O_RDONLY, -ENOTDIR},
      {"file/x", O_RDONLY, -ENOTDIR},
      {"file/x", O_WRONLY | O_CREAT, -ENOTDIR},
      {"file/x/y", O_RDONLY, -ENOTDIR},
      {"file", O_RDONLY | O_DIRECTORY, -ENOTDIR},
      {"file", O_WRONLY | O_CREAT | O_EXCL, -EEXIST},
      {"dir", O_WRONLY | O_CREAT | O_EXCL, -EEXIST},
      {"dir", O_WRONLY, -EISDIR},
      {"dir", O_RDWR, -EISDIR},
      {"dir", O_RDONLY | O_TRUNC, -EISDIR},
      {"dir", O_RDONLY | O_CREAT, -EISDIR},
      {"dir/", O_RDONLY | O_CREAT, -EISDIR},
      {"file/", O_WRONLY | O_CREAT, -EISDIR},
      {"new/", O_WRONLY | O_CREAT, -EISDIR},
      {"dir/.", O_WRONLY | O_CREAT, -EISDIR},
      {".", O_WRONLY | O_CREAT | O_EXCL, -EEXIST},
      {"dir", O_WRONLY | O_DIRECTORY, -EISDIR},
      {too_long.c_str(), O_RDONLY, -ENAMETOOLONG},
      {too_long.c_str(), O_WRONLY | O_CREAT, -ENAMETOOLONG},
      {longest.c_str(), O_RDONLY, -ENOENT},
      {deep.c_str(), O_RDONLY, -ENAMETOOLONG},
      {"file", O_RDWR | O_TMPFILE, -ENOTDIR},
      {".", O_RDONLY | O_TMPFILE, -EINVAL},
  };
  for (const auto& r : refused) {
    const int fd = f.open(r.path, r.flags);
    EXPECT_EQ(fd, r.result) << r.path << " " << std::oct << r.flags;
    if (fd >= 0) f.close(fd);
  }
  // An absolute path needs no directory; a relative one needs an open one.
  file_calls nowhere{f.loop, -1};
  EXPECT_EQ(nowhere.open("file", O_RDONLY), -EBADF);
  EXPECT_EQ(nowhere.open("", O_RDONLY), -ENOENT);
  EXPECT_EQ(nowhere.open((top + "/nothing").c_str(), O_RDONLY), -ENOENT);
  const int file = nowhere.open((top + "/file").c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  file_calls in_file{f.loop, file};
  EXPECT_EQ(in_file.open("x", O_RDONLY), -ENOTDIR);
  f.close(file);
  // The longest name is one.
  f.close(f.make(longest.c_str(), ""));
  EXPECT_EQ(f.unlink(longest.c_str()), 0);
}

TEST_P(file_conformance, open_finds_its_way) {
  file_calls& f = *files;
  ASSERT_EQ(f.make_directory("d"), 0);
  ASSERT_EQ(f.make_directory("d/e"), 0);
  f.close(f.make("d/file", "in d"));
  for (const char* path :
       {"d/file", "./d/file", "d/./file", "d//file", "d/e/../file", "d/e/.././../d/file", "d///./file"}) {
    const int fd = f.open(path, O_RDONLY);
    EXPECT_EQ(f.read(fd, 10), "in d") << path;
    f.close(fd);
  }
  EXPECT_EQ(f.open("d/file/../file", O_RDONLY), -ENOTDIR);
  for (const char* path : {"d", "d/", "d/.", "d/e/..", "d//"}) {
    const int fd = f.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    EXPECT_GE(fd, 0) << path;
    f.close(fd);
  }
  // A directory's descriptor follows it.
  file_calls in_d{f.loop, f.open("d", O_RDONLY | O_DIRECTORY)};
  EXPECT_EQ(f.rename("d", "renamed"), 0);
  const int fd = in_d.open("file", O_RDONLY);
  EXPECT_EQ(f.read(fd, 10), "in d");
  f.close(fd);
  const int made = in_d.open("made", O_WRONLY | O_CREAT);
  EXPECT_GE(made, 0);
  f.close(made);
  struct ::statx status;
  EXPECT_EQ(f.stat("renamed/made", status), 0);
  f.close(in_d.directory);
}

TEST_P(file_conformance, flags_of_open) {
  file_calls& f = *files;
  f.close(f.make("a", "0123456789"));
  int fd = f.open("a", O_WRONLY);
  EXPECT_EQ(f.read(fd, 1), "errno 9");
  EXPECT_EQ(f.write(fd, "ab"), 2);
  EXPECT_EQ(f.write(fd, "cd"), 2);
  f.close(fd);
  fd = f.open("a", O_RDONLY);
  EXPECT_EQ(f.write(fd, "x"), -EBADF);
  EXPECT_EQ(f.write(fd, "", 0), -EBADF);
  EXPECT_EQ(f.truncate(fd, 0), -EINVAL);
  EXPECT_EQ(f.read(fd, 20), "abcd456789");
  EXPECT_EQ(f.sync(fd), 0);
  f.close(fd);
  // To the end, wherever it is asked for.
  fd = f.open("a", O_RDWR | O_APPEND);
  EXPECT_EQ(f.read(fd, 2), "ab");
  EXPECT_EQ(f.write(fd, "X", 3), 1);
  EXPECT_EQ(f.read(fd, 2), "cd");
  EXPECT_EQ(f.write(fd, "Y"), 1);
  EXPECT_EQ(f.read(fd, 20), "");
  EXPECT_EQ(f.read(fd, 20, 0), "abcd456789XY");
  f.close(fd);
  // Emptied, even where it is opened for reading only.
  fd = f.open("a", O_RDONLY | O_TRUNC);
  EXPECT_EQ(f.read(fd, 20), "");
  f.close(fd);
  fd = f.open("a", O_RDWR | O_CREAT, 0);
  EXPECT_EQ(f.stat(fd).stx_mode, S_IFREG | 0644u) << "it was there";
  f.close(fd);
  fd = f.open("b", O_RDWR | O_CREAT | O_EXCL, 0777);
  EXPECT_EQ(f.stat(fd).stx_mode, S_IFREG | 0755u);
  f.close(fd);
  // The mode is for whoever opens it next.
  fd = f.open("c", O_RDWR | O_CREAT, 0400);
  EXPECT_EQ(f.write(fd, "x"), 1);
  EXPECT_EQ(f.stat(fd).stx_mode, S_IFREG | 0400u);
  f.close(fd);
}

TEST_P(file_conformance, a_file_without_a_name) {
  file_calls& f = *files;
  const int fd = f.open(".", O_RDWR | O_TMPFILE, 0600);
  if (fd == -EOPNOTSUPP) GTEST_SKIP() << "NOT RUN: the file system of " << top << " knows no O_TMPFILE";
  ASSERT_GE(fd, 0);
  EXPECT_EQ(f.stat(fd).stx_nlink, 0u);
  EXPECT_EQ(f.stat(fd).stx_mode, S_IFREG | 0600u);
  EXPECT_EQ(f.write(fd, "nobody's"), 8);
  EXPECT_EQ(f.read(fd, 20, 0), "nobody's");
  f.close(fd);
}

TEST_P(file_conformance, holes_and_ends) {
  file_calls& f = *files;
  const int fd = f.make("a", "");
  EXPECT_EQ(f.write(fd, "x", 10'000), 1);
  EXPECT_EQ(f.stat(fd).stx_size, 10'001u);
  EXPECT_EQ(f.read(fd, 3, 9'998), std::string("\0\0x", 3));
  EXPECT_EQ(f.read(fd, 20'000, 0), std::string(10'000, '\0') + "x");
  EXPECT_EQ(f.write(fd, "y", 20'000), 1);
  // What was cut off does not come back.
  EXPECT_EQ(f.truncate(fd, 5), 0);
  EXPECT_EQ(f.truncate(fd, 10'001), 0);
  EXPECT_EQ(f.read(fd, 20'000, 0), std::string(10'001, '\0'));
  EXPECT_EQ(f.write(fd, "", 50'000), 0);
  EXPECT_EQ(f.stat(fd).stx_size, 10'001u);
  EXPECT_EQ(f.truncate(fd, -1), -EINVAL);
  // The own position may lie behind the end.
  EXPECT_EQ(f.write(fd, "abc"), 3);
  EXPECT_EQ(f.truncate(fd, 1), 0);
  EXPECT_EQ(f.read(fd, 10), "");
  EXPECT_EQ(f.write(fd, "d"), 1);
  EXPECT_EQ(f.read(fd, 10, 0), std::string("a\0\0d", 4));
  EXPECT_EQ(f.read(fd, nullptr, 0, 0), 0);
  f.close(fd);
}

TEST_P(file_conformance, vectors) {
  file_calls& f = *files;
  const int fd = f.make("a", "");
  iovec out[3] = {{const_cast<char*>("one"), 3}, {nullptr, 0}, {const_cast<char*>("two"), 3}};
  test_operation write(opcode::writev, fd);
  write.args.vectors = {out, 3, -1};
  EXPECT_EQ(f.loop.run(write), 6);
  EXPECT_EQ(f.loop.run(write), 6);
  write.args.vectors = {out, 2, 9};
  EXPECT_EQ(f.loop.run(write), 3);
  char a[2], b[20];
  iovec in[2] = {{a, 2}, {b, 20}};
  test_operation read(opcode::readv, fd);
  read.args.vectors = {in, 2, 0};
  EXPECT_EQ(f.loop.run(read), 12);
  EXPECT_EQ(std::string(a, 2) + std::string(b, 10), "onetwooneone");
  read.args.vectors = {in, 0, 0};
  EXPECT_EQ(f.loop.run(read), 0);
  f.close(fd);
}

TEST_P(file_conformance, directories_are_no_files) {
  file_calls& f = *files;
  ASSERT_EQ(f.make_directory("d", 0700), 0);
  const int fd = f.open("d", O_RDONLY);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(f.read(fd, 10), "errno 21");
  EXPECT_EQ(f.read(fd, 10, 0), "errno 21");
  EXPECT_EQ(f.write(fd, "x"), -EBADF);
  EXPECT_EQ(f.truncate(fd, 0), -EINVAL);
  EXPECT_EQ(f.sync(fd), 0);
  EXPECT_EQ(f.sync(fd, true), 0);
  EXPECT_EQ(f.stat(fd).stx_mode, S_IFDIR | 0700u);
  f.close(fd);
}

TEST_P(file_conformance, make_directory) {
  file_calls& f = *files;
  f.close(f.make("file", ""));
  EXPECT_EQ(f.make_directory("d/"), 0);
  EXPECT_EQ(f.make_directory("d/e"), 0);
  for (const char* there : {"d", "d/", "d/e", "d/.", "d/..", ".", "..", "/", "file"})
    EXPECT_EQ(f.make_directory(there), -EEXIST) << there;
  EXPECT_EQ(f.make_directory("file/"), -EEXIST);
  EXPECT_EQ(f.make_directory("file/x"), -ENOTDIR);
  EXPECT_EQ(f.make_directory("nothing/x"), -ENOENT);
  EXPECT_EQ(f.make_directory(""), -ENOENT);
  EXPECT_EQ(f.make_directory(std::string(256, 'x').c_str()), -ENAMETOOLONG);
  // In one that is gone, nothing can be made or found.
  file_calls gone{f.loop, f.open("d/e", O_RDONLY | O_DIRECTORY)};
  EXPECT_EQ(f.remove_directory("d/e"), 0);
  EXPECT_EQ(gone.make_directory("x"), -ENOENT);
  EXPECT_EQ(gone.open("x", O_WRONLY | O_CREAT), -ENOENT);
  EXPECT_EQ(gone.open("x", O_RDONLY), -ENOENT);
  struct ::statx status;
  EXPECT_EQ(gone.stat(".", status), 0);
  f.close(gone.directory);
}

TEST_P(file_conformance, unlink) {
  file_calls& f = *files;
  f.close(f.make("file", ""));
  ASSERT_EQ(f.make_directory("d"), 0);
  f.close(f.make("d/x", ""));
  EXPECT_EQ(f.unlink("nothing"), -ENOENT);
  EXPECT_EQ(f.unlink("nothing/"), -ENOENT);
  EXPECT_EQ(f.unlink(""), -ENOENT);
  EXPECT_EQ(f.unlink("d"), -EISDIR);
  EXPECT_EQ(f.unlink("d/"), -EISDIR);
  EXPECT_EQ(f.unlink("."), -EISDIR);
  EXPECT_EQ(f.unlink("d/.."), -EISDIR);
  EXPECT_EQ(f.unlink("/"), -EISDIR);
  EXPECT_EQ(f.unlink("file/"), -ENOTDIR);
  EXPECT_EQ(f.unlink("file/x"), -ENOTDIR);
  EXPECT_EQ(f.unlink("file", 1), -EINVAL);
  EXPECT_EQ(f.unlink(std::string(256, 'x').c_str()), -ENAMETOOLONG);
  EXPECT_EQ(f.remove_directory("file"), -ENOTDIR);
  EXPECT_EQ(f.remove_directory("nothing"), -ENOENT);
  EXPECT_EQ(f.remove_directory("d"), -ENOTEMPTY);
  EXPECT_EQ(f.remove_directory("d/."), -EINVAL);
  EXPECT_EQ(f.remove_directory("d/.."), -ENOTEMPTY);
  EXPECT_EQ(f.remove_directory("/"), -EBUSY);
  EXPECT_EQ(f.unlink("d/x"), 0);
  EXPECT_EQ(f.remove_directory("d/"), 0);
  EXPECT_EQ(f.unlink("file"), 0);
}

TEST_P(file_conformance, rename) {
  file_calls& f = *files;
  f.close(f.make("file", "file"));
  f.close(f.make("other", "other"));
  for (const char* d : {"d", "d/below", "empty", "full", "full/x"}) ASSERT_EQ(f.make_directory(d), 0);
  const std::string too_long(256, 'x');
  // Another file system's root, where the temporary files have one of their own.
  struct ::statx here{}, root{};
  ASSERT_EQ(f.stat(".", here), 0);
  ASSERT_EQ(f.stat("/", root), 0);
  const bool same = here.stx_dev_major == root.stx_dev_major && here.stx_dev_minor == root.stx_dev_minor;
  const int of_the_root = same ? -EBUSY : -EXDEV;
  struct {
    const char *from, *to;
    unsigned flags;
    int result;
  } const cases[] = {
      {"nothing", "x", 0, -ENOENT},
      {"", "x", 0, -ENOENT},
      {"file", "", 0, -ENOENT},
      {"file", "nothing/x", 0, -ENOENT},
      {"file", "other/x", 0, -ENOTDIR},
      {"file/", "x", 0, -ENOTDIR},
      {"file", "x/", 0, -ENOTDIR},
      {"file", "file", 0, 0},
      {"d", "d", 0, 0},
      {"d", "d/", 0, 0},
      {"file", "file", RENAME_NOREPLACE, -EEXIST},
      {"file", "other", RENAME_NOREPLACE, -EEXIST},
      {"file", "d", RENAME_NOREPLACE, -EEXIST},
      {"nothing", "d", RENAME_NOREPLACE, -ENOENT},
      {"file", "d", 0, -EISDIR},
      {"d", "file", 0, -ENOTDIR},
      {"d", "full", 0, -ENOTEMPTY},
      {"d", "d/x", 0, -EINVAL},
      {"d", "d/below", 0, -EINVAL},
      {"d", "d/below/x", 0, -EINVAL},
      {"d/below", "d", 0, -ENOTEMPTY},
      {".", "x", 0, -EBUSY},
      {"d/..", "x", 0, -EBUSY},
      {"file", ".", 0, -EBUSY},
      {"file", ".", RENAME_NOREPLACE, -EEXIST},
      {"file", "d/..", 0, -EBUSY},
      {"/", "x", 0, of_the_root},
      {too_long.c_str(), "x", 0, -ENAMETOOLONG},
      {"file", too_long.c_str(), 0, -ENAMETOOLONG},
      {"file", "nothing", RENAME_EXCHANGE, -ENOENT},
      {"file", "other/", RENAME_EXCHANGE, -ENOTDIR},
      {"file/", "other", RENAME_EXCHANGE, -ENOTDIR},
      {"d", "d/below", RENAME_EXCHANGE, -EINVAL},
      {"d/below", "d", RENAME_EXCHANGE, -EINVAL},
      {"file", "other", RENAME_EXCHANGE | RENAME_NOREPLACE, -EINVAL},
      {"file", "other", 1u << 20, -EINVAL},
      // Those that happen.
      {"file", "new", RENAME_NOREPLACE, 0},
      {"new", "file", 0, 0},
      {"file", "other", RENAME_EXCHANGE, 0},
      {"file", "d", RENAME_EXCHANGE, 0},
      {"d", "file", RENAME_EXCHANGE, 0},
      {"d", "empty", 0, 0},
      {"empty/", "d/", 0, 0},
      {"file", "d/below/file", 0, 0},
      {"other", "d/below/file", 0, 0},
      {"d/below", "full/x", 0, 0},
  };
  for (const auto& c : cases)
    EXPECT_EQ(f.rename(c.from, c.to, c.flags), c.result) << c.from << " -> " << c.to << " " << c.flags;
  const int fd = f.open("full/x/file", O_RDONLY);
  EXPECT_EQ(f.read(fd, 10), "file") << "exchanged once, then replaced what it was exchanged for";
  f.close(fd);
}

TEST_P(file_conformance, what_a_rename_replaces_lives_on_where_it_is_open) {
  file_calls& f = *files;
  const int old = f.make("a", "old"), fresh = f.make("b", "new");
  EXPECT_EQ(f.rename("b", "a"), 0);
  EXPECT_EQ(f.read(old, 10, 0), "old");
  EXPECT_EQ(f.stat(old).stx_nlink, 0u);
  EXPECT_EQ(f.stat(fresh).stx_nlink, 1u);
  const int fd = f.open("a", O_RDONLY);
  EXPECT_EQ(f.read(fd, 10), "new");
  EXPECT_EQ(f.stat(fd).stx_ino, f.stat(fresh).stx_ino);
  EXPECT_NE(f.stat(fd).stx_ino, f.stat(old).stx_ino);
  for (int open : {old, fresh, fd}) f.close(open);
}

TEST_P(file_conformance, stat) {
  file_calls& f = *files;
  f.close(f.make("file", "12345"));
  struct ::statx status;
  EXPECT_EQ(f.stat("file", status), 0);
  EXPECT_EQ(status.stx_size, 5u);
  EXPECT_EQ(status.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
  EXPECT_EQ(f.stat("file", status, AT_SYMLINK_NOFOLLOW), 0);
  EXPECT_EQ(f.stat("", status), -ENOENT);
  EXPECT_EQ(f.stat("nothing", status), -ENOENT);
  EXPECT_EQ(f.stat("file/", status), -ENOTDIR);
  EXPECT_EQ(f.stat("file/.", status), -ENOTDIR);
  EXPECT_EQ(f.stat("file", status, 1), -EINVAL);
  EXPECT_EQ(f.stat("", status, AT_EMPTY_PATH), 0);
  EXPECT_TRUE(S_ISDIR(status.stx_mode));
  EXPECT_EQ(f.stat_at(-1, "", status, AT_EMPTY_PATH), -EBADF);
  EXPECT_EQ(f.stat_at(-1, "file", status, 0), -EBADF);
  EXPECT_EQ(f.stat_at(-1, "/", status, 0), 0);
  EXPECT_EQ(f.stat_at(AT_FDCWD, "", status, AT_EMPTY_PATH), 0);
  EXPECT_TRUE(S_ISDIR(status.stx_mode));
  EXPECT_EQ(f.stat_at(AT_FDCWD, "/dev/null", status, 0), 0);
  EXPECT_TRUE(S_ISCHR(status.stx_mode));
  EXPECT_EQ(status.stx_rdev_major, 1u);
  EXPECT_EQ(status.stx_rdev_minor, 3u);
  EXPECT_EQ(f.stat_at(AT_FDCWD, "/..", status, 0), 0);
}

TEST_P(file_conformance, the_null_device) {
  file_calls& f = *files;
  const int fd = f.open("/dev/null", O_RDWR | O_TRUNC | O_CREAT);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(f.write(fd, "gone"), 4);
  EXPECT_EQ(f.write(fd, "gone", 100), 4);
  EXPECT_EQ(f.read(fd, 10), "");
  EXPECT_EQ(f.sync(fd), -EINVAL);
  EXPECT_EQ(f.truncate(fd, 0), -EINVAL);
  f.close(fd);
}

TEST_P(file_conformance, the_full_device) {
  file_calls& f = *files;
  const int fd = f.open("/dev/full", O_RDWR);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(f.write(fd, "x"), -ENOSPC);
  EXPECT_EQ(f.read(fd, 3), std::string(3, '\0'));
  EXPECT_EQ(f.sync(fd), -EINVAL);
  EXPECT_EQ(f.truncate(fd, 0), -EINVAL);
  f.close(fd);
}

TEST_P(file_conformance, poll_says_ready) {
  file_calls& f = *files;
  const int fd = f.make("a", "");
  EXPECT_EQ(f.loop.run(polling(fd, POLLIN)), POLLIN);
  EXPECT_EQ(f.loop.run(polling(fd, POLLIN | POLLOUT)), POLLIN | POLLOUT);
  f.close(fd);
}

TEST_P(file_conformance, what_is_no_socket) {
  file_calls& f = *files;
  const int fd = f.make("a", "");
  char byte;
  EXPECT_EQ(f.loop.run(receiving(fd, &byte, 1)), -ENOTSOCK);
  EXPECT_EQ(f.loop.run(sending(fd, "x", 1)), -ENOTSOCK);
  test_operation listen(opcode::listen, fd);
  EXPECT_EQ(f.loop.run(listen), -ENOTSOCK);
  test_operation accept(opcode::accept, fd);
  EXPECT_EQ(f.loop.run(accept), -ENOTSOCK);
  f.close(fd);
  EXPECT_EQ(f.read(fd, 1), "errno 9");
  EXPECT_EQ(f.write(fd, "x"), -EBADF);
  EXPECT_EQ(f.sync(fd), -EBADF);
  EXPECT_EQ(f.truncate(fd, 1), -EBADF);
}

ASTD_ON_DRIVERS(file_conformance, conforming_setups);

}  // namespace
}  // namespace astd::driver::testing
