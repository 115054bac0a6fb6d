// Closed-loop TCP load for an echo server on the loopback: load PORT SIZE CONNECTIONS SECONDS SERVER_PID
//
// Each connection has one message under way. One connection uses blocking calls, more of them io_uring. With 0 each message
// has a connection of its own, one after the other: connect, send, receive, close. After a
// short warm-up it counts for SECONDS and prints
//
//   LOAD requests_per_second p50_us p99_us p999_us max_us requests server_cpu_ns_per_request load_cpu_share all_requests
//
// where the last counts those of the warm-up, too.
// The server's CPU is read from the schedstat of its threads at both ends of the counted time.
#define _GNU_SOURCE
#include <liburing.h>

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void refuse(const char* what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static uint64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

// Latencies: below 64 ns exact, above it 64 steps for each power of two, so 1.6 % wide.
enum { steps_log2 = 6, steps = 1 << steps_log2 };
static uint64_t histogram[64 * steps];

static void add_latency(uint64_t ns) {
  int const shift = ns < steps ? 0 : 63 - __builtin_clzll(ns) - steps_log2;
  ++histogram[ns < steps ? ns : (uint64_t)(shift + 1) * steps + ((ns >> shift) - steps)];
}

static double latency_us(int slot) {
  if (slot < steps) return slot / 1e3;
  int const shift = slot / steps - 1;
  return (steps + slot % steps + 0.5) * (double)(1ull << shift) / 1e3;
}

static double percentile_us(double part, uint64_t total) {
  uint64_t const wanted = (uint64_t)(part * (double)total);
  uint64_t seen = 0;
  for (int slot = 0; slot < 64 * steps; ++slot) {
    seen += histogram[slot];
    if (seen > wanted) return latency_us(slot);
  }
  return 0;
}

// CPU of all threads that a process has now; the kernel adds a running thread's share at each tick.
static uint64_t process_cpu_ns(const char* pid) {
  char path[128];
  snprintf(path, sizeof path, "/proc/%s/task", pid);
  DIR* const threads = opendir(path);
  if (threads == NULL) fail(path);
  uint64_t sum = 0;
  for (struct dirent* thread; (thread = readdir(threads)) != NULL;) {
    if (thread->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%s/task/%.16s/schedstat", pid, thread->d_name);
    FILE* const file = fopen(path, "r");
    if (file == NULL) continue;
    unsigned long long running = 0;
    if (fscanf(file, "%llu", &running) == 1) sum += running;
    fclose(file);
  }
  closedir(threads);
  return sum;
}

// What is counted between `begin` and the end.
static struct {
  const char* server;
  uint64_t begin, end;
  uint64_t start, server_cpu, own_cpu;
  uint64_t requests, all_requests, longest;
  int counting;
} run;

static void begin_run(const char* server, double seconds) {
  run.server = server;
  run.begin = now_ns() + 200000000u;
  run.end = run.begin + (uint64_t)(seconds * 1e9);
}

// Of a message sent at `sent` whose answer was complete at `now`. False when time is up.
static int count_request(uint64_t sent, uint64_t now) {
  ++run.all_requests;
  if (!run.counting) {
    if (now < run.begin) return 1;
    run.counting = 1;
    run.server_cpu = process_cpu_ns(run.server);
    run.own_cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    run.start = now_ns();
    return 1;
  }
  uint64_t const latency = now - sent;
  add_latency(latency);
  if (latency > run.longest) run.longest = latency;
  ++run.requests;
  return now < run.end;
}

static void report(void) {
  double const wall = (double)(now_ns() - run.start);
  double const requests = (double)run.requests;
  double const server = (double)(process_cpu_ns(run.server) - run.server_cpu);
  double const own = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - run.own_cpu);
  if (run.requests == 0) refuse("no answer within the counted time");
  printf("LOAD %.0f %.1f %.1f %.1f %.1f %llu %.1f %.2f %llu\n", requests * 1e9 / wall, percentile_us(.5, run.requests),
         percentile_us(.99, run.requests), percentile_us(.999, run.requests), (double)run.longest / 1e3,
         (unsigned long long)run.requests, server / requests, own / wall,
         (unsigned long long)run.all_requests);
}

struct connection {
  int socket;
  int checked;
  size_t received;
  uint64_t sent_at;
  char* answer;
};

static char* message;
static size_t size;

static int connect_to(uint16_t port) {
  int const it = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (it < 0 || connect(it, (struct sockaddr*)&address, sizeof address) != 0) fail("connect");
  setsockopt(it, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  return it;
}

// The first answer on each connection is compared with the message.
static void check_answer(struct connection* it) {
  if (it->checked) return;
  if (memcmp(it->answer, message, size) != 0) refuse("the answer is not what was sent");
  it->checked = 1;
}

static void ask_once(struct connection* it) {
  if (send(it->socket, message, size, MSG_NOSIGNAL) != (ssize_t)size) fail("send");
  for (size_t received = 0; received < size;) {
    ssize_t const count = recv(it->socket, it->answer + received, size - received, 0);
    if (count == 0) refuse("the server closed a connection");
    if (count < 0) fail("recv");
    received += (size_t)count;
  }
  check_answer(it);
}

static void load_one(struct connection* it) {
  uint64_t sent;
  do {
    sent = now_ns();
    ask_once(it);
  } while (count_request(sent, now_ns()));
}

static void load_new(struct connection* it, uint16_t port) {
  uint64_t sent;
  do {
    sent = now_ns();
    it->socket = connect_to(port);
    ask_once(it);
    // Ended by a reset, so that no port of ours has to wait for last packets.
    setsockopt(it->socket, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(it->socket);
  } while (count_request(sent, now_ns()));
}

static struct io_uring_sqe* next_entry(struct io_uring* ring) {
  struct io_uring_sqe* entry = io_uring_get_sqe(ring);
  while (entry == NULL) {
    io_uring_submit(ring);
    entry = io_uring_get_sqe(ring);
  }
  return entry;
}

// A send that succeeds says nothing: the answer will.
static void send_message(struct io_uring* ring, struct connection* it) {
  struct io_uring_sqe* const entry = next_entry(ring);
  io_uring_prep_send(entry, it->socket, message, size, MSG_WAITALL | MSG_NOSIGNAL);
  io_uring_sqe_set_data(entry, NULL);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void receive_rest(struct io_uring* ring, struct connection* it) {
  struct io_uring_sqe* const entry = next_entry(ring);
  io_uring_prep_recv(entry, it->socket, it->answer + it->received, size - it->received, MSG_WAITALL);
  entry->ioprio |= IORING_RECVSEND_POLL_FIRST;
  io_uring_sqe_set_data(entry, it);
}

static void ask(struct io_uring* ring, struct connection* it, uint64_t now) {
  it->received = 0;
  it->sent_at = now;
  send_message(ring, it);
  receive_rest(ring, it);
}

static void load_many(struct connection* connections, int count) {
  struct io_uring ring;
  struct io_uring_params params = {
      .flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
      .cq_entries = 16 * 1024};
  errno = -io_uring_queue_init_params(4096, &ring, &params);
  if (errno != 0) fail("io_uring_setup");
  for (int i = 0; i < count; ++i) ask(&ring, &connections[i], now_ns());
  for (int go_on = 1; go_on;) {
    io_uring_submit_and_wait(&ring, 1);
    uint64_t const now = now_ns();
    struct io_uring_cqe* completion;
    unsigned head;
    unsigned seen = 0;
    io_uring_for_each_cqe(&ring, head, completion) {
      ++seen;
      struct connection* const it = io_uring_cqe_get_data(completion);
      errno = completion->res < 0 ? -completion->res : 0;
      if (it == NULL) fail("send");
      if (errno != 0) fail("recv");
      if (completion->res == 0) refuse("the server closed a connection");
      it->received += (size_t)completion->res;
      if (it->received < size) {
        receive_rest(&ring, it);
        continue;
      }
      check_answer(it);
      if (!count_request(it->sent_at, now)) go_on = 0;
      ask(&ring, it, now);
    }
    io_uring_cq_advance(&ring, seen);
  }
}

int main(int argc, char** argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: %s PORT SIZE CONNECTIONS SECONDS SERVER_PID\n", argv[0]);
    return 2;
  }
  uint16_t const port = (uint16_t)atoi(argv[1]);
  int const count = atoi(argv[3]);
  size = (size_t)atol(argv[2]);
  if (count < 0 || size < 1) refuse("CONNECTIONS has to be 0 or more, SIZE 1 or more");
  int const places = count == 0 ? 1 : count;
  message = malloc(size);
  struct connection* const connections = calloc((size_t)places, sizeof *connections);
  if (message == NULL || connections == NULL) fail("malloc");
  for (size_t i = 0; i < size; ++i) message[i] = (char)(i * 31 + i / 256);
  for (int i = 0; i < places; ++i) {
    if (count > 0) connections[i].socket = connect_to(port);
    connections[i].answer = malloc(size);
    if (connections[i].answer == NULL) fail("malloc");
  }
  begin_run(argv[5], atof(argv[4]));
  if (count == 0) {
    load_new(connections, port);
  } else if (count == 1) {
    load_one(connections);
  } else {
    load_many(connections, count);
  }
  report();
  return 0;
}
