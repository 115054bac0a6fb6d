// A machine alone: its clocks, descriptors and pauses; and what a world promises of events and faults.
#include <astd/driver/sim/test_host.hpp>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

namespace astd::driver::sim::testing {
namespace {

class counting final : public event {
 public:
  explicit counting(world& w) noexcept : world_(w) {}
  ~counting() { world_.forget(*this); }
  int fired = 0;

 private:
  void fire() noexcept override { ++fired; }
  world& world_;
};

// ---- the trace

std::uint64_t trace_of_two(std::uint64_t seed, detail::instant one_at, detail::instant other_at) {
  world w({.seed = seed});
  counting one(w), other(w);
  w.schedule(one, one_at);
  w.schedule(other, other_at);
  while (w.step()) {
  }
  EXPECT_EQ(one.fired + other.fired, 2);
  return w.trace_hash();
}

TEST(sim_world, an_event_that_notes_nothing_is_in_the_trace_with_its_moment) {
  EXPECT_EQ(trace_of_two(1, 5, 9), trace_of_two(1, 5, 9));
  EXPECT_NE(trace_of_two(1, 5, 9), trace_of_two(1, 6, 9));
  EXPECT_NE(trace_of_two(1, 5, 9), trace_of_two(1, 5, 10));
}

TEST(sim_world, the_order_of_two_at_one_moment_is_in_the_trace) {
  EXPECT_EQ(trace_of_two(1, 5, 5), trace_of_two(1, 5, 5));
  EXPECT_NE(trace_of_two(1, 5, 5), trace_of_two(2, 5, 5));
}

// ---- descriptors

class nothing final : public open_file {
 public:
  std::int32_t start(operation&) noexcept override { return -ENOSYS; }
  void cancel(operation&) noexcept override {}
  std::int32_t next_connection(operation&) noexcept override { return -ENOSYS; }
  void crash() noexcept override {}
};

TEST(sim_machine, has_no_more_descriptors_than_numbers) {
  world w({.seed = 1});
  machine& m = w.add_machine("one");
  machine& next = w.add_machine("next");
  m.set_descriptor_limit(std::numeric_limits<int>::max());
  for (int i = 0; i < machine::descriptors_each; ++i) {
    const int descriptor = m.open(std::make_unique<nothing>());
    ASSERT_EQ(w.machine_of(descriptor), &m) << i;
  }
  EXPECT_EQ(m.open(std::make_unique<nothing>()), -EMFILE);
  EXPECT_EQ(w.machine_of(next.open(std::make_unique<nothing>())), &next);
  m.set_descriptor_limit(-1);
  EXPECT_EQ(m.open(std::make_unique<nothing>()), -EMFILE);
}

TEST(sim_machine, a_descriptor_that_is_used_is_not_closed) {
  world w({.seed = 1});
  host server(w, "server");
  const int listener = server.serve(80);
  test_op accept(opcode::accept, listener);
  ASSERT_FALSE(server.submit(accept));
  EXPECT_DEATH(server.close(listener), "closed while an operation on it is pending");
  server.cancel(accept);
  EXPECT_EQ(server.finish(accept), -ECANCELED);
  EXPECT_EQ(server.close(listener), 0);
}

// ---- clocks

TEST(sim_machine, a_deadline_that_a_slow_clock_never_says_is_never) {
  world w({.seed = 1});
  machine& m = w.add_machine("slow");
  constexpr detail::instant far = detail::never - 1;
  m.set_drift(-0.9);
  EXPECT_EQ(m.true_time_of(far), detail::never);
  EXPECT_EQ(m.true_time_of(detail::never), detail::never);
  EXPECT_NEAR(static_cast<double>(m.true_time_of(m.steady_now() + 1'000'000)), 1e7, 10);
  m.set_drift(1);
  EXPECT_LT(m.true_time_of(far), detail::never);
  EXPECT_GT(m.true_time_of(far), detail::never / 3);
}

TEST(sim_machine, loops_look_at_their_deadlines_again_when_the_clock_changes_its_pace) {
  world w({.seed = 1});
  host one(w, "one"), other(w, "other");
  counting turn(w), others_turn(w);
  one.d->set_turn(&turn);
  other.d->set_turn(&others_turn);
  one.at.set_drift(0.1);
  while (w.step()) {
  }
  EXPECT_EQ(turn.fired, 1);
  EXPECT_EQ(others_turn.fired, 0);
  one.at.set_drift(0.1);
  EXPECT_FALSE(w.step()) << "nothing has changed";
}

// ---- pauses

TEST(sim_machine, what_is_woken_often_while_it_stands_still_is_woken_once) {
  std::uint64_t draws[2];
  for (const int times : {1, 5}) {
    world w({.seed = 1});
    machine& m = w.add_machine("slow");
    counting e(w);
    m.pause();
    for (int i = 0; i < times; ++i) m.park(e);
    m.go_on();
    while (w.step()) {
    }
    EXPECT_EQ(e.fired, 1);
    draws[times > 1] = w.draws();
  }
  EXPECT_EQ(draws[0], draws[1]);
}

// ---- faults

TEST(sim_world, one_that_is_spared_is_not_struck) {
  world_options always{.seed = 1};
  always.faults.set(fault::no_descriptors, 1);
  always.faults.set(fault::packet_lost, 1);
  world w(always);
  machine& spared = w.add_machine("scenario");
  machine& other = w.add_machine("other");
  spared.set_spared(true);
  EXPECT_GE(spared.open(std::make_unique<nothing>()), 0);
  EXPECT_EQ(other.open(std::make_unique<nothing>()), -EMFILE);
  EXPECT_EQ(w.faults_struck(), 1u);
}

TEST(sim_world, nothing_is_lost_between_one_that_is_spared_and_others) {
  world w({.seed = 1});
  host spared(w, "scenario"), server(w, "server");
  spared.at.set_spared(true);
  fault_rates rates;
  rates.set(fault::packet_lost, 1);
  w.set_faults(rates);
  const int listener = server.serve(80), client = spared.socket();
  ASSERT_EQ(spared.connect(client, address_of(server.at, 80)), 0);
  const int there = server.accept(listener);
  ASSERT_EQ(server.send(there, "x"), 1);
  std::string got;
  EXPECT_EQ(spared.recv(client, got), 1);
  EXPECT_EQ(w.faults_struck(), 0u);
}

}  // namespace
}  // namespace astd::driver::sim::testing
