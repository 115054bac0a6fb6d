// Sends through a proxy to a sink, or has a file sent to it, and says what the program in between spent.
//
//   copy_load SECONDS PROGRAM ARGS...   a proxy: it is given the sink's port behind ARGS and prints its own
//   copy_load - PROGRAM ARGS...         a sender: it is given the sink's port and sends until it ends
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static double seconds_of(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t) != 0) fail("clock_gettime");
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct sockaddr_in local(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

static uint64_t received;

// What arrives is counted and thrown away without being copied.
static void* be_the_sink(void* listener) {
  int const from = accept(*(int*)listener, NULL, NULL);
  if (from < 0) fail("accept");
  static char nothing[1 << 20];
  for (;;) {
    ssize_t const n = recv(from, nothing, sizeof nothing, MSG_TRUNC);
    if (n < 0) fail("recv");
    if (n == 0) break;
    received += (uint64_t)n;
  }
  close(from);
  return NULL;
}

int main(int argc, char** argv) {
  if (argc < 3 || argc > 14) {
    fprintf(stderr, "usage: %s SECONDS|- PROGRAM ARGS...\n", argv[0]);
    return 2;
  }
  double const span = strcmp(argv[1], "-") == 0 ? 0 : atof(argv[1]);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in where = local(0);
  socklen_t size = sizeof where;
  if (bind(listener, (struct sockaddr*)&where, size) != 0 || listen(listener, 1) != 0) fail("listen");
  getsockname(listener, (struct sockaddr*)&where, &size);
  char port_text[16];
  snprintf(port_text, sizeof port_text, "%d", ntohs(where.sin_port));
  char* command[16];
  for (int i = 2; i < argc; ++i) command[i - 2] = argv[i];
  command[argc - 2] = port_text;
  command[argc - 1] = NULL;

  int ends[2];
  if (pipe(ends) != 0) fail("pipe");
  pthread_t sink;
  if (pthread_create(&sink, NULL, be_the_sink, &listener) != 0) fail("pthread_create");
  pid_t const child = fork();
  if (child == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    execvp(command[0], command);
    _exit(127);
  }
  close(ends[1]);
  double used = 0;
  double const began = seconds_of(CLOCK_MONOTONIC);
  if (span > 0) {
    int port = 0;
    FILE* const said = fdopen(ends[0], "r");
    if (!said || fscanf(said, "%d", &port) != 1) fail("the proxy said no port");
    clockid_t its_time;
    if (clock_getcpuclockid(child, &its_time) != 0) fail("clock_getcpuclockid");
    struct sockaddr_in const proxy = local(port);
    int const to = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(to, (const struct sockaddr*)&proxy, sizeof proxy) != 0) fail("connect");
    static char bytes[256 * 1024];
    memset(bytes, 'x', sizeof bytes);
    double const before = seconds_of(its_time);
    double const start = seconds_of(CLOCK_MONOTONIC);
    while (seconds_of(CLOCK_MONOTONIC) - start < span)
      if (send(to, bytes, sizeof bytes, 0) < 0) fail("send");
    shutdown(to, SHUT_WR);
    pthread_join(sink, NULL);
    used = seconds_of(its_time) - before;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
  } else {
    pthread_join(sink, NULL);
    int how;
    struct rusage usage;
    if (wait4(child, &how, 0, &usage) < 0 || how != 0) fail("the sender failed");
    used = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }
  double const wall = seconds_of(CLOCK_MONOTONIC) - began;
  double const gib = (double)received / (1 << 30);
  printf("RES copy %.0f %.0f %.0f\n", wall / gib * 1e9, used / gib * 1e9, gib * 1000);
  return 0;
}
