// The contract of concepts.hpp, held to by everything that writes: those of test_kinds.cpp behind one face, and those that
// can be asked without waiting by their type.
#include <astd/coro/as_result.hpp>
#include <astd/fs.hpp>
#include <astd/io.hpp>
#include <astd/io/test_kinds.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <array>
#include <string>

namespace astd::io {
namespace {

const std::string content = "the quick brown fox\njumps over the lazy dog,\n and is tired of it";

task<std::string> hear(test::target& t) {
  std::string all;
  if (t.far) co_await read_to_string(*t.far, all);
  co_return all;
}
// All that has arrived, when no more will be written.
task<std::string> finish(test::target& t, join_handle<std::string> hearing) {
  co_await t.writer.flush();
  co_await t.writer.shutdown_write();
  std::string all = co_await std::move(hearing);
  if (t.memory) all = *t.memory;
  if (!t.file.empty()) {
    all = co_await fs::read_to_string(t.file);
    co_await fs::remove(t.file);
  }
  co_return all;
}
// Writes `text` from where `counted` ends, and notes what was taken.
task<> write_on(any_writer& to, std::string text, std::size_t size, std::string& counted) {
  for (;;) {
    const const_bytes rest = const_bytes(text).drop(counted.size());
    if (rest.empty()) co_return;
    const std::size_t n = co_await to.write(rest.take(size));
    EXPECT_GT(n, 0u);
    EXPECT_LE(n, size);
    counted += text.substr(counted.size(), n);
  }
}

ASTD_TEST(writer_conformance, takes_what_it_counts) {
  for (const auto& kind : test::targets())
    for (const std::size_t size : {std::size_t{1}, std::size_t{6}, std::size_t{1000}}) {
      auto target = co_await kind.make();
      auto hearing = spawn(hear(target));
      const auto none = co_await target.writer.write(const_bytes());
      EXPECT_EQ(none, 0u) << kind.name;
      {
        const auto never = target.writer.write("not awaited, not written");
      }
      std::string counted;
      co_await write_on(target.writer, content, size, counted);
      const auto arrived = co_await finish(target, std::move(hearing));
      EXPECT_EQ(arrived, content) << kind.name << ", " << size;
    }
}

ASTD_TEST(writer_conformance, takes_several_buffers_in_order) {
  for (const auto& kind : test::targets()) {
    auto target = co_await kind.make();
    auto hearing = spawn(hear(target));
    const const_bytes all = content;
    const std::array<const_bytes, 4> parts{all.take(10), const_bytes(), all.drop(10).take(1), all.drop(11)};
    co_await write_all_vectored(target.writer, parts);
    const auto arrived = co_await finish(target, std::move(hearing));
    EXPECT_EQ(arrived, content) << kind.name;
  }
}

ASTD_TEST(writer_conformance, a_cancelled_write_has_taken_what_it_said) {
  for (const auto& kind : test::targets())
    for (int turns = 0; turns < 16; ++turns) {
      auto target = co_await kind.make();
      auto hearing = spawn(hear(target));
      std::string counted;
      for (int again = 0; again < 2; ++again) {
        auto writing = spawn(write_on(target.writer, content, 9, counted));
        for (int i = 0; i < turns; ++i) co_await this_task::yield();
        const auto done = co_await writing.cancel();
        static_cast<void>(done);
      }
      const auto arrived = co_await finish(target, std::move(hearing));
      EXPECT_EQ(arrived, counted) << kind.name << ", cancelled after " << turns << " turns";
    }
}

ASTD_TEST(writer_conformance, a_cancelled_flush_keeps_what_was_not_written) {
  for (const auto& kind : test::targets())
    for (int turns = 0; turns < 8; ++turns) {
      auto target = co_await kind.make();
      auto hearing = spawn(hear(target));
      std::string counted;
      co_await write_on(target.writer, content, 1000, counted);
      auto flushing = spawn(target.writer.flush());
      for (int i = 0; i < turns; ++i) co_await this_task::yield();
      const auto done = co_await flushing.cancel();
      static_cast<void>(done);
      const auto arrived = co_await finish(target, std::move(hearing));
      EXPECT_EQ(arrived, content) << kind.name << ", cancelled after " << turns << " turns";
    }
}

// A writer that can be asked, until it takes no more; `far` reads at its other side.
template <try_writer W, class R>
task<> keeps_the_contract_of_attempts(W& writer, R& far) {
  const std::string block(20'000, 'x');
  std::size_t sent = 0;
  EXPECT_EQ(writer.try_write(const_bytes()).value(), 0u);
  for (;;) {
    const auto tried = writer.try_write(block);
    EXPECT_FALSE(tried.is_error());
    if (!tried.is_ready()) break;
    EXPECT_GT(tried.value(), 0u);
    sent += tried.value();
  }
  auto waiting = spawn([](W& w) -> task<> { co_await w.writable(); }(writer));
  for (int i = 0; i < 4; ++i) co_await this_task::yield();
  const auto waited = co_await waiting.cancel();
  static_cast<void>(waited);

  auto hearing = spawn([](R& from) -> task<std::size_t> {
    sink nowhere;
    const auto n = co_await copy(from, nowhere);
    co_return n;
  }(far));
  for (const std::size_t goal = sent + 10; sent < goal;) {
    const auto tried = writer.try_write(const_bytes(block).take(goal - sent));
    EXPECT_FALSE(tried.is_error());
    if (tried.is_ready())
      sent += tried.value();
    else
      co_await writer.writable();
  }
  co_await writer.shutdown_write();
  const auto heard = co_await hearing;
  EXPECT_EQ(heard, sent);
}

ASTD_TEST(writer_conformance, attempts_on_a_duplex) {
  auto ends = duplex(7);
  co_await keeps_the_contract_of_attempts(ends.first, ends.second);
}

ASTD_TEST(writer_conformance, attempts_on_a_socket) {
  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  auto here = co_await net::tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  co_await keeps_the_contract_of_attempts(here, accepted.first);
}

}  // namespace
}  // namespace astd::io
