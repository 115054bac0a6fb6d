// Files and directories, beside the system's own calls, std::filesystem and the usual tools.
//
//   fs_bench FOLDER [read|stream|small|walk|copy]      FOLDER is made, and removed at the end
//
// Each line: what, wall time for one, and CPU for one. docs/design/files.md says what came of it.
#include <astd/astd.hpp>

#include <bench/report.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

namespace fs = astd::fs;
using astd::task;

constexpr int reads = 100'000, small_files = 10'000, tree_directories = 400, tree_files = 40;
constexpr std::size_t large = 256u << 20;

std::string top;

std::uint64_t next_place(std::uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (state >> 33) % (large / 4096) * 4096;
}

void report(bench::stopwatch const& watch, const char* what, int count) {
  watch.report(what, static_cast<std::uint64_t>(count));
}

// ---- random reads of 4 KiB, from the system's cache and past it

struct alignas(4096) page {
  std::byte bytes[4096];
};

task<> some_reads(fs::file& f, int count, std::uint64_t seed) {
  const auto to = std::make_unique<page>();
  for (int i = 0; i < count; ++i) co_await f.read_at(to->bytes, next_place(seed));
}

task<> bench_reads_of(const std::string& name, bool direct) {
  const std::string how = direct ? "direct_" : "";
  const int count = direct ? reads / 10 : reads;
  {
    const int fd = ::open(name.c_str(), O_RDONLY | (direct ? O_DIRECT : 0));
    const auto to = std::make_unique<page>();
    std::uint64_t seed = 1;
    const bench::stopwatch watch;
    for (int i = 0; i < count; ++i)
      if (::pread(fd, to->bytes, sizeof *to, static_cast<off_t>(next_place(seed))) != sizeof *to) std::abort();
    report(watch, (how + "read_4k_pread").c_str(), count);
    ::close(fd);
  }
  auto f = co_await fs::open_options().read(true).direct(direct).open(name);
  for (const int depth : {1, 64, 512}) {
    const bench::stopwatch watch;
    std::vector<task<>> all;
    for (int i = 0; i < depth; ++i) all.push_back(some_reads(f, count / depth, static_cast<std::uint64_t>(i)));
    co_await astd::join(std::move(all));
    report(watch, (how + "read_4k_astd_depth_" + std::to_string(depth)).c_str(), count / depth * depth);
  }
  co_await f.close();
}

task<> bench_reads() {
  const std::string name = top + "/large";
  {
    auto out = co_await fs::file::create(name);
    const std::string piece(1 << 20, 'x');
    for (std::size_t at = 0; at < large; at += piece.size()) co_await astd::io::write_all(out, piece);
    co_await out.sync_all();  // direct reads would wait for it
    co_await out.close();
  }
  auto f = co_await fs::file::open(name);
  const bool has_direct = co_await fs::direct_alignment(f) != 0;
  co_await f.close();
  for (int turn = 0; turn < 2; ++turn) {
    co_await bench_reads_of(name, false);
    if (has_direct) co_await bench_reads_of(name, true);
  }
  if (!has_direct) std::puts("left out: this file system has no direct reads");
}

// ---- a large file from one end to the other, 128 KiB at a time; per piece

task<> bench_stream() {
  const std::string name = top + "/stream";
  std::string piece(128 * 1024, 'x');
  constexpr int pieces = static_cast<int>(large / (128 * 1024));
  for (int turn = 0; turn < 3; ++turn) {
    {
      const bench::stopwatch watch;
      const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      for (int i = 0; i < pieces; ++i)
        if (::write(fd, piece.data(), piece.size()) != static_cast<ssize_t>(piece.size())) std::abort();
      ::close(fd);
      report(watch, "stream_write_raw", pieces);
    }
    {
      const bench::stopwatch watch;
      const int fd = ::open(name.c_str(), O_RDONLY);
      while (::read(fd, piece.data(), piece.size()) > 0) continue;
      ::close(fd);
      report(watch, "stream_read_raw", pieces);
    }
    {
      const bench::stopwatch watch;
      std::ofstream out(name, std::ios::binary);
      for (int i = 0; i < pieces; ++i) out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
      out.close();
      report(watch, "stream_write_ofstream", pieces);
    }
    {
      const bench::stopwatch watch;
      std::ifstream in(name, std::ios::binary);
      while (in.read(piece.data(), static_cast<std::streamsize>(piece.size()))) continue;
      report(watch, "stream_read_ifstream", pieces);
    }
    {
      const bench::stopwatch watch;
      auto out = co_await fs::file::create(name);
      for (int i = 0; i < pieces; ++i) co_await astd::io::write_all(out, piece);
      co_await out.close();
      report(watch, "stream_write_astd", pieces);
    }
    {
      const bench::stopwatch watch;
      auto in = co_await fs::file::open(name);
      for (;;) {
        const auto n = co_await in.read(piece);
        if (n == 0) break;
      }
      co_await in.close();
      report(watch, "stream_read_astd", pieces);
    }
  }
}

// ---- open, read, close

std::string small_name(int i) { return top + "/small/" + std::to_string(i); }

task<> some_small(int first, int step) {
  std::array<std::byte, 4096> buffer;
  for (int i = first; i < small_files; i += step) {
    auto f = co_await fs::file::open(small_name(i));
    co_await f.read(buffer);
    co_await f.close();
  }
}

