// The station of the tour with files.
#include "station.hpp"
#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/task.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace fs = astd::fs;

namespace tour {
namespace {

constexpr std::size_t file_count = 200;

// std::filesystem blocks: these run on threads where that does no harm.
fs::path make_directory() {
  auto path = std::filesystem::temp_directory_path() / fmt::format("astd-tour-{:x}", std::random_device()());
  std::filesystem::create_directory(path);
  return path;
}
void remove_directory(fs::path path) { std::filesystem::remove_all(path); }

std::vector<fs::path> files_in(fs::path directory) {
  std::vector<fs::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) files.push_back(entry.path());
  return files;
}

std::string content_of(std::size_t number) {
  return std::string(100 * number, static_cast<char>('a' + number % 26));
}

astd::task<> make_file(fs::path directory, std::size_t number) {
  const std::string content = content_of(number);
  co_await fs::write(directory / fmt::format("{}.txt", number), content);
}

// Gives the size if the content is what make_file wrote.
astd::task<std::size_t> read_file(fs::path file) {
  auto text = co_await fs::read_to_string(file);
  expect(text == content_of(std::stoul(file.stem().string())), file.string() + " holds what was written to it");
  co_return text.size();
}

astd::task<std::string> write_and_read(fs::path place) {
  std::vector<astd::task<>> writing;
  for (std::size_t i = 0; i < file_count; ++i) writing.push_back(make_file(place, i));
  co_await astd::try_join(std::move(writing));

  auto files = co_await astd::spawn_blocking(files_in, place);
  expect(files.size() == file_count, "all files are there");

  stopwatch watch;
  std::vector<astd::task<std::size_t>> reading;
  for (const auto& file : files) reading.push_back(read_file(file));
  auto sizes = co_await astd::try_join(std::move(reading));
  const double took = watch.milliseconds();

  std::size_t bytes = 0;
  for (std::size_t size : sizes) bytes += size;
  expect(bytes == 100 * file_count * (file_count - 1) / 2, "every byte was read");
  co_return fmt::format("{} files with {} bytes, read in {:.2f} ms", files.size(), bytes, took);
}

}  // namespace

astd::task<std::string> directory() {
  auto place = co_await astd::spawn_blocking(make_directory);
  // The cleanup is awaited however the body ends: with a value, an exception, or cancelled.
  const auto clean_up = [&place] { return astd::spawn_blocking(remove_directory, place); };
  auto report = co_await astd::finally(write_and_read(place), clean_up);
  expect(!std::filesystem::exists(place), "the cleanup has run");
  co_return report;
}

}  // namespace tour
