// Files, directories, pipes: through the ring, the page cache, or the blocking pool.
#include <astd/driver/test_loop.hpp>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace astd::driver::testing {
namespace {

class files : public on_each_driver {
 protected:
  void SetUp() override {
    on_each_driver::SetUp();
    std::string pattern = ::testing::TempDir() + "astd_driver_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = ::open(pattern.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    path = pattern;
  }
  void TearDown() override {
    if (directory < 0) return;
    for (const char* name : {"a", "b", "long"}) ::unlinkat(directory, name, 0);
    ::unlinkat(directory, "d", AT_REMOVEDIR);
    ::close(directory);
    ::rmdir(path.c_str());
  }
  int open_file(test_loop& loop, const char* name, int flags) {
    test_operation op(opcode::openat, directory);
    op.args.path = {name, flags, 0600};
    return loop.run(op);
  }
  std::string path;
  int directory = -1;
};

void close_file(test_loop& loop, int fd) {
  test_operation op(opcode::close, fd);
  op.args.value = 1;
  EXPECT_EQ(loop.run(op), 0);
}

// Whether what lies in the cache can be had without waiting; else it is another thread's or the ring's.
bool knows_nowait(int fd) {
  char byte = 0;
  iovec vector{&byte, 1};
  return ::preadv2(fd, &vector, 1, 0, RWF_NOWAIT) >= 0 || errno != EOPNOTSUPP;
}

// It waits for the disk: elsewhere, whether the call says that it would wait or not.
TEST_P(files, a_read_past_the_cache_holds_nobody_up) {
  test_loop loop(wanted());
  struct alignas(4096) {
    char bytes[4096];
  } page{};
  const int made = open_file(loop, "a", O_RDWR | O_CREAT);
  ASSERT_GE(made, 0);
  ASSERT_EQ(loop.run(transferring(opcode::write, made, page.bytes, sizeof page, 0)), 4096);
  const int direct = open_file(loop, "a", O_RDONLY | O_DIRECT);
  if (direct == -EINVAL) {
    close_file(loop, made);
    GTEST_SKIP() << "NOT RUN: the file system of " << path << " knows no O_DIRECT";
  }
  for (int i = 0; i < 3; ++i) {
    transferring read(opcode::read, direct, page.bytes, sizeof page, 0);
    EXPECT_FALSE(loop.submit(read));
    EXPECT_EQ(loop.finish(read), 4096);
    transferring cached(opcode::read, made, page.bytes, sizeof page, 0);
    EXPECT_EQ(loop.run(cached), 4096);
  }
  // The number stands for another file now.
  close_file(loop, direct);
  const int other = open_file(loop, "a", O_RDONLY);
  EXPECT_EQ(other, direct);
  transferring cached(opcode::read, other, page.bytes, sizeof page, 0);
  EXPECT_TRUE(loop.submit(cached) || !knows_nowait(other));
  EXPECT_EQ(loop.finish(cached), 4096);
  close_file(loop, other);
  close_file(loop, made);
}

TEST_P(files, the_life_of_a_file) {
  test_loop loop(wanted());
  EXPECT_EQ(open_file(loop, "a", O_RDONLY), -ENOENT);
  const int fd = open_file(loop, "a", O_RDWR | O_CREAT);
  ASSERT_GE(fd, 0);
  EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
  EXPECT_EQ(loop.run(transferring(opcode::write, fd, "hello world", 11, 0)), 11);
  char buffer[32];
  EXPECT_EQ(loop.run(transferring(opcode::read, fd, buffer, 32, 6)), 5);
  EXPECT_EQ(std::memcmp(buffer, "world", 5), 0);
  EXPECT_EQ(loop.run(transferring(opcode::read, fd, buffer, 32, 11)), 0);
  test_operation cut(opcode::ftruncate, fd);
  cut.args.transfer = {nullptr, 0, 0, 5};
  EXPECT_EQ(loop.run(cut), 0);
  for (int data_only : {0, 1}) {
    test_operation sync(opcode::fsync, fd);
    sync.args.value = data_only;
    EXPECT_EQ(loop.run(sync), 0);
  }
  struct ::statx status{};
  test_operation stat(opcode::statx, directory);
  stat.args.stat = {"a", 0, STATX_SIZE, &status};
  EXPECT_EQ(loop.run(stat), 0);
  EXPECT_EQ(status.stx_size, 5u);
  close_file(loop, fd);
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
  test_operation make(opcode::mkdirat, directory);
  make.args.path = {"d", 0, 0700};
  EXPECT_EQ(loop.run(make), 0);
  EXPECT_EQ(loop.run(make), -EEXIST);
  test_operation rename(opcode::renameat, directory);
  rename.args.two_paths = {"a", "b", directory, 0};
  EXPECT_EQ(loop.run(rename), 0);
  test_operation remove(opcode::unlinkat, directory);
  remove.args.path = {"b", 0, 0};
  EXPECT_EQ(loop.run(remove), 0);
  EXPECT_EQ(loop.run(remove), -ENOENT);
  test_operation remove_directory(opcode::unlinkat, directory);
  remove_directory.args.path = {"d", AT_REMOVEDIR, 0};
  EXPECT_EQ(loop.run(remove_directory), 0);
}

TEST_P(files, without_a_pool_everything_is_done_on_the_spot) {
  test_options alone = wanted();
  alone.blocking = nullptr;
  test_loop loop(alone);
  const int fd = open_file(loop, "a", O_RDWR | O_CREAT);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(loop.run(transferring(opcode::write, fd, "abc", 3, 0)), 3);
  char buffer[8];
  EXPECT_EQ(loop.run(transferring(opcode::read, fd, buffer, 8, 0)), 3);
  close_file(loop, fd);
}

TEST_P(files, the_own_position_moves) {
  test_loop loop(wanted());
  const int fd = open_file(loop, "a", O_RDWR | O_CREAT);
  // More than a pipe takes at once: a file is not a pipe.
  std::vector<char> block(100'000, 'x');
  std::size_t written = 0;
  while (written < block.size()) {
    const int n = loop.run(transferring(opcode::write, fd, block.data() + written, block.size() - written, -1));
    ASSERT_GT(n, 0);
    written += static_cast<std::size_t>(n);
    EXPECT_GT(n, 4096);
  }
  ASSERT_EQ(::lseek(fd, 0, SEEK_SET), 0);
  char buffer[10];
  EXPECT_EQ(loop.run(transferring(opcode::read, fd, buffer, 10, -1)), 10);
  EXPECT_EQ(loop.run(transferring(opcode::read, fd, buffer, 10, -1)), 10);
  EXPECT_EQ(::lseek(fd, 0, SEEK_CUR), 20);
  close_file(loop, fd);
}

TEST_P(files, vectors) {
  test_loop loop(wanted());
  const int fd = open_file(loop, "a", O_RDWR | O_CREAT);
  iovec out[2] = {{const_cast<char*>("one"), 3}, {const_cast<char*>("two"), 3}};
  test_operation write(opcode::writev, fd);
  write.args.vectors = {out, 2, 0};
  EXPECT_EQ(loop.run(write), 6);
  char a[2], b[4];
  iovec in[2] = {{a, 2}, {b, 4}};
  test_operation read(opcode::readv, fd);
  read.args.vectors = {in, 2, 0};
  EXPECT_EQ(loop.run(read), 6);
  EXPECT_EQ(std::string(a, 2) + std::string(b, 4), "onetwo");
  close_file(loop, fd);
}

TEST_P(files, a_cached_read_ends_at_once) {
  test_loop loop(wanted());
  const int fd = open_file(loop, "a", O_RDWR | O_CREAT);
  std::vector<char> block(4096, 'x');
  ASSERT_EQ(loop.run(transferring(opcode::write, fd, block.data(), block.size(), 0)), 4096);
  if (!knows_nowait(fd)) {
    GTEST_SKIP() << "NOT RUN: the file system of " << path << " does not know RWF_NOWAIT";
  }
  transferring read(opcode::read, fd, block.data(), block.size(), 0);
  EXPECT_TRUE(loop.submit(read));
  EXPECT_EQ(loop.finish(read), 4096);
  close_file(loop, fd);
}

TEST_P(files, a_pipe_in_blocking_mode_does_not_block_the_loop) {
  test_loop loop(wanted());
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  adopt(ends[0]);
  adopt(ends[1]);
  char buffer[16];
  transferring read(opcode::read, ends[0], buffer, 16, -1);
  ASSERT_FALSE(loop.submit(read));
  loop.collect();
  ASSERT_FALSE(read.has_ended());
  EXPECT_EQ(loop.run(transferring(opcode::write, ends[1], "line\n", 5, -1)), 5);
  EXPECT_EQ(loop.finish(read), 5);
  // Written full; the rest waits, and nothing is lost.
  std::vector<char> much(1 << 20, 'm');
  std::size_t written = 0, got = 0;
  transferring write(opcode::write, ends[1], much.data(), much.size(), -1);
  loop.submit(write);
  std::vector<char> sink(50'000);
  while (got < much.size()) {
    if (write.has_ended() && written < much.size()) {
      ASSERT_GT(write.result, 0);
      written += static_cast<std::size_t>(write.result);
      write.args.transfer.data = much.data() + written;
      write.args.transfer.size = much.size() - written;
      if (written < much.size()) loop.submit(write);
    }
    transferring some(opcode::read, ends[0], sink.data(), sink.size(), -1);
    ASSERT_GT(loop.run(some), 0);
    got += static_cast<std::size_t>(some.result);
  }
  loop.finish(write);
  EXPECT_EQ(got, much.size());
  // The end.
  close_in(loop, ends[1]);
  EXPECT_EQ(loop.run(read), 0);
  close_in(loop, ends[0]);
}

TEST_P(files, writing_to_a_pipe_that_nobody_reads_is_an_error_and_no_signal) {
  test_loop loop(wanted());
  ASSERT_EQ(::signal(SIGPIPE, SIG_DFL), SIG_DFL);
  for (int flags : {O_CLOEXEC, O_CLOEXEC | O_NONBLOCK}) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, flags), 0);
    adopt(ends[1]);
    ::close(ends[0]);
    EXPECT_EQ(loop.run(transferring(opcode::write, ends[1], "x", 1, -1)), -EPIPE);
    iovec part{const_cast<char*>("x"), 1};
    test_operation write(opcode::writev, ends[1]);
    write.args.vectors = {&part, 1, -1};
    EXPECT_EQ(loop.run(write), -EPIPE);
    operation by_hand;
    by_hand.code = opcode::write;
    by_hand.fd = ends[1];
    by_hand.args.transfer = {const_cast<char*>("x"), 1, 0, -1};
    perform(by_hand);
    EXPECT_EQ(by_hand.result, -EPIPE);
    close_in(loop, ends[1]);
  }
}

