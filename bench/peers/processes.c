// The floor for bench/processes: posix_spawn() and waitpid().
//
//   processes one|many
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { count = 1000 };
extern char** environ;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static double cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

static pid_t start(void) {
  char* arguments[] = {"/bin/true", NULL};
  pid_t child;
  if (posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ) != 0) exit(1);
  return child;
}

static void await(pid_t child) {
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) exit(1);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const int many = strcmp(argv[1], "many") == 0;
  const char* turns = getenv("BENCH_REPETITIONS");
  for (int left = turns ? atoi(turns) : 3; left > 0; --left) {
    const double began = now(), used = cpu();
    pid_t children[count];
    for (int i = 0; i < count; ++i) {
      children[i] = start();
      if (!many) await(children[i]);
    }
    for (int i = 0; many && i < count; ++i) await(children[i]);
    printf("RES %s %.1f %.1f %d\n", argv[1], (now() - began) / count, (cpu() - used) / count, count);
  }
}
