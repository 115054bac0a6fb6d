// A whole world in one process and one thread, decided by one number: hosts, their clocks and disks, the network between
// them, and what goes wrong there. Programs that use astd run in it unchanged.
//
//   astd::sim::run({.seed = 7}, [](astd::sim::universe& universe) -> astd::task<> {
//     auto& server = universe.add_host("server", [] { return serve("0.0.0.0:80"); });
//     auto& client = universe.add_host("client");
//     universe.partition("client", "server");
//     ...
//     universe.heal();
//     auto answer = co_await client.run(ask, "server:80");
//   });
//
// The same seed gives the same run, to the last instruction that a program can tell apart. Time jumps to whatever happens
// next, so an hour of waiting costs nothing. To try many seeds and to make a failing one small: <astd/testing/sim/hunt.hpp>;
// as tests: <astd/testing/sim_gtest.hpp>.
#pragma once

#include <astd/testing/sim/chaos.hpp>
#include <astd/testing/sim/hunt.hpp>
#include <astd/testing/sim/interrupted.hpp>
#include <astd/testing/sim/options.hpp>
#include <astd/testing/sim/run.hpp>
#include <astd/testing/sim/universe.hpp>
