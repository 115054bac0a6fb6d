#include <astd/base/test_descriptors.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/fs/file.hpp>
#include <astd/fs/temporary.hpp>
#include <astd/fs/whole_file.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/test_support.hpp>
#include <astd/io/write_all.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

namespace astd::fs {
namespace {

static_assert(io::reader<file> && io::writer<file>);

// The machine that the test runs on, if it is a simulated one.
driver::sim::machine* simulated() noexcept { return driver::sim::machine::here(); }

// For what only a real machine has: says so, and that the test is not run.
[[nodiscard]] bool only_real_ones_have(const char* what) {
  if (runtime_options::from_environment().driver != driver::choice::sim) return false;
  [&] { GTEST_SKIP() << "NOT RUN: a simulated machine has no " << what; }();
  return true;
}

// A directory that is gone with it.
class scratch {
 public:
  scratch() {
    if (auto* const m = simulated()) {
      static int number = 0;
      directory_ = "/tmp/astd-files-" + std::to_string(++number);
      m->storage().put_directory(directory_);
      open_before_ = m->descriptors_open();
      return;
    }
    char name[] = "/tmp/astd-files-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~scratch() {
    // A simulated one goes with its world.
    if (!simulated()) std::filesystem::remove_all(directory_);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] path operator/(const char* name) const { return directory_ / name; }
  [[nodiscard]] path made(const char* name, std::string_view content) const {
    if (auto* const m = simulated())
      m->storage().put((*this / name).native(), content);
    else
      std::ofstream(*this / name, std::ios::binary) << content;
    return *this / name;
  }
  [[nodiscard]] std::size_t open_files() const {
    if (auto* const m = simulated()) return static_cast<std::size_t>(m->descriptors_open() - open_before_);
    return test::open_descriptors(directory_.native());
  }

