// The simulated disk's time, its faults, its cache and its limits; and the standard streams.
#include <astd/driver/sim/disk_test.hpp>

#include <cerrno>

#include <poll.h>
#include <sys/uio.h>

namespace astd::driver::sim {
namespace {

using testing::disk_world;
using testing::polling;
using testing::test_operation;
using testing::transferring;

world_options with(fault kind, double rate) {
  world_options result = disk_world::prompt();
  result.faults.set(kind, rate);
  return result;
}

// ---- time and cache

TEST(disk_cache, what_is_cached_is_read_at_once_and_what_is_not_takes_a_visit) {
  disk_world here(disk_world::prompt());
  here.d.put("/tmp/a", std::string(3 * page_size, 'x'));
  struct ::statx status;
  const instant before = here.w.now();
  const int fd = here.f.open("/tmp/a", O_RDWR);
  const instant opened = here.w.now();
  EXPECT_GE(opened - before, here.d.settings().shortest) << "its name is not in the cache";
  EXPECT_EQ(here.f.stat("/tmp/a", status), 0);
  EXPECT_EQ(here.w.now(), opened);
  EXPECT_EQ(here.f.read(fd, 10, 0), "xxxxxxxxxx");
  const instant fetched = here.w.now();
  EXPECT_GE(fetched - opened, here.d.settings().shortest);
  EXPECT_EQ(here.f.read(fd, 100, page_size - 100), std::string(100, 'x'));
  EXPECT_EQ(here.f.write(fd, "y", 10), 1);
  EXPECT_EQ(here.f.write(fd, std::string(page_size, 'z'), page_size), static_cast<int>(page_size))
      << "a whole page";
  EXPECT_EQ(here.w.now(), fetched);
  EXPECT_EQ(here.f.write(fd, "y", 2 * page_size), 1);
  EXPECT_GT(here.w.now(), fetched) << "the rest of the page is needed";
  // After a crash nothing is cached.
  EXPECT_EQ(here.f.sync(fd), 0);
  here.crash();
  const int again = here.f.open("/tmp/a", O_RDONLY);
  const instant restarted = here.w.now();
  EXPECT_EQ(here.f.read(again, 1, page_size), "z");
  EXPECT_GT(here.w.now(), restarted);
}

TEST(disk_cache, much_that_is_not_written_back_makes_writers_wait) {
  disk_world here(disk_world::prompt());
  here.d.settings().dirty_limit = 64 << 10;
  const int fd = here.f.make("/tmp/a", "");
  const std::string block(16 << 10, 'x');
  for (int i = 0; i < 4; ++i) EXPECT_EQ(here.f.write(fd, block), static_cast<int>(block.size()));
  EXPECT_EQ(here.w.now(), 0);
  EXPECT_EQ(here.f.write(fd, block), static_cast<int>(block.size()));
  const instant waited = here.w.now();
  EXPECT_GE(waited, here.d.settings().shortest);
  EXPECT_EQ(here.f.write(fd, block), static_cast<int>(block.size()));
  EXPECT_EQ(here.w.now(), waited) << "there is room again";
  EXPECT_EQ(here.d.stored_bytes_of("/tmp/a"), std::nullopt) << "its name is not stored";
}

TEST(disk_cache, a_sync_takes_as_long_as_what_it_writes) {
  disk_world here(disk_world::prompt());
  here.d.settings().bytes_per_second = 1'000'000;
  const int fd = here.f.make("/tmp/a", std::string(1'000'000, 'x'));
  EXPECT_EQ(here.f.sync(fd), 0);
  EXPECT_GE(here.w.now(), 1'000'000'000);
  EXPECT_LT(here.w.now(), 1'100'000'000);
  EXPECT_EQ(here.f.sync(fd), 0);
  EXPECT_LT(here.w.now(), 1'100'000'000);
}

TEST(disk_cache, who_waits_in_line_can_be_cancelled_and_what_has_begun_goes_on) {
  disk_world here(disk_world::prompt());
  here.d.settings().queue = 1;
  here.d.put("/tmp/a", "bytes");
  const int fd = here.f.open("/tmp/a", O_RDWR);
  char first = 0, second = 0, third = 0;
  transferring begun(opcode::read, fd, &first, 1, 0), waiting(opcode::read, fd, &second, 1, 1),
      behind(opcode::read, fd, &third, 1, 2);
  EXPECT_FALSE(here.loop.submit(begun));
  EXPECT_FALSE(here.loop.submit(waiting));
  EXPECT_FALSE(here.loop.submit(behind));
  here.loop.cancel(begun);
  here.loop.cancel(waiting);
  here.loop.collect();
  EXPECT_TRUE(waiting.has_ended());
  EXPECT_EQ(waiting.result, -ECANCELED);
  EXPECT_TRUE(waiting.cancel_asked) << "a failure otherwise";
  EXPECT_FALSE(begun.has_ended());
  EXPECT_EQ(here.loop.finish(begun), 1);
  EXPECT_EQ(here.loop.finish(behind), 1);
  EXPECT_EQ(first, 'b');
  EXPECT_EQ(second, 0);
  EXPECT_EQ(third, 't');
  // An operation on a name.
  here.d.put("/tmp/b", "");
  test_operation open(opcode::openat, AT_FDCWD), unlink(opcode::unlinkat, AT_FDCWD);
  open.args.path = {"/tmp/b", O_RDONLY, 0};
  here.d.put("/etc/c", "");
  unlink.args.path = {"/etc/c", 0, 0};
  EXPECT_FALSE(here.loop.submit(open));
  EXPECT_FALSE(here.loop.submit(unlink));
  here.loop.cancel(unlink);
  EXPECT_EQ(here.loop.finish(unlink), -ECANCELED);
  EXPECT_GE(here.loop.finish(open), 0);
  EXPECT_TRUE(here.d.bytes_of("/etc/c"));
}

TEST(disk_cache, a_crash_ends_who_waits) {
  disk_world here(disk_world::prompt());
  here.d.settings().queue = 1;
  const int fd = here.f.make("/tmp/a", "bytes");
  test_operation one(opcode::fsync, fd), two(opcode::fsync, fd);
  EXPECT_FALSE(here.loop.submit(one));
  EXPECT_FALSE(here.loop.submit(two));
  here.crash();
  EXPECT_EQ(here.loop.finish(one), -ECANCELED);
  EXPECT_EQ(here.loop.finish(two), -ECANCELED);
}

TEST(disk_cache, a_hole_takes_no_room) {
  disk_world here(disk_world::prompt());
  const int fd = here.f.make("/tmp/a", "");
  EXPECT_EQ(here.f.write(fd, "x", std::int64_t(1) << 40), 1);
  EXPECT_EQ(here.d.used(), page_size);
  EXPECT_EQ(here.f.stat(fd).stx_blocks, 8u);
  EXPECT_EQ(here.f.stat(fd).stx_size, (std::uint64_t(1) << 40) + 1);
  EXPECT_EQ(here.f.write(fd, "x", 0xffffffffLL * 4096), -EFBIG);
  EXPECT_EQ(here.f.write(fd, "xy", 0xffffffffLL * 4096 - 1), 1);
  EXPECT_EQ(here.f.truncate(fd, 0xffffffffLL * 4096 + 1), -EFBIG);
  EXPECT_EQ(here.f.unlink("/tmp/a"), 0);
  EXPECT_EQ(here.d.used(), 2 * page_size) << "open";
  here.f.close(fd);
  EXPECT_EQ(here.d.used(), 0u);
}

// ---- faults and limits

TEST(disk_fault, what_a_failed_sync_could_not_write_is_lost) {
  disk_world here(disk_world::prompt());
  here.d.put("/tmp/a", "old");
  const int fd = here.f.open("/tmp/a", O_RDWR), other = here.f.open("/tmp/a", O_RDONLY);
  EXPECT_EQ(here.f.write(fd, "new"), 3);
  here.w.set_faults(fault_rates().set(fault::disk_error, 1));
  EXPECT_EQ(here.f.sync(fd), -EIO);
  here.w.set_faults({});
  EXPECT_EQ(here.f.sync(fd), 0) << "it is told once, and the pages count as clean";
  EXPECT_EQ(here.f.sync(other), -EIO) << "each open file is told";
  EXPECT_EQ(here.f.sync(other), 0);
  EXPECT_EQ(here.f.read(fd, 10, 0), "new");
  here.crash();
  EXPECT_EQ(here.d.bytes_of("/tmp/a"), "old");
}

TEST(disk_fault, errors) {
  disk_world here(disk_world::prompt());
  here.d.put("/tmp/a", "bytes");
  here.d.put("/tmp/b", "bytes");
  const int fd = here.f.open("/tmp/a", O_RDWR);
  here.w.set_faults(fault_rates().set(fault::disk_error, 1));
  EXPECT_EQ(here.f.read(fd, 10), "errno 5");
  EXPECT_EQ(here.f.write(fd, std::string(page_size, 'x'), 0), -EIO);
  EXPECT_EQ(here.f.open("/tmp/new", O_WRONLY | O_CREAT), -EIO);
  EXPECT_EQ(here.f.open("/tmp/b", O_RDONLY), -EIO);
  EXPECT_EQ(here.f.make_directory("/tmp/new"), -EIO);
  EXPECT_EQ(here.f.rename("/tmp/a", "/tmp/new"), -EIO);
  EXPECT_EQ(here.f.unlink("/tmp/a"), -EIO);
  here.w.set_faults({});
  EXPECT_EQ(here.f.read(fd, 10), "bytes");
  EXPECT_EQ(here.d.names_in("/tmp"), (std::vector<std::string>{"a", "b"}));
  here.w.set_faults(fault_rates().set(fault::disk_error, 1));
  EXPECT_EQ(here.f.read(fd, 10, 0), "bytes") << "it is in the cache";
}

TEST(disk_fault, full_by_chance) {
  disk_world here(with(fault::disk_full, 1));
  here.d.put("/tmp/a", "bytes");
  const int fd = here.f.open("/tmp/a", O_RDWR);
  EXPECT_EQ(here.f.write(fd, "x"), 1) << "a page that it has";
  EXPECT_EQ(here.f.write(fd, "x", page_size), -ENOSPC);
  EXPECT_EQ(here.f.open("/tmp/b", O_WRONLY | O_CREAT), -ENOSPC);
  EXPECT_EQ(here.f.make_directory("/tmp/b"), -ENOSPC);
  EXPECT_EQ(here.f.stat(fd).stx_size, 5u);
}

TEST(disk_fault, full) {
  disk_world here(disk_world::prompt());
  here.d.settings().capacity = 4 * page_size;
  const int fd = here.f.make("/tmp/a", std::string(3 * page_size, 'x')), other = here.f.make("/tmp/b", "");
  EXPECT_EQ(here.f.write(other, std::string(3 * page_size, 'y')), static_cast<int>(page_size)) << "what fits";
  EXPECT_EQ(here.f.write(other, "y"), -ENOSPC);
  EXPECT_EQ(here.f.write(other, "z", 0), 1);
  EXPECT_EQ(here.f.truncate(fd, page_size), 0);
  EXPECT_EQ(here.f.write(other, std::string(3 * page_size, 'y')), static_cast<int>(2 * page_size));
  EXPECT_EQ(here.f.write(other, "y"), -ENOSPC);
  EXPECT_EQ(here.f.unlink("/tmp/a"), 0);
  EXPECT_EQ(here.f.write(other, "y"), -ENOSPC) << "it is open";
  EXPECT_EQ(here.f.close(fd), 0);
  EXPECT_EQ(here.f.write(other, "y"), 1);
}

TEST(disk_fault, short_transfers) {
  disk_world here(with(fault::short_transfer, 1));
  const int fd = here.f.open("/tmp/a", O_RDWR | O_CREAT);
  const int n = here.f.write(fd, "0123456789");
  EXPECT_GT(n, 0);
  EXPECT_LT(n, 10);
  EXPECT_EQ(here.f.stat(fd).stx_size, static_cast<unsigned>(n));
  EXPECT_EQ(here.f.write(fd, "x", 0), 1) << "less than one byte would be the end";
  here.w.set_faults({});
  EXPECT_EQ(here.f.write(fd, "0123456789", 0), 10);
  here.w.set_faults(fault_rates().set(fault::short_transfer, 1));
  const int m = static_cast<int>(here.f.read(fd, 10, 0).size());
  EXPECT_GT(m, 0);
  EXPECT_LT(m, 10);
}

TEST(disk_fault, slow) {
  disk_world here(with(fault::disk_slow, 1));
  const int fd = here.f.make("/tmp/a", "bytes");
  EXPECT_EQ(here.f.sync(fd), 0);
  EXPECT_GE(here.w.now(), 100 * here.d.settings().shortest);
}

TEST(disk_fault, without_a_descriptor_nothing_is_made_or_emptied) {
  disk_world here(disk_world::prompt());
  here.d.put("/tmp/a", "bytes");
  here.m.set_descriptor_limit(0);
  EXPECT_EQ(here.f.open("/tmp/a", O_WRONLY | O_TRUNC), -EMFILE);
  EXPECT_EQ(here.f.open("/tmp/b", O_WRONLY | O_CREAT), -EMFILE);
  EXPECT_EQ(here.d.bytes_of("/tmp/a"), "bytes");
  EXPECT_FALSE(here.d.bytes_of("/tmp/b"));
}

// ---- what stat tells

TEST(disk_stat, times_are_the_machines) {
  disk_world here(disk_world::prompt());
  const auto seconds_of = [](const statx_timestamp& t) { return t.tv_sec; };
  const std::int64_t beginning = machine::system_beginning / 1'000'000'000;
  const int fd = here.f.make("/tmp/a", "bytes");
  EXPECT_EQ(seconds_of(here.f.stat(fd).stx_mtime), beginning);
  here.m.jump(10'000'000'000);
  EXPECT_EQ(here.f.write(fd, "more"), 4);
  struct ::statx status = here.f.stat(fd);
  EXPECT_EQ(seconds_of(status.stx_mtime), beginning + 10);
  EXPECT_EQ(seconds_of(status.stx_ctime), beginning + 10);
  EXPECT_EQ(seconds_of(status.stx_btime), beginning);
  EXPECT_EQ(seconds_of(status.stx_atime), beginning);
  here.m.jump(10'000'000'000);
  EXPECT_EQ(here.f.read(fd, 1, 0), "m");
  EXPECT_EQ(seconds_of(here.f.stat(fd).stx_atime), beginning + 20);
  here.m.jump(10'000'000'000);
  EXPECT_EQ(here.f.read(fd, 1, 0), "m");
  EXPECT_EQ(seconds_of(here.f.stat(fd).stx_atime), beginning + 20) << "it was read since it was written";
  EXPECT_EQ(here.f.rename("/tmp/a", "/tmp/b"), 0);
  EXPECT_EQ(seconds_of(here.f.stat(fd).stx_ctime), beginning + 30);
  EXPECT_EQ(seconds_of(here.f.stat(fd).stx_mtime), beginning + 10);
  EXPECT_EQ(here.f.stat("/tmp", status), 0);
  EXPECT_EQ(seconds_of(status.stx_mtime), beginning + 30);
}

TEST(disk_stat, links_of_directories) {
  disk_world here(disk_world::prompt());
  const auto links = [&](const char* path) {
    struct ::statx status{};
    EXPECT_EQ(here.f.stat(path, status), 0) << path;
    EXPECT_EQ(status.stx_size, page_size);
    return status.stx_nlink;
  };
  EXPECT_EQ(links("/"), 4u);  // dev, tmp
  EXPECT_EQ(here.f.make_directory("/tmp/a"), 0);
  EXPECT_EQ(here.f.make_directory("/tmp/a/b"), 0);
  EXPECT_EQ(here.f.make_directory("/tmp/c"), 0);
  here.f.close(here.f.make("/tmp/c/file", ""));
  EXPECT_EQ(links("/tmp"), 4u);
  EXPECT_EQ(links("/tmp/a"), 3u);
  EXPECT_EQ(here.f.rename("/tmp/a/b", "/tmp/c/file", RENAME_EXCHANGE), 0);
  EXPECT_EQ(links("/tmp/a"), 2u);
  EXPECT_EQ(links("/tmp/c"), 3u);
  EXPECT_EQ(here.f.rename("/tmp/c/file", "/tmp/d"), 0);
  EXPECT_EQ(links("/tmp/c"), 2u);
  EXPECT_EQ(links("/tmp"), 5u);
  EXPECT_EQ(here.f.rename("/tmp/d", "/tmp/c"), 0);
  EXPECT_EQ(links("/tmp"), 4u);
  EXPECT_EQ(here.f.remove_directory("/tmp/c"), 0);
  EXPECT_EQ(links("/tmp"), 3u);
  struct ::statx root{};
  EXPECT_EQ(here.f.stat("/", root), 0);
  EXPECT_EQ(root.stx_ino, 2u);
}

// ---- standard streams

TEST(standard_streams, input_is_what_the_scenario_gives_and_then_the_end) {
  disk_world here(disk_world::prompt());
  EXPECT_EQ(here.f.read(0, 10), "");
  here.d.streams().add_input("two\nlines\n");
  EXPECT_EQ(here.f.read(0, 4), "two\n");
  EXPECT_EQ(here.f.read(0, 100), "lines\n");
  EXPECT_EQ(here.f.read(0, 100), "");
  EXPECT_EQ(here.f.write(0, "x"), -EBADF);
  EXPECT_EQ(here.f.read(0, 10, 0), "errno 29");
  EXPECT_EQ(here.loop.run(polling(0, POLLIN)), POLLIN);
}

TEST(standard_streams, output_is_kept) {
  disk_world here(disk_world::prompt());
  EXPECT_EQ(here.f.write(1, "out"), 3);
  EXPECT_EQ(here.f.write(2, "err"), 3);
  iovec pieces[2] = {{const_cast<char*>("put"), 3}, {const_cast<char*>("\n"), 1}};
  test_operation write(opcode::writev, 1);
  write.args.vectors = {pieces, 2, -1};
  EXPECT_EQ(here.loop.run(write), 4);
  EXPECT_EQ(here.d.streams().output(), "output\n");
  EXPECT_EQ(here.d.streams().error(), "err");
  EXPECT_EQ(here.f.read(1, 1), "errno 9");
  EXPECT_EQ(here.f.write(1, "x", 0), -ESPIPE);
  EXPECT_EQ(here.f.sync(1), -EINVAL);
  EXPECT_EQ(here.f.truncate(1, 0), -EINVAL);
  EXPECT_EQ(here.loop.run(polling(1, POLLOUT)), POLLOUT);
  EXPECT_EQ(here.f.close(1), -EBADF) << "nobody closes them here";
  EXPECT_TRUE(S_ISFIFO(here.f.stat(1).stx_mode));
  // What never comes can be cancelled, and a crash ends it.
  polling never(1, POLLIN), neither(2, POLLIN);
  EXPECT_FALSE(here.loop.submit(never));
  EXPECT_FALSE(here.loop.submit(neither));
  here.loop.cancel(never);
  EXPECT_EQ(here.loop.finish(never), -ECANCELED);
  here.crash();
  EXPECT_EQ(here.loop.finish(neither), -ECANCELED);
}

}  // namespace
}  // namespace astd::driver::sim