task<> bench_small() {
  co_await fs::create_directory(top + "/small");
  for (int i = 0; i < small_files; ++i) co_await fs::write(small_name(i), std::string(100, 'x'));
  for (int turn = 0; turn < 2; ++turn) {
    {
      const bench::stopwatch watch;
      for (int i = 0; i < small_files; ++i) {
        const int fd = ::open(small_name(i).c_str(), O_RDONLY);
        char buffer[4096];
        if (::read(fd, buffer, sizeof buffer) != 100) std::abort();
        ::close(fd);
      }
      report(watch, "small_raw", small_files);
    }
    {
      const bench::stopwatch watch;
      for (int i = 0; i < small_files; ++i) {
        std::ifstream in(small_name(i), std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        if (text.size() != 100) std::abort();
      }
      report(watch, "small_ifstream_whole", small_files);
    }
    {
      const bench::stopwatch watch;
      co_await some_small(0, 1);
      report(watch, "small_astd_1", small_files);
    }
    {
      const bench::stopwatch watch;
      for (int i = 0; i < small_files; ++i) {
        const auto text = co_await fs::read_to_string(small_name(i));
        if (text.size() != 100) std::abort();
      }
      report(watch, "small_astd_whole", small_files);
    }
    {
      const bench::stopwatch watch;
      std::vector<task<>> all;
      for (int i = 0; i < 64; ++i) all.push_back(some_small(i, 64));
      co_await astd::join(std::move(all));
      report(watch, "small_astd_64", small_files);
    }
  }
}

// ---- trees

void plant_tree() {
  const std::string content(1000, 'x');
  for (int d = 0; d < tree_directories; ++d) {
    const std::string directory = top + "/tree/" + std::to_string(d / 20) + "/" + std::to_string(d);
    std::filesystem::create_directories(directory);
    for (int f = 0; f < tree_files; ++f) {
      std::FILE* const out = std::fopen((directory + "/" + std::to_string(f)).c_str(), "w");
      std::fwrite(content.data(), 1, content.size(), out);
      std::fclose(out);
    }
  }
}

constexpr int tree_entries = tree_directories * (tree_files + 1) + tree_directories / 20;

task<> bench_walk() {
  plant_tree();
  for (int turn = 0; turn < 3; ++turn) {
    {
      const bench::stopwatch watch;
      if (std::system(("find " + top + "/tree > /dev/null").c_str()) != 0) std::abort();
      report(watch, "walk_find", tree_entries);
    }
    {
      const bench::stopwatch watch;
      int count = 0;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(top + "/tree"))
        count += !entry.path().empty();
      if (count != tree_entries) std::abort();
      report(watch, "walk_std", tree_entries);
    }
    {
      const bench::stopwatch watch;
      int count = 0;
      fs::recursive_directory_iterator entries(top + "/tree");
      for (;;) {
        auto entry = co_await entries.next();
        if (!entry) break;
        ++count;
      }
      if (count != tree_entries) std::abort();
      report(watch, "walk_astd_one_by_one", tree_entries);
    }
    {
      const bench::stopwatch watch;
      int count = 0;
      auto entries = fs::walk(top + "/tree");
      for (;;) {
        auto entry = co_await entries.next();
        if (!entry) break;
        ++count;
      }
      if (count != tree_entries) std::abort();
      report(watch, "walk_astd", tree_entries);
    }
  }
}

// Nothing is removed in between: ext4 passes over inodes that were freed in the last seconds, one by one, and that is all
// that would be measured.
task<> bench_copy() {
  plant_tree();
  const std::string from = top + "/tree";
  constexpr int turns = 2;
  const auto to = [](const char* who, int turn) { return top + "/" + who + std::to_string(turn); };
  for (int turn = 0; turn < turns; ++turn) {
    {
      const bench::stopwatch watch;
      if (std::system(("cp -r " + from + " " + to("cp", turn)).c_str()) != 0) std::abort();
      report(watch, "copy_cp", tree_entries);
    }
    {
      const bench::stopwatch watch;
      std::filesystem::copy(from, to("std", turn), std::filesystem::copy_options::recursive);
      report(watch, "copy_std", tree_entries);
    }
    {
      const bench::stopwatch watch;
      co_await fs::copy(from, to("astd", turn), fs::copy_options::recursive);
      report(watch, "copy_astd", tree_entries);
    }
  }
  for (int turn = 0; turn < turns; ++turn) {
    {
      const bench::stopwatch watch;
      if (std::system(("rm -r " + to("cp", turn)).c_str()) != 0) std::abort();
      report(watch, "remove_rm", tree_entries);
    }
    {
      const bench::stopwatch watch;
      std::filesystem::remove_all(to("std", turn));
      report(watch, "remove_std", tree_entries);
    }
    {
      const bench::stopwatch watch;
      co_await fs::remove_all(to("astd", turn));
      report(watch, "remove_astd", tree_entries);
    }
  }
}

}  // namespace

task<int> async_main(std::span<const std::string_view> arguments) {
  if (arguments.size() < 2) {
    std::fprintf(stderr, "fs_bench FOLDER [read|stream|small|walk|copy]\n");
    co_return 2;
  }
  top = std::string(arguments[1]);
  const std::string_view which = arguments.size() > 2 ? arguments[2] : "";
  co_await fs::create_directories(top);
  if (which.empty() || which == "read") co_await bench_reads();
  if (which.empty() || which == "stream") co_await bench_stream();
  if (which.empty() || which == "small") co_await bench_small();
  if (which.empty() || which == "walk") co_await bench_walk();
  if (which.empty() || which == "copy") co_await bench_copy();
  co_await fs::remove_all(top);
  co_return 0;
}
