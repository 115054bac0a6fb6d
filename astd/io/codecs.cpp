#include <astd/io/codecs.hpp>
#include <astd/io/error.hpp>

#include <algorithm>
#include <utility>

namespace astd::codec {
namespace {

using text_result = std::expected<std::optional<std::string>, failure>;

failure too_large(std::string_view what, std::uint64_t size, std::size_t limit) {
  std::string subject(what);
  if (size) subject += " of " + std::to_string(size) + " bytes";
  subject += ", more than " + std::to_string(limit);
  return failure(io::make_error_code(io::errc::frame_too_large), subject);
}

std::string taken(io::byte_buffer& in, std::size_t size, std::size_t with_delimiter) {
  std::string item(in.text().substr(0, size));
  in.consume(with_delimiter);
  return item;
}

}  // namespace

delimiter::delimiter(std::string between, std::size_t limit) : between_(std::move(between)), limit_(limit) {
  if (between_.empty()) astd::detail::throw_invalid_argument("codec::delimiter: the delimiter is empty");
}

text_result delimiter::decode(io::byte_buffer& in) {
  for (;;) {
    const std::size_t end = in.text().find(between_, searched_);
    if (end != std::string_view::npos) {
      searched_ = 0;
      const std::size_t behind = end + between_.size();
      if (std::exchange(passing_over_, false)) {
        in.consume(behind);
        continue;
      }
      if (end > limit_) {
        in.consume(behind);
        return text_result(std::unexpect, too_large("read a frame", end, limit_));
      }
      return taken(in, end, behind);
    }
    // The beginning of a delimiter may be there already.
    const std::size_t tail = std::min(in.size(), between_.size() - 1);
    searched_ = in.size() - tail;
    if (passing_over_) {
      in.consume(std::exchange(searched_, 0));
      return std::nullopt;
    }
    if (searched_ <= limit_) return std::nullopt;
    in.consume(std::exchange(searched_, 0));
    passing_over_ = true;
    return text_result(std::unexpect, too_large("read a frame", 0, limit_));
  }
}

text_result delimiter::decode_end(io::byte_buffer& in) {
  text_result got = decode(in);
  if (!got || *got) return got;
  searched_ = 0;
  const std::size_t rest = in.size();
  if (std::exchange(passing_over_, false) || rest == 0) {
    in.clear();
    return std::nullopt;
  }
  if (rest <= limit_) return taken(in, rest, rest);
  in.clear();
  return text_result(std::unexpect, too_large("read a frame", rest, limit_));
}

std::expected<void, failure> delimiter::encode(std::string_view item, io::byte_buffer& out) {
  using result = std::expected<void, failure>;
  if (item.size() > limit_) return result(std::unexpect, too_large("write a frame", item.size(), limit_));
  if (item.find(between_) != std::string_view::npos)
    return result(std::unexpect, io::make_error_code(io::errc::invalid_frame),
                  "write a frame that holds the delimiter");
  const io::mutable_bytes room = out.room(item.size() + between_.size());
  io::detail::copy_bytes(item, room);
  io::detail::copy_bytes(between_, room.drop(item.size()));
  out.added(item.size() + between_.size());
  return {};
}

namespace {

text_result without_return(text_result line) {
  if (line && *line && (*line)->ends_with('\r')) (*line)->pop_back();
  return line;
}

}  // namespace

text_result lines::decode(io::byte_buffer& in) { return without_return(by_newline_.decode(in)); }
text_result lines::decode_end(io::byte_buffer& in) {
  text_result line = without_return(by_newline_.decode(in));
  return line && !*line ? by_newline_.decode_end(in) : std::move(line);
}

length_delimited::length_delimited(length_options options) : options_(options) {
  if (options_.length_size < 1 || options_.length_size > 8)
    astd::detail::throw_invalid_argument("codec::length_delimited: length_size is 1 to 8");
}

text_result length_delimited::decode(io::byte_buffer& in) {
  const std::size_t head = options_.length_size;
  if (in.size() < head) return std::nullopt;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i != head; ++i) {
    const std::size_t at = options_.order == std::endian::big ? i : head - 1 - i;
    length = length << 8 | std::to_integer<std::uint64_t>(in.bytes().data()[at]);
  }
  if (options_.counts_itself) {
    if (length < head)
      return text_result(std::unexpect, io::make_error_code(io::errc::invalid_frame),
                         "read a frame whose length does not count itself");
    length -= head;
  }
  if (length > options_.limit) return text_result(std::unexpect, too_large("read a frame", length, options_.limit));
  if (in.size() - head < length) return std::nullopt;
  std::string item(in.text().substr(head, static_cast<std::size_t>(length)));
  in.consume(head + item.size());
  return item;
}

std::expected<void, failure> length_delimited::encode(std::string_view item, io::byte_buffer& out) {
  using result = std::expected<void, failure>;
  const std::size_t head = options_.length_size;
  if (item.size() > options_.limit)
    return result(std::unexpect, too_large("write a frame", item.size(), options_.limit));
  std::uint64_t length = item.size() + (options_.counts_itself ? head : 0);
  if (head < 8 && length >> (8 * head) != 0)
    return result(std::unexpect, too_large("write a frame", item.size(), (std::size_t{1} << (8 * head)) - 1));
  const io::mutable_bytes room = out.room(head + item.size());
  for (std::size_t i = 0; i != head; ++i, length >>= 8) {
    const std::size_t at = options_.order == std::endian::little ? i : head - 1 - i;
    room.data()[at] = static_cast<std::byte>(length);
  }
  io::detail::copy_bytes(item, room.drop(head));
  out.added(head + item.size());
  return {};
}

text_result bytes::decode(io::byte_buffer& in) {
  if (in.empty()) return std::nullopt;
  return taken(in, in.size(), in.size());
}

std::expected<void, failure> bytes::encode(std::string_view item, io::byte_buffer& out) {
  out.append(item);
  return {};
}

}  // namespace astd::codec
