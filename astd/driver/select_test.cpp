// Which driver is chosen, and why: as asked for, and with io_uring refused in every way that is met in the field.
#include <astd/base/test_descriptors.hpp>
#include <astd/driver/test_loop.hpp>

#include <seccomp.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <grp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace astd::driver::testing {
namespace {

TEST(select, names_are_parsed) {
  choice result{};
  EXPECT_TRUE(parse_choice("uring", result));
  EXPECT_EQ(result, choice::uring);
  EXPECT_TRUE(parse_choice("epoll", result));
  EXPECT_EQ(result, choice::epoll);
  EXPECT_TRUE(parse_choice("auto", result));
  EXPECT_EQ(result, choice::automatic);
  result = choice::epoll;
  EXPECT_TRUE(parse_choice("", result));
  EXPECT_EQ(result, choice::automatic);
  result = choice::uring;
  for (const char* bad : {"Uring", "io_uring", "epoll ", "kqueue", "automatic"})
    EXPECT_FALSE(parse_choice(bad, result));
  EXPECT_EQ(result, choice::uring);
}

TEST(select, every_operation_has_a_name) {
  for (int i = 0; i <= static_cast<int>(opcode::sendfile); ++i) {
    EXPECT_STRNE(astd::driver::name_of(static_cast<opcode>(i)), "unknown") << i;
  }
  EXPECT_STREQ(astd::driver::name_of(opcode::recv), "recv");
  EXPECT_STREQ(astd::driver::name_of(static_cast<opcode>(200)), "unknown");
}

TEST(select, epoll_when_asked_for) {
  selected s = make_driver({.want = choice::epoll});
  ASSERT_NE(s.value, nullptr);
  EXPECT_EQ(s.value->name(), "epoll");
  EXPECT_FALSE(s.reason.empty());
}

// Runs `check` in a child that cannot harm this process; its words, empty if all is well.
std::string in_a_child(const std::function<std::string()>& check) {
  int ends[2];
  if (::pipe(ends) != 0) return "pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string words = check();
    [[maybe_unused]] auto n = ::write(ends[1], words.data(), words.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string words;
  char buffer[256];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    words.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) words += " [status " + std::to_string(status) + "]";
  return words;
}

std::string refuse(int call, int error) {
  scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
  if (!filter) return "seccomp_init";
  if (::seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), call, 0) != 0) return "rule";
  const int result = ::seccomp_load(filter);
  ::seccomp_release(filter);
  return result == 0 ? "" : std::string("seccomp_load: ") + std::strerror(-result);
}

// An exchange over `s`, to see that what was chosen works.
std::string works(const options& wanted) {
  test_loop loop(test_options{wanted});
  pair p;
  char byte;
  receiving in(p.ends[1], &byte, 1);
  if (loop.submit(in)) return "did not wait";
  if (loop.run(sending(p.ends[0], "x", 1)) != 1) return "did not send";
  if (loop.finish(in) != 1) return "did not receive";
  return "";
}

std::string falls_back(int call, int error, const char* name) {
  if (std::string words = refuse(call, error); !words.empty()) return words;
  for (bool shared : {true, false}) {
    selected s = make_driver({.want = choice::automatic, .shared = shared});
    if (!s.value) return "no driver: " + s.reason;
    if (s.value->name() != "epoll") return "not epoll: " + s.reason;
    if (s.reason.find("epoll: ") != 0) return "reason: " + s.reason;
    if (s.reason.find(name) == std::string::npos) return "call not named: " + s.reason;
    if (s.reason.find(std::strerror(error)) == std::string::npos) return "error not named: " + s.reason;
    selected forced = make_driver({.want = choice::uring, .shared = shared});
    if (forced.value) return "a ring in spite of it";
    if (forced.reason.find(std::strerror(error)) == std::string::npos) return "forced: " + forced.reason;
    if (std::string words = works({.shared = shared}); !words.empty()) return words;
  }
  return "";
}

#if !ASTD_HAS_URING
TEST(select, says_when_it_was_built_without_io_uring) {
  selected s = make_driver({.want = choice::uring});
  EXPECT_EQ(s.value, nullptr);
  EXPECT_EQ(s.reason, "built without io_uring");
  s = make_driver({});
  ASSERT_NE(s.value, nullptr);
  EXPECT_EQ(s.reason, "epoll: built without io_uring");
}
#else
TEST(select, falls_back_whatever_the_refusal) {
  if (asking_is_deadly()) GTEST_SKIP() << "NOT RUN: io_uring must not be asked for here";
  if (make_driver({.want = choice::uring}).reason.find("io_uring_disabled") != std::string::npos)
    GTEST_SKIP() << "NOT RUN: the sysctl has the first word, and refuses";
  for (int error : {EPERM, ENOSYS, ENOMEM, EOPNOTSUPP, EACCES, EINVAL, EMFILE}) {
    EXPECT_EQ(in_a_child([&] { return falls_back(SCMP_SYS(io_uring_setup), error, "io_uring_setup"); }), "")
        << error;
  }
}
#endif

