// Internal: reading and writing at a place, and into several buffers at once.
#pragma once

#include <astd/io/buffer.hpp>
#include <astd/io/io_awaitable.hpp>
#include <astd/runtime/io_operation.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace astd::fs::detail {

class positional_transfer final : public astd::detail::io_awaiter<positional_transfer, std::size_t> {
 public:
  struct arguments {
    arguments(driver::opcode read_or_write, int fd, const void* bytes, std::size_t count, std::uint64_t at,
              const char* name) noexcept
        : what(read_or_write),
          descriptor(fd),
          data(const_cast<void*>(bytes)),
          size(count),
          offset(static_cast<std::int64_t>(at)),
          subject(name) {}
    driver::opcode what;
    int descriptor;
    void* data;
    std::size_t size;
    std::int64_t offset;
    const char* subject;
  };

  // No file is so long as an offset that is negative here: -2, since -1 would be the own position.
  explicit positional_transfer(const arguments& a) noexcept
      : io_awaiter(a.what, a.descriptor), subject_(a.subject) {
    args.transfer = {a.data, a.size, 0, a.offset < 0 ? -2 : a.offset};
  }
  bool await_ready() const noexcept { return args.transfer.size == 0; }
  astd::detail::outcome<std::size_t> take() {
    resumed();
    if (failed()) [[unlikely]]
      return failed_with(code == driver::opcode::read ? "read" : "write", subject_);
    astd::detail::outcome<std::size_t> bytes;
    bytes.set_value(static_cast<std::size_t>(result()));
    return bytes;
  }

 private:
  const char* subject_;
};

/// Its buffers are the system's iovec: a pointer and a size.
class vectored_transfer final : public astd::detail::io_awaiter<vectored_transfer, std::size_t> {
 public:
  struct arguments {
    template <class Bytes>
    arguments(driver::opcode read_or_write, int fd, std::span<Bytes> buffers, std::int64_t at,
              const char* name) noexcept
        : what(read_or_write),
          descriptor(fd),
          vectors(reinterpret_cast<const iovec*>(buffers.data())),
          count(buffers.size() < 1024 ? static_cast<unsigned>(buffers.size()) : 1024u),
          offset(at),
          subject(name) {
      for (unsigned i = 0; i < count; ++i) empty = empty && buffers[i].empty();
    }
    driver::opcode what;
    int descriptor;
    const iovec* vectors;
    unsigned count;
    std::int64_t offset;
    const char* subject;
    bool empty = true;
  };

  explicit vectored_transfer(const arguments& a) noexcept
      : io_awaiter(a.what, a.descriptor), subject_(a.subject), empty_(a.empty) {
    args.vectors = {a.vectors, a.count, a.offset < -1 ? -2 : a.offset};
  }
  bool await_ready() const noexcept { return empty_; }
  astd::detail::outcome<std::size_t> take() {
    resumed();
    if (failed()) [[unlikely]]
      return failed_with(code == driver::opcode::readv ? "read" : "write", subject_);
    astd::detail::outcome<std::size_t> bytes;
    bytes.set_value(static_cast<std::size_t>(result()));
    return bytes;
  }

 private:
  const char* subject_;
  bool empty_;
};

/// Over before it began.
class nothing_to_flush : public astd::detail::awaiter_base<nothing_to_flush> {
 public:
  using value_type = void;
  bool await_ready() const noexcept { return true; }
  astd::detail::resumable* start(const astd::detail::await_context& c) const noexcept { return c.continuation; }
  astd::detail::outcome<void> take() const noexcept {
    astd::detail::outcome<void> done;
    done.set_value();
    return done;
  }
};

}  // namespace astd::fs::detail