 private:
  path directory_;
  int open_before_ = 0;
};

std::string content_of(const path& name) {
  if (auto* const m = simulated()) return m->storage().bytes_of(name.native()).value_or("no such file");
  std::ifstream in(name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 131 >> 3);
  return text;
}

ASTD_TEST(whole_file, is_read) {
  scratch here;
  const std::string text = co_await read_to_string(here.made("a", "some\ntext"));
  EXPECT_EQ(text, "some\ntext");
  const std::vector<std::byte> bytes = co_await read(here / "a");
  EXPECT_EQ(bytes.size(), 9u);
  EXPECT_EQ(bytes.at(3), std::byte('e'));
}

ASTD_TEST(whole_file, may_be_empty) {
  scratch here;
  const std::string text = co_await read_to_string(here.made("empty", ""));
  EXPECT_EQ(text, "");
  const std::vector<std::byte> bytes = co_await read(here / "empty");
  EXPECT_TRUE(bytes.empty());
}

ASTD_TEST(whole_file, has_any_size) {
  scratch here;
  // Around the size of the first read and its double.
  for (std::size_t size : {1u, 16383u, 16384u, 16385u, 32767u, 32768u, 32769u, 10'485'760u}) {
    const std::string content = pattern(size);
    const path name = here.made("x", content);
    const std::string text = co_await read_to_string(name);
    EXPECT_TRUE(text == content) << size;
    const std::vector<std::byte> bytes = co_await read(name);
    EXPECT_EQ(bytes.size(), size);
  }
}

ASTD_TEST(whole_file, may_have_more_than_its_size_says) {
  if (only_real_ones_have("/proc")) co_return;
  const std::string text = co_await read_to_string("/proc/self/maps");
  EXPECT_EQ(std::filesystem::file_size("/proc/self/maps"), 0u);
  EXPECT_NE(text.find("[stack]"), std::string::npos);
  const std::string zero = co_await read_to_string("/dev/null");
  EXPECT_EQ(zero, "");
}

// Nothing but holes, and far more than can be read or written within the test's deadlines.
constexpr std::size_t enormous = std::size_t{2} << 30;

task<> cuts_off_what_is_enormous() {
  if (only_real_ones_have("reads that take time though they are cached")) co_return;
  using namespace std::chrono_literals;
  scratch here;
  const path name = here.made("holes", "");
  std::filesystem::resize_file(name, enormous);
  const auto text = co_await as_result(timeout(20ms, read_to_string(name)));
  EXPECT_EQ(text.error(), std::errc::timed_out);
  const auto bytes = co_await as_result(timeout(20ms, read(name)));
  EXPECT_EQ(bytes.error(), std::errc::timed_out);

  // Memory that is never touched is all the same page of zeros.
  void* const zeros = ::mmap(nullptr, enormous, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (zeros == MAP_FAILED) co_return;
  const auto written = co_await as_result(timeout(20ms, write(here / "part", {zeros, enormous})));
  EXPECT_EQ(written.error(), std::errc::timed_out);
  if (std::filesystem::exists(here / "part")) EXPECT_LT(std::filesystem::file_size(here / "part"), enormous);
  // A device that takes and gives everything inside the call.
  const auto taken = co_await as_result(timeout(20ms, read_to_string("/dev/zero")));
  EXPECT_EQ(taken.error(), std::errc::timed_out);
  ::munmap(zeros, enormous);
}

// On a worker, whom the monitor watches, and on a thread of somebody else's, which only looks at the clock by itself.
ASTD_TEST(whole_file, is_cut_off_between_two_pieces) { co_await cuts_off_what_is_enormous(); }
TEST(whole_file, is_cut_off_between_two_pieces_where_nobody_else_watches) { block_on(cuts_off_what_is_enormous()); }

ASTD_TEST(whole_file, errors_name_the_path) {
  scratch here;
  const path missing = here / "missing";
  const auto code = co_await as_result(read_to_string(missing));
  EXPECT_EQ(code.error(), std::errc::no_such_file_or_directory);
  const std::string what = co_await test::error_of(read_to_string(missing));
  EXPECT_EQ(what, "open " + missing.string() + ": No such file or directory");
  const std::string bytes = co_await test::error_of(read(missing));
  EXPECT_EQ(bytes, what);
  const std::string directory = co_await test::error_of(read_to_string("/tmp"));
  EXPECT_EQ(directory, "read /tmp: Is a directory");
  const std::string no_place = co_await test::error_of(write(here / "missing/x", "x"));
  EXPECT_EQ(no_place, "open " + (here / "missing/x").string() + ": No such file or directory");
  const std::string full = co_await test::error_of(write("/dev/full", "x"));
  EXPECT_EQ(full, "write /dev/full: No space left on device");
}

ASTD_TEST(whole_file, is_written) {
  scratch here;
  co_await write(here / "new", "some text");
  EXPECT_EQ(content_of(here / "new"), "some text");
  co_await write(here / "new", std::string("less"));
  EXPECT_EQ(content_of(here / "new"), "less");
  co_await write(here / "new", "");
  EXPECT_EQ(content_of(here / "new"), "");
  const std::string large = pattern(10'485'760);
  co_await write(here / "new", large);
  EXPECT_TRUE(content_of(here / "new") == large);
}

ASTD_TEST(whole_file, leaves_no_descriptor_open_however_it_ends) {
  scratch here;
  const path name = here.made("a", pattern(300'000));
  co_await read_to_string(name);
  const std::size_t before = here.open_files();
  int ended = 0;
  int cancelled = 0;
  for (int turn = 0; turn < 300; ++turn) {
    auto reading = spawn(read_to_string(name));
    auto writing = spawn(write(here / "b", "text"));
    for (int k = 0; k < turn % 8; ++k) co_await this_task::yield();
    const auto text = co_await reading.cancel();
    static_cast<void>(co_await writing.cancel());
    text ? ++ended : ++cancelled;
    EXPECT_TRUE(!text || text->size() == 300'000u);
  }
  EXPECT_EQ(ended + cancelled, 300);
  co_await test::error_of(read_to_string("/tmp"));
  // What nobody awaits is closed in the background.
  while (here.open_files() > before) co_await this_task::sleep_for(std::chrono::milliseconds(1));
}

ASTD_TEST(file, is_written_and_read_piece_by_piece) {
  scratch here;
  file out = co_await file::create(here / "a");
  co_await io::write_all(out, "some ");
  const std::size_t n = co_await out.write("text");
  EXPECT_EQ(n, 4u);
  EXPECT_EQ(content_of(here / "a"), "some text") << "a write has reached the system";
  co_await out.close();
  co_await out.close();
  file in = co_await file::open(here / "a");
  std::array<char, 5> buffer;
  const std::size_t first = co_await in.read(buffer);
  EXPECT_EQ(std::string(buffer.data(), first), "some ");
  const std::size_t second = co_await in.read(buffer);
  EXPECT_EQ(std::string(buffer.data(), second), "text");
  const std::size_t end = co_await in.read(buffer);
  EXPECT_EQ(end, 0u);
  const std::string what = co_await test::error_of(in.write("x"));
  EXPECT_EQ(what, "write " + (here / "a").string() + ": Bad file descriptor");
  const std::string closed = co_await test::error_of(out.write("x"));
  EXPECT_EQ(closed, "write " + (here / "a").string() + ": Bad file descriptor");
}

// Nobody awaits what the destructors close in the background; the end of the runtime does.
ASTD_TEST(file, opens_none_where_descriptors_have_run_out) {
  if (only_real_ones_have("limit of the process")) co_return;
  const scratch here;
  const path present = here.made("present", "content");
  std::string opened, read;
  {
    const test::no_more_descriptors now;
    opened = co_await test::error_of(file::open(present));
    read = co_await test::error_of(read_to_string(present));
  }
  EXPECT_EQ(opened, "open " + present.string() + ": Too many open files");
  EXPECT_EQ(read, "open " + present.string() + ": Too many open files");
  const std::string again = co_await read_to_string(present);
  EXPECT_EQ(again, "content");
}

TEST(file, that_was_never_closed_is_closed_when_the_runtime_ends) {
  if (only_real_ones_have("threads beside it that see its files")) return;
  if (test::lacks_descriptors(100)) return;
  scratch here;
  for (unsigned workers : {0u, 1u, 3u}) {
    runtime_options options = runtime_options::from_environment();
    options.workers = workers;
    std::atomic<int> opened{0};
    runtime rt(options);
    auto leave_open = [&opened](path name) -> task<> {
      file out = co_await file::create(name);
      ++opened;
      co_await io::write_all(out, "unfinished");
      co_await this_task::sleep_for(std::chrono::hours(1));
    };
    auto start = [&]() -> task<> {
      for (int i = 0; i < 50; ++i) rt.spawn(leave_open, here / ("x" + std::to_string(i)).c_str()).detach();
      while (opened < 50) co_await this_task::yield();
      file forgotten = co_await file::create(here / "forgotten");
    };
    rt.block_on(start());
    EXPECT_GE(here.open_files(), 50u);
  }
  EXPECT_EQ(here.open_files(), 0u);
}

ASTD_TEST(file, syncs_what_was_written_and_the_folder_it_is_in) {
  scratch here;
  file out = co_await file::create(here / "a");
  co_await io::write_all(out, "stored");
  co_await out.sync_data();
  co_await out.sync_all();
  file folder = co_await file::open(here / "");
  co_await folder.sync_all();
  const std::string text = co_await read_to_string(here / "a");
  EXPECT_EQ(text, "stored");
  file closed = std::move(out);
  co_await closed.close();
  const std::string after = co_await test::error_of(closed.sync_all());
  EXPECT_EQ(after, "sync " + (here / "a").string() + ": Bad file descriptor");
}

ASTD_TEST(file, moves) {
  scratch here;
  file one = co_await file::create(here / "a");
  file two = std::move(one);
  co_await io::write_all(two, "moved");
  one = co_await file::open(here / "a");
  two = std::move(one);
  std::array<char, 5> buffer;
  const std::size_t n = co_await two.read(buffer);
  EXPECT_EQ(std::string(buffer.data(), n), "moved");
}

}  // namespace
// Neither the one nor the other driver writes it, and no signal ends the program.
ASTD_TEST(file, a_pipe_has_no_positions_to_write_at) {
  if (only_real_ones_have("pipes of the system")) co_return;
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  file writing = file::from_native_handle(ends[1]);
  const auto open = co_await as_result(writing.write_at("x", 0));
  EXPECT_EQ(open.error(), std::errc::invalid_seek);
  ::close(ends[0]);
  const auto broken = co_await as_result(writing.write_at("x", 0));
  EXPECT_EQ(broken.error(), std::errc::invalid_seek);
  const auto all = co_await as_result(writing.write_all_at("x", 7));
  EXPECT_EQ(all.error(), std::errc::invalid_seek);
}

// Nothing that was begun stops it: it begins though everything is being cancelled.
TEST(temporary_directory, is_removed_before_a_runtime_ends) {
  for (int i = 0; i < 20; ++i) {
    path name;
    {
      runtime r({.workers = 2});
      r.block_on([](path& of) -> task<> {
        const auto here = co_await temporary_directory::create();
        of = here.path();
        co_await fs::write(here.path() / "file", "x");
      }(name));
    }
    EXPECT_FALSE(std::filesystem::exists(name)) << name;
  }
}

}  // namespace astd::fs
