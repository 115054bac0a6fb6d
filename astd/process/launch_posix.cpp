#include <astd/coro/or_return.hpp>
#include <astd/coro/shield.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/process.hpp>
#include <astd/io/io_awaitable.hpp>
#include <astd/process/launch.hpp>
#include <astd/process/reaper.hpp>
#include <astd/runtime/io_operation.hpp>
#include <astd/runtime/perform_now.hpp>
#include <astd/runtime/this_task.hpp>

#include <algorithm>
#include <string_view>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace astd::process {

stdio stdio::from(os::native_handle handle) {
  int copy = -1;
  if (driver::sim::machine::here()) {
    driver::operation op;
    op.code = driver::opcode::dup;
    op.fd = handle;
    astd::detail::perform_now(op);
    copy = op.result;
  } else {
    copy = ::fcntl(handle, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) copy = -errno;
  }
  if (copy < 0)
    astd::detail::throw_failure(
        failure({-copy, std::system_category()}, "duplicate", "descriptor " + std::to_string(handle)));
  io::detail::adopt_descriptor(copy);
  return take_over(copy);
}

stdio stdio::take_over(os::native_handle handle) {
  io::detail::owned_handle owned(handle);
  stdio result(kind::handle);
  result.handle_ = std::make_shared<const io::detail::owned_handle>(std::move(owned));
  return result;
}

namespace detail {
namespace {

class start_awaiter final : public astd::detail::io_awaiter<start_awaiter, int> {
 public:
  struct arguments {
    arguments(driver::process_launch* l, const char* program) noexcept : launch(l), name(program) {}
    driver::process_launch* launch;
    const char* name;
  };
  explicit start_awaiter(const arguments& a) noexcept
      : io_awaiter(driver::opcode::start_process, -1), name_(a.name) {
    args.launch.launch = a.launch;
    operation::result = -1;
  }
  // A result that nobody has taken: see child's destructor.
  ~start_awaiter() {
    if (operation::result < 0) return;
    for (int end : args.launch.launch->pipes)
      if (end >= 0) io::detail::close_descriptor(end);
    reap_later(operation::result);
  }
  astd::detail::outcome<int> take() {
    resumed();
    const driver::process_launch& l = *args.launch.launch;
    if (failed()) {
      const std::string_view step = l.failed ? l.failed : "start";
      if (step == "change directory for") return failed_with(step, std::string(name_) + " to " + l.directory);
      return failed_with(step, name_);
    }
    astd::detail::outcome<int> pidfd;
    pidfd.set_value(std::exchange(operation::result, -1));
    return pidfd;
  }

 private:
  const char* name_;
};

int native(resource what) noexcept {
  switch (what) {
    case resource::address_space: return RLIMIT_AS;
    case resource::core_size: return RLIMIT_CORE;
    case resource::cpu_time: return RLIMIT_CPU;
    case resource::data_size: return RLIMIT_DATA;
    case resource::file_size: return RLIMIT_FSIZE;
    case resource::open_files: return RLIMIT_NOFILE;
    case resource::processes: return RLIMIT_NPROC;
    case resource::stack_size: return RLIMIT_STACK;
  }
  return -1;
}

constexpr const char* stream_names[] = {"standard input of ", "standard output of ", "standard error of "};

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& s : strings) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  return pointers;
}

bool is_of(std::string_view entry, std::string_view name) noexcept {
  return entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name);
}

}  // namespace

launch::launch(const command& from, const stdio& input, const stdio& others)
    : kills_(from.kills_),
      program_(from.program_.native()),
      standard_{from.standard_[0].value_or(input), from.standard_[1].value_or(others),
                from.standard_[2].value_or(others)} {
  arguments_.push_back(from.arg0_.value_or(program_));
  arguments_.insert(arguments_.end(), from.arguments_.begin(), from.arguments_.end());
  argument_pointers_ = pointers_to(arguments_);
  native_.arguments = argument_pointers_.data();
  choose_environment(from);
  choose_programs();
  choose_limits(from);
  refuse_what_cannot_be_passed(from);
  if (from.directory_) {
    directory_ = from.directory_->native();
    native_.directory = directory_.c_str();
  }
  native_.group = from.group_.value_or(-1);
  native_.new_session = from.session_;
  if (from.user_) native_.user_id = *from.user_;
  if (from.group_id_) native_.group_id = *from.group_id_;
  for (int i = 0; i < 3; ++i) {
    using native_kind = driver::process_launch;
    switch (standard_[i].what_) {
      case stdio::kind::inherit: native_.standard[i] = native_kind::inherited; break;
      case stdio::kind::null: native_.standard[i] = native_kind::null; break;
      case stdio::kind::piped:
        native_.standard[i] = native_kind::piped;
        pipe_names_[i] = std::make_shared<const std::string>(stream_names[i] + program_);
        break;
      case stdio::kind::handle: native_.standard[i] = standard_[i].handle_->get(); break;
    }
  }
}

