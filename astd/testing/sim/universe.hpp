// sim::universe: what a scenario sees of its world, and how it meddles with it.
//
//   auto& db = universe.add_host("db", [] { return run_database("/var/db"); });
//   auto& web = universe.add_host("web", [] { return serve("0.0.0.0:80", "db:5432"); });
//   universe.partition("db", "web");
//   co_await astd::this_task::sleep_for(10s);
//   universe.crash(db);                     // what it had not synced is lost
//   universe.heal();
//   universe.restart(db);                   // its program begins again
//   co_await universe.eventually(30s, [&] { return healthy(); });
#pragma once

#include <astd/coro/task.hpp>
#include <astd/net/ip_address.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/sim/options.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace astd::driver::sim {
class machine;
class world;
}  // namespace astd::driver::sim

namespace astd::sim {

class host;
class universe;

/// What was demanded has not come about in time. The code is std::errc::timed_out.
class no_progress : public std::system_error {
 public:
  explicit no_progress(const std::string& what);
};

namespace detail {

struct universe_state;
struct host_state;

/// A host's program, without its type; begins anew each time.
class program {
 public:
  program() = default;
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  virtual ~program() = default;
  virtual task<> begin() = 0;
};

template <class F>
class program_of final : public program {
 public:
  explicit program_of(F f) : f_(std::move(f)) {}
  task<> begin() override { return run(f_); }

 private:
  // Has a callable of its own, as long as it runs.
  static task<> run(F f) {
    if constexpr (std::is_void_v<typename std::invoke_result_t<F&>::value_type>) {
      co_await f();
    } else {
      auto status = co_await f();
      static_cast<void>(status);
    }
  }
  F f_;
};

/// What a child of a host's runs, without its type; begins anew for each.
class child_program {
 public:
  child_program() = default;
  child_program(const child_program&) = delete;
  child_program& operator=(const child_program&) = delete;
  virtual ~child_program() = default;
  using strings = std::span<const std::string_view>;
  /// Both live as long as the task.
  virtual task<int> begin(strings arguments, strings environment) = 0;
};

template <class F>
class child_program_of final : public child_program {
 public:
  explicit child_program_of(F f) : f_(std::move(f)) {}
  task<int> begin(strings arguments, strings environment) override { return run(f_, arguments, environment); }

 private:
  static auto make(F& f, [[maybe_unused]] strings arguments, [[maybe_unused]] strings environment) {
    if constexpr (std::is_invocable_v<F&, strings, strings>)
      return f(arguments, environment);
    else if constexpr (std::is_invocable_v<F&, strings>)
      return f(arguments);
    else
      return f();
  }
  // Has a callable of its own, as long as it runs.
  static task<int> run(F f, [[maybe_unused]] strings arguments, [[maybe_unused]] strings environment) {
    auto t = make(f, arguments, environment);
    if constexpr (std::is_void_v<typename decltype(t)::value_type>) {
      co_await std::move(t);
      co_return 0;
    } else {
      const int status = co_await std::move(t);
      co_return status;
    }
  }
  F f_;
};

/// Something that a universe keeps.
class kept {
 public:
  kept() = default;
  kept(const kept&) = delete;
  kept& operator=(const kept&) = delete;
  virtual ~kept() = default;
};

template <class T>
class kept_value final : public kept {
 public:
  template <class... A>
  explicit kept_value(A&&... arguments) : value(std::forward<A>(arguments)...) {}
  T value;
};

/// Asks a task to stop when nobody waits for it any more.
template <class T>
class bound_handle {
 public:
  explicit bound_handle(join_handle<T> h) noexcept : handle(std::move(h)) {}
  bound_handle(bound_handle&&) noexcept = default;
  bound_handle& operator=(bound_handle&&) = delete;
  ~bound_handle() { handle.request_cancel(); }
  join_handle<T> handle;
};

template <class T>
task<T> await_on_host(bound_handle<T> h) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(h.handle);
  } else {
    auto v = co_await std::move(h.handle);
    co_return std::move(v);
  }
}

}  // namespace detail

