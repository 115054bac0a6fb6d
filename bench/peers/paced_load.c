// TCP load at a fixed pace, for an echo server on the loopback: paced_load PORT CONNECTIONS PER_SECOND SECONDS
//
// The connections take turns: PER_SECOND messages of 64 bytes in all, each on a connection that has none under way.
// A delay counts from the moment at which the message was due, so what could not be sent in time is not left out. Prints
//
//   DELAY echo p50_us p99_us p999_us max_us samples
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

enum { size = 64 };

struct connection {
  int socket;
  int received;
  uint64_t due;  // 0: nothing is under way
};

static int compare(const void* a, const void* b) {
  uint64_t const x = *(const uint64_t*)a, y = *(const uint64_t*)b;
  return x < y ? -1 : x > y;
}

static int connect_to(int port) {
  int const it = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (it < 0 || connect(it, (struct sockaddr*)&address, sizeof address) != 0) fail("connect");
  setsockopt(it, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  return it;
}

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s PORT CONNECTIONS PER_SECOND SECONDS\n", argv[0]);
    return 2;
  }
  int const count = atoi(argv[2]);
  uint64_t const pause = 1000000000u / (uint64_t)atoi(argv[3]);
  size_t const wanted = (size_t)(atoi(argv[3]) * atof(argv[4]));
  struct connection* const all = calloc((size_t)count, sizeof *all);
  uint64_t* const delays = calloc(wanted, sizeof *delays);
  int const poll = epoll_create1(EPOLL_CLOEXEC);
  if (all == NULL || delays == NULL || poll < 0) fail("start");
  for (int i = 0; i < count; ++i) {
    all[i].socket = connect_to(atoi(argv[1]));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, all[i].socket, &event) != 0) fail("epoll_ctl");
  }
  char message[size] = "delay", answer[size];
  uint64_t const start = now_ns();
  int turn = 0;
  for (size_t sent = 0, done = 0; done < wanted;) {
    uint64_t now = now_ns();
    // All that is due, on the next connection that is free; if none is, it waits.
    while (sent < wanted && start + sent * pause <= now) {
      int tries = 0;
      while (tries < count && all[turn].due != 0) turn = (turn + 1) % count, ++tries;
      if (tries == count) break;
      all[turn].due = start + sent++ * pause;
      if (send(all[turn].socket, message, size, MSG_NOSIGNAL) != size) fail("send");
      turn = (turn + 1) % count;
    }
    uint64_t const next = start + sent * pause;
    now = now_ns();
    struct timespec const wait = {0, sent < wanted && next > now ? (long)(next - now) : 100000};
    struct epoll_event events[256];
    int const ready = epoll_pwait2(poll, events, 256, &wait, NULL);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < ready; ++i) {
      struct connection* const it = events[i].data.ptr;
      ssize_t const got = recv(it->socket, answer, (size_t)(size - it->received), 0);
      if (got <= 0) fail("recv");
      it->received += (int)got;
      if (it->received < size) continue;
      delays[done++] = now_ns() - it->due;
      it->due = 0;
      it->received = 0;
    }
  }
  qsort(delays, wanted, sizeof *delays, compare);
  printf("DELAY echo %.1f %.1f %.1f %.1f %zu\n", (double)delays[wanted / 2] / 1e3,
         (double)delays[wanted * 99 / 100] / 1e3, (double)delays[wanted * 999 / 1000] / 1e3,
         (double)delays[wanted - 1] / 1e3, wanted);
  return 0;
}
