// What fs::file does beside reading and writing from the front to the end.
#include <astd/fs/fs_test.hpp>
#include <astd/future.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/error.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/time/timeout.hpp>

#include <array>
#include <chrono>
#include <cstring>
#include <vector>

namespace astd::fs {
namespace {

using namespace std::chrono_literals;
using testing::code_of;

static_assert(io::vectored_reader<file> && io::vectored_writer<file> && io::seekable<file> && io::flushable<file> &&
              io::closable<file>);

ASTD_TEST(fs_file, is_opened_as_the_options_say) {
  auto here = co_await temporary_directory::create();
  const path a = here.path() / "a";
  const std::error_code missing = co_await code_of(open_options().read(true).open(a));
  EXPECT_EQ(missing, std::errc::no_such_file_or_directory);
  file made =
      co_await open_options().write(true).create_new(true).mode(perms::owner_read | perms::owner_write).open(a);
  co_await io::write_all(made, "0123456789");
  co_await made.close();
  const std::string exists_already = co_await test::error_of(file::create_new(a));
  EXPECT_EQ(exists_already, "open " + a.native() + ": File exists");
  file both = co_await open_options().read(true).write(true).open(a);
  co_await io::write_all(both, "ab");
  std::array<char, 4> four;
  const std::size_t n = co_await both.read(four);
  EXPECT_EQ(std::string_view(four.data(), n), "2345");
  const file_metadata about = co_await both.metadata();
  EXPECT_EQ(about.permissions(), perms::owner_read | perms::owner_write);
  EXPECT_EQ(about.size(), 10u);
  file end = co_await open_options().append(true).open(a);
  co_await io::write_all(end, "end");
  const std::string whole = co_await read_to_string(a);
  EXPECT_EQ(whole, "ab23456789end");
  file cut = co_await open_options().write(true).truncate(true).open(a);
  const std::string empty = co_await read_to_string(a);
  EXPECT_EQ(empty, "");
  for (const open_options& senseless :
       {open_options(), open_options().read(true).create(true), open_options().append(true).truncate(true)}) {
    const std::string refused = co_await test::error_of(senseless.open(a));
    EXPECT_EQ(refused, "open " + a.native() + ": Invalid argument");
  }
  co_await here.close();
}

ASTD_TEST(fs_file, has_places) {
  auto here = co_await temporary_directory::create();
  file f = co_await file::create_new(here.path() / "a");
  co_await f.write_all_at("world", 6);
  co_await f.write_all_at("hello ", 0);
  std::array<char, 5> five;
  co_await f.read_exact_at(five, 6);
  EXPECT_EQ(std::string_view(five.data(), 5), "world");
  const std::error_code too_far = co_await code_of(f.read_exact_at(five, 8));
  EXPECT_EQ(too_far, io::errc::unexpected_end);
  const std::size_t none = co_await f.read_at(five, 1000);
  EXPECT_EQ(none, 0u);
  const std::error_code negative = co_await code_of(f.read_at(five, UINT64_MAX));
  EXPECT_EQ(negative, std::errc::invalid_argument);
  std::uint64_t at = co_await f.stream_position();
  EXPECT_EQ(at, 0u) << "places of their own";
  at = co_await f.seek(io::seek_from::end(-3));
  EXPECT_EQ(at, 8u);
  const std::size_t n = co_await f.read(five);
  EXPECT_EQ(std::string_view(five.data(), n), "rld");
  at = co_await f.seek(io::seek_from::current(-1));
  EXPECT_EQ(at, 10u);
  at = co_await f.seek(2);
  const std::string before = co_await test::error_of(f.seek(io::seek_from::current(-3)));
  EXPECT_EQ(before, "seek " + (here.path() / "a").native() + ": Invalid argument");
  co_await f.rewind();
  file same = co_await f.try_clone();
  const std::size_t first = co_await f.read(five);
  EXPECT_EQ(first, 5u);
  const std::size_t second = co_await same.read(five);
  EXPECT_EQ(std::string_view(five.data(), second), " worl") << "one position for both";
  co_await f.close();
  co_await same.set_len(3);
  const std::string short_now = co_await read_to_string(here.path() / "a");
  EXPECT_EQ(short_now, "hel");
  co_await here.close();
}

ASTD_TEST(fs_file, takes_several_buffers) {
  auto here = co_await temporary_directory::create();
  file f = co_await file::create_new(here.path() / "a");
  const std::array<io::const_bytes, 4> out{io::const_bytes("one "), io::const_bytes(""), io::const_bytes("two "),
                                           io::const_bytes("three")};
  const std::size_t written = co_await f.write_vectored(out);
  EXPECT_EQ(written, 13u);
  const std::size_t more = co_await f.write_vectored_at(out, 4);
  EXPECT_EQ(more, 13u);
  std::array<char, 3> x;
  std::array<char, 100> y;
  const std::array<io::mutable_bytes, 2> in{io::mutable_bytes(x), io::mutable_bytes(y)};
  co_await f.rewind();
  const std::size_t n = co_await f.read_vectored(in);
  EXPECT_EQ(n, 17u);
  EXPECT_EQ(std::string_view(x.data(), 3), "one");
  EXPECT_EQ(std::string_view(y.data(), 14), " one two three");
  const std::size_t again = co_await f.read_vectored_at(in, 12);
  EXPECT_EQ(again, 5u);
  const std::size_t nothing = co_await f.write_vectored(std::span<const io::const_bytes>());
  EXPECT_EQ(nothing, 0u);
  co_await here.close();
}

ASTD_TEST(fs_file, has_rights_times_and_room) {
  auto here = co_await temporary_directory::create();
  file f = co_await file::create_new(here.path() / "a");
  co_await f.set_permissions(perms::owner_all);
  const file_time_type then = std::chrono::file_clock::now() - 100h;
  co_await f.set_times(std::nullopt, then);
  file_metadata about = co_await f.metadata();
  EXPECT_EQ(about.permissions(), perms::owner_all);
  EXPECT_EQ(about.modified(), then);
  EXPECT_NE(about.accessed(), then);
  const auto room = co_await as_result(f.preallocate(0, 100'000));
  if (room || room.error() != std::errc::operation_not_supported) {
    EXPECT_TRUE(room);
    about = co_await f.metadata();
    EXPECT_EQ(about.size(), 100'000u);
  }
  co_await f.advise(file_advice::sequential);
  co_await f.flush();
  co_await f.sync_all();
  const std::size_t alignment = co_await direct_alignment(f);
  EXPECT_EQ(alignment & (alignment - 1), 0u);
  co_await here.close();
}

ASTD_TEST(fs_file, is_locked_by_one_at_a_time) {
  auto here = co_await temporary_directory::create();
  file one = co_await file::create_new(here.path() / "a");
  file two = co_await open_options().read(true).write(true).open(here.path() / "a");
  co_await one.lock();
  const bool refused = co_await two.try_lock(), shared_refused = co_await two.try_lock_shared();
  EXPECT_FALSE(refused || shared_refused);
  const std::error_code late = co_await code_of(timeout(5ms, two.lock()));
  EXPECT_EQ(late, std::errc::timed_out);
  auto wait_for_it = [](file& f, bool& has) -> task<> {
    co_await f.lock();
    has = true;
  };
  bool has = false;
  auto waiting = spawn(wait_for_it(two, has));
  for (int i = 0; i < 20; ++i) co_await this_task::yield();
  EXPECT_FALSE(has);
  co_await one.unlock();
  co_await std::move(waiting);
  EXPECT_TRUE(has);
  co_await two.unlock();
  co_await one.lock_shared();
  const bool both = co_await two.try_lock_shared();
  EXPECT_TRUE(both);
  co_await one.close();
  const bool alone = co_await two.try_lock();
  EXPECT_TRUE(alone) << "closing gives it up";
  co_await here.close();
}

ASTD_TEST(fs_file, that_shrinks_while_it_is_read_ends_there) {
  auto here = co_await temporary_directory::create();
  const path a = here.path() / "a";
  co_await write(a, std::string(3'000'000, 'x'));
  auto reading = spawn(read_to_string(a));
  co_await this_task::yield();
  co_await fs::resize_file(a, 10);
  const std::string got = co_await std::move(reading);
  EXPECT_LE(got.size(), 3'000'000u);
  // Where it ends in the middle of a read, the system may have put zeros behind the end already.
  EXPECT_EQ(got.find_first_not_of(std::string_view("x\0", 2)), std::string::npos);
  file f = co_await file::open(a);
  std::array<char, 100> buffer;
  const std::size_t n = co_await f.read(buffer);
  EXPECT_EQ(n, 10u);
  co_await fs::resize_file(a, 3);
  const std::size_t end = co_await f.read(buffer);
  EXPECT_EQ(end, 0u);
  co_await here.close();
}

// A full disk, a file that only reads: each write says so, none later.
ASTD_TEST(fs_file, errors_come_with_the_write_that_they_are_of) {
  file full = co_await open_options().write(true).open("/dev/full");
  const std::string what = co_await test::error_of(full.write("x"));
  EXPECT_EQ(what, "write /dev/full: No space left on device");
  co_await full.close();
  auto here = co_await temporary_directory::create();
  co_await write(here.path() / "a", "x");
  file in = co_await file::open(here.path() / "a");
  const std::error_code refused = co_await code_of(in.write_at("y", 0));
  EXPECT_EQ(refused, std::errc::bad_file_descriptor);
  const std::error_code cut = co_await code_of(in.set_len(0));
  EXPECT_EQ(cut, std::errc::invalid_argument);
  co_await here.close();
}

ASTD_TEST(fs_file, is_replaced_at_one_moment) {
  auto here = co_await temporary_directory::create();
  const path a = here.path() / "a";
  co_await write_atomic(a, "first");
  co_await fs::permissions(a, perms::owner_all);
  co_await fs::create_symlink("a", here.path() / "link");
  for (int turns = 0; turns < 40; ++turns) {
    auto replacing = spawn(write_atomic(here.path() / "link", std::string_view(turns % 2 ? "odd" : "even")));
    for (int i = 0; i < turns; ++i) co_await this_task::yield();
    static_cast<void>(co_await replacing.cancel());
    const std::string now = co_await read_to_string(a);
    EXPECT_TRUE(now == "first" || now == "odd" || now == "even") << now;
  }
  co_await write_atomic(here.path() / "link", "last");
  const std::string now = co_await read_to_string(a);
  EXPECT_EQ(now, "last");
  const file_metadata about = co_await fs::metadata(a);
  EXPECT_EQ(about.permissions(), perms::owner_all);
  directory_iterator entries(here.path());
  int left = 0;
  for (;;) {
    const auto entry = co_await entries.next();
    if (!entry) break;
    ++left;
  }
  EXPECT_EQ(left, 2) << "the file and the link; nothing that was begun";
  co_await here.close();
}

ASTD_TEST(fs_temporary, is_gone_afterwards) {
  auto here = co_await temporary_directory::create();
  path one, two, kept;
  {
    auto file = co_await temporary_file::create(here.path());
    co_await io::write_all(file.file(), "some");
    one = file.path();
    bool there = co_await fs::exists(one);
    EXPECT_TRUE(there);
    co_await file.close();
    there = co_await fs::exists(one);
    EXPECT_FALSE(there);
    auto forgotten = co_await temporary_directory::create(here.path());
    two = forgotten.path();
    co_await write(two / "x", "y");
    auto stays = co_await temporary_file::create(here.path());
    co_await io::write_all(stays.file(), "kept");
    kept = here.path() / "kept";
    co_await stays.persist(kept);
  }
  // In the background.
  for (;;) {
    const bool there = co_await fs::exists(two);
    if (!there) break;
    co_await this_task::sleep_for(1ms);
  }
  const std::string text = co_await read_to_string(kept);
  EXPECT_EQ(text, "kept");
  co_await here.close();
}

}  // namespace
}  // namespace astd::fs