/// One of the universe's machines: a name, an address, clocks, a disk, and a runtime that runs its tasks.
class host {
 public:
  explicit host(std::unique_ptr<detail::host_state> state) noexcept;
  host(const host&) = delete;
  host& operator=(const host&) = delete;
  ~host();

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] net::ip_address address() const noexcept;
  /// Neither crashed nor about to restart. A paused host is up.
  [[nodiscard]] bool is_up() const noexcept;
  [[nodiscard]] bool is_paused() const noexcept;
  /// How often it was started: 1 at first.
  [[nodiscard]] unsigned life() const noexcept;

  /// Runs f(arguments...), which gives a task, on this host, as astd::spawn does. If the host crashes the task is
  /// cancelled, and whoever joins it gets task_cancelled; on a host that is down it never begins, and
  /// whoever joins it gets the same.
  template <class F, class... A>
    requires astd::detail::task_callable<F, A...>
  auto spawn(F&& f, A&&... arguments) {
    return this->begin(astd::detail::make_task(std::forward<F>(f), std::forward<A>(arguments)...));
  }
  /// The same, and gives its value when awaited, or throws what it throws: task_cancelled if the host crashes. Begins at
  /// once. Cancelling the await asks the task to stop, and does not wait for that.
  template <class F, class... A>
    requires astd::detail::task_callable<F, A...>
  [[nodiscard]] ASTD_CORO_WRAPPER auto run(F&& f, A&&... arguments) {
    auto h = this->spawn(std::forward<F>(f), std::forward<A>(arguments)...);
    using T = typename decltype(h)::value_type;
    return detail::await_on_host<T>(detail::bound_handle<T>(std::move(h)));
  }

  /// What its programs have written to standard output so far, in all its lives; and to standard error.
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string error_output() const;

  /// Signal `number` (SIGTERM, SIGINT...) comes to its program, a moment later: whoever listens there is told
  /// (<astd/signal.hpp>). If nobody listens, what the system does by default: most signals end the program, which is a
  /// crash (universe::crash); SIGSTOP and the like pause the host, SIGCONT lets it go on, and SIGCHLD, SIGURG and SIGWINCH
  /// do nothing. SIGKILL and SIGSTOP ask nobody. A second signal that a graceful_shutdown takes for "at once" is a crash, too.
  /// At a paused host all but SIGKILL and SIGCONT wait until it goes on; one that is down gets none. Throws
  /// std::invalid_argument for a number that is no signal's.
  void raise(int number);

  /// From now on process::command(name) starts `f` here, as a child with arguments, standard streams, signals and an exit
  /// status of its own. `f` gives a task<int> or a task<>, and takes what async_main takes: nothing, or
  /// std::span<const std::string_view>, args[0] being the program; or a second such span, for its environment ("NAME=value"),
  /// which is what the command says: a host's own program has none to pass on. It is copied for each child. `name` is found in every
  /// folder of PATH; one with slashes is a whole path. Throws std::invalid_argument if there is one of that name here, or for
  /// a name that is empty or ends in a slash.
  ///
  /// When f's task has ended, what else the child has spawned is cancelled, and then it has ended. An exception is written to
  /// its standard error, and makes the status 1. A signal that ends it, SIGKILL for one, cancels its tasks: nothing that they
  /// do about it gets out. It shares the host's clocks, disk, folder and address, and dies when that crashes.
  template <class F>
  void add_program(std::string_view name, F f) {
    add_child_program(name, std::make_unique<detail::child_program_of<F>>(std::move(f)));
  }

  // Its clocks and limits.
  /// Its clocks run by so much faster (0.001: a millisecond a second) or slower from now on. At first they run true. Throws
  /// std::invalid_argument for -1, at which they would stand, and less.
  void set_clock_drift(double rate);
  /// Somebody sets its system clock forth or back. Its steady clock does not mind.
  void jump_clock(std::chrono::nanoseconds by);
  /// How many descriptors it may have open.
  void set_descriptor_limit(int limit);

  /// What is beneath it (<astd/driver/sim/machine.hpp>): machine().storage() is its disk (<astd/driver/sim/disk.hpp>), whose
  /// size and speed can be set. Internal: may change.
  [[nodiscard]] driver::sim::machine& machine() noexcept;
  [[nodiscard]] detail::host_state& state() noexcept { return *state_; }

 private:
  template <class T>
  join_handle<T> begin(task<T> t) {
    if (runtime* const r = running()) return r->spawn(std::move(t));
    return of_scenario().spawn(refused(std::move(t), name()));
  }
  template <class T>
  static task<T> refused(task<T> never_begins, std::string name) {
    refuse(name);
    co_return co_await std::move(never_begins);
  }
  void add_child_program(std::string_view name, std::unique_ptr<detail::child_program> what);
  runtime* running() noexcept;  // null: down
  [[nodiscard]] runtime& of_scenario() const;
  [[noreturn]] static void refuse(const std::string& name);
  const std::unique_ptr<detail::host_state> state_;
};

/// The world of one run. A scenario, and what it has spawned beside it, may use it; programs of hosts know nothing of it.
/// Hosts are given by name or as host&; an unknown name throws std::invalid_argument, and so does a
/// rate, a length or a name that makes no sense. Functions that are no tasks act at
/// once.
class universe {
 public:
  /// A host, or its name.
  class which {
   public:
    which(host& h) noexcept : host_(&h) {}
    which(std::string_view name) noexcept : name_(name) {}
    which(const char* name) noexcept : name_(name) {}
    which(const std::string& name) noexcept : name_(name) {}

   private:
    friend class universe;
    host* host_ = nullptr;
    std::string_view name_;
  };

  explicit universe(detail::universe_state& state) noexcept : state_(state) {}
  universe(const universe&) = delete;
  universe& operator=(const universe&) = delete;

