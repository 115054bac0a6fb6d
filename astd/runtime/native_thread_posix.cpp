#include <astd/runtime/native_thread.hpp>

#include <cstdio>
#include <initializer_list>

#include <pthread.h>
#include <signal.h>

namespace astd::detail {

static_assert(sizeof(pthread_t) <= sizeof(native_thread));

int start_thread(void* (*run)(void*), void* argument) noexcept {
  sigset_t blocked;
  sigset_t ours;
  sigfillset(&blocked);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF})
    sigdelset(&blocked, own);
  // A thread inherits its maker's mask: this way there is no moment at which a signal could get in.
  pthread_sigmask(SIG_SETMASK, &blocked, &ours);
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, run, argument);
  pthread_sigmask(SIG_SETMASK, &ours, nullptr);
  return error;
}

native_thread this_native_thread() noexcept { return (native_thread)pthread_self(); }

void join_thread(native_thread thread) noexcept { pthread_join((pthread_t)thread, nullptr); }

void name_this_thread(std::string_view of, const char* which) noexcept {
  char name[16];  // as much as is shown
  std::snprintf(name, sizeof name, "%.*s-%s", static_cast<int>(of.size()), of.data(), which);
  name_this_thread(name);
}

void name_this_thread(const char* name) noexcept {
#if defined(__linux__)
  char cut[16];
  std::snprintf(cut, sizeof cut, "%s", name);
  pthread_setname_np(pthread_self(), cut);
#elif defined(__APPLE__)
  pthread_setname_np(name);
#else
  (void)name;
#endif
}

}  // namespace astd::detail
