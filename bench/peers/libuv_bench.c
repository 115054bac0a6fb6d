// The benchmarks of astd_bench on libuv, as far as one loop with callbacks has them: libuv_bench 1 BENCH [ARGS]
#include <uv.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { buffer_size = 16 * 1024 };

static uv_loop_t* loop;

static void refuse(const char* what, int error) {
  fprintf(stderr, "%s: %s\n", what, error != 0 ? uv_strerror(error) : "failed");
  exit(1);
}

static void must(const char* what, int error) {
  if (error != 0) refuse(what, error);
}

static uint64_t setting(const char* name, uint64_t otherwise) {
  const char* const value = getenv(name);
  return value != NULL ? strtoull(value, NULL, 10) : otherwise;
}

static double cpu_ns(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

// Does `work` as often as a repetition lasts, and reports each repetition.
static void measure(const char* name, uint64_t count, uint64_t repetitions, void (*work)(uint64_t)) {
  uint64_t const shortest = setting("BENCH_MS", 0) * 1000000;
  for (; repetitions > 0; --repetitions) {
    double const cpu = cpu_ns();
    uint64_t const start = uv_hrtime();
    uint64_t operations = 0;
    do {
      work(count);
      operations += count;
    } while (uv_hrtime() - start < shortest);
    double const wall = (double)(uv_hrtime() - start);
    printf("RES %s %.2f %.2f %llu\n", name, wall / (double)operations, (cpu_ns() - cpu) / (double)operations,
           (unsigned long long)operations);
    fflush(stdout);
  }
}

static void on_time(uv_timer_t* timer) { (void)timer; }

static uv_timer_t* new_timers(uint64_t count) {
  uv_timer_t* const timers = malloc(count * sizeof *timers);
  if (timers == NULL) refuse("malloc", 0);
  for (uint64_t i = 0; i < count; ++i) must("uv_timer_init", uv_timer_init(loop, &timers[i]));
  return timers;
}

static void close_timers(uv_timer_t* timers, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) uv_close((uv_handle_t*)&timers[i], NULL);
  uv_run(loop, UV_RUN_DEFAULT);
  free(timers);
}

static void set_and_cancel(uint64_t count) {
  uv_timer_t* const timers = new_timers(count);
  for (uint64_t i = 0; i < count; ++i) must("uv_timer_start", uv_timer_start(&timers[i], on_time, 10000 + i % 50000, 0));
  for (uint64_t i = 0; i < count; ++i) uv_timer_stop(&timers[i]);
  close_timers(timers, count);
}

static void sleep_all(uint64_t count) {
  uint64_t state = 0x2545f4914f6cdd1d;
  uv_timer_t* const timers = new_timers(count);
  for (uint64_t i = 0; i < count; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    must("uv_timer_start", uv_timer_start(&timers[i], on_time, 1 + state % 1000, 0));
  }
  uv_run(loop, UV_RUN_DEFAULT);
  close_timers(timers, count);
}

static uint64_t calls_left;
static void call(uv_work_t* work) { (void)work; }
static void called(uv_work_t* work, int status) {
  must("uv_queue_work", status);
  if (--calls_left > 0) must("uv_queue_work", uv_queue_work(loop, work, call, called));
}

static void call_one_by_one(uint64_t count) {
  uv_work_t work;
  calls_left = count;
  must("uv_queue_work", uv_queue_work(loop, &work, call, called));
  uv_run(loop, UV_RUN_DEFAULT);
}

struct connection {
  uv_tcp_t stream;
  uv_write_t write;
  char buffer[buffer_size];
};

static void closed(uv_handle_t* handle) { free(handle->data); }

static void give_buffer(uv_handle_t* handle, size_t wanted, uv_buf_t* buffer) {
  (void)wanted;
  *buffer = uv_buf_init(((struct connection*)handle->data)->buffer, buffer_size);
}

static void received(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);

static void written(uv_write_t* write, int status) {
  if (status < 0) {
    uv_close((uv_handle_t*)write->handle, closed);
    return;
  }
  must("uv_read_start", uv_read_start(write->handle, give_buffer, received));
}

// Written at once as far as there is room; what is left holds up further reads.
static void received(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  struct connection* const it = stream->data;
  if (count == 0) return;
  uv_buf_t rest = uv_buf_init(buffer->base, count < 0 ? 0 : (unsigned)count);
  int const sent = count < 0 ? (int)count : uv_try_write(stream, &rest, 1);
  if (sent < 0 && sent != UV_EAGAIN) {
    uv_close((uv_handle_t*)stream, closed);
    return;
  }
  if (sent > 0) {
    rest.base += sent;
    rest.len -= (size_t)sent;
  }
  if (rest.len == 0) return;
  uv_read_stop(stream);
  must("uv_write", uv_write(&it->write, stream, &rest, 1, written));
}

static void connected(uv_stream_t* listener, int status) {
  must("uv_listen", status);
  struct connection* const it = malloc(sizeof *it);
  if (it == NULL) refuse("malloc", 0);
  must("uv_tcp_init", uv_tcp_init(loop, &it->stream));
  it->stream.data = it;
  must("uv_accept", uv_accept(listener, (uv_stream_t*)&it->stream));
  must("uv_tcp_nodelay", uv_tcp_nodelay(&it->stream, 1));
  must("uv_read_start", uv_read_start((uv_stream_t*)&it->stream, give_buffer, received));
}

static void echo(int port) {
  uv_tcp_t listener;
  struct sockaddr_in address;
  must("uv_tcp_init", uv_tcp_init(loop, &listener));
  must("uv_ip4_addr", uv_ip4_addr("127.0.0.1", port, &address));
  must("uv_tcp_bind", uv_tcp_bind(&listener, (const struct sockaddr*)&address, 0));
  must("uv_listen", uv_listen((uv_stream_t*)&listener, 4096, connected));
  uv_run(loop, UV_RUN_DEFAULT);
}

int main(int argc, char** argv) {
  if (argc < 3 || strcmp(argv[1], "1") != 0) {
    fprintf(stderr, "usage: %s 1 BENCH [ARGS]\n", argv[0]);
    return 2;
  }
  const char* const name = argv[2];
  uint64_t const number = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
  uint64_t const repetitions = setting("BENCH_REPETITIONS", 3);
  loop = uv_default_loop();
  if (strcmp(name, "timers") == 0) {
    measure(name, number ? number : 500000, repetitions, set_and_cancel);
  } else if (strcmp(name, "sleeps") == 0) {
    measure(name, number ? number : 100000, 1, sleep_all);
  } else if (strcmp(name, "blocking") == 0) {
    measure(name, number ? number : 20000, repetitions, call_one_by_one);
  } else if (strcmp(name, "echo") == 0) {
    echo((int)number);
  } else {
    fprintf(stderr, "no such benchmark: %s\n", name);
    return 2;
  }
  return 0;
}
