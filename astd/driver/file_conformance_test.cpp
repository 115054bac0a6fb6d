// What an operation on a file answers, by errno and result: the same on every driver, and in the simulator. Where they
// differ, the simulator is wrong.
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/test_files.hpp>

#include <cerrno>
#include <cstdlib>

#include <stdio.h>
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
    loop.emplace(wanted());
    files.emplace(*loop);
    top = pattern;
    files->directory = files->open(pattern.c_str(), O_RDONLY | O_DIRECTORY);
    ASSERT_GE(files->directory, 0);
  }
  void TearDown() override {
    if (!files) return;
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

ASTD_ON_DRIVERS(file_conformance, conforming_setups);

}  // namespace
}  // namespace astd::driver::testing
