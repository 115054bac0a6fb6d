// Channels under fault: every message that was sent is received or still there, and every place is free again. See
// tests/faults/faults.hpp.
#include <astd/channel.hpp>
#include <astd/future.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <tests/faults/faults.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using faults::report;
using faults::scenario;
using faults::tracked;

/// A channel of two places, or of any number, and what went in and out.
struct counted_channel : scenario {
  explicit counted_channel(bool limited = true)
      : ends(limited ? channel<tracked>(2, "counted") : unbounded_channel<tracked>("counted")) {}
  task<> send(int n) {
    for (int i = 0; i < n; ++i) {
      co_await ends.first.send(tracked());
      ++sent;
    }
  }
  task<> receive(int n) {
    for (int i = 0; i < n; ++i) {
      const auto m = co_await ends.second.recv();
      received += m.has_value();
    }
  }
  void check(const report&) override {
    while (ends.second.try_recv()) ++received;
    EXPECT_EQ(received, sent);
    if (ends.first.capacity()) EXPECT_TRUE(ends.first.try_reserve(2)) << "a place was lost";
  }
  std::pair<sender<tracked>, receiver<tracked>> ends;
  std::atomic<int> sent{0}, received{0};
};

struct channel_both_ways final : counted_channel {
  task<> operation() override { co_await try_join(send(6), receive(2), receive(4)); }
};
ASTD_SCENARIO(channel_both_ways);

struct channel_unbounded final : counted_channel {
  channel_unbounded() : counted_channel(false) {}
  task<> operation() override {
    co_await try_join(send(150), receive(100));  // a send that has no memory fails
    co_await receive(50);
  }
};
ASTD_SCENARIO(channel_unbounded);

// The other side is a plain thread.
struct channel_recv_in_a_select final : counted_channel {
  task<> operation() override {
    while (received < 5) {
      const auto first = co_await select(ends.second.recv(), this_task::sleep_for(30us));
      if (std::get<0>(first)) received += std::get<0>(first)->has_value();
    }
  }
  void meanwhile() override {
    if (sent < 5) sent += ends.first.try_send(tracked()).has_value();
  }
};
ASTD_SCENARIO(channel_recv_in_a_select);

struct channel_send_in_a_timeout final : counted_channel {
  task<> operation() override {
    tracked mine;
    while (sent < 5) {
      const auto how = co_await as_result(timeout(30us, ends.first.send(std::move(mine))));
      if (!how && how.error() != std::errc::timed_out) co_await fail(how.error());
      sent += how.has_value();
    }
  }
  void meanwhile() override { received += ends.second.try_recv().has_value(); }
};
ASTD_SCENARIO(channel_send_in_a_timeout);

struct channel_permits final : counted_channel {
  task<> keep_some() {
    for (int i = 0; i < 4; ++i) {
      auto places = co_await ends.first.reserve_many(2);
      co_await this_task::yield();
      if (places.send(tracked())) ++sent;
    }
  }
  task<> operation() override { co_await try_join(keep_some(), send(3), receive(7)); }
};
ASTD_SCENARIO(channel_permits);

struct channel_many final : counted_channel {
  task<> send_some(std::span<tracked>& left) { co_await ends.first.send_many(left); }
  task<> receive_some() {
    std::size_t n = 1;
    while (got.size() < 7 && n != 0) n = co_await ends.second.recv_many(got, 3);
  }
  task<> operation() override { co_await try_join(send_some(left_to_send), receive_some()); }
  void check(const report& r) override {
    sent = static_cast<int>(all.size() - left_to_send.size());
    received = static_cast<int>(got.size());
    counted_channel::check(r);
  }
  std::vector<tracked> all = std::vector<tracked>(7);
  std::span<tracked> left_to_send = all;
  std::vector<tracked> got;
};
ASTD_SCENARIO(channel_many);

struct channel_that_ends final : scenario {
  task<> operation() override {
    auto ends = channel<tracked>(1);
    auto other = ends.first.downgrade();
    auto waiting = spawn(
        [](receiver<tracked> from) -> task<int> {
          int n = 0;
          for (;;) {
            const auto m = co_await from.recv();
            if (!m) co_return n;
            ++n;
          }
        },
        std::move(ends.second));
    {
      auto tx = std::move(ends.first);
      co_await tx.send(tracked());
      co_await tx.send(tracked());
    }
    const auto n = co_await waiting;
    EXPECT_EQ(n, 2);
    EXPECT_FALSE(other.upgrade());
  }
  // The task that receives could not begin, or has failed.
  bool may_end_with(const report& r) override { return r.code == channel_errc::closed; }
};
ASTD_SCENARIO(channel_that_ends);

}  // namespace
