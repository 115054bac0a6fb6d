#include <astd/fs/fs_test.hpp>
#include <astd/future.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>

#include <chrono>
#include <set>
#include <span>

#include <sys/stat.h>

namespace astd::fs {
namespace {

using testing::code_of;

task<std::multiset<std::string>> all_below(path top) {
  std::multiset<std::string> found;
  recursive_directory_iterator entries(top);
  for (;;) {
    const auto entry = co_await entries.next();
    if (!entry) break;
    found.insert(entry->path().lexically_relative(top).native() + (entry->type() == file_type::symlink     ? "@"
                                                                   : entry->type() == file_type::directory ? "/"
                                                                                                           : ""));
  }
  co_return found;
}

task<> plant(path top) {
  co_await fs::create_directories(top / "a/b/c");
  for (int i = 0; i < 40; ++i)
    co_await write(top / "a" / std::to_string(i), std::string(static_cast<std::size_t>(i) * 100, 'x'));
  co_await write(top / "a/b/large", std::string(3'000'000, 'y'));
  co_await fs::create_symlink("b/large", top / "a/link");
  co_await fs::create_directory_symlink("a/b", top / "to_b");
  co_await fs::permissions(top / "a/b/large", perms::owner_read | perms::owner_exec);
}

ASTD_TEST(fs_copy, of_a_file) {
  auto here = co_await temporary_directory::create();
  const path a = here.path() / "a", b = here.path() / "b";
  co_await write(a, "first");
  co_await fs::permissions(a, perms::owner_read | perms::owner_write | perms::others_exec);
  const bool copied = co_await fs::copy_file(a, b);
  EXPECT_TRUE(copied);
  const file_metadata about = co_await fs::metadata(b);
  EXPECT_EQ(about.permissions(), perms::owner_read | perms::owner_write | perms::others_exec);
  const std::error_code again = co_await code_of(fs::copy_file(a, b));
  EXPECT_EQ(again, std::errc::file_exists);
  co_await write(a, "second");
  const bool skipped = co_await fs::copy_file(a, b, copy_options::skip_existing);
  EXPECT_FALSE(skipped);
  std::string now = co_await read_to_string(b);
  EXPECT_EQ(now, "first");
  const bool over = co_await fs::copy_file(a, b, copy_options::overwrite_existing);
  EXPECT_TRUE(over);
  now = co_await read_to_string(b);
  EXPECT_EQ(now, "second");
  const file_time_type when = co_await fs::last_write_time(b);
  co_await fs::last_write_time(a, when - std::chrono::seconds(1));
  const bool older = co_await fs::copy_file(a, b, copy_options::update_existing);
  co_await fs::last_write_time(a, when + std::chrono::seconds(1));
  const bool newer = co_await fs::copy_file(a, b, copy_options::update_existing);
  EXPECT_TRUE(!older && newer);
  const std::error_code itself = co_await code_of(fs::copy_file(a, a, copy_options::overwrite_existing));
  EXPECT_EQ(itself, std::errc::file_exists);
  now = co_await read_to_string(a);
  EXPECT_EQ(now, "second");
  const std::error_code directory = co_await code_of(fs::copy_file(here.path(), here.path() / "c"));
  EXPECT_EQ(directory, std::errc::operation_not_supported);
  co_await here.close();
}

ASTD_TEST(fs_copy, of_a_tree) {
  auto here = co_await temporary_directory::create();
  co_await plant(here.path() / "from");
  const auto original = co_await all_below(here.path() / "from");
  EXPECT_EQ(original.size(), 46u);
  co_await fs::copy(here.path() / "from", here.path() / "to",
                    copy_options::recursive | copy_options::copy_symlinks);
  const auto same = co_await all_below(here.path() / "to");
  EXPECT_EQ(same, original);
  const std::string bytes = co_await read_to_string(here.path() / "to/a/b/large");
  EXPECT_TRUE(bytes == std::string(3'000'000, 'y'));
  const file_metadata about = co_await fs::metadata(here.path() / "to/a/b/large");
  EXPECT_EQ(about.permissions(), perms::owner_read | perms::owner_exec);
  const path says = co_await fs::read_symlink(here.path() / "to/a/link");
  EXPECT_EQ(says, "b/large");
  const std::error_code again = co_await code_of(
      fs::copy(here.path() / "from", here.path() / "to", copy_options::recursive | copy_options::skip_symlinks));
  EXPECT_EQ(again, std::errc::file_exists);
  co_await fs::copy(here.path() / "from/a", here.path() / "flat");
  const auto flat = co_await all_below(here.path() / "flat");
  EXPECT_EQ(flat.size(), 41u) << "its files, not its directories; the link as a file";
  const std::error_code into_itself =
      co_await code_of(fs::copy(here.path() / "from", here.path() / "from/a/new", copy_options::recursive));
  EXPECT_EQ(into_itself, std::errc::invalid_argument);
  co_await fs::copy(here.path() / "from/a/1", here.path() / "flat", copy_options::overwrite_existing);
  co_await fs::copy(here.path() / "from", here.path() / "names",
                    copy_options::recursive | copy_options::directories_only | copy_options::skip_symlinks);
  const auto names = co_await all_below(here.path() / "names");
  EXPECT_EQ(names, (std::multiset<std::string>{"a/", "a/b/", "a/b/c/"}));
  co_await fs::copy(here.path() / "from", here.path() / "hard",
                    copy_options::recursive | copy_options::create_hard_links | copy_options::skip_symlinks);
  const std::uint64_t links = co_await fs::hard_link_count(here.path() / "from/a/7");
  EXPECT_EQ(links, 2u);
  co_await here.close();
}

// More directories than go on at once, on two levels, and more files than one visit takes.
ASTD_TEST(fs_copy, of_a_wide_tree) {
  auto here = co_await temporary_directory::create();
  const path from = here.path() / "from", to = here.path() / "to";
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 6; ++j) {
      const path directory = from / std::to_string(i) / std::to_string(j);
      co_await fs::create_directories(directory / "empty");
      for (int k = 0; k < (i == j ? 70 : 2); ++k)
        co_await write(directory / std::to_string(k), std::to_string(i * 10'000 + j * 100 + k));
    }
  co_await write(from / "3/3/69", std::string(300'000, 'z'));
  const auto original = co_await all_below(from);
  co_await fs::copy(from, to, copy_options::recursive);
  const auto same = co_await all_below(to);
  EXPECT_EQ(same, original);
  for (const std::string& name : original) {
    if (name.ends_with('/')) continue;
    const std::string there = co_await read_to_string(from / name);
    const std::string here_too = co_await read_to_string(to / name);
    EXPECT_TRUE(there == here_too) << name;
  }
  // Of one that is there already, the error names both; or it is replaced.
  co_await fs::remove(to / "4/4/33");
  co_await write(from / "4/4/33", "other");
  std::string says;
  try {
    co_await fs::copy(from / "4/4", to / "4/4", copy_options::recursive);
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::file_exists);
    says = e.what();
  }
  EXPECT_TRUE(says.contains((from / "4/4/").native()) && says.contains((to / "4/4/").native())) << says;
  co_await fs::copy(from, to, copy_options::recursive | copy_options::overwrite_existing);
  const std::string replaced = co_await read_to_string(to / "4/4/33");
  EXPECT_EQ(replaced, "other");
  const std::uint64_t gone = co_await fs::remove_all(to);
  EXPECT_EQ(gone, original.size() + 1);
  co_await here.close();
}

ASTD_TEST(fs_remove_all, takes_what_is_below_and_no_more) {
  auto here = co_await temporary_directory::create();
  co_await plant(here.path() / "tree");
  co_await fs::create_directory(here.path() / "kept");
  co_await write(here.path() / "kept/file", "kept");
  co_await fs::create_directory_symlink(here.path() / "kept", here.path() / "tree/a/b/out");
  const std::uint64_t gone = co_await fs::remove_all(here.path() / "tree");
  EXPECT_EQ(gone, 48u);
  const std::uint64_t nothing = co_await fs::remove_all(here.path() / "tree");
  EXPECT_EQ(nothing, 0u);
  const std::string kept = co_await read_to_string(here.path() / "kept/file");
  EXPECT_EQ(kept, "kept");
  co_await fs::create_symlink("kept", here.path() / "link");
  const std::uint64_t link = co_await fs::remove_all(here.path() / "link");
  EXPECT_EQ(link, 1u);
  const bool still = co_await fs::exists(here.path() / "kept/file");
  EXPECT_TRUE(still);
  co_await here.close();
}

// Somebody swaps directories for links to elsewhere, again and again, while the tree is removed: elsewhere is left alone.
ASTD_TEST(fs_remove_all, is_not_led_astray) {
  auto here = co_await temporary_directory::create();
  co_await fs::create_directory(here.path() / "outside");
  for (int i = 0; i < 20; ++i) co_await write(here.path() / "outside" / std::to_string(i), "kept");
  for (int round = 0; round < 10; ++round) {
    const path tree = here.path() / ("tree" + std::to_string(round));
    for (int i = 0; i < 8; ++i) {
      co_await fs::create_directories(tree / std::to_string(i));
      co_await write(tree / std::to_string(i) / "1", "");
    }
    auto swapping = [](path top, path outside) -> task<> {
      for (int i = 7; i >= 0; --i) {
        const path one = top / std::to_string(i);
        static_cast<void>(co_await as_result(fs::rename(one, one.native() + "-away")));
        static_cast<void>(co_await as_result(fs::create_directory_symlink(outside, one)));
      }
    };
    auto other = spawn(swapping(tree, here.path() / "outside"));
    const auto removed = co_await as_result(fs::remove_all(tree));
    co_await std::move(other);
    static_cast<void>(removed);  // the other may have put something there behind our back
    co_await fs::remove_all(tree);
  }
  int left = 0;
  directory_iterator outside(here.path() / "outside");
  for (;;) {
    const auto entry = co_await outside.next();
    if (!entry) break;
    ++left;
  }
  EXPECT_EQ(left, 20);
  co_await here.close();
}

ASTD_TEST(fs_copy, that_is_cancelled_leaves_no_descriptor_and_the_source) {
  auto here = co_await temporary_directory::create();
  co_await plant(here.path() / "from");
  const auto original = co_await all_below(here.path() / "from");
  for (int turns = 0; turns < 24; ++turns) {
    const path to = here.path() / "to";
    auto copying = spawn(fs::copy(here.path() / "from", to, copy_options::recursive | copy_options::copy_symlinks));
    for (int i = 0; i < turns * 3; ++i) co_await this_task::yield();
    static_cast<void>(co_await copying.cancel());
    auto removing = spawn(fs::remove_all(to));
    for (int i = 0; i < turns; ++i) co_await this_task::yield();
    static_cast<void>(co_await removing.cancel());
    co_await fs::remove_all(to);
    const bool there = co_await fs::exists(to);
    EXPECT_FALSE(there);
  }
  const auto still = co_await all_below(here.path() / "from");
  EXPECT_EQ(still, original);
  co_await here.close();
}

// Reading a pipe takes until somebody writes: as slow as a file system can be. Timers keep their time.
ASTD_TEST(fs_copy, and_all_else_goes_on_while_the_system_makes_one_wait) {
  auto here = co_await temporary_directory::create();
  const path pipe = here.path() / "pipe";
  EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto opened = co_await file::open(pipe);
  auto other_end = co_await open_options().write(true).open(pipe);
  char byte[1];
  auto read_one = [](file& from, std::span<char> to) -> task<std::size_t> {
    const std::size_t n = co_await from.read(to);
    co_return n;
  };
  auto reading = spawn(read_one(opened, byte));
  for (int i = 0; i < 10; ++i) {
    co_await this_task::sleep_for(std::chrono::microseconds(100));
    const bool there = co_await fs::exists(pipe);
    EXPECT_TRUE(there);
  }
  co_await io::write_all(other_end, "x");
  const std::size_t n = co_await std::move(reading);
  EXPECT_EQ(n, 1u);
  co_await here.close();
}

ASTD_TEST(fs_copy, refuses_what_is_neither_file_nor_directory) {
  auto here = co_await temporary_directory::create();
  const path pipe = here.path() / "pipe";
  EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const bool is = co_await fs::is_fifo(pipe);
  EXPECT_TRUE(is);
  const std::error_code refused = co_await code_of(fs::copy_file(pipe, here.path() / "x"));
  EXPECT_EQ(refused, std::errc::operation_not_supported);
  const std::error_code in_tree =
      co_await code_of(fs::copy(here.path(), here.path().native() + "-copy", copy_options::recursive));
  EXPECT_EQ(in_tree, std::errc::operation_not_supported);
  co_await fs::remove_all(here.path().native() + "-copy");
  const std::uint64_t gone = co_await fs::remove_all(here.path());
  EXPECT_EQ(gone, 2u);
}

}  // namespace
}  // namespace astd::fs
