// The floor for copying inside the kernel: hand-written loops without a runtime. One thread, epoll, one connection.
//
//   splice_proxy PIPE_SIZE [one thread, client -> sink] SINK_PORT     prints its port
//   splice_proxy file PATH TIMES SINK_PORT                            sends the file so often
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static struct sockaddr_in local(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

static int connected_to(int port) {
  int const to = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in const where = local(port);
  if (connect(to, (const struct sockaddr*)&where, sizeof where) != 0) fail("connect");
  fcntl(to, F_SETFL, O_NONBLOCK);
  return to;
}

static int poller;
static void wait_for_any(void) {
  struct epoll_event event;
  epoll_wait(poller, &event, 1, -1);
}

static int send_file(const char* path, int times, int port) {
  int const to = connected_to(port);
  int const from = open(path, O_RDONLY);
  struct stat status;
  if (from < 0 || fstat(from, &status) != 0) fail(path);
  struct pollfd room = {.fd = to, .events = POLLOUT};
  for (int i = 0; i < times; ++i) {
    off_t at = 0;
    while (at < status.st_size) {
      if (sendfile(to, from, &at, (size_t)(status.st_size - at)) >= 0) continue;
      if (errno != EAGAIN) fail("sendfile");
      poll(&room, 1, -1);
    }
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 5 && strcmp(argv[1], "file") == 0) return send_file(argv[2], atoi(argv[3]), atoi(argv[4]));
  if (argc != 3) {
    fprintf(stderr, "usage: %s PIPE_SIZE SINK_PORT | file PATH TIMES SINK_PORT\n", argv[0]);
    return 2;
  }
  size_t const piece = (size_t)atol(argv[1]);
  int const listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in where = local(0);
  socklen_t size = sizeof where;
  if (bind(listener, (struct sockaddr*)&where, size) != 0 || listen(listener, 1) != 0) fail("listen");
  getsockname(listener, (struct sockaddr*)&where, &size);
  printf("%d\n", ntohs(where.sin_port));
  fflush(stdout);
  int const from = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
  int const to = connected_to(atoi(argv[2]));
  int ends[2];
  if (pipe2(ends, O_NONBLOCK) != 0) fail("pipe2");
  fcntl(ends[1], F_SETPIPE_SZ, (int)piece);
  poller = epoll_create1(0);
  struct epoll_event both = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
  epoll_ctl(poller, EPOLL_CTL_ADD, from, &both);
  epoll_ctl(poller, EPOLL_CTL_ADD, to, &both);
  for (;;) {
    ssize_t held = splice(from, NULL, ends[1], NULL, piece, SPLICE_F_NONBLOCK);
    if (held == 0) break;
    if (held < 0) {
      if (errno != EAGAIN) fail("splice in");
      wait_for_any();
      continue;
    }
    while (held > 0) {
      ssize_t const n = splice(ends[0], NULL, to, NULL, (size_t)held, SPLICE_F_NONBLOCK);
      if (n > 0) {
        held -= n;
      } else if (errno == EAGAIN) {
        wait_for_any();
      } else {
        fail("splice out");
      }
    }
  }
  shutdown(to, SHUT_WR);
  pause();
}