TEST(select, falls_back_when_the_ring_is_there_and_cannot_be_used) {
  if (asking_is_deadly()) GTEST_SKIP() << "NOT RUN: io_uring must not be asked for here";
  // Only where there is a ring at all: otherwise the setup fails first.
  if (!make_driver({.want = choice::uring}).value) GTEST_SKIP() << "NOT RUN: no io_uring here";
  EXPECT_EQ(in_a_child([&] { return falls_back(SCMP_SYS(io_uring_enter), EPERM, "io_uring_enter"); }), "");
  EXPECT_EQ(in_a_child([&] {
              std::string words = falls_back(SCMP_SYS(io_uring_register), EPERM, "io_uring_register");
              // The kernel's word is lost on the way through liburing.
              return words.find("error not named") == 0 ? "" : words;
            }),
            "");
}

TEST(select, without_descriptors_there_is_the_error_that_says_so) {
  std::vector<choice> choices{choice::epoll};
  if (!asking_is_deadly()) {
    choices.push_back(choice::automatic);
    if (make_driver({.want = choice::uring}).value) choices.push_back(choice::uring);
  }
  for (choice want : choices) {
    EXPECT_EQ(in_a_child([&]() -> std::string {
                const int next = test::lowest_free_descriptor();
                // From none that are free to one too few.
                for (int free = 0; free < 8; ++free) {
                  if (!test::limit_descriptors(next + free)) return "setrlimit";
                  selected s = make_driver({.want = want});
                  if (s.value) return free == 0 ? "a driver without a descriptor" : "";
                  if (s.error != std::errc::too_many_files_open) return "code: " + s.error.message();
                  if (!s.reason.ends_with(": Too many open files")) return "reason: " + s.reason;
                  if (s.reason.find(": 24") != std::string::npos) return "number: " + s.reason;
                }
                return "no driver with eight descriptors";
              }),
              "");
  }
}

TEST(select, without_epoll_pwait2_waits_are_whole_milliseconds) {
  for (int error : {ENOSYS, EPERM}) {
    EXPECT_EQ(in_a_child([&]() -> std::string {
                if (std::string words = refuse(SCMP_SYS(epoll_pwait2), error); !words.empty()) return words;
                test_loop loop(test_options{{.want = choice::epoll}});
                const detail::instant deadline = loop.d.now() + 1'500'000;
                int returns = 0;
                while (loop.d.now() < deadline) {
                  loop.d.prepare_wait();
                  loop.d.wait(deadline);
                  ++returns;
                }
                if (returns > 3) return "spins";
                return works({.want = choice::epoll});
              }),
              "");
  }
}

TEST(select, a_small_memlock_limit_means_small_rings_or_epoll_and_never_a_failure) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT RUN: needs root, to become nobody";
  if (asking_is_deadly()) GTEST_SKIP() << "NOT RUN: io_uring must not be asked for here";
  const bool refused = !make_driver({.want = choice::uring}).value;  // whatever the limit
  rlimit highest;
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &highest), 0);
  for (rlim_t kilobytes : {0, 8, 16, 40, 64, 128, 512}) {
    if (kilobytes * 1024 > highest.rlim_max) break;
    EXPECT_EQ(in_a_child([&]() -> std::string {
                const rlimit limit{kilobytes * 1024, kilobytes * 1024};
                if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0) return "setrlimit";
                if (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0) return "setuid";
                std::vector<selected> made;
                for (int i = 0; i < 8; ++i) {
                  made.push_back(make_driver({}));
                  if (!made.back().value) return made.back().reason;
                }
                if (!refused && made.back().value->name() == "epoll" &&
                    made.back().reason.find("memory") == std::string::npos &&
                    make_driver({.want = choice::uring}).reason.find("memory") == std::string::npos) {
                  return "reason: " + made.back().reason;
                }
                return works({});
              }),
              "")
        << kilobytes << " KiB";
  }
}

// Answers `call` with EOPNOTSUPP where its sixth argument has `flag`, as a kernel that does not know it.
int refuse_flag(scmp_filter_ctx filter, int call, unsigned flag) {
  const scmp_arg_cmp has_flag{5, SCMP_CMP_MASKED_EQ, flag, flag};
  return ::seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), call, 1, &has_flag);
}

TEST(select, the_suite_passes_where_the_kernel_knows_none_of_the_newer_calls) {
  constexpr unsigned nowait = 8, nosignal = 0x100;
  const std::string output = in_a_child([&]() -> std::string {
    scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
    if (refuse_flag(filter, SCMP_SYS(preadv2), nowait) != 0 ||
        refuse_flag(filter, SCMP_SYS(pwritev2), nowait) != 0 ||
        refuse_flag(filter, SCMP_SYS(pwritev2), nosignal) != 0 ||
        ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(epoll_pwait2), 0) != 0 ||
        ::seccomp_load(filter) != 0) {
      return "no filter";
    }
    // A process of its own: this one has already found out what its kernel knows.
    FILE* suite = ::popen("/proc/$PPID/exe --gtest_filter='drivers/*' --gtest_brief=1 2>&1; echo status $?", "r");
    std::string all;
    char buffer[512];
    while (std::fgets(buffer, sizeof buffer, suite)) all += buffer;
    ::pclose(suite);
    return all.find("status 0\n") != std::string::npos && all.find("PASSED") != std::string::npos ? "" : all;
  });
  EXPECT_EQ(output, "");
}

}  // namespace
}  // namespace astd::driver::testing
