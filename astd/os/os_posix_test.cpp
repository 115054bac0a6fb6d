#include <astd/coro/as_result.hpp>
#include <astd/fs.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/test_support.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net.hpp>
#include <astd/os.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/this_task.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace astd::os {
namespace {

task<> until_readable(async_fd& fd) { co_await fd.readable(); }

ASTD_TEST(async_fd, awaits_any_descriptor) {
  async_fd counter(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::uint64_t value = 0;
  io::mutable_bytes buffer(&value, sizeof value);
  EXPECT_TRUE(counter.try_read(buffer).is_not_ready());
  for (int turns = 0; turns < 6; ++turns) {
    auto waiting = spawn(until_readable, std::ref(counter));
    for (int i = 0; i < turns; ++i) co_await this_task::yield();
    co_await waiting.cancel();
  }
  auto waiting = spawn(until_readable, std::ref(counter));
  for (int i = 0; i < 5; ++i) co_await this_task::yield();
  EXPECT_FALSE(waiting.is_finished());
  const std::uint64_t three = 3;
  co_await counter.write(io::const_bytes(&three, sizeof three));
  co_await std::move(waiting);
  const int events = co_await counter.ready(POLLIN | POLLOUT);
  EXPECT_EQ(events, POLLIN | POLLOUT);
  const std::size_t n = co_await counter.read(buffer);
  EXPECT_EQ(n, sizeof value);
  EXPECT_EQ(value, 3u);
  const native_handle raw = std::move(counter).into_native_handle();
  EXPECT_EQ(::close(raw), 0);
}

ASTD_TEST(async_fd, errors_say_which_it_was) {
  async_fd read_only(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto write_to = [](async_fd& to) -> task<> { co_await to.write("x"); };
  const std::string by_number = co_await test::error_of(write_to(read_only));
  EXPECT_EQ(by_number, "write descriptor " + std::to_string(read_only.get()) + ": Bad file descriptor");
  async_fd named(::open("/dev/null", O_RDONLY | O_CLOEXEC), "the null device");
  const std::string by_name = co_await test::error_of(write_to(named));
  EXPECT_EQ(by_name, "write the null device: Bad file descriptor");
}

ASTD_TEST(os_pipe, carries_bytes_and_the_end) {
  auto ends = pipe();
  std::array<char, 16> buffer;
  EXPECT_TRUE(ends.first.try_read(buffer).is_not_ready());
  co_await io::write_all(ends.second, "hello");
  const auto some = ends.first.try_read(buffer);
  EXPECT_EQ(some.value(), 5u);
  const std::string much(1'000'000, 'x');
  while (ends.second.try_write(much).is_ready()) {
  }
  auto writing = spawn([](pipe_writer& w) -> task<> { co_await w.writable(); }, std::ref(ends.second));
  for (int i = 0; i < 5; ++i) co_await this_task::yield();
  EXPECT_FALSE(writing.is_finished());
  std::string all(65536, '\0');
  co_await io::read_exact(ends.first, all);
  co_await std::move(writing);
  co_await ends.second.close();
  EXPECT_FALSE(ends.second.is_open());
  for (;;) {
    const std::size_t n = co_await ends.first.read(all);
    if (n == 0) break;
  }
  ends = pipe();
  co_await ends.first.close();
  const auto broken = co_await as_result(ends.second.write("x"));
  EXPECT_EQ(broken.error(), std::errc::broken_pipe);
}

ASTD_TEST(os_pipe, a_cancelled_read_has_taken_nothing) {
  auto ends = pipe();
  auto one = [](pipe_reader& from) -> task<char> {
    std::array<char, 1> byte;
    co_await from.read(byte);
    co_return byte[0];
  };
  char next = 0;
  for (int turns = 0; turns < 60; ++turns) {
    auto reading = spawn(one, std::ref(ends.first));
    for (int i = 0; i < turns % 4; ++i) co_await this_task::yield();
    const char sent = static_cast<char>(turns);
    co_await ends.second.write(io::const_bytes(&sent, 1));
    for (int i = 0; i < turns % 3; ++i) co_await this_task::yield();
    auto got = co_await reading.cancel();
    if (!got) got = co_await one(ends.first);
    EXPECT_EQ(*got, next);
    ++next;
  }
}

class folder {
 public:
  folder() : path_(std::filesystem::temp_directory_path() / ("astd-watch-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(path_);
  }
  ~folder() {
    std::error_code none;
    std::filesystem::remove_all(path_, none);
  }
  [[nodiscard]] const std::filesystem::path& get() const { return path_; }

 private:
  std::filesystem::path path_;
};

task<file_change> next_of(watcher& w) {
  const auto found = co_await w.next();
  co_return *found;
}

ASTD_TEST(watcher, tells_of_changes) {
  const folder here;
  watcher changes;
  co_await changes.add(here.get());
  auto early = spawn(next_of, std::ref(changes));
  for (int i = 0; i < 5; ++i) co_await this_task::yield();
  EXPECT_FALSE(early.is_finished());
  const auto none = co_await early.cancel();
  EXPECT_FALSE(none);
  const auto a = here.get() / "a";
  const auto b = here.get() / "b";
  std::ofstream(a) << "x" << std::flush;
  std::filesystem::rename(a, b);
  std::filesystem::remove(b);
  const file_change created = co_await next_of(changes);
  EXPECT_EQ(created.what, change::created);
  EXPECT_EQ(created.path, a);
  const file_change modified = co_await next_of(changes);
  EXPECT_EQ(modified.what, change::modified);
  const file_change from = co_await next_of(changes);
  EXPECT_EQ(from.what, change::moved_from);
  const file_change to = co_await next_of(changes);
  EXPECT_EQ(to.what, change::moved_to);
  EXPECT_EQ(to.path, b);
  EXPECT_EQ(from.cookie, to.cookie);
  const file_change removed = co_await next_of(changes);
  EXPECT_EQ(removed.what, change::removed);
  EXPECT_EQ(removed.path, b);
  EXPECT_TRUE(changes.remove(here.get()));
  EXPECT_FALSE(changes.remove("elsewhere"));
  co_await changes.add(here.get());
  EXPECT_TRUE(changes.remove(here.get()));
  EXPECT_FALSE(changes.remove(here.get()));
  const std::string error = co_await test::error_of(changes.add("/no/such/place"));
  EXPECT_EQ(error, "watch /no/such/place: No such file or directory");
}

ASTD_TEST(watcher, several_paths_of_one_file_share_its_watch) {
  const folder here;
  const auto plain = here.get();
  const auto dotted = here.get() / ".";
  watcher changes;
  co_await changes.add(plain);
  co_await changes.add(dotted);
  std::filesystem::create_directory(plain / "a");
  const file_change last_added = co_await next_of(changes);
  EXPECT_EQ(last_added.path, dotted / "a");
  EXPECT_TRUE(changes.remove(dotted));
  EXPECT_FALSE(changes.remove(dotted));
  std::filesystem::create_directory(plain / "b");
  const file_change still_there = co_await next_of(changes);
  EXPECT_EQ(still_there.path, plain / "b") << "once, and by the path that is left";
  co_await changes.add(plain);  // again: no more than once
  EXPECT_TRUE(changes.remove(plain));
  EXPECT_FALSE(changes.remove(plain));
}

ASTD_TEST(watcher, adding_and_removing_again_and_again_leaves_no_more_than_it_may) {
  const folder here;
  watcher changes;
  const auto old = here.get() / "old";
  const auto recent = here.get() / "recent";
  std::filesystem::create_directory(old);
  std::filesystem::create_directory(recent);
  co_await changes.add(old);
  std::filesystem::create_directory(old / "x");
  EXPECT_TRUE(changes.remove(old));
  for (int i = 0; i < 1000; ++i) {
    co_await changes.add(recent);
    if (i == 999) std::filesystem::create_directory(recent / "y");
    EXPECT_TRUE(changes.remove(recent));
  }
  // What is known of the first is forgotten by now, of the last it is not.
  const file_change first = co_await next_of(changes);
  EXPECT_EQ(first.path, recent / "y");
}

ASTD_TEST(watcher, comes_from_a_native_handle_and_goes_as_one) {
  const folder here;
  watcher first;
  const native_handle raw = std::move(first).into_native_handle();
  EXPECT_GE(raw, 0);
  watcher changes = watcher::from_native_handle(raw);
  EXPECT_EQ(changes.as_native_handle(), raw);
  co_await changes.add(here.get());
  std::filesystem::create_directory(here.get() / "a");
  const file_change created = co_await next_of(changes);
  EXPECT_EQ(created.path, here.get() / "a");
}

ASTD_TEST(native_handles, go_out_of_and_into_every_type) {
  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  const native_handle listening = std::move(listener).into_native_handle();
  listener = net::tcp_listener::from_native_handle(listening);
  EXPECT_EQ(listener.as_native_handle(), listening);
  auto stream = co_await net::tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  auto moved = net::tcp_stream::from_native_handle(std::move(stream).into_native_handle());
  co_await moved.write("x");
  std::array<char, 4> buffer;
  const std::size_t n = co_await accepted.first.read(buffer);
  EXPECT_EQ(n, 1u);
  auto udp = co_await net::udp_socket::bind("127.0.0.1:0");
  const auto where = udp.local_address();
  auto again = net::udp_socket::from_native_handle(std::move(udp).into_native_handle());
  EXPECT_EQ(again.local_address(), where);
  auto file = co_await fs::file::open("/dev/zero");
  auto zero = fs::file::from_native_handle(std::move(file).into_native_handle(), "/dev/zero");
  const std::size_t zeros = co_await zero.read(buffer);
  EXPECT_EQ(zeros, 4u);
}

}  // namespace
}  // namespace astd::os
