#include <astd/fs/fs_test.hpp>
#include <astd/future.hpp>
#include <astd/runtime/this_task.hpp>

#include <map>
#include <set>
#include <vector>

namespace astd::fs {
namespace {

using testing::code_of;

// a/ with 3 files and b/ with 2 and c/ with none; "link" leads to a.
task<> plant(path top) {
  co_await fs::create_directories(top / "a/b/c");
  for (const char* name : {"a/1", "a/2", "a/3", "a/b/4", "a/b/5"}) co_await write(top / name, "content");
  co_await fs::create_directory_symlink("a", top / "link");
}

template <class Entries>
task<std::multiset<std::string>> all_of(Entries entries, path top) {
  std::multiset<std::string> found;
  for (;;) {
    const auto entry = co_await entries.next();
    if (!entry) break;
    found.insert(entry->path().lexically_relative(top).native());
  }
  const auto still = co_await entries.next();
  EXPECT_FALSE(still);
  co_return found;
}

using names = std::multiset<std::string>;
const names everything{"a", "a/1", "a/2", "a/3", "a/b", "a/b/4", "a/b/5", "a/b/c", "link"};

ASTD_TEST(fs_directory, is_a_stream_of_its_entries) {
  auto here = co_await temporary_directory::create();
  co_await plant(here.path());
  const names top = co_await all_of(directory_iterator(here.path()), here.path());
  EXPECT_EQ(top, (names{"a", "link"}));
  auto entries = co_await read_dir(here.path() / "a");
  std::map<std::string, file_type> types;
  for (;;) {
    const auto entry = co_await entries.next();
    if (!entry) break;
    types[entry->file_name().native()] = entry->type();
    const file_metadata about = co_await entry->metadata();
    EXPECT_EQ(about.type(), entry->type());
    EXPECT_EQ(about.inode(), entry->inode());
  }
  EXPECT_EQ(types, (std::map<std::string, file_type>{{"1", file_type::regular},
                                                     {"2", file_type::regular},
                                                     {"3", file_type::regular},
                                                     {"b", file_type::directory}}));
  co_await here.close();
}

ASTD_TEST(fs_directory, is_gone_through_with_those_below) {
  auto here = co_await temporary_directory::create();
  co_await plant(here.path());
  const names one = co_await all_of(recursive_directory_iterator(here.path()), here.path());
  EXPECT_EQ(one, everything);
  for (unsigned at_once : {1u, 2u, 8u}) {
    const names walked = co_await all_of(walk(here.path(), {.concurrency = at_once}), here.path());
    EXPECT_EQ(walked, everything) << at_once;
  }
  const names followed = co_await all_of(
      recursive_directory_iterator(here.path(), directory_options::follow_directory_symlink), here.path());
  EXPECT_EQ(followed.size(), everything.size() + 7);
  const names walked = co_await all_of(walk(here.path(), {.follow_links = true}), here.path());
  EXPECT_EQ(walked, followed);
  recursive_directory_iterator some(here.path());
  int entered = 0;
  for (;;) {
    const auto entry = co_await some.next();
    if (!entry) break;
    if (entry->name() == "b") some.disable_recursion_pending();
    entered += entry->path().parent_path().filename() == "b";
    EXPECT_EQ(some.depth(), entry->path().parent_path() == here.path() ? 0u : 1u);
  }
  EXPECT_EQ(entered, 0);
  co_await here.close();
}

ASTD_TEST(fs_directory, may_be_long) {
  auto here = co_await temporary_directory::create();
  constexpr int count = 2500;
  for (int i = 0; i < count; ++i) {
    const auto made =
        co_await file::create(here.path() / ("a name of some length, so that they need room " + std::to_string(i)));
  }
  const names found = co_await all_of(directory_iterator(here.path()), here.path());
  EXPECT_EQ(found.size(), std::size_t{count});
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), std::size_t{count});
  const names walked = co_await all_of(walk(here.path()), here.path());
  EXPECT_EQ(walked, found);
  const std::uint64_t gone = co_await fs::remove_all(here.path());
  EXPECT_EQ(gone, std::uint64_t{count} + 1);
  co_await here.close();
}

ASTD_TEST(fs_directory, that_vanishes_while_it_is_walked_is_an_error_and_the_walk_goes_on) {
  auto here = co_await temporary_directory::create();
  co_await fs::create_directory(here.path() / "gone");
  co_await fs::create_directory(here.path() / "stays");
  co_await write(here.path() / "stays/file", "");
  recursive_directory_iterator entries(here.path());
  names found;
  int errors = 0;
  for (;;) {
    const auto entry = co_await as_result(entries.next());
    if (!entry) {
      EXPECT_EQ(entry.error(), std::errc::no_such_file_or_directory);
      ++errors;
      continue;
    }
    if (!*entry) break;
    found.insert((*entry)->file_name().native());
    if ((*entry)->name() == "gone") co_await fs::remove(here.path() / "gone");
  }
  EXPECT_EQ(found, (names{"gone", "stays", "file"}));
  EXPECT_EQ(errors, 1);
  co_await here.close();
}

// A directory that has become a link to somewhere else is not entered.
ASTD_TEST(fs_directory, that_became_a_link_is_not_entered) {
  auto here = co_await temporary_directory::create();
  co_await fs::create_directories(here.path() / "tree/inner");
  co_await fs::create_directory(here.path() / "secret");
  co_await write(here.path() / "secret/file", "");
  recursive_directory_iterator entries(here.path() / "tree");
  const auto inner = co_await entries.next();
  EXPECT_EQ(inner.value().name(), "inner");
  co_await fs::remove(here.path() / "tree/inner");
  co_await fs::create_directory_symlink(here.path() / "secret", here.path() / "tree/inner");
  const std::error_code refused = co_await code_of(entries.next());
  EXPECT_TRUE(refused == std::errc::not_a_directory || refused == std::errc::too_many_symbolic_link_levels);
  const auto end = co_await entries.next();
  EXPECT_FALSE(end);
  co_await here.close();
}

ASTD_TEST(fs_directory, loses_no_entry_to_cancellations) {
  auto here = co_await temporary_directory::create();
  co_await plant(here.path());
  for (int turns = 0; turns < 12; ++turns) {
    walker entries = walk(here.path(), {.concurrency = 2});
    names found;
    for (int cancelled = 0;;) {
      // As often as not the time is over before the entry is there.
      std::optional<directory_entry> got;
      bool ended = false;
      auto take = [&]() -> task<> {
        auto entry = co_await entries.next();
        ended = !entry;
        got = std::move(entry);
      };
      auto few_turns = [&]() -> task<> {
        for (int i = 0; i < turns % 4; ++i) co_await this_task::yield();
      };
      if (cancelled < 40) {
        auto taking = take();
        auto waiting = few_turns();
        co_await race(std::move(taking), std::move(waiting));
        if (!got && !ended) {
          ++cancelled;
          continue;
        }
      } else {
        auto taking = take();
        co_await std::move(taking);
      }
      if (ended) break;
      found.insert(got->path().lexically_relative(here.path()).native());
    }
    EXPECT_EQ(found, everything) << turns;
  }
  co_await here.close();
}

}  // namespace
}  // namespace astd::fs
