// Names and files that are not like others: pipes, zero bytes, files whose size says nothing, trees that are deep.
#include <astd/base/test_descriptors.hpp>
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/fs/fs_test.hpp>
#include <astd/future.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/sim_gtest.hpp>
#include <astd/time/timeout.hpp>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

namespace astd::fs {
namespace {

using testing::code_of;

// Nobody has the other end, and nobody waits for it: what could not be called back is not begun.
ASTD_TEST(fs_pipe, is_opened_at_once) {
  auto here = co_await temporary_directory::create();
  const path pipe = here.path() / "pipe";
  EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string nobody_reads = co_await test::error_of(open_options().write(true).open(pipe));
  EXPECT_EQ(nobody_reads, "open " + pipe.native() + ": No such device or address");
  const std::string nor_now = co_await test::error_of(file::create(pipe));
  EXPECT_EQ(nor_now, nobody_reads);
  auto reads = co_await file::open(pipe);
  EXPECT_EQ(::fcntl(reads.as_native_handle(), F_GETFL) & O_NONBLOCK, 0) << "it waits as any file";
  auto writes = co_await open_options().write(true).open(pipe);
  EXPECT_EQ(::fcntl(writes.as_native_handle(), F_GETFL) & O_NONBLOCK, 0);
  co_await io::write_all(writes, "x");
  char byte[1];
  const std::size_t n = co_await reads.read(byte);
  EXPECT_EQ(n, 1u);
  auto own = co_await open_options().read(true).custom_flags(O_NONBLOCK).open(pipe);
  EXPECT_NE(::fcntl(own.as_native_handle(), F_GETFL) & O_NONBLOCK, 0) << "who asked for it keeps it";
  auto both = co_await open_options().read(true).write(true).open(pipe);
  const auto nothing_comes = co_await as_result(timeout(std::chrono::milliseconds(2), both.read(byte)));
  EXPECT_EQ(nothing_comes.error(), std::errc::timed_out);
  co_await here.close();
}

// The system would take what is before it for the name: nothing is done, and the error shows all of it.
ASTD_TEST(fs_names, with_a_zero_byte_are_refused) {
  auto here = co_await temporary_directory::create();
  const path x = here.path() / "x";
  co_await write(x, "kept");
  const path bad(x.native() + std::string("\0y", 2));
  std::vector<std::string> what;
  const auto tell = [&](std::string text) { what.push_back(std::move(text)); };
  tell(co_await test::error_of(fs::remove_all(bad)));
  tell(co_await test::error_of(fs::remove(bad)));
  tell(co_await test::error_of(read_to_string(bad)));
  tell(co_await test::error_of(write(bad, "other")));
  tell(co_await test::error_of(write_atomic(bad, "other")));
  tell(co_await test::error_of(fs::exists(bad)));
  tell(co_await test::error_of(fs::rename(x, bad)));
  tell(co_await test::error_of(fs::rename(bad, here.path() / "z")));
  tell(co_await test::error_of(fs::copy(bad, here.path() / "z")));
  tell(co_await test::error_of(fs::copy_file(x, bad)));
  tell(co_await test::error_of(fs::create_symlink(bad, here.path() / "link")));
  tell(co_await test::error_of(fs::create_directories(bad)));
  tell(co_await test::error_of(fs::canonical(bad)));
  tell(co_await test::error_of(fs::read_symlink(bad)));
  tell(co_await test::error_of(fs::absolute(bad)));
  tell(co_await test::error_of(fs::space(bad)));
  tell(co_await test::error_of(fs::resize_file(bad, 0)));
  tell(co_await test::error_of(fs::permissions(bad, perms::none)));
  tell(co_await test::error_of(read_dir(bad)));
  tell(co_await test::error_of(temporary_file::create(bad)));
  for (const std::string& one : what) {
    EXPECT_NE(one.find(x.native() + "\\0y"), std::string::npos) << one;
    EXPECT_TRUE(one.ends_with(": Invalid argument")) << one;
  }
  const std::string content = co_await read_to_string(x);
  EXPECT_EQ(content, "kept");
  co_await here.close();
}

ASTD_TEST(fs_names, that_are_empty_are_shown) {
  const std::string opened = co_await test::error_of(file::open(""));
  EXPECT_EQ(opened, "open \"\": No such file or directory");
  const std::string whole = co_await test::error_of(fs::absolute(""));
  EXPECT_EQ(whole, "make absolute \"\": Invalid argument");
  const std::string renamed = co_await test::error_of(fs::rename("", "b"));
  EXPECT_EQ(renamed, "rename \"\" to b: No such file or directory");
  const std::string resized = co_await test::error_of(fs::resize_file("/missing/x", 1));
  EXPECT_EQ(resized, "resize /missing/x: No such file or directory");
}

// Its size is a page, what can be read of it less; of others in such places it is 0.
ASTD_TEST(fs_copy, of_files_whose_size_says_nothing) {
  auto here = co_await temporary_directory::create();
  int copied = 0;
  for (const char* name : {"/sys/kernel/mm/transparent_hugepage/enabled", "/proc/version", "/proc/filesystems"}) {
    const auto content = co_await as_result(read_to_string(name));
    if (!content) continue;
    const path to = here.path() / std::to_string(copied++);
    co_await fs::copy_file(name, to);
    co_await fs::permissions(to, perms::owner_all);
    const std::string same = co_await read_to_string(to);
    EXPECT_EQ(same, *content) << name;
  }
  EXPECT_GT(copied, 0);
  co_await here.close();
}

// Deeper than there are descriptors: those of the directories above are given back and taken again.
task<> plant_deep_tree(path top, int depth) {
  path here = top;
  for (int i = 0; i < depth; ++i) {
    here /= "d";
    co_await fs::create_directory(here);
    if (i % 40 == 39) co_await write(here / "file", std::to_string(i));
  }
  co_await fs::create_directory(top / "d/d/beside");
  co_await write(top / "d/d/beside/file", "beside");
}

ASTD_TEST(fs_remove_all, and_copying_of_a_tree_deeper_than_the_limit_of_descriptors) {
  constexpr int depth = 80;
  auto here = co_await temporary_directory::create();
  co_await plant_deep_tree(here.path(), depth);
  const path from = here.path() / "d", to = here.path() / "copy";
  std::string failed = "no error";
  {
    const test::no_more_descriptors now(90);
    failed = co_await test::error_of(fs::copy(from, to, copy_options::recursive));
  }
  EXPECT_EQ(failed, "no error");
  path deepest = to;
  for (int i = 1; i < depth; ++i) deepest /= "d";
  const std::string text = co_await read_to_string(deepest / "file");
  EXPECT_EQ(text, "79");
  const std::string beside = co_await read_to_string(to / "d/beside/file");
  EXPECT_EQ(beside, "beside");
  std::uint64_t gone = 0;
  {
    const test::no_more_descriptors now(50);
    const auto removed = co_await as_result(fs::remove_all(to));
    EXPECT_TRUE(removed);
    if (removed) gone = *removed;
  }
  EXPECT_EQ(gone, depth + 2u + 2u);
  co_await here.close();
}

// Where a directory was moved to while we were below it, nothing is touched.
ASTD_TEST(fs_remove_all, of_a_tree_that_is_moved_meanwhile_touches_nothing_else) {
  auto here = co_await temporary_directory::create();
  co_await fs::create_directories(here.path() / "outside/d");
  // Those above are given back while it is at the lowest.
  constexpr int depth = 60;
  path lowest = here.path();
  for (int i = 0; i < depth; ++i) lowest /= "d";
  for (int round = 0; round < 4; ++round) {
    co_await plant_deep_tree(here.path(), depth);
    auto removing = spawn(fs::remove_all(here.path() / "d"));
    for (bool there = true; there && !removing.is_finished();) there = co_await fs::exists(lowest);
    static_cast<void>(co_await as_result(fs::rename(here.path() / "d/d/d", here.path() / "outside/moved")));
    static_cast<void>(co_await as_result(std::move(removing)));
    const bool kept = co_await fs::is_directory(here.path() / "outside/d");
    EXPECT_TRUE(kept) << "it has the name of the one that was moved, and is empty";
    co_await fs::remove_all(here.path() / "outside/moved");
    co_await fs::remove_all(here.path() / "d");
  }
  co_await here.close();
}

// On a disk that does not tell types, each entry is asked for, and next() may be cancelled meanwhile.
task<std::multiset<std::string>> names_in_spite_of_cancellations(int patience) {
  driver::sim::disk& disk = driver::sim::machine::here()->storage();
  for (int i = 0; i < 10; ++i) disk.put("/tmp/d/" + std::to_string(i), "");
  disk.settings().tells_types = false;
  directory_iterator entries("/tmp/d");
  std::multiset<std::string> found;
  for (int cancelled = 0;;) {
    const auto limit = std::chrono::microseconds(cancelled < 40 ? 1 + cancelled * patience : 1'000'000);
    auto entry = co_await as_result(timeout(limit, entries.next()));
    if (!entry) {
      EXPECT_EQ(entry.error(), std::errc::timed_out);
      ++cancelled;
      continue;
    }
    if (!*entry) break;
    EXPECT_EQ((*entry)->type(), file_type::regular);
    found.insert((*entry)->file_name().native());
  }
  co_return found;
}

ASTD_SIM_TEST(fs_directory, loses_no_entry_while_it_asks_what_one_is) {
  int host = 0;
  for (int patience : {0, 1, 2, 5, 20}) {
    auto& machine = universe.add_host("host" + std::to_string(host++), []() -> task<> { co_return; });
    const auto found = co_await machine.run(names_in_spite_of_cancellations, patience);
    EXPECT_EQ(found, (std::multiset<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})) << patience;
  }
}

}  // namespace
}  // namespace astd::fs
