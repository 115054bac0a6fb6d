#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/process/collect.hpp>
#include <astd/process/command.hpp>
#include <astd/process/launch.hpp>

#include <memory>

namespace astd::process {
namespace {

task<> read_all(io::pipe_reader& from, std::string& to) {
  if (!from.is_open()) co_return;
  std::size_t room = 4096;
  for (;;) {
    const std::size_t held = to.size();
    to.resize(held + room);
    // What was read so far is the child's handle's no more: who is cancelled here has given up the output.
    auto reading = from.read(io::mutable_bytes(to.data() + held, room));
    const std::size_t n = co_await or_return(reading);
    to.resize(held + n);
    if (n == 0) co_return;
    if (n == room && room < 262144) room *= 4;
  }
}

task<exit_status> wait_for(task<child> starting) {
  child one = co_await or_return(std::move(starting));
  const exit_status status = co_await or_return(one.wait());
  co_return status;
}

task<output> collect_from(task<child> starting) {
  child one = co_await or_return(std::move(starting));
  output all;
  all.status = co_await or_return(detail::collect(one, all.standard_output, all.standard_error));
  co_return std::move(all);
}

}  // namespace

task<exit_status> detail::collect(child& one, std::string& output, std::string& error) {
  one.standard_input().close();
  auto reading = try_join(read_all(one.standard_output(), output), read_all(one.standard_error(), error));
  co_await or_return(std::move(reading));
  const exit_status status = co_await or_return(one.wait());
  co_return status;
}

ASTD_CORO_WRAPPER task<child> command::spawn() const {
  return detail::launch::start(std::make_unique<detail::launch>(*this, stdio::inherit(), stdio::inherit()));
}

ASTD_CORO_WRAPPER task<exit_status> command::status() const { return wait_for(spawn()); }

ASTD_CORO_WRAPPER task<output> command::output() const {
  return collect_from(
      detail::launch::start(std::make_unique<detail::launch>(*this, stdio::null(), stdio::piped())));
}

}  // namespace astd::process
