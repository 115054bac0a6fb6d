// A buffer for each direction of a stream.
//
//   io::buf_stream peer(stream);
//   co_await io::print(peer, "HELO {}\r\n", name);
//   co_await peer.flush();
//   std::string answer;
//   co_await io::read_line(peer, answer);
#pragma once

#include <astd/io/buf_reader.hpp>
#include <astd/io/buf_writer.hpp>

#include <utility>

namespace astd::io {

/// buf_reader and buf_writer over one stream; their rules hold. One task may read while another writes, if the stream
/// below allows it. Reading does not flush: whoever waits for an answer flushes the question.
template <class S>
class buf_stream {
  using stream_type = std::remove_reference_t<S>;

 public:
  /// An lvalue is referred to, an rvalue is moved in. The capacities are in bytes.
  explicit buf_stream(S&& stream, std::size_t read_capacity = 8 * 1024, std::size_t write_capacity = 8 * 1024)
      : stream_(static_cast<S&&>(stream)), in_(place(), read_capacity), out_(place(), write_capacity) {}
  // Both halves refer to the stream in here.
  buf_stream(buf_stream&& other)
      : stream_(static_cast<S&&>(other.stream_)),
        in_(place(), other.in_.capacity()),
        out_(place(), other.out_.capacity()) {
    in_.held_ = std::move(other.in_.held_);
    out_.held_ = std::move(other.out_.held_);
  }
  buf_stream& operator=(buf_stream&&) = delete;

  [[nodiscard]] auto read(mutable_bytes to) noexcept { return in_.read(to); }
  [[nodiscard]] const_bytes buffered() const noexcept { return in_.buffered(); }
  [[nodiscard]] auto fill() noexcept { return in_.fill(); }
  [[nodiscard]] auto fill(std::size_t least) noexcept { return in_.fill(least); }
  void consume(std::size_t n) noexcept { in_.consume(n); }

  [[nodiscard]] auto write(const_bytes data) noexcept { return out_.write(data); }
  [[nodiscard]] auto flush() { return out_.flush(); }
  [[nodiscard]] auto shutdown_write() { return out_.shutdown_write(); }
  [[nodiscard]] auto close() { return out_.close(); }

  /// The halves, and the stream below.
  [[nodiscard]] auto& reader() noexcept { return in_; }
  [[nodiscard]] auto& writer() noexcept { return out_; }
  [[nodiscard]] stream_type& get() noexcept { return stream_; }

 private:
  stream_type& place() noexcept { return stream_; }
  S stream_;
  buf_reader<stream_type&> in_;
  buf_writer<stream_type&> out_;
};
template <class S>
buf_stream(S&&) -> buf_stream<S>;
template <class S>
buf_stream(S&&, std::size_t, std::size_t) -> buf_stream<S>;

}  // namespace astd::io
