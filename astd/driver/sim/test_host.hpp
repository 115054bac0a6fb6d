// For this folder's tests: a program on a simulated machine without tasks. It submits operations, and the world goes on
// until one has ended.
#pragma once

#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/network.hpp>
#include <astd/driver/sim/network_stack.hpp>
#include <astd/driver/sim/sim_driver.hpp>
#include <astd/driver/sim/world.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace astd::driver::sim::testing {

struct test_op : operation {
  explicit test_op(opcode wanted, int descriptor = -1) {
    code = wanted;
    fd = descriptor;
    completed = [](operation& op) noexcept { static_cast<test_op&>(op).ended = true; };
  }
  bool ended = false;
};

inline sockaddr_in address_of(const machine& m, std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(v4_of(m.number()).as_v4());
  return a;
}
inline sockaddr_in inside(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

class host {
 public:
  explicit host(machine& m) : at(m), d(std::make_unique<sim_driver>(m)) {}
  host(world& w, std::string name) : host(w.add_machine(std::move(name))) {}

  bool submit(test_op& op) {
    op.ended = false;
    if (!d->submit(op)) return false;
    return op.ended = true;
  }
  void collect() {
    completions done;
    d->collect(done, true);
    while (operation* const op = done.pop_front()) op->completed(*op);
  }
  /// Steps until `op` has ended; -ETIMEDOUT - 1000 if nothing happens any more.
  std::int32_t finish(test_op& op) {
    for (;;) {
      collect();
      if (op.ended) return op.result;
      if (!at.in().step()) return nothing_happens;
    }
  }
  static constexpr std::int32_t nothing_happens = -1'000'000;
  std::int32_t run(test_op& op) {
    submit(op);
    return finish(op);
  }
  void cancel(test_op& op) { d->cancel(op); }

  int socket(int type = SOCK_STREAM, int family = AF_INET) {
    test_op op(opcode::socket);
    op.args.socket = {family, type, 0};
    return run(op);
  }
  template <class A>
  std::int32_t bind(int fd, A address) {
    unsigned length = sizeof address;
    test_op op(opcode::bind, fd);
    op.args.address = {reinterpret_cast<sockaddr*>(&address), &length};
    return run(op);
  }
  std::int32_t listen(int fd, int backlog = 128) {
    test_op op(opcode::listen, fd);
    op.args.value = backlog;
    return run(op);
  }
  /// A listener at this port of all addresses.
  int serve(std::uint16_t port, int backlog = 128) {
    const int fd = socket();
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    EXPECT_EQ(bind(fd, any), 0);
    EXPECT_EQ(listen(fd, backlog), 0);
    return fd;
  }
  template <class A>
  std::int32_t connect(int fd, A address) {
    unsigned length = sizeof address;
    test_op op(opcode::connect, fd);
    op.args.address = {reinterpret_cast<sockaddr*>(&address), &length};
    return run(op);
  }
  int accept(int fd) {
    test_op op(opcode::accept, fd);
    return run(op);
  }
  std::int32_t send(int fd, std::string_view bytes, int flags = 0) {
    test_op op(opcode::send, fd);
    op.args.transfer = {const_cast<char*>(bytes.data()), bytes.size(), flags, 0};
    return run(op);
  }
  std::int32_t recv(int fd, std::string& into, std::size_t most = 65'536, int flags = 0) {
    into.resize(most);
    test_op op(opcode::recv, fd);
    op.args.transfer = {into.data(), most, flags, 0};
    const std::int32_t got = run(op);
    into.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return got;
  }
  /// What a recv without waiting would say.
  std::int32_t look(int fd) {
    std::string sink;
    return recv(fd, sink, 65'536, MSG_PEEK | MSG_DONTWAIT);
  }
  std::int32_t shutdown(int fd, int how) {
    test_op op(opcode::shutdown, fd);
    op.args.value = how;
    return run(op);
  }
  std::int32_t close(int fd) {
    test_op op(opcode::close, fd);
    op.args.value = 0;
    return run(op);
  }
  std::int32_t poll(int fd, int events) {
    test_op op(opcode::poll, fd);
    op.args.value = events;
    return run(op);
  }
  std::int32_t set(int fd, int level, int name, int value) {
    unsigned length = sizeof value;
    test_op op(opcode::set_option, fd);
    op.args.option = {level, name, &value, &length};
    return run(op);
  }
  int get(int fd, int level, int name) {
    int value = 0;
    unsigned length = sizeof value;
    test_op op(opcode::get_option, fd);
    op.args.option = {level, name, &value, &length};
    const std::int32_t result = run(op);
    return result < 0 ? result : value;
  }
  sockaddr_in name(int fd, bool peer = false) {
    sockaddr_in a{};
    unsigned length = sizeof a;
    test_op op(peer ? opcode::peer_name : opcode::local_name, fd);
    op.args.address = {reinterpret_cast<sockaddr*>(&a), &length};
    EXPECT_EQ(run(op), 0);
    return a;
  }

  machine& at;
  std::unique_ptr<sim_driver> d;
};

/// Lets `w` go on for so long, or until nothing happens.
inline void pass(world& w, detail::instant span) {
  const detail::instant until = w.now() + span;
  bool reached = false;
  w.after(span, [&] { reached = true; });
  while (!reached && w.now() <= until && w.step()) {
  }
}

}  // namespace astd::driver::sim::testing
