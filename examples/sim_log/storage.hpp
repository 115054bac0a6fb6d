// A small thing that has to survive a loss of power, as a whole: it is written to two files in turn, each with a number
// and a checksum, so that the older one is whole while the newer is written.
#pragma once

#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/task.hpp>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace replicated {

class storage {
 public:
  /// Not `careful`: it trusts that what was written is stored, which is not so.
  storage(astd::fs::path folder, bool careful) : folder_(folder), careful_(careful) {}

  /// What was saved last; nothing if that was never. It is stored before anybody relies on it: a program that ended when
  /// its disk failed may have left it in the system's memory only. Throws what the disk says: what cannot be read was saved
  /// all the same.
  astd::task<std::optional<std::string>> load() {
    std::optional<std::string> newest;
    for (std::uint64_t i = 0; i < 2; ++i) {
      auto text = co_await astd::as_result(astd::fs::read_to_string(file(i)));
      if (!text && text.error() == std::errc::no_such_file_or_directory) continue;
      if (!text) throw std::system_error(text.error(), "what was saved");
      if (text->size() < sizeof(head)) continue;
      head h;
      std::memcpy(&h, text->data(), sizeof h);
      const std::string_view content = std::string_view(*text).substr(sizeof h);
      if (h.checksum != checksum(h.number, content) || h.number <= number_) continue;
      number_ = h.number;
      newest = std::string(content);
    }
    if (newest) co_await save(*newest);
    co_return newest;
  }

  /// Has been stored when this ends.
  astd::task<> save(std::string_view content) {
    const head h{number_ + 1, checksum(number_ + 1, content)};
    std::string bytes(sizeof h + content.size(), '\0');
    std::memcpy(bytes.data(), &h, sizeof h);
    std::memcpy(bytes.data() + sizeof h, content.data(), content.size());
    auto out = co_await astd::fs::file::create(file(h.number));
    co_await astd::io::write_all(out, bytes);
    if (careful_) co_await out.sync_all();
    co_await out.close();
    if (careful_ && saved_ < 2) {  // the file's name is new, as far as one knows
      auto names = co_await astd::fs::file::open(folder_);
      co_await names.sync_all();
    }
    number_ = h.number;
    ++saved_;
  }

 private:
  struct head {
    std::uint64_t number, checksum;
  };
  astd::fs::path file(std::uint64_t number) const { return folder_ / (number % 2 ? "log.odd" : "log.even"); }
  static std::uint64_t checksum(std::uint64_t number, std::string_view content) {
    std::uint64_t sum = number + 0x9e3779b97f4a7c15;
    for (const char c : content) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return sum;
  }
  astd::fs::path folder_;
  bool careful_;
  std::uint64_t number_ = 0, saved_ = 0;
};

}  // namespace replicated
