// Files under fault. See tests/faults/faults.hpp.
#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/task.hpp>

#include <tests/faults/faults.hpp>

#include <array>
#include <cstdio>
#include <string>
#include <system_error>

#include <stdlib.h>
#include <unistd.h>

namespace {

using namespace astd;
using faults::ending;
using faults::report;
using faults::scenario;

struct folder : scenario {
  folder() {
    char pattern[] = "/tmp/astd-faults-with-a-long-name-XXXXXX";
    if (!::mkdtemp(pattern)) throw std::system_error(errno, std::system_category(), "mkdtemp");
    name = pattern;
    path = name + "/file";
  }
  ~folder() override {
    ::unlink(path.c_str());
    ::rmdir(name.c_str());
  }
  /// What is in the file, read without astd; nothing if there is none.
  [[nodiscard]] std::string content() const {
    std::string all;
    if (std::FILE* f = std::fopen(path.c_str(), "rb")) {
      char buffer[4096];
      for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, f)) != 0;) all.append(buffer, n);
      std::fclose(f);
    }
    return all;
  }
  void put(const std::string& text) const {
    std::FILE* const f = std::fopen(path.c_str(), "wb");
    std::fwrite(text.data(), 1, text.size(), f);
    std::fclose(f);
  }
  std::string name, path;
};

struct file_written_in_pieces final : folder {
  task<> operation() override {
    auto file = co_await fs::file::create(path);
    for (int i = 0; i < 4; ++i) {
      const auto n = co_await file.write("0123456789");
      reported += n;
    }
    co_await file.close();
  }
  void check(const report&) override { EXPECT_EQ(content().size(), reported); }
  std::size_t reported = 0;
};
ASTD_SCENARIO(file_written_in_pieces);

struct file_synced final : folder {
  task<> operation() override {
    auto file = co_await fs::file::create(path);
    const auto n = co_await file.write("0123456789");
    reported += n;
    co_await file.sync_data();
    co_await file.sync_all();
    co_await file.close();
  }
  void check(const report&) override { EXPECT_EQ(content().size(), reported); }
  std::size_t reported = 0;
};
ASTD_SCENARIO(file_synced);

struct file_left_open final : folder {
  task<> operation() override {
    auto file = co_await fs::file::create(path);
    co_await io::write_all(file, "0123456789");
  }
};
ASTD_SCENARIO(file_left_open);

struct file_read_in_pieces final : folder {
  file_read_in_pieces() { put("0123456789"); }
  task<> operation() override {
    auto file = co_await fs::file::open(path);
    std::array<char, 4> buffer;
    std::string all;
    for (;;) {
      const auto n = co_await file.read(buffer);
      if (n == 0) break;
      all.append(buffer.data(), n);
    }
    EXPECT_EQ(all, "0123456789");
    co_await file.close();
  }
};
ASTD_SCENARIO(file_read_in_pieces);

struct file_that_is_not_there final : folder {
  task<> operation() override {
    const auto none = co_await as_result(fs::file::open(path));
    EXPECT_FALSE(none);
    const auto nothing = co_await as_result(fs::read_to_string(path));
    EXPECT_FALSE(nothing);
  }
};
ASTD_SCENARIO(file_that_is_not_there);

struct whole_files final : folder {
  whole_files() : text(70'000, 'x') {}
  task<> operation() override {
    co_await fs::write(path, text);
    const auto back = co_await fs::read_to_string(path);
    EXPECT_EQ(back.size(), text.size());
    const auto bytes = co_await fs::read(path);
    EXPECT_EQ(bytes.size(), text.size());
  }
  void check(const report& r) override {
    const std::string now = content();
    EXPECT_EQ(now, text.substr(0, now.size()));
    if (r.how == ending::value) EXPECT_EQ(now.size(), text.size());
  }
  std::string text;
};
ASTD_SCENARIO(whole_files);

}  // namespace
