#include <astd/fs.hpp>
#include <astd/io.hpp>
#include <astd/io/pipe.hpp>
#include <astd/io/test_kinds.hpp>
#include <astd/io/test_support.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/net/unix_stream.hpp>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace astd::test {
namespace {

using namespace io;

struct connection {
  net::tcp_stream here, there;
};
task<connection> connect() {
  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  auto here = co_await net::tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  co_return connection{std::move(here), std::move(accepted.first)};
}

template <class R>
source fed(R reader, duplex_stream feeder) {
  return {any_reader(std::move(reader)), any_writer(std::move(feeder))};
}
template <class R>
source whole(R reader) {
  return {any_reader(std::move(reader)), std::nullopt};
}
task<fs::file> file_of(std::string content) {
  auto scratch = co_await fs::temporary_file::create();
  fs::file file = std::move(scratch.file());
  co_await fs::remove(scratch.keep());
  co_await write_all(file, content);
  co_await file.seek(0);
  co_return file;
}

constexpr std::size_t small = 7;

task<source> from_duplex(std::string) {
  auto ends = duplex(small);
  co_return fed(std::move(ends.first), std::move(ends.second));
}
task<source> from_tcp(std::string) {
  auto both = co_await connect();
  co_return source{any_reader(std::move(both.here)), any_writer(std::move(both.there))};
}
task<source> from_tcp_half(std::string) {
  auto both = co_await connect();
  auto halves = io::split(std::move(both.here));
  co_return source{any_reader(std::move(halves.first)), any_writer(std::move(both.there))};
}
task<source> from_buffer(std::string) {
  auto ends = duplex(small);
  co_return fed(buf_reader(std::move(ends.first)), std::move(ends.second));
}
task<source> from_tiny_buffer(std::string) {
  auto ends = duplex(100);
  co_return fed(buf_reader(std::move(ends.first), 2), std::move(ends.second));
}
task<source> from_buf_stream(std::string) {
  auto ends = duplex(small);
  co_return fed(buf_stream(std::move(ends.first)), std::move(ends.second));
}
task<source> from_erased(std::string) {
  auto ends = duplex(small);
  co_return fed(any_stream(std::move(ends.first)), std::move(ends.second));
}
task<source> from_take(std::string content) {
  auto ends = duplex(100);
  co_return fed(io::take(std::move(ends.first), content.size() + 1), std::move(ends.second));
}
task<source> from_chain(std::string) {
  auto ends = duplex(small);
  co_return fed(io::chain(empty(), std::move(ends.first)), std::move(ends.second));
}
task<source> from_pipe(std::string) {
  test::pipe_ends ends;
  auto reader = pipe_reader::from_native_handle(std::exchange(ends.read_end, -1));
  auto writer = pipe_writer::from_native_handle(std::exchange(ends.write_end, -1));
  co_return source{any_reader(std::move(reader)), any_writer(std::move(writer))};
}
task<source> from_unix_stream(std::string) {
  auto ends = net::unix_stream::pair();
  co_return source{any_reader(std::move(ends.first)), any_writer(std::move(ends.second))};
}
task<source> from_cursor(std::string content) { co_return whole(cursor(std::move(content))); }
task<source> from_chained_cursors(std::string content) {
  co_return whole(io::chain(cursor(content.substr(0, 5)), cursor(content.substr(5))));
}
task<source> from_limited_cursor(std::string content) {
  co_return whole(io::take(cursor(content + " and more"), content.size()));
}
task<source> from_file(std::string content) {
  auto file = co_await file_of(std::move(content));
  co_return whole(std::move(file));
}
task<source> from_buffered_file(std::string content) {
  auto file = co_await file_of(std::move(content));
  co_return whole(buf_reader(std::move(file), 10));
}

template <class W>
target heard(W writer, duplex_stream far) {
  return {any_writer(std::move(writer)), any_reader(std::move(far)), nullptr, {}};
}

task<target> to_duplex() {
  auto ends = duplex(small);
  co_return heard(std::move(ends.first), std::move(ends.second));
}
task<target> to_tcp() {
  auto both = co_await connect();
  co_return target{any_writer(std::move(both.here)), any_reader(std::move(both.there)), nullptr, {}};
}
task<target> to_pipe() {
  test::pipe_ends ends;
  auto reader = pipe_reader::from_native_handle(std::exchange(ends.read_end, -1));
  auto writer = pipe_writer::from_native_handle(std::exchange(ends.write_end, -1));
  co_return target{any_writer(std::move(writer)), any_reader(std::move(reader)), nullptr, {}};
}
task<target> to_unix_stream() {
  auto ends = net::unix_stream::pair();
  co_return target{any_writer(std::move(ends.first)), any_reader(std::move(ends.second)), nullptr, {}};
}
task<target> to_half() {
  auto ends = duplex(small);
  auto halves = io::split(std::move(ends.first));
  co_return heard(std::move(halves.second), std::move(ends.second));
}
task<target> to_buffer() {
  auto ends = duplex(small);
  co_return heard(buf_writer(std::move(ends.first), 20), std::move(ends.second));
}
task<target> to_buffered_tcp() {
  auto both = co_await connect();
  co_return target{
      any_writer(buf_writer(std::move(both.here), 30)), any_reader(std::move(both.there)), nullptr, {}};
}
task<target> to_line_writer() {
  auto ends = duplex(small);
  co_return heard(line_writer(std::move(ends.first), 8), std::move(ends.second));
}
task<target> to_buf_stream() {
  auto ends = duplex(small);
  co_return heard(buf_stream(std::move(ends.first)), std::move(ends.second));
}
task<target> to_erased() {
  auto ends = duplex(small);
  co_return heard(any_stream(std::move(ends.first)), std::move(ends.second));
}
task<target> to_cursor() {
  auto memory = std::make_shared<std::string>();
  co_return target{any_writer(cursor<std::string&>(*memory)), std::nullopt, memory, {}};
}
task<target> to_file() {
  auto scratch = co_await fs::temporary_file::create();
  co_return target{any_writer(std::move(scratch.file())), std::nullopt, nullptr, scratch.keep().string()};
}

// The last two kinds of each list are the machine's own, which a simulated one does not have.
template <class Kind, std::size_t N>
std::span<const Kind> had_here(const Kind (&all)[N]) {
  const char* const driver = std::getenv("ASTD_DRIVER");
  return std::span<const Kind>(all, driver && std::string_view(driver) == "sim" ? N - 2 : N);
}

}  // namespace

