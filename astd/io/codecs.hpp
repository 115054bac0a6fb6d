// The codecs that come with astd: lines, any delimiter, a length in front, and bytes as they come.
//
//   codec::framed(stream, codec::lines());
//   codec::framed(stream, codec::delimiter("\r\n\r\n", 16 * 1024));
//   codec::framed(stream, codec::length_delimited({.limit = 1 << 20}));
#pragma once

#include <astd/base/error.hpp>
#include <astd/io/byte_buffer.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace astd::codec {

/// Frames that end with a delimiter, which the items are without. What is behind the last one is a frame if it is not
/// empty. A frame of more than `limit` bytes is io::errc::frame_too_large, and is passed over: the next one comes behind
/// it. It takes no more memory than that. An item that holds the delimiter is io::errc::invalid_frame.
class delimiter {
 public:
  static constexpr std::size_t default_limit = 64 * 1024;
  /// `between` is not empty; anything of one byte or more.
  explicit delimiter(std::string between, std::size_t limit = default_limit);

  std::expected<std::optional<std::string>, failure> decode(io::byte_buffer& in);
  std::expected<std::optional<std::string>, failure> decode_end(io::byte_buffer& in);
  std::expected<void, failure> encode(std::string_view item, io::byte_buffer& out);

 private:
  std::string between_;
  std::size_t limit_;
  std::size_t searched_ = 0;
  bool passing_over_ = false;
};

/// Lines: as delimiter("\n"), and a "\r" before it is taken off as well.
class lines {
 public:
  explicit lines(std::size_t limit = delimiter::default_limit) : by_newline_("\n", limit) {}

  std::expected<std::optional<std::string>, failure> decode(io::byte_buffer& in);
  std::expected<std::optional<std::string>, failure> decode_end(io::byte_buffer& in);
  std::expected<void, failure> encode(std::string_view line, io::byte_buffer& out) {
    return by_newline_.encode(line, out);
  }

 private:
  delimiter by_newline_;
};

struct length_options {
  std::size_t length_size = 4;           // bytes of the length, 1 to 8
  std::endian order = std::endian::big;  // of these bytes
  bool counts_itself = false;            // whether the length counts these bytes as well
  std::size_t limit = 8 * 1024 * 1024;   // bytes of an item at most
};

/// Frames that begin with their length. One that is longer than the limit is io::errc::frame_too_large, before any of it
/// is waited for or memory is taken; nobody can know where the next one begins, so every next() says so again.
class length_delimited {
 public:
  explicit length_delimited(length_options options = {});

  std::expected<std::optional<std::string>, failure> decode(io::byte_buffer& in);
  std::expected<void, failure> encode(std::string_view item, io::byte_buffer& out);

 private:
  length_options options_;
};

/// No frames: items are what one read gave, as it comes.
class bytes {
 public:
  std::expected<std::optional<std::string>, failure> decode(io::byte_buffer& in);
  std::expected<void, failure> encode(std::string_view item, io::byte_buffer& out);
};

}  // namespace astd::codec
