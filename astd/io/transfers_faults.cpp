// Buffers, pipes in memory, copies and framed streams under fault: what was counted has arrived or is still there. See
// tests/faults/faults.hpp.
#include <astd/codec.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>

#include <tests/faults/faults.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace {

using namespace astd;
using faults::report;
using faults::scenario;

const std::string text = "some lines\nof a text that is longer\nthan the pipes are\n";

/// Two ends of a small pipe; `written` was counted at the first, `got` came from the second.
struct pipe_in_memory : scenario {
  explicit pipe_in_memory(runtime& on) : rt(on), ends(io::duplex(16)) { got.reserve(1024); }
  void check(const report&) override {
    rt.block_on(ends.first.shutdown_write());
    rt.block_on(io::read_to_end(ends.second, got));
    EXPECT_EQ(got, text.substr(0, written));
  }
  runtime& rt;
  std::pair<io::duplex_stream, io::duplex_stream> ends;
  std::size_t written = 0;
  std::string got;
};

struct duplex_transfer final : pipe_in_memory {
  using pipe_in_memory::pipe_in_memory;
  task<> operation() override { co_await try_join(io::write_all(ends.first, text, written), read_some()); }
  task<> read_some() {
    char some[5];
    while (got.size() < 40) {
      const auto n = co_await ends.second.read(some);
      got.append(some, n);  // there is room
    }
  }
};
ASTD_SCENARIO(duplex_transfer);

struct buffered_transfer final : pipe_in_memory {
  explicit buffered_transfer(runtime& on) : pipe_in_memory(on), out(ends.first, 10), in(ends.second, 12) {}
  task<> write() {
    co_await io::write_all(out, text, written);
    co_await out.flush();
  }
  task<> read_lines() {
    for (int i = 0; i < 3; ++i) co_await io::read_line(in, got);
  }
  task<> operation() override { co_await try_join(write(), read_lines()); }
  void check(const report& r) override {
    const auto unread = in.buffered();
    got.append(reinterpret_cast<const char*>(unread.data()), unread.size());
    const auto rest = out.buffered();
    const std::string kept(reinterpret_cast<const char*>(rest.data()), rest.size());
    out.discard();
    written -= kept.size();
    pipe_in_memory::check(r);
    EXPECT_EQ(kept, text.substr(written, kept.size()));
  }
  io::buf_writer<io::duplex_stream&> out;
  io::buf_reader<io::duplex_stream&> in;
};
ASTD_SCENARIO(buffered_transfer);

struct framed_transfer final : scenario {
  explicit framed_transfer(runtime& on) : framed_transfer(on, io::duplex(8)) {}
  framed_transfer(runtime& on, std::pair<io::duplex_stream, io::duplex_stream> ends)
      : rt(on), out(std::move(ends.first), codec::lines()), in(std::move(ends.second), codec::lines()) {}
  task<> send() {
    for (int i = 0; i < 5; ++i) co_await out.send(message);
  }
  task<> receive() {
    for (int i = 0; i < 5; ++i) {
      const auto next = co_await in.next();
      whole += next == message;
      ++received;
    }
  }
  task<> operation() override { co_await try_join(send(), receive()); }
  void check(const report&) override {
    auto finish = [](framed_transfer& f) -> task<> {
      co_await f.out.flush();
      co_await f.out.shutdown_write();
    };
    auto drain = [](framed_transfer& f) -> task<> {
      for (;;) {
        const auto next = co_await f.in.next();
        if (!next) co_return;
        f.whole += next == message;
        ++f.received;
      }
    };
    rt.block_on(join(finish(*this), drain(*this)));
    EXPECT_EQ(whole, received) << "a frame was torn";
    EXPECT_EQ(received, out.accepted());
  }
  static inline const std::string message = "a message that is longer than the pipe";
  runtime& rt;
  codec::framed<io::duplex_stream, codec::lines> out, in;
  std::uint64_t received = 0, whole = 0;
};
ASTD_SCENARIO(framed_transfer);

struct copy_of_a_buffer final : pipe_in_memory {
  explicit copy_of_a_buffer(runtime& on) : pipe_in_memory(on), from(text), in(from, 9) {}
  task<> read_some() {
    char some[5];
    while (got.size() < 40) {
      const auto n = co_await ends.second.read(some);
      got.append(some, n);  // there is room
    }
  }
  task<> operation() override { co_await try_join(io::copy(in, ends.first, copied), read_some()); }
  void check(const report& r) override {
    written = copied;
    pipe_in_memory::check(r);
    const auto rest = rt.block_on(io::read_to_string(in));
    EXPECT_EQ(got + rest, text);
  }
  io::cursor<const std::string&> from;
  io::buf_reader<io::cursor<const std::string&>&> in;
  std::uint64_t copied = 0;
};
ASTD_SCENARIO(copy_of_a_buffer);

}  // namespace
