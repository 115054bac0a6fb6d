#include <astd/fs/fs_test.hpp>

#include <chrono>

namespace astd::fs {
namespace {

using testing::code_of;

ASTD_TEST(fs_names, say_what_is_there) {
  auto here = co_await temporary_directory::create();
  const path file = here.path() / "file", link = here.path() / "link", missing = here.path() / "missing";
  co_await write(file, "12345");
  co_await fs::create_symlink("file", link);
  const bool there = co_await fs::exists(file), also = co_await fs::exists(link),
             not_there = co_await fs::exists(missing);
  EXPECT_TRUE(there && also && !not_there);
  const bool below_a_file = co_await fs::exists(file / "x");
  EXPECT_FALSE(below_a_file);
  const bool regular = co_await fs::is_regular_file(link), directory = co_await fs::is_directory(here.path());
  EXPECT_TRUE(regular && directory);
  const bool is_link = co_await fs::is_symlink(link), is_not = co_await fs::is_symlink(file);
  EXPECT_TRUE(is_link && !is_not);
  const bool device = co_await fs::is_character_file("/dev/null"), other = co_await fs::is_other("/dev/null");
  EXPECT_TRUE(device && other);
  const file_status none = co_await fs::status(missing);
  EXPECT_EQ(none.type(), file_type::not_found);
  const std::uint64_t size = co_await fs::file_size(link);
  EXPECT_EQ(size, 5u);
  const std::error_code no_size = co_await code_of(fs::file_size(here.path()));
  EXPECT_EQ(no_size, std::errc::is_a_directory);
  const file_metadata about = co_await fs::metadata(link);
  EXPECT_TRUE(about.is_regular_file());
  EXPECT_EQ(about.size(), 5u);
  EXPECT_GE(about.modified(), about.created().value_or(about.modified()));
  const file_metadata itself = co_await fs::symlink_metadata(link);
  EXPECT_TRUE(itself.is_symlink());
  const bool same = co_await fs::equivalent(file, link), different = co_await fs::equivalent(file, here.path());
  EXPECT_TRUE(same && !different);
  const path says = co_await fs::read_symlink(link);
  EXPECT_EQ(says, "file");
  const bool full = co_await fs::is_empty(here.path());
  EXPECT_FALSE(full);
  co_await fs::create_directory(here.path() / "empty");
  const bool empty = co_await fs::is_empty(here.path() / "empty");
  EXPECT_TRUE(empty);
  const space_info room = co_await fs::space(here.path());
  EXPECT_GT(room.capacity, 0u);
  EXPECT_LE(room.available, room.capacity);
  co_await here.close();
}

ASTD_TEST(fs_names, change) {
  auto here = co_await temporary_directory::create();
  const path a = here.path() / "a", b = here.path() / "b";
  co_await write(a, "old");
  co_await write(b, "new");
  co_await fs::rename(b, a);
  const std::string now = co_await read_to_string(a);
  EXPECT_EQ(now, "new");
  co_await fs::create_hard_link(a, b);
  const std::uint64_t links = co_await fs::hard_link_count(a);
  EXPECT_EQ(links, 2u);
  co_await fs::resize_file(a, 2);
  const std::string shorter = co_await read_to_string(b);
  EXPECT_EQ(shorter, "ne");
  co_await fs::permissions(a, perms::owner_all);
  co_await fs::permissions(a, perms::group_read, perm_options::add);
  co_await fs::permissions(a, perms::owner_exec, perm_options::remove);
  const file_metadata about = co_await fs::metadata(a);
  EXPECT_EQ(about.permissions(), perms::owner_read | perms::owner_write | perms::group_read);
  const file_time_type before = about.modified() - std::chrono::hours(1);
  co_await fs::last_write_time(a, before);
  const file_time_type set = co_await fs::last_write_time(a);
  EXPECT_EQ(set, before);
  const bool gone = co_await fs::remove(a), again = co_await fs::remove(a);
  EXPECT_TRUE(gone && !again);
  const bool made = co_await fs::create_directory(a), made_again = co_await fs::create_directory(a);
  EXPECT_TRUE(made && !made_again);
  const bool directory_gone = co_await fs::remove(a);
  EXPECT_TRUE(directory_gone);
  const bool deep = co_await fs::create_directories(here.path() / "x/y/z"),
             same = co_await fs::create_directories(here.path() / "x/y/");
  EXPECT_TRUE(deep && !same);
  co_await dir_builder().recursive(true).mode(perms::owner_all).create(here.path() / "x/u/v");
  const file_metadata made_so = co_await fs::metadata(here.path() / "x/u/v");
  EXPECT_EQ(made_so.permissions(), perms::owner_all);
  const std::error_code exists_already = co_await code_of(dir_builder().create(here.path() / "x"));
  EXPECT_EQ(exists_already, std::errc::file_exists);
  const std::error_code not_empty = co_await code_of(fs::remove(here.path() / "x"));
  EXPECT_EQ(not_empty, std::errc::directory_not_empty);
  co_await here.close();
}

ASTD_TEST(fs_names, errors_name_what_was_tried_and_the_paths) {
  const std::string rename_error = co_await test::error_of(fs::rename("/missing/a", "/missing/b"));
  EXPECT_EQ(rename_error, "rename /missing/a to /missing/b: No such file or directory");
  const std::string stat_error = co_await test::error_of(fs::metadata("/missing"));
  EXPECT_EQ(stat_error, "stat /missing: No such file or directory");
  const std::string copy_error = co_await test::error_of(fs::copy_file("/missing/a", "/tmp/b"));
  EXPECT_EQ(copy_error, "copy /missing/a to /tmp/b: No such file or directory");
  const std::string remove_error = co_await test::error_of(fs::create_directory("/missing/a"));
  EXPECT_EQ(remove_error, "create directory /missing/a: No such file or directory");
  directory_iterator missing("/missing");
  const std::string list_error = co_await test::error_of(missing.next());
  EXPECT_EQ(list_error, "read directory /missing: No such file or directory");
  const std::string dir_error = co_await test::error_of(read_dir("/dev/null"));
  EXPECT_EQ(dir_error, "read directory /dev/null: Not a directory");
}

ASTD_TEST(fs_names, lead_somewhere) {
  auto here = co_await temporary_directory::create();
  const path real = co_await fs::canonical(here.path());
  co_await fs::create_directories(real / "a/b");
  co_await fs::create_symlink("a/b", real / "link");
  const path found = co_await fs::canonical(real / "link/../b/./");
  EXPECT_EQ(found, real / "a/b");
  const path weakly = co_await fs::weakly_canonical(real / "link/no/../such");
  EXPECT_EQ(weakly, real / "a/b/such");
  const path away = co_await fs::relative(real / "link", real / "a/x");
  EXPECT_EQ(away, "../b");
  const path current = co_await fs::current_path();
  const path whole = co_await fs::absolute("x");
  EXPECT_EQ(whole, current / "x");
  const path temporary = co_await fs::temp_directory_path();
  EXPECT_TRUE(here.path().native().starts_with(temporary.native()));
  co_await here.close();
}

// Paths are bytes.
ASTD_TEST(fs_names, may_be_any_bytes) {
  auto here = co_await temporary_directory::create();
  for (const std::string_view name : {"\xff\xfe not text \x80", "two\nlines", " ", "-rf", "\x01", "..."}) {
    const path whole = here.path() / name;
    co_await write(whole, name);
    const std::string back = co_await read_to_string(whole);
    EXPECT_EQ(back, name);
    const std::uint64_t copies = co_await fs::remove_all(whole);
    EXPECT_EQ(copies, 1u);
  }
  const std::error_code too_long = co_await code_of(write(here.path() / std::string(256, 'x'), ""));
  EXPECT_EQ(too_long, std::errc::filename_too_long);
  co_await here.close();
}

ASTD_TEST(fs_names, may_be_as_long_as_the_system_takes) {
  auto here = co_await temporary_directory::create();
  path deep = here.path();
  while (deep.native().size() + 251 < 4095) {
    deep /= std::string(250, 'd');
    co_await fs::create_directory(deep);
  }
  const std::size_t left = 4095 - 1 - deep.native().size();
  const path longest = deep / std::string(left, 'f');
  EXPECT_EQ(longest.native().size(), 4095u);
  co_await write(longest, "deep");
  const std::string back = co_await read_to_string(longest);
  EXPECT_EQ(back, "deep");
  const std::error_code longer = co_await code_of(fs::metadata(deep / std::string(left + 1, 'f')));
  EXPECT_EQ(longer, std::errc::filename_too_long);
  const std::uint64_t gone = co_await fs::remove_all(here.path());
  EXPECT_GT(gone, 10u);
  co_await here.close();
}

}  // namespace
}  // namespace astd::fs