void launch::choose_environment(const command& from) {
  // A simulated child inherits a simulated environment; a host's own program has none.
  if (driver::sim::machine::here()) {
    if (const auto* const parent = driver::sim::process::here(); parent && !from.clear_)
      environment_ = parent->environment();
  } else if (!from.clear_)
    for (char** variable = environ; variable && *variable; ++variable) environment_.emplace_back(*variable);
  for (const command::change& change : from.changes_) {
    std::erase_if(environment_, [&](const std::string& entry) { return is_of(entry, change.name); });
    if (change.value) environment_.push_back(change.name + '=' + *change.value);
  }
  environment_pointers_ = pointers_to(environment_);
  native_.environment = environment_pointers_.data();
}

void launch::choose_programs() {
  if (program_.find('/') != std::string::npos || program_.empty()) {
    programs_.push_back(program_);
  } else {
    std::string_view path = "/bin:/usr/bin";
    for (const std::string& entry : environment_)
      if (is_of(entry, "PATH")) path = std::string_view(entry).substr(5);
    for (;;) {
      const std::size_t end = path.find(':');
      const std::string_view folder = path.substr(0, end);
      // An empty one stands for the current directory.
      programs_.push_back(folder.empty() ? program_ : std::string(folder) + '/' + program_);
      if (end == std::string_view::npos) break;
      path.remove_prefix(end + 1);
    }
  }
  for (const std::string& path : programs_) program_pointers_.push_back(path.c_str());
  program_pointers_.push_back(nullptr);
  native_.programs = program_pointers_.data();
}

// The system takes strings that end with a zero byte, and cuts the name of a variable off at the first '='.
void launch::refuse_what_cannot_be_passed(const command& from) {
  const auto has_zero = [](const std::string& s) { return s.find('\0') != std::string::npos; };
  if (has_zero(program_)) refused_ = "its name";
  if (from.directory_ && has_zero(from.directory_->native())) refused_ = "its directory";
  for (std::size_t i = 0; i < arguments_.size() && refused_.empty(); ++i)
    if (has_zero(arguments_[i])) refused_ = "argument " + std::to_string(i);
  for (const command::change& change : from.changes_) {
    if (!change.value || !refused_.empty()) continue;
    if (change.name.empty() || change.name.find('=') != std::string::npos || has_zero(change.name) ||
        has_zero(*change.value))
      refused_ = std::string("variable '") + change.name.c_str() + '\'';
  }
}

void launch::choose_limits(const command& from) {
  for (const command::limited& l : from.limits_) limits_.push_back({native(l.what), l.soft, l.hard});
  native_.limits = limits_;
}

task<child> launch::start(std::unique_ptr<launch> self) {
  if (!self->refused_.empty())
    co_await fail(failure(std::make_error_code(std::errc::invalid_argument), "start",
                          std::string(self->program_.c_str()) + " with " + self->refused_));
  // What the system says of a path that is empty, with a word about which.
  if (self->program_.empty())
    co_await fail(failure(std::make_error_code(std::errc::no_such_file_or_directory), "start",
                          "'', a command without a program's name"));
  // Nothing is started for a task that was asked to stop meanwhile: not the rest of a pipeline.
  if (this_task::is_cancelled()) co_await this_task::yield();
  auto starting = shield(io::detail::io_awaitable<start_awaiter>(&self->native_, self->program_.c_str()));
  const int pidfd = co_await or_return(std::move(starting));
  child started(io::detail::owned_handle(pidfd), self->native_.pid, self->program_, self->kills_);
  const int (&pipes)[3] = self->native_.pipes;
  using io::detail::pipe_maker;
  const auto& names = self->pipe_names_;
  if (pipes[0] >= 0) started.input_ = pipe_maker::make<io::pipe_writer>(pipes[0], names[0]);
  if (pipes[1] >= 0) started.output_ = pipe_maker::make<io::pipe_reader>(pipes[1], names[1]);
  if (pipes[2] >= 0) started.error_ = pipe_maker::make<io::pipe_reader>(pipes[2], names[2]);
  co_return std::move(started);
}

}  // namespace detail
}  // namespace astd::process