std::span<const source_kind> sources() {
  static constexpr source_kind all[] = {
      {"duplex", from_duplex},
      {"tcp", from_tcp},
      {"half of tcp", from_tcp_half},
      {"buf_reader", from_buffer},
      {"buf_reader of two bytes", from_tiny_buffer},
      {"buf_stream", from_buf_stream},
      {"any_stream", from_erased},
      {"take", from_take},
      {"chain", from_chain},
      {"cursor", from_cursor},
      {"chain of cursors", from_chained_cursors},
      {"take of a cursor", from_limited_cursor},
      {"file", from_file},
      {"buf_reader of a file", from_buffered_file},
      {"unix_stream", from_unix_stream},
      {"pipe", from_pipe},
  };
  return had_here(all);
}

std::span<const target_kind> targets() {
  static constexpr target_kind all[] = {
      {"duplex", to_duplex},
      {"tcp", to_tcp},
      {"half of a duplex", to_half},
      {"buf_writer", to_buffer},
      {"buf_writer of tcp", to_buffered_tcp},
      {"line_writer", to_line_writer},
      {"buf_stream", to_buf_stream},
      {"any_stream", to_erased},
      {"cursor", to_cursor},
      {"file", to_file},
      {"unix_stream", to_unix_stream},
      {"pipe", to_pipe},
  };
  return had_here(all);
}

}  // namespace astd::test
