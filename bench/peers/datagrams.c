// The floor for bench/datagrams: the same by system calls, on sockets that are ready.
//
//   datagrams one|many|segments
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { size = 1000, batch = 32 };
static char data[size * batch], buffers[batch][2048], large[65535];
static int from, to;

static void check(long result, const char* what) {
  if (result >= 0) return;
  perror(what);
  exit(1);
}

static void one(void) {
  for (int i = 0; i < batch; ++i) check(send(from, data, size, 0), "send");
  for (int i = 0; i < batch; ++i) {
    struct sockaddr_in6 sender;
    socklen_t length = sizeof sender;
    check(recvfrom(to, buffers[0], sizeof buffers[0], 0, (struct sockaddr*)&sender, &length), "recvfrom");
  }
}

static void many(void) {
  struct mmsghdr out[batch] = {0}, in[batch] = {0};
  struct iovec pieces[2 * batch];
  struct sockaddr_in6 senders[batch];
  for (int i = 0; i < batch; ++i) {
    pieces[i] = (struct iovec){data, size};
    pieces[batch + i] = (struct iovec){buffers[i], sizeof buffers[i]};
    out[i].msg_hdr.msg_iov = &pieces[i];
    in[i].msg_hdr.msg_iov = &pieces[batch + i];
    out[i].msg_hdr.msg_iovlen = in[i].msg_hdr.msg_iovlen = 1;
    in[i].msg_hdr.msg_name = &senders[i];
    in[i].msg_hdr.msg_namelen = sizeof senders[i];
  }
  for (int sent = 0; sent < batch;) {
    const int n = sendmmsg(from, out + sent, batch - sent, 0);
    check(n, "sendmmsg");
    sent += n;
  }
  for (int came = 0; came < batch;) {
    const int n = recvmmsg(to, in + came, batch - came, MSG_WAITFORONE, NULL);
    check(n, "recvmmsg");
    came += n;
  }
}

static void segments(void) {
  check(send(from, data, sizeof data, 0), "send");
  for (long came = 0; came < (long)sizeof data;) {
    char control[CMSG_SPACE(sizeof(int))];
    struct sockaddr_in6 sender;
    struct iovec piece = {large, sizeof large};
    struct msghdr message = {.msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &piece, .msg_iovlen = 1,
                             .msg_control = control, .msg_controllen = sizeof control};
    const long n = recvmsg(to, &message, 0);
    check(n, "recvmsg");
    came += n;
  }
}

static double now(clockid_t which) {
  struct timespec t;
  clock_gettime(which, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  void (*work)(void) = strcmp(argv[1], "one") == 0 ? one : strcmp(argv[1], "many") == 0 ? many : segments;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  to = socket(AF_INET, SOCK_DGRAM, 0);
  from = socket(AF_INET, SOCK_DGRAM, 0);
  check(bind(to, (struct sockaddr*)&address, sizeof address), "bind");
  check(getsockname(to, (struct sockaddr*)&address, &length), "getsockname");
  check(connect(from, (struct sockaddr*)&address, sizeof address), "connect");
  if (work == segments) {
    const int piece = size, on = 1;
    check(setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &piece, sizeof piece), "UDP_SEGMENT");
    check(setsockopt(to, IPPROTO_UDP, UDP_GRO, &on, sizeof on), "UDP_GRO");
  }
  const char* const repetitions = getenv("BENCH_REPETITIONS");
  const char* const least = getenv("BENCH_MS");
  for (long turn = 0; turn < (repetitions ? atol(repetitions) : 3); ++turn) {
    const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    double times = 0;
    do {
      for (int i = 0; i < 100; ++i) work();
      times += 100 * batch;
    } while (now(CLOCK_MONOTONIC) - wall < 1e6 * (least ? atol(least) : 0));
    printf("RES %s %.1f %.1f %.0f\n", argv[1], (now(CLOCK_MONOTONIC) - wall) / times,
           (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / times, times);
  }
}
