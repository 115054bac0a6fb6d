// io::read_to_end(reader, container), io::read_to_string(reader): all that comes until the end.
//
//   std::vector<std::byte> all;
//   auto n = co_await io::read_to_end(file, all);
//   auto text = co_await io::read_to_string(stream);
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>
#include <astd/io/concepts.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace astd::io {
namespace detail {

/// std::string, std::vector<std::byte> and their like.
template <class C>
concept byte_container = byte_range<C&> && requires(C& c, std::size_t n, const typename C::value_type* p) {
  c.resize(n);
  c.reserve(n);
  { c.capacity() } -> std::convertible_to<std::size_t>;
  c.insert(c.end(), p, p);
};

template <byte_container C>
void append(C& to, const_bytes more) {
  const auto* const first = reinterpret_cast<const typename C::value_type*>(more.data());
  to.insert(to.end(), first, first + more.size());
}

/// Cuts off what was made room for and not filled, however the read ends.
template <class C>
class filled_part {
 public:
  explicit filled_part(C& of) noexcept : of_(of), size_(of.size()) {}
  filled_part(const filled_part&) = delete;
  filled_part& operator=(const filled_part&) = delete;
  ~filled_part() { of_.resize(size_); }
  mutable_bytes room(std::size_t wanted) {
    if (of_.capacity() < size_ + wanted) of_.reserve(size_ + wanted);  // a vector takes just that, and no more
    of_.resize(std::max(of_.capacity(), size_ + wanted));
    return mutable_bytes(of_).drop(size_);
  }
  void added(std::size_t n) noexcept { size_ += n; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool full() const noexcept { return size_ == of_.size(); }

 private:
  C& of_;
  std::size_t size_;
};

}  // namespace detail

/// Appends all that comes to `to`; gives the number of bytes. What the container held stays, and what was read is in it
/// also when the reader fails or this is cancelled: whoever calls it again goes on there. `from` and `to` outlive the
/// await. Memory grows with what comes: io::take limits it.
template <reader R, detail::byte_container C>
task<std::size_t> read_to_end(R&& from, C& to) {
  const std::size_t before = to.size();
  if constexpr (buffered_reader<R>) {
    for (;;) {
      const const_bytes held = co_await or_return(from.fill());
      if (held.empty()) co_return to.size() - before;
      detail::append(to, held);
      from.consume(held.size());
    }
  } else {
    detail::filled_part<C> filled(to);
    // Whoever made just enough room is not to pay for twice as much only to hear that this was the end.
    bool to_the_brim = to.capacity() - before >= 32;
    if (to_the_brim) filled.room(0);
    for (;;) {
      if (filled.full())
        filled.room(std::exchange(to_the_brim, false) ? 32 : std::max(filled.size(), std::size_t{4096}));
      const std::size_t n = co_await or_return(from.read(mutable_bytes(to).drop(filled.size())));
      filled.added(n);
      if (n == 0) co_return filled.size() - before;
    }
  }
}

/// The same for text. Nothing is decoded: whatever bytes come.
template <reader R>
ASTD_CORO_WRAPPER task<std::size_t> read_to_string(R&& from, std::string& to) {
  return read_to_end(static_cast<R&&>(from), to);
}

/// All that comes, as a new string. Cancelled or failed, what was read is gone with it: give it a string to keep that.
template <reader R>
task<std::string> read_to_string(R&& from) {
  std::string all;
  co_await or_return(read_to_end(from, all));
  co_return all;
}

}  // namespace astd::io
