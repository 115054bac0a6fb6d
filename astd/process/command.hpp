// Running other programs.
//
//   auto listing = co_await process::command("ls").arg("-l").current_dir("/").output();
//   if (listing.status.success()) co_await print("{}", listing.standard_output);
//
// No shell is involved: each argument arrives as it is.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/process/child.hpp>
#include <astd/process/exit_status.hpp>
#include <astd/process/stdio.hpp>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace astd::process {

/// What command::output() has collected.
struct output {
  exit_status status;
  std::string standard_output;  // whatever bytes they are
  std::string standard_error;
};

/// What a process may use at most, see setrlimit(2).
enum class resource : unsigned char {
  address_space,  // bytes
  core_size,      // bytes
  cpu_time,       // seconds
  data_size,      // bytes
  file_size,      // bytes
  open_files,     // descriptors
  processes,      // of the user
  stack_size,     // bytes
};
inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

namespace detail {

/// Text in whatever form: std::string, std::string_view, a literal, a path.
template <class T>
concept string_like = std::constructible_from<std::string, T>;

}  // namespace detail

/// A program, and how it is to be run. It can be run several times, and copied. Functions that set something give the
/// command back. Not for several threads at once.
///
/// The child is started without copying this process (vfork), on the blocking pool: no worker waits for it. It inherits no
/// descriptor but those that are given to it (and those which other libraries opened without close-on-exec). No signal is
/// blocked in it, SIGPIPE has its default action; what is ignored otherwise stays ignored.
class command {
 public:
  /// `program` is looked for in PATH (that of the child, if it is set by env()), unless it has a slash; then it is a path,
  /// relative to current_dir().
  explicit command(std::filesystem::path program) : program_(std::move(program)) {}

  template <detail::string_like T>
  command& arg(T&& argument) {
    arguments_.emplace_back(std::forward<T>(argument));
    return *this;
  }
  /// Each of a range of strings.
  template <std::ranges::input_range R>
    requires std::constructible_from<std::string, std::ranges::range_reference_t<R>>
  command& args(R&& arguments) {
    for (auto&& one : arguments) arguments_.emplace_back(std::forward<decltype(one)>(one));
    return *this;
  }
  command& args(std::initializer_list<std::string_view> arguments) {
    for (std::string_view one : arguments) arguments_.emplace_back(one);
    return *this;
  }
  /// What the child finds as its own name (argv[0]) instead of the program's.
  template <detail::string_like T>
  command& arg0(T&& name) {
    arg0_.emplace(std::forward<T>(name));
    return *this;
  }

  /// The child's environment is this process's, as it is when the child is started, with these changes in their order.
  template <detail::string_like N, detail::string_like V>
  command& env(N&& name, V&& value) {
    changes_.push_back({std::string(std::forward<N>(name)), std::string(std::forward<V>(value))});
    return *this;
  }
  /// Each of a range of pairs.
  template <std::ranges::input_range R>
    requires requires(std::ranges::range_reference_t<R> pair) { std::string(pair.first), std::string(pair.second); }
  command& envs(R&& variables) {
    for (auto&& one : variables) env(std::string(one.first), std::string(one.second));
    return *this;
  }
  template <detail::string_like T>
  command& env_remove(T&& name) {
    changes_.push_back({std::string(std::forward<T>(name)), std::nullopt});
    return *this;
  }
  /// Without any variable of this process, nor one that was set before.
  command& env_clear() {
    clear_ = true;
    changes_.clear();
    return *this;
  }

  command& current_dir(std::filesystem::path directory) {
    directory_ = std::move(directory);
    return *this;
  }

  /// Without a word: inherited for spawn() and status(); for output() the input is null, the others are piped.
  command& standard_input(stdio what) {
    standard_[0] = std::move(what);
    return *this;
  }
  command& standard_output(stdio what) {
    standard_[1] = std::move(what);
    return *this;
  }
  command& standard_error(stdio what) {
    standard_[2] = std::move(what);
    return *this;
  }

  /// Puts the child into the process group with that number; 0: into one of its own, whose number is the child's. A
  /// terminal's Ctrl-C concerns its foreground group alone.
  command& process_group(int group) {
    group_ = group;
    return *this;
  }
  /// A session of its own, away from the terminal, and so a group of its own.
  command& new_session(bool on = true) {
    session_ = on;
    return *this;
  }
  /// Runs it as that user, or group. With another user the superuser's further groups are given up.
  command& user_id(std::uint32_t id) {
    user_ = id;
    return *this;
  }
  command& group_id(std::uint32_t id) {
    group_id_ = id;
    return *this;
  }
  /// It may use at most `soft`, which it may itself raise to `hard`.
  command& limit(resource what, std::uint64_t soft, std::uint64_t hard) {
    limits_.push_back({what, soft, hard});
    return *this;
  }
  command& limit(resource what, std::uint64_t most) { return limit(what, most, most); }

  /// The child is killed when its handle is destroyed and it has not been waited for: when the task that waits is
  /// cancelled, for one. Without it the child goes on.
  command& kill_on_drop(bool on = true) {
    kills_ = on;
    return *this;
  }

  /// Starts it. Fails with what the system says and the program's name: "start nonesuch: No such file or directory";
  /// nothing is left then. Everything that is needed is copied at the call. A task that was asked to stop before starts
  /// nothing; a start under way is not interrupted, so that there is always somebody who has the child.
  [[nodiscard]] task<child> spawn() const;
  /// Starts it and waits for its end.
  [[nodiscard]] task<exit_status> status() const;
  /// Starts it and collects what it writes until nobody can write any more (children of the child included), and its
  /// status. Both streams are read at the same time, so that it never gets stuck. Memory grows with the output.
  [[nodiscard]] task<process::output> output() const;

  [[nodiscard]] const std::filesystem::path& program() const noexcept { return program_; }

 private:
  friend class detail::launch;
  friend class pipeline;
  struct change {
    std::string name;
    std::optional<std::string> value;
  };
  struct limited {
    resource what;
    std::uint64_t soft, hard;
  };

  std::filesystem::path program_;
  std::vector<std::string> arguments_;
  std::optional<std::string> arg0_;
  std::vector<change> changes_;
  bool clear_ = false;
  bool session_ = false;
  bool kills_ = false;
  std::optional<std::filesystem::path> directory_;
  std::optional<stdio> standard_[3];
  std::optional<int> group_;
  std::optional<std::uint32_t> user_;
  std::optional<std::uint32_t> group_id_;
  std::vector<limited> limits_;
};

}  // namespace astd::process
