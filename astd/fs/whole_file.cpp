#include <astd/coro/or_return.hpp>
#include <astd/fs/whole_file.hpp>
#include <astd/io/write_all.hpp>
#include <astd/runtime/this_task.hpp>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace astd::fs {
namespace {

// Most files are smaller: then nobody need be asked for the size.
constexpr std::size_t first_size = 16 * 1024;
// As much as one operation is asked for, since between two of them a request to stop is heard.
constexpr std::size_t piece = 1024 * 1024;

void resize(std::string& content, std::size_t size) {
  content.resize_and_overwrite(size, [](char*, std::size_t n) noexcept { return n; });
}
void resize(std::vector<std::byte>& content, std::size_t size) { content.resize(size); }

template <class Container>
bool try_reserve(Container& content, std::size_t size) {
#if ASTD_HAS_EXCEPTIONS
  try {
    content.reserve(size);
  } catch (const std::bad_alloc&) {
    return false;
  } catch (const std::length_error&) {
    return false;
  }
#else
  content.reserve(size);
#endif
  return true;
}

}  // namespace

class whole_file {
 public:
  template <class Container>
  static task<Container> read(path name) {
    file source = co_await or_return(file::open(std::move(name)));
    Container content;
    resize(content, first_size);
    std::size_t size = 0;
    std::size_t room = first_size;
    for (;;) {
      if (size == room) {
        std::size_t larger = 2 * size;
        if (size == first_size) {
          const std::size_t hint = co_await or_return(detail::size_hint(source.handle_));
          // One byte more than there should be: the read that finds the end needs somewhere to put what it does not get.
          larger = std::max(larger, hint < SIZE_MAX ? hint + 1 : hint);
        }
        if (!try_reserve(content, larger)) {
          co_await fail(
              {std::make_error_code(std::errc::not_enough_memory), "read", source.handle_.name().string()});
        }
        room = larger;
      }
      // A piece at a time, too: a vector fills with zeros what it is enlarged by.
      if (size == content.size()) resize(content, size + std::min(piece, room - size));
      const std::size_t n = co_await or_return(source.read({content.data() + size, content.size() - size}));
      if (n == 0) break;
      size += n;
      // What the system has at hand is read at once, and the thread has others to serve.
      if (n == piece) co_await this_task::yield();
    }
    content.resize(size);
    if (size < content.capacity() / 2) content.shrink_to_fit();
    co_await or_return(source.close());
    co_return content;
  }
};

ASTD_CORO_WRAPPER task<std::string> read_to_string(path name) {
  return whole_file::read<std::string>(std::move(name));
}
ASTD_CORO_WRAPPER task<std::vector<std::byte>> read(path name) {
  return whole_file::read<std::vector<std::byte>>(std::move(name));
}

task<> write(path name, io::const_bytes data) {
  file target = co_await or_return(file::create(std::move(name)));
  while (!data.empty()) {
    const io::const_bytes part = data.take(piece);
    co_await or_return(io::write_all(target, part));
    data = data.drop(part.size());
    if (!data.empty()) co_await this_task::yield();
  }
  co_await or_return(target.close());
}

}  // namespace astd::fs