TEST_P(files, descriptors_that_take_no_flags) {
  test_loop loop(wanted());
  const int fd = ::eventfd(0, EFD_CLOEXEC);
  adopt(fd);
  std::uint64_t value = 5, got = 0;
  transferring read(opcode::read, fd, &got, sizeof got, -1);
  ASSERT_FALSE(loop.submit(read));
  loop.collect();
  EXPECT_EQ(loop.run(transferring(opcode::write, fd, &value, sizeof value, -1)), 8);
  EXPECT_EQ(loop.finish(read), 8);
  EXPECT_EQ(got, 5u);
  close_in(loop, fd);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  adopt(null);
  EXPECT_EQ(loop.run(transferring(opcode::write, null, &value, sizeof value, -1)), 8);
  EXPECT_EQ(loop.run(transferring(opcode::read, null, &value, sizeof value, -1)), 0);
  close_in(loop, null);
}

TEST_P(files, a_terminal_in_either_mode) {
  // Terminals cannot be asked not to wait, and standard input is one.
  for (int mode : {0, O_NONBLOCK}) {
    test_loop loop(wanted());
    const int keyboard = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ASSERT_GE(keyboard, 0);
    ASSERT_EQ(::grantpt(keyboard), 0);
    ASSERT_EQ(::unlockpt(keyboard), 0);
    const int terminal = ::open(::ptsname(keyboard), O_RDWR | O_NOCTTY | O_CLOEXEC | mode);
    ASSERT_GE(terminal, 0);
    adopt(terminal);
    char buffer[64];
    for (int i = 0; i < 3; ++i) {
      transferring read(opcode::read, terminal, buffer, sizeof buffer, -1);
      ASSERT_FALSE(loop.submit(read));
      for (int k = 0; k < 3; ++k) loop.turn(0);
      ASSERT_FALSE(read.has_ended());
      ASSERT_EQ(::write(keyboard, "line\n", 5), 5);
      ASSERT_EQ(loop.finish(read), 5);
    }
    // Cancelled, it takes no line with it.
    transferring read(opcode::read, terminal, buffer, sizeof buffer, -1);
    ASSERT_FALSE(loop.submit(read));
    for (int k = 0; k < 3; ++k) loop.turn(0);
    loop.cancel(read);
    EXPECT_EQ(loop.finish(read), -ECANCELED);
    ASSERT_EQ(::write(keyboard, "next\n", 5), 5);
    ASSERT_EQ(loop.run(read), 5);
    EXPECT_EQ(std::memcmp(buffer, "next\n", 5), 0);
    EXPECT_EQ(loop.run(transferring(opcode::write, terminal, "answer", 6, -1)), 6);
    close_in(loop, terminal);
    ::close(keyboard);
  }
}

TEST_P(files, perform_blocks_until_it_is_done) {
  pair p;
  std::thread other([&] {
    std::this_thread::yield();
    EXPECT_EQ(::send(p.ends[0], "abc", 3, 0), 3);
  });
  char buffer[8];
  operation read;
  read.code = opcode::recv;
  read.fd = p.ends[1];
  read.args.transfer = {buffer, 8, 0, 0};
  perform(read);
  EXPECT_EQ(read.result, 3);
  other.join();
  operation poll;
  poll.code = opcode::poll;
  poll.fd = p.ends[1];
  poll.args.value = 4;  // POLLOUT
  perform(poll);
  EXPECT_EQ(poll.result, 4);
  operation unknown;
  unknown.code = static_cast<opcode>(200);
  perform(unknown);
  EXPECT_EQ(unknown.result, -ENOSYS);
}

ASTD_ON_EACH_DRIVER(files);

}  // namespace
}  // namespace astd::driver::testing
