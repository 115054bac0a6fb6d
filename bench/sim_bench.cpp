// What the simulated world costs, without tasks: machines, connections between them, and on each connection a request of 64
// bytes and its answer, over and over.
//
//   sim_bench [MACHINES] [CONNECTIONS] [SECONDS]     1000, 100000, 5
//
// Prints
//
//   SIM machines connections bytes_per_idle_connection events_per_s exchanges_per_s packets_per_s simulated_s cpu_s
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/network.hpp>
#include <astd/driver/sim/network_stack.hpp>
#include <astd/driver/sim/sim_driver.hpp>
#include <astd/driver/sim/world.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

namespace {

namespace driver = astd::driver;
namespace sim = astd::driver::sim;
using driver::opcode;
using driver::operation;

[[noreturn]] void fail(const char* what, int result) {
  std::fprintf(stderr, "sim_bench: %s: %d\n", what, result);
  std::exit(1);
}

// A loop without tasks: its turn takes what has ended, as a worker's does.
class program final : public sim::event {
 public:
  explicit program(sim::machine& m) : machine(m), driver(m) { driver.set_turn(this); }

  sim::machine& machine;
  sim::sim_driver driver;

 private:
  void fire() noexcept override {
    driver::completions done;
    driver.collect(done, true);
    while (operation* const op = done.pop_front()) op->completed(*op);
  }
};

std::uint64_t exchanges = 0;
bool stopping = false;

// One end of a connection: sends its 64 bytes, receives the other's. Who asks begins.
class peer {
 public:
  peer(program& on, int descriptor, bool asks) : on_(on), asks_(asks) {
    op_.self = this;
    op_.fd = descriptor;
    op_.completed = [](operation& op) noexcept { static_cast<its_operation&>(op).self->go_on(); };
  }
  void begin() {
    sending_ = asks_;
    step();
  }

 private:
  struct its_operation : operation {
    peer* self = nullptr;
  };
  void step() {
    do {
      op_.code = sending_ ? opcode::send : opcode::recv;
      op_.args.transfer = {bytes_, sizeof bytes_, 0, 0};
      if (!on_.driver.submit(op_)) return;
    } while (turn_round());
  }
  bool turn_round() {
    if (op_.result != static_cast<int>(sizeof bytes_)) fail("an exchange", op_.result);
    if (asks_ && !sending_) ++exchanges;
    sending_ = !sending_;
    return !stopping;
  }
  void go_on() {
    if (turn_round()) step();
  }

  program& on_;
  its_operation op_;
  char bytes_[64] = {};
  const bool asks_;
  bool sending_ = false;
};

int run(program& p, operation& op) {
  bool ended = false;
  struct waiting : operation {};
  static bool* flag;
  flag = &ended;
  op.completed = [](operation&) noexcept { *flag = true; };
  if (p.driver.submit(op)) return op.result;
  while (!ended)
    if (!p.machine.in().step()) fail("nothing happens", 0);
  return op.result;
}

int open_socket(program& p) {
  operation op;
  op.code = opcode::socket;
  op.args.socket = {AF_INET, SOCK_STREAM, 0};
  return run(p, op);
}

sockaddr_in address_of(std::uint32_t machine, std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(sim::v4_of(machine).as_v4());
  return a;
}

int with_address(program& p, opcode code, int fd, sockaddr_in address) {
  unsigned length = sizeof address;
  operation op;
  op.code = code;
  op.fd = fd;
  op.args.address = {reinterpret_cast<sockaddr*>(&address), &length};
  return run(p, op);
}

std::size_t bytes_in_use() {
  const struct mallinfo2 all = ::mallinfo2();
  return all.uordblks + all.hblkhd;
}

// The processor's, which others of the machine do not lengthen much.
double cpu_seconds() {
  timespec t;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::size_t argument(int count, char** arguments, int which, std::size_t otherwise) {
  return which < count ? std::strtoul(arguments[which], nullptr, 10) : otherwise;
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t machines = argument(count, arguments, 1, 1'000);
  const std::size_t connections = argument(count, arguments, 2, 100'000);
  const std::size_t seconds = argument(count, arguments, 3, 5);
  sim::world world({.seed = 1});
  std::vector<std::unique_ptr<program>> programs;
  std::vector<int> listeners;
  for (std::size_t i = 0; i < machines; ++i) {
    programs.push_back(std::make_unique<program>(world.add_machine("m" + std::to_string(i))));
    program& p = *programs.back();
    const int listener = open_socket(p);
    if (const int error = with_address(p, opcode::bind, listener, address_of(static_cast<std::uint32_t>(i), 80)))
      fail("bind", error);
    operation op;
    op.code = opcode::listen;
    op.fd = listener;
    op.args.value = 4'096;
    if (const int error = run(p, op)) fail("listen", error);
    listeners.push_back(listener);
  }
  struct descriptors {
    program* client;
    program* server;
    int asking, answering;
  };
  std::vector<descriptors> all;
  all.reserve(connections);
  const std::size_t before = bytes_in_use();
  for (std::size_t i = 0; i < connections; ++i) {
    const std::size_t client = i % machines, server = (i * 7 + i / machines + 1) % machines;
    descriptors d{programs[client].get(), programs[server].get(), open_socket(*programs[client]), -1};
    if (const int error =
            with_address(*d.client, opcode::connect, d.asking, address_of(static_cast<std::uint32_t>(server), 80)))
      fail("connect", error);
    operation op;
    op.code = opcode::accept;
    op.fd = listeners[server];
    d.answering = run(*d.server, op);
    if (d.answering < 0) fail("accept", d.answering);
    all.push_back(d);
  }
  const std::size_t each = connections ? (bytes_in_use() - before) / connections : 0;

  std::vector<std::unique_ptr<peer>> peers;
  for (const descriptors& d : all) {
    peers.push_back(std::make_unique<peer>(*d.server, d.answering, false));
    peers.back()->begin();
    peers.push_back(std::make_unique<peer>(*d.client, d.asking, true));
    peers.back()->begin();
  }
  // Not what the beginning costs.
  for (std::size_t i = 0; i < 4 * connections; ++i)
    if (!world.step()) fail("nothing happens", 0);

  const double began = cpu_seconds();
  const std::uint64_t steps = world.steps(), exchanged = exchanges, packets = world.net().packets();
  const std::int64_t simulated = world.now();
  double passed = 0;
  do {
    for (int i = 0; i < 10'000; ++i)
      if (!world.step()) fail("nothing happens", 0);
    passed = cpu_seconds() - began;
  } while (passed < static_cast<double>(seconds));
  std::printf("SIM %zu %zu %zu %.0f %.0f %.0f %.4f %.3f\n", machines, connections, each,
              static_cast<double>(world.steps() - steps) / passed,
              static_cast<double>(exchanges - exchanged) / passed,
              static_cast<double>(world.net().packets() - packets) / passed,
              static_cast<double>(world.now() - simulated) * 1e-9, passed);
  // In flight until their sockets go with their machines.
  stopping = true;
  for (auto& p : programs) p->machine.crash();
  for (auto& p : programs) {
    driver::completions done;
    p->driver.collect(done, true);
    while (done.pop_front()) {
    }
  }
  std::fflush(stdout);
  std::_Exit(0);
}
