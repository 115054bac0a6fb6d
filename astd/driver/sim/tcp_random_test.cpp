// Connections over links and faults that chance chooses: what arrives is what was sent, in its order, once; and a seed says
// it all.
#include <astd/driver/sim/test_host.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include <netinet/tcp.h>

namespace astd::driver::sim::testing {
namespace {

char byte_at(std::size_t position) { return static_cast<char>((position * 2'654'435'761u) >> 13); }

// Sends `size` bytes in pieces of any length, then says that this is all; and reads to the end what comes.
class talker {
 public:
  talker(host& on, int fd, std::size_t size, random_stream& chance)
      : h_(on), fd_(fd), size_(size), chance_(chance), room_(16'384) {}

  // Whether something has happened. False and not done(): it waits.
  void go_on() {
    if (out_.ended) {
      out_.ended = false;
      sending_ = false;
      if (out_.result < 0)
        error = out_.result;
      else
        sent_ += static_cast<std::size_t>(out_.result);
    }
    if (in_.ended) {
      in_.ended = false;
      receiving_ = false;
      if (in_.result < 0) error = in_.result;
      for (std::int32_t i = 0; i < in_.result; ++i)
        if (room_[static_cast<std::size_t>(i)] != byte_at(received + static_cast<std::size_t>(i))) ++wrong;
      if (in_.result > 0) received += static_cast<std::size_t>(in_.result);
      if (in_.result == 0) end_seen_ = true;
    }
    if (error != 0) return;
    if (!sending_ && sent_ < size_) {
      piece_.resize(std::min<std::size_t>(size_ - sent_, 1 + chance_.below(chance_.chance(0.5) ? 100 : 40'000)));
      for (std::size_t i = 0; i < piece_.size(); ++i) piece_[i] = byte_at(sent_ + i);
      out_.fd = fd_;
      out_.args.transfer = {piece_.data(), piece_.size(), 0, 0};
      sending_ = true;
      h_.submit(out_);
    } else if (!sending_ && !end_said_) {
      end_said_ = true;
      h_.shutdown(fd_, SHUT_WR);
    }
    if (!receiving_ && !end_seen_) {
      in_.fd = fd_;
      in_.args.transfer = {room_.data(), 1 + chance_.below(room_.size()), 0, 0};
      receiving_ = true;
      h_.submit(in_);
    }
  }
  [[nodiscard]] bool done() const { return error != 0 || (end_said_ && end_seen_ && !sending_ && !receiving_); }
  [[nodiscard]] bool stuck() const { return !out_.ended && !in_.ended; }

  std::size_t received = 0, wrong = 0;
  std::int32_t error = 0;

 private:
  host& h_;
  int fd_;
  std::size_t size_, sent_ = 0;
  random_stream& chance_;
  std::vector<char> room_;
  std::string piece_;
  test_op out_{opcode::send}, in_{opcode::recv};
  bool sending_ = false, receiving_ = false, end_said_ = false, end_seen_ = false;
};

struct outcome {
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;
};

struct conditions {
  double loss = 0, delay = 0, duplication = 0, short_transfer = 0, spurious = 0;
  bool clogs = false, partitions = false;
};

outcome converse(std::uint64_t seed, const conditions& c) {
  world w({.seed = seed,
           .faults = fault_rates()
                         .set(fault::packet_delayed, c.delay)
                         .set(fault::short_transfer, c.short_transfer)
                         .set(fault::spurious_readiness, c.spurious)});
  random_stream chance(seed, 99);
  host server(w, "server"), client(w, "client");
  link_settings link;
  link.loss = c.loss;
  link.duplication = c.duplication;
  link.longest = static_cast<detail::instant>(100'000 + chance.below(20'000'000));
  link.shortest = link.longest / 4;
  if (chance.chance(0.3)) link.bytes_per_second = 100'000 + chance.below(5'000'000);
  w.net().set_default_link(link);
  const int listener = server.serve(80), here = client.socket();
  if (chance.chance(0.5)) client.set(here, IPPROTO_TCP, TCP_NODELAY, 1);
  if (chance.chance(0.3)) client.set(here, SOL_SOCKET, SO_SNDBUF, 5'000);
  if (chance.chance(0.3)) client.set(here, SOL_SOCKET, SO_RCVBUF, 3'000);
  EXPECT_EQ(client.connect(here, address_of(server.at, 80)), 0) << seed;
  const int there = server.accept(listener);
  EXPECT_GE(there, 0) << seed;
  const std::size_t one = chance.below(200'000), two = chance.below(200'000);
  talker a(client, here, one, chance), b(server, there, two, chance);
  while (!a.done() || !b.done()) {
    client.collect();
    server.collect();
    a.go_on();
    b.go_on();
    if (c.clogs && !w.net().clogged(server.at) && chance.chance(0.001)) {
      w.net().clog(server.at);
      w.after(chance.between(0, 2'000'000'000), [&] { w.net().release(server.at); });
    }
    if (c.partitions && w.net().reaches(client.at, server.at) && chance.chance(0.001)) {
      w.net().partition(client.at, server.at, chance.chance(0.5));
      w.after(chance.between(0, 2'000'000'000), [&] { w.net().heal_all(); });
    }
    if (a.done() && b.done()) break;
    if (a.stuck() && b.stuck() && !w.step()) break;
  }
  EXPECT_TRUE(a.done() && b.done()) << "seed " << seed;
  EXPECT_EQ(a.error, 0) << seed;
  EXPECT_EQ(b.error, 0) << seed;
  EXPECT_EQ(a.received, two) << seed;
  EXPECT_EQ(b.received, one) << seed;
  EXPECT_EQ(a.wrong + b.wrong, 0u) << seed;
  EXPECT_EQ(client.close(here), 0);
  EXPECT_EQ(server.close(there), 0);
  EXPECT_EQ(server.close(listener), 0);
  while (w.step()) {
  }
  EXPECT_EQ(server.at.stack().connections() + client.at.stack().connections(), 0u) << seed;
  return {w.trace_hash(), w.steps()};
}

TEST(sim_tcp_random, over_a_perfect_link) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) converse(seed, {});
}

TEST(sim_tcp_random, with_losses_and_doubles) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) converse(seed, {.loss = 0.05, .duplication = 0.05});
}

TEST(sim_tcp_random, with_delays_that_reorder) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) converse(seed, {.delay = 0.1});
}

TEST(sim_tcp_random, with_everything_at_once) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
    converse(seed, {.loss = 0.03,
                    .delay = 0.03,
                    .duplication = 0.03,
                    .short_transfer = 0.2,
                    .spurious = 0.2,
                    .clogs = true,
                    .partitions = true});
}

TEST(sim_tcp_random, a_seed_says_it_all) {
  const conditions some{.loss = 0.02, .delay = 0.02, .duplication = 0.02, .clogs = true, .partitions = true};
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const outcome first = converse(seed, some), again = converse(seed, some);
    EXPECT_EQ(first.hash, again.hash) << seed;
    EXPECT_EQ(first.steps, again.steps) << seed;
    hashes.push_back(first.hash);
  }
  std::ranges::sort(hashes);
  EXPECT_EQ(std::ranges::adjacent_find(hashes), hashes.end());
}

}  // namespace
}  // namespace astd::driver::sim::testing
