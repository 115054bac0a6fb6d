// Names, directories, trees and replacement under fault. See tests/faults/faults.hpp.
#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/task.hpp>

#include <tests/faults/faults.hpp>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <stdlib.h>

namespace {

using namespace astd;
using faults::ending;
using faults::report;
using faults::scenario;

// Made and looked at without astd.
struct folder : scenario {
  folder() {
    char pattern[] = "/tmp/astd-faults-with-a-long-name-XXXXXX";
    if (!::mkdtemp(pattern)) throw std::system_error(errno, std::system_category(), "mkdtemp");
    top = pattern;
  }
  ~folder() override {
    std::error_code ignored;
    std::filesystem::remove_all(top, ignored);
  }
  void put(const char* name, const std::string& text) const { std::ofstream(top / name) << text; }
  [[nodiscard]] std::string content(const char* name) const {
    std::ifstream in(top / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] long entries() const {
    return std::distance(std::filesystem::recursive_directory_iterator(top),
                         std::filesystem::recursive_directory_iterator());
  }
  fs::path top;
};

struct tree : folder {
  tree() {
    std::filesystem::create_directories(top / "from/a/b");
    put("from/1", "one");
    put("from/a/2", std::string(5000, '2'));
    put("from/a/b/3", "three");
    std::filesystem::create_symlink("a/2", top / "from/link");
  }
};

struct directory_walked final : tree {
  task<> operation() override {
    auto entries = fs::walk(top, {.concurrency = 2});
    int count = 0;
    for (;;) {
      const auto entry = co_await entries.next();
      if (!entry) break;
      ++count;
    }
    EXPECT_EQ(count, 7);
    fs::recursive_directory_iterator again(top);
    for (;;) {
      const auto entry = co_await again.next();
      if (!entry) break;
      --count;
    }
    EXPECT_EQ(count, 0);
  }
};
ASTD_SCENARIO(directory_walked);

struct tree_copied final : tree {
  task<> operation() override {
    co_await fs::copy(top / "from", top / "to", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
  void check(const report& r) override {
    EXPECT_EQ(content("from/a/2"), std::string(5000, '2'));
    if (r.how == ending::value) {
      EXPECT_EQ(content("to/a/2"), std::string(5000, '2'));
      EXPECT_EQ(content("to/a/b/3"), "three");
    }
  }
};
ASTD_SCENARIO(tree_copied);

struct tree_removed final : tree {
  task<> operation() override {
    const auto gone = co_await fs::remove_all(top / "from");
    EXPECT_EQ(gone, 7u);
  }
  void check(const report& r) override {
    if (r.how == ending::value) EXPECT_EQ(entries(), 0);
  }
};
ASTD_SCENARIO(tree_removed);

struct file_replaced final : folder {
  file_replaced() { put("file", "old"); }
  task<> operation() override { co_await fs::write_atomic(top / "file", "new content"); }
  void check(const report& r) override {
    const std::string now = content("file");
    EXPECT_TRUE(now == "old" || now == "new content") << now;
    if (r.how == ending::value) EXPECT_EQ(now, "new content");
  }
};
ASTD_SCENARIO(file_replaced);

struct names_changed final : folder {
  task<> operation() override {
    co_await fs::create_directories(top / "a/b");
    co_await fs::create_symlink("b", top / "a/link");
    const auto real = co_await fs::canonical(top / "a/link");
    EXPECT_EQ(real.filename(), "b");
    co_await fs::rename(top / "a", top / "c");
    co_await fs::remove(top / "c/link");
    const auto about = co_await fs::metadata(top / "c");
    EXPECT_TRUE(about.is_directory());
  }
};
ASTD_SCENARIO(names_changed);

struct file_locked_and_read_at_places final : folder {
  task<> operation() override {
    auto file = co_await fs::file::create_new(top / "file");
    co_await file.lock();
    co_await file.write_all_at("0123456789", 5);
    auto clone = co_await file.try_clone();
    std::array<char, 4> buffer;
    co_await clone.read_exact_at(buffer, 7);
    EXPECT_EQ(std::string(buffer.data(), 4), "2345");
    const auto end = co_await clone.seek(io::seek_from::end(0));
    EXPECT_EQ(end, 15u);
    co_await clone.unlock();
    co_await file.close();
    co_await clone.close();
  }
};
ASTD_SCENARIO(file_locked_and_read_at_places);

}  // namespace