  // ---- hosts
  /// A new host, on which `program` begins: a callable that gives a task. It is copied, and called again each time the host
  /// restarts. When it ends, the host stays as it is; when it fails, run() fails with that. Without a program it is a
  /// machine to host::run() things on. `name` is new, and a host name; the other hosts know it.
  template <class F>
  host& add_host(std::string_view name, F program) {
    return add(name, std::make_unique<detail::program_of<F>>(std::move(program)));
  }
  host& add_host(std::string_view name) { return add(name, nullptr); }
  /// host::add_program() for all hosts, those to come included. A host's own program of that name comes first.
  template <class F>
  void add_program(std::string_view name, F f) {
    add_child_program(name, std::make_unique<detail::child_program_of<F>>(std::move(f)));
  }
  [[nodiscard]] host& find(which h) const;
  /// In the order in which they were added; without the scenario's own.
  [[nodiscard]] std::vector<host*> hosts() const;

  /// A T that hosts' programs and the scenario may share: it lives until all of them have ended. A variable of the
  /// scenario does not: a program that had something to go on with when the scenario ended goes on up to its next await.
  template <class T, class... A>
  T& make(A&&... arguments) {
    auto one = std::make_unique<detail::kept_value<T>>(std::forward<A>(arguments)...);
    T& value = one->value;
    keep(std::move(one));
    return value;
  }

  // ---- their lives
  /// Power is lost. Connections vanish without a word to the other ends, the disk keeps what was synced, and of the rest
  /// what chance allows. Its tasks are cancelled: their destructors run, but nothing that they do leaves the machine.
  void crash(which h);
  /// A crashed host starts again, with what its disk has kept, as soon as its old tasks have ended. One that is up crashes
  /// first.
  void restart(which h);
  /// Its tasks stand still; its network and its disk go on, as those of a stopped process do.
  void pause(which h);
  void resume(which h);

  /// See host::raise().
  void raise(which h, int number) { find(h).raise(number); }

  // ---- the network
  /// What packets from `from` to `to` meet from now on; with set_links, all links of this world and of those to come.
  void set_link(which from, which to, const link& l);
  void set_links(const link& l);
  /// Nothing passes between the two, in either direction, until heal(). Connections are not told: they wait and send
  /// again.
  void partition(which a, which b);
  void partition_one_way(which from, which to);
  /// Nothing passes between any of `a` and any of `b`.
  void partition(std::span<host* const> a, std::span<host* const> b);
  /// Between one host and all others, until heal().
  void isolate(which h);
  /// Takes all partitions back, or those between two.
  void heal();
  void heal(which a, which b);
  /// What is sent to `h`, or by it, waits on the way until release(), and then comes all at once, in any order.
  void clog(which h);
  void release(which h);
  /// A further name for a host, for lookups. Several hosts may share one, which then has several addresses.
  void add_name(std::string_view name, which h);

  // ---- chance
  /// How probable faults are from now on: see options::faults.
  void set_faults(const fault_rates& rates);
  /// No fault by chance any more: chaos() ends, partitions are healed, what is clogged is released, who is paused goes on,
  /// clocks run true, and who is down restarts; it has when this ends. From now on whatever the program promises has to
  /// come about: demand it with eventually().
  [[nodiscard]] task<> quiet();
  [[nodiscard]] bool is_quiet() const noexcept;

  // ---- what is demanded
  /// Ends as soon as predicate() holds (a bool, or a task of one), which is asked now and then; throws no_progress with
  /// `what` in its text if that is not so `within` from now.
  template <class P>
  [[nodiscard]] task<> eventually(std::chrono::nanoseconds within, P predicate, std::string what = {}) {
    const auto begin = now();
    const auto until =
        within > std::chrono::nanoseconds::max() - begin ? std::chrono::nanoseconds::max() : begin + within;
    const auto longest = std::min<std::chrono::nanoseconds>(within / 200, std::chrono::minutes(1));
    for (std::chrono::nanoseconds pause = std::chrono::milliseconds(1);;) {
      bool holds = false;
      if constexpr (std::convertible_to<std::invoke_result_t<P&>, bool>) {
        holds = predicate();
      } else {
        const bool answer = co_await predicate();
        holds = answer;
      }
      if (holds) co_return;
      if (now() >= until) throw_no_progress(within, what);
      co_await this_task::sleep_for(pause);
      if (pause < longest) pause *= 2;
    }
  }

  // ---- looking
  [[nodiscard]] std::uint64_t seed() const noexcept;
  /// True time since the world began, whatever the hosts' clocks say.
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept;
  /// Puts a line into the trace, and so into its hash: two runs that differ in it are different runs.
  void note(std::string_view text);
  /// Every task of every host with its chain of awaits.
  [[nodiscard]] std::string dump_tasks() const;
  [[nodiscard]] report told() const;

  [[nodiscard]] driver::sim::world& world() noexcept;
  /// The run ends, and throws this; the first that is said counts.
  void fail(std::exception_ptr why) noexcept;

 private:
  host& add(std::string_view name, std::unique_ptr<detail::program> program);
  void add_child_program(std::string_view name, std::unique_ptr<detail::child_program> what);
  void keep(std::unique_ptr<detail::kept> one);
  [[noreturn]] static void throw_no_progress(std::chrono::nanoseconds within, const std::string& what);
  detail::universe_state& state_;
};

}  // namespace astd::sim
