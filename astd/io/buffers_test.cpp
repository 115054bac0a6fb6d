// What stands in front of another reader or writer and keeps bytes: buf_reader, buf_writer, line_writer, buf_stream.
#include <astd/base/config.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/lost.hpp>
#include <astd/coro/test_loop.hpp>
#include <astd/io.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <string>

namespace astd::io {
namespace {

// Notes the sizes of what it is given; takes at most `at_most` bytes at a time; fails while it is told to.
struct noting_sink {
  std::size_t at_most = 1000;
  std::string text;
  std::vector<std::size_t> sizes;
  int flushes = 0;
  bool closed = false;
  bool broken = false;
  task<std::size_t> write(const_bytes from) {
    co_await this_task::yield();
    if (broken) co_await fail({std::make_error_code(std::errc::io_error), "write", "a noting sink"});
    const const_bytes taken = from.take(at_most);
    sizes.push_back(taken.size());
    text.append(reinterpret_cast<const char*>(taken.data()), taken.size());
    co_return taken.size();
  }
  task<> flush() {
    ++flushes;
    co_return;
  }
  task<> close() {
    closed = true;
    co_return;
  }
};

std::atomic<int> lost_reports{0};
std::atomic<bool> was_not_flushed{false};
struct counting_lost {
  counting_lost() {
    lost_reports = 0;
    before_ = set_lost_exception_handler([](std::exception_ptr e, std::string_view) noexcept {
      ++lost_reports;
      was_not_flushed = astd::detail::code_of(e) == errc::not_flushed;
    });
  }
  ~counting_lost() { set_lost_exception_handler(before_); }
  lost_exception_handler before_;
};

std::string text_of(const_bytes b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

ASTD_TEST(buf_reader, reads_once_for_many) {
  cursor below(std::string("0123456789"));
  buf_reader in(below, 8);
  std::string text(3, '.');
  co_await read_exact(in, text);
  EXPECT_EQ(below.position(), 8u);
  EXPECT_EQ(text_of(in.buffered()), "34567");
  // A buffer as large as ours needs no other.
  std::string large(8, '.');
  co_await read_exact(in, mutable_bytes(large).take(5));
  const auto n = co_await in.read(large);
  EXPECT_EQ(n, 2u);
  EXPECT_EQ(large.substr(0, 2), "89");
  EXPECT_TRUE(in.buffered().empty());
}

ASTD_TEST(buf_reader, knows_its_place_when_it_seeks) {
  cursor below(std::string("0123456789"));
  buf_reader in(below, 8);
  const auto held = co_await in.fill(6);
  EXPECT_EQ(held.size(), 8u);
  in.consume(2);
  const auto here = co_await stream_position(in);
  EXPECT_EQ(here, 2u);
  const auto there = co_await seek(in, seek_from::current(1));
  EXPECT_EQ(there, 3u);
  const auto rest = co_await read_to_string(in);
  EXPECT_EQ(rest, "3456789");
}

ASTD_TEST(buf_reader, fills_on_request_what_is_longer_than_its_buffer) {
  auto ends = duplex(4);
  buf_reader in(ends.first, 4);
  auto writing =
      spawn([](duplex_stream to) -> task<> { co_await write_all(to, "0123456789"); }, std::move(ends.second));
  const auto held = co_await in.fill(9);
  EXPECT_GE(held.size(), 9u);
  EXPECT_EQ(text_of(in.buffered()).substr(0, 9), "012345678");
  const auto end = co_await in.fill(100);
  EXPECT_EQ(text_of(end), "0123456789");
  co_await writing;
}

ASTD_TEST(buf_writer, writes_much_at_once) {
  noting_sink below;
  buf_writer out(below, 10);
  for (int i = 0; i < 7; ++i) co_await write_all(out, "abc");
  EXPECT_EQ(below.sizes, (std::vector<std::size_t>{9, 9}));
  EXPECT_EQ(text_of(out.buffered()), "abc");
  co_await write_all(out, "0123456789");
  EXPECT_EQ(below.sizes, (std::vector<std::size_t>{9, 9, 3, 10})) << "what is as large as the buffer goes by it";
  co_await write_all(out, "end");
  co_await out.close();
  EXPECT_TRUE(below.closed);
  EXPECT_EQ(below.text, "abcabcabcabcabcabcabc0123456789end");
  EXPECT_TRUE(out.buffered().empty());
}

ASTD_TEST(buf_writer, keeps_what_could_not_be_written) {
  noting_sink below;
  below.at_most = 2;
  buf_writer out(below, 10);
  co_await write_all(out, "0123");
  below.broken = true;
  std::string what;
  try {
    co_await out.flush();
  } catch (const std::system_error& e) {
    what = e.what();
  }
  EXPECT_NE(what.find("a noting sink"), std::string::npos) << what;
  const auto refused = co_await as_result(write_all(out, "456789abcdef"));
  EXPECT_EQ(refused.error(), std::errc::io_error);
  below.broken = false;
  co_await out.flush();
  EXPECT_EQ(below.text, "0123") << "of what was refused nothing was taken";
  EXPECT_EQ(below.flushes, 1);
  auto inner = co_await std::move(out).into_inner();
  EXPECT_EQ(inner.text, "0123");
}

ASTD_TEST(buf_writer, seeks_behind_what_it_held) {
  cursor below(std::string{});
  buf_writer out(below);
  co_await write_all(out, "0123456789");
  const auto place = co_await out.seek(2);
  EXPECT_EQ(place, 2u);
  co_await write_all(out, "ab");
  co_await out.flush();
  EXPECT_EQ(below.get(), "01ab456789");
}

ASTD_TEST(buf_writer, says_what_is_lost_with_it) {
  counting_lost lost;
  noting_sink below;
  {
    buf_writer out(below);
    co_await write_all(out, "abc");
    buf_writer moved(std::move(out));
  }
  EXPECT_EQ(lost_reports, 1);
  EXPECT_TRUE(was_not_flushed);
  {
    buf_writer out(below);
    co_await write_all(out, "abc");
    out.discard();
  }
  {
    buf_writer out(below);
    co_await write_all(out, "abc");
    below.broken = true;
    const auto refused = co_await as_result(out.flush());
    EXPECT_FALSE(refused);
  }
  EXPECT_EQ(lost_reports, 1) << "what was thrown away or refused is known";
}

ASTD_TEST(buf_writer, says_nothing_when_its_task_is_cancelled) {
  counting_lost lost;
  auto writing = spawn([]() -> task<> {
    buf_writer out(sink{});
    co_await write_all(out, "abc");
    for (;;) co_await this_task::yield();
  });
  for (int i = 0; i < 3; ++i) co_await this_task::yield();
  const auto stopped = co_await writing.cancel();
  EXPECT_FALSE(stopped);
  EXPECT_EQ(lost_reports, 0);
}

ASTD_TEST(line_writer, writes_whole_lines) {
  noting_sink below;
  line_writer out(below, 16);
  co_await write_all(out, "one, ");
  EXPECT_EQ(below.text, "");
  co_await write_all(out, "two\nthree");
  EXPECT_EQ(below.text, "one, two\n");
  EXPECT_EQ(text_of(out.buffered()), "three");
  co_await write_all(out, " and a tail that is longer than the buffer");
  co_await out.flush();
  EXPECT_EQ(below.text, "one, two\nthree and a tail that is longer than the buffer");
  EXPECT_EQ(below.flushes, 1);
}

ASTD_TEST(buf_stream, has_a_buffer_each_way) {
  auto ends = duplex(100);
  buf_stream here(std::move(ends.first));
  buf_stream there(ends.second);
  co_await io::print(here, "{} bottles\n", 99);
  EXPECT_EQ(text_of(here.writer().buffered()), "99 bottles\n");
  buf_stream moved(std::move(here));
  co_await moved.flush();
  std::string line;
  co_await read_line(there, line);
  EXPECT_EQ(line, "99 bottles\n");
  co_await write_all(there, "cheers\nand more\n");
  co_await there.shutdown_write();
  std::string first;
  co_await read_line(moved, first);
  EXPECT_EQ(first, "cheers\n");
  buf_stream again(std::move(moved));
  const auto rest = co_await read_to_string(again);
  EXPECT_EQ(rest, "and more\n");
}

// What is in the buffer is read on the spot.
TEST(buf_reader, does_not_suspend_or_allocate_for_what_is_buffered) {
  cursor below(std::string("one\ntwo\nthree\n\0\0\0\7", 18));
  buf_reader in(below);
  std::string line;
  line.reserve(100);
  test::run_to_end(read_line(in, line));
  const std::size_t frames = astd::detail::frame_pool_usage().in_use;
  std::size_t allocated = 0;
  auto at_once = [&](auto awaitable) {
    auto awaiter = astd::detail::get_awaiter(std::move(awaitable));
    EXPECT_TRUE(awaiter.await_ready());
    allocated += astd::detail::frame_pool_usage().in_use - frames;
    return awaiter.take().get();
  };
  EXPECT_EQ(at_once(read_line(in, line)), 4u);
  EXPECT_EQ(line, "one\ntwo\n");
  auto all = lines(in);
  EXPECT_EQ(at_once(all.next()), "three");
  EXPECT_EQ(at_once(read_u32_be(in)), 7u);
  EXPECT_EQ(allocated, 0u);
}

#if ASTD_HAS_EXCEPTIONS
TEST(byte_buffer, refuses_what_no_memory_could_hold) {
  byte_buffer held(4);
  held.append("abc");
  EXPECT_THROW(static_cast<void>(held.room(SIZE_MAX)), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(held.room(SIZE_MAX - 2)), std::bad_alloc);
  EXPECT_EQ(held.text(), "abc");
}
#endif

ASTD_TEST(buf_reader, seeks_nowhere_far_before_the_beginning) {
  cursor below("0123456789");
  buf_reader in(below, 4);
  std::string some(1, '.');
  co_await read_exact(in, some);
  const auto far = co_await as_result(in.seek(seek_from::current(INT64_MIN)));
  EXPECT_EQ(far.error(), std::errc::invalid_argument);
  EXPECT_EQ(in.buffered().size(), 3u);
  const auto place = co_await in.seek(seek_from::current(-1));
  EXPECT_EQ(place, 0u);
}

ASTD_TEST(cursor, cannot_write_where_no_container_reaches) {
  cursor out(std::string("abc"));
  out.set_position(UINT64_MAX - 1);
  const auto far = co_await as_result(write_all(out, "xyz"));
  EXPECT_EQ(far.error(), std::errc::file_too_large);
  EXPECT_EQ(out.get(), "abc");
  out.set_position(3);
  co_await write_all(out, "d");
  EXPECT_EQ(out.get(), "abcd");
}

}  // namespace
}  // namespace astd::io
