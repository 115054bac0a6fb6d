// What the two hand-written echo servers share. They are the floor for bench/compare: no runtime, no abstraction.
#pragma once

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { buffer_size = 16 * 1024 };

struct connection {
  int socket;
  size_t sent;
  size_t received;
  char buffer[buffer_size];
};

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static struct connection* new_connection(int socket) {
  struct connection* it = malloc(sizeof *it);
  if (it == NULL) fail("malloc");
  it->socket = socket;
  it->sent = it->received = 0;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  return it;
}

static void end_connection(struct connection* it) {
  close(it->socket);
  free(it);
}

// Each thread has a listener of its own on the same port.
static int listen_on(uint16_t port, int flags) {
  int const socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  setsockopt(socket_, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
  if (bind(socket_, (struct sockaddr*)&address, sizeof address) != 0) fail("bind");
  if (listen(socket_, 4096) != 0) fail("listen");
  return socket_;
}

// PROGRAM THREADS echo PORT: `serve` is a thread's body, its argument the port.
static int run_server(int argc, char** argv, void* (*serve)(void*)) {
  if (argc != 4 || strcmp(argv[2], "echo") != 0) {
    fprintf(stderr, "usage: %s THREADS echo PORT\n", argv[0]);
    return 2;
  }
  void* const port = (void*)(uintptr_t)atoi(argv[3]);
  for (int others = atoi(argv[1]) - 1; others > 0; --others) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, port) != 0) fail("pthread_create");
  }
  serve(port);
  return 0;
}
