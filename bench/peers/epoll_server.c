// Hand-written epoll echo server, edge-triggered: epoll_server THREADS echo PORT
#define _GNU_SOURCE
#include "server.h"

#include <sys/epoll.h>

static void watch(int epoll, int socket, uint32_t events, void* data) {
  struct epoll_event event = {.events = events, .data.ptr = data};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) fail("epoll_ctl");
}

// Sends what is left and receives more until one of the two would block. A short receive has drained the socket,
// and the next bytes bring an event of their own; not so if the event told of the end as well, or came while a send
// was blocked and so may have told of bytes that are here already.
static void advance(struct connection* it, uint32_t events) {
  int const to_the_end = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 || it->sent < it->received;
  for (;;) {
    while (it->sent < it->received) {
      ssize_t const count = send(it->socket, it->buffer + it->sent, it->received - it->sent, MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) return;
      if (count < 0) return end_connection(it);
      it->sent += (size_t)count;
      if (it->sent == it->received && it->received < buffer_size && !to_the_end) return;
    }
    ssize_t const count = recv(it->socket, it->buffer, buffer_size, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return end_connection(it);
    it->sent = 0;
    it->received = (size_t)count;
  }
}

static void* serve(void* port) {
  int const epoll = epoll_create1(EPOLL_CLOEXEC);
  int const listener = listen_on((uint16_t)(uintptr_t)port, SOCK_NONBLOCK);
  watch(epoll, listener, EPOLLIN, NULL);
  for (;;) {
    struct epoll_event events[512];
    int const count = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.ptr != NULL) {
        advance(events[i].data.ptr, events[i].events);
        continue;
      }
      for (;;) {
        int const socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0) break;
        watch(epoll, socket, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, new_connection(socket));
      }
    }
  }
  return NULL;
}

int main(int argc, char** argv) { return run_server(argc, argv, serve); }
