#include <astd/coro/or_return.hpp>
#include <astd/process/collect.hpp>
#include <astd/process/pipeline.hpp>
#include <astd/runtime/perform_now.hpp>

namespace astd::process {
namespace {

// A pipe in blocking mode, as programs expect it: neither end is ours.
int make_pipe(io::detail::owned_handle (&ends)[2]) noexcept {
  int made[2];
  driver::operation op;
  op.code = driver::opcode::pipe;
  op.args.pair = {made, 0, 0, 0};
  astd::detail::perform_now(op);
  if (op.result < 0) return -op.result;
  for (int i = 0; i < 2; ++i) ends[i] = io::detail::owned_handle(made[i]);
  return 0;
}

class pipe_end {
 public:
  explicit pipe_end(io::detail::owned_handle handle) noexcept : handle_(std::move(handle)) {}
  os::native_handle into_native_handle() && noexcept { return handle_.release(); }

 private:
  io::detail::owned_handle handle_;
};

// Ends those that run, when the rest could not be started.
class killer {
 public:
  explicit killer(std::vector<child>& children) noexcept : children_(&children) {}
  ~killer() {
    if (children_)
      for (child& one : *children_) one.kill_on_drop(true);
  }
  killer(const killer&) = delete;
  killer& operator=(const killer&) = delete;
  void release() noexcept { children_ = nullptr; }

 private:
  std::vector<child>* children_;
};

}  // namespace

task<running_pipeline> pipeline::start(std::vector<command> commands) {
  std::vector<child> children;
  children.reserve(commands.size());
  killer unless_all(children);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (i + 1 < commands.size()) {
      io::detail::owned_handle ends[2];
      if (const int error = make_pipe(ends))
        co_await fail({{error, std::system_category()}, "pipe for", commands[i].program().native()});
      commands[i + 1].standard_input(stdio::from(pipe_end(std::move(ends[0]))));
      commands[i].standard_output(stdio::from(pipe_end(std::move(ends[1]))));
    }
    child started = co_await or_return(commands[i].spawn());
    children.push_back(std::move(started));
    // Its ends of the pipes are the child's alone now: whoever reads there sees the end when the child has gone.
    commands[i] = command("");
  }
  unless_all.release();
  co_return running_pipeline(std::move(children));
}

task<exit_status> pipeline::run(std::vector<command> commands) {
  running_pipeline running = co_await or_return(start(std::move(commands)));
  const std::vector<exit_status> all = co_await or_return(running.wait());
  co_return all.back();
}

task<output> pipeline::collect(std::vector<command> commands) {
  if (!commands.front().standard_[0]) commands.front().standard_input(stdio::null());
  if (!commands.back().standard_[1]) commands.back().standard_output(stdio::piped());
  if (!commands.back().standard_[2]) commands.back().standard_error(stdio::piped());
  running_pipeline running = co_await or_return(start(std::move(commands)));
  running.standard_input().close();
  process::output all;
  child& last = running.children().back();
  all.status = co_await or_return(detail::collect(last, all.standard_output, all.standard_error));
  co_await or_return(running.wait());
  co_return std::move(all);
}

ASTD_CORO_WRAPPER task<running_pipeline> pipeline::spawn() const { return start(commands_); }
ASTD_CORO_WRAPPER task<exit_status> pipeline::status() const { return run(commands_); }
ASTD_CORO_WRAPPER task<output> pipeline::output() const { return collect(commands_); }

task<std::vector<exit_status>> running_pipeline::wait() {
  std::vector<exit_status> all;
  for (child& one : children_) one.standard_input().close();
  for (child& one : children_) {
    const exit_status status = co_await or_return(one.wait());
    all.push_back(status);
  }
  co_return std::move(all);
}

std::suspend_never running_pipeline::kill() {
  for (child& one : children_) one.kill();
  return {};
}

}  // namespace astd::process
