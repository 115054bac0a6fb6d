// A pipe in memory, both ways: what is written at one end is read at the other. For tests, and between tasks.
//
//   auto [client, server] = io::duplex(4096);
//   co_await io::write_all(client, "ping\n");
//   co_await client.shutdown_write();
//   auto text = co_await io::read_to_string(server);
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/attempt.hpp>
#include <astd/io/concepts.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace astd::io {
namespace detail {
class duplex_state;
}

/// One end. It behaves as a connection does: reads give what is there and wait if that is nothing, 0 when the other end
/// has ended writing or is gone; writes take what there is room for and wait if that is none, and fail with
/// std::errc::broken_pipe when the other end is gone. What was written before an end was closed is still read.
///
/// Any number of tasks may read and write, on any threads. Moving an end disturbs nothing in flight; closing or destroying
/// it while it is in use is a programming error.
class duplex_stream {
  struct read_op;
  struct write_op;

 public:
  duplex_stream(duplex_stream&&) noexcept = default;
  duplex_stream& operator=(duplex_stream&& other) noexcept;
  /// Closes it.
  ~duplex_stream();

  [[nodiscard]] auto read(mutable_bytes to) noexcept;
  [[nodiscard]] auto write(const_bytes from) noexcept;
  [[nodiscard]] poll_result<std::size_t> try_read(mutable_bytes to) noexcept;
  [[nodiscard]] poll_result<std::size_t> try_write(const_bytes from) noexcept;
  [[nodiscard]] task<> readable();
  [[nodiscard]] task<> writable();

  /// No more will be written here: the other end reads what there is, then the end. Never waits.
  [[nodiscard]] task<> shutdown_write();
  /// Both directions. Never waits.
  [[nodiscard]] task<> close();

 private:
  friend std::pair<duplex_stream, duplex_stream> duplex(std::size_t capacity);
  duplex_stream(std::shared_ptr<detail::duplex_state> state, int side) noexcept
      : state_(std::move(state)), side_(side) {}
  void give_up() noexcept;
  std::shared_ptr<detail::duplex_state> state_;
  int side_;
};

struct duplex_stream::read_op {
  using value_type = std::size_t;
  read_op(detail::duplex_state* s, int i, mutable_bytes b) noexcept : of(s), side(i), to(b) {}
  detail::duplex_state* of;
  int side;
  mutable_bytes to;
  bool now(astd::detail::outcome<std::size_t>& done) noexcept;
  task<std::size_t> later();
};
struct duplex_stream::write_op {
  using value_type = std::size_t;
  write_op(detail::duplex_state* s, int i, const_bytes b) noexcept : of(s), side(i), from(b) {}
  detail::duplex_state* of;
  int side;
  const_bytes from;
  bool now(astd::detail::outcome<std::size_t>& done) noexcept;
  task<std::size_t> later();
};

inline auto duplex_stream::read(mutable_bytes to) noexcept {
  return detail::attempt<read_op>(std::in_place, state_.get(), side_, to);
}
inline auto duplex_stream::write(const_bytes from) noexcept {
  return detail::attempt<write_op>(std::in_place, state_.get(), side_, from);
}

/// Two ends that are connected; `capacity`: how many bytes, at least one, each direction holds before writes wait.
/// Allocates it at once.
[[nodiscard]] std::pair<duplex_stream, duplex_stream> duplex(std::size_t capacity);

}  // namespace astd::io
