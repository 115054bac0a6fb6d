// Hand-written io_uring echo server, one receive or one send at a time for each connection:
// uring_server THREADS echo PORT
#include "server.h"

#include <liburing.h>

// A completion's data: the connection, which is aligned, and in its low bits what was done.
enum { accepted = 0, received = 1, sent = 2, kind_mask = 3 };

static struct io_uring_sqe* next_entry(struct io_uring* ring) {
  struct io_uring_sqe* entry = io_uring_get_sqe(ring);
  while (entry == NULL) {
    io_uring_submit(ring);
    entry = io_uring_get_sqe(ring);
  }
  return entry;
}

static void accept_all(struct io_uring* ring, int listener) {
  struct io_uring_sqe* const entry = next_entry(ring);
  io_uring_prep_multishot_accept(entry, listener, NULL, NULL, SOCK_CLOEXEC);
  io_uring_sqe_set_data64(entry, accepted);
}

static void receive(struct io_uring* ring, struct connection* it) {
  struct io_uring_sqe* const entry = next_entry(ring);
  io_uring_prep_recv(entry, it->socket, it->buffer, buffer_size, 0);
  entry->ioprio |= IORING_RECVSEND_POLL_FIRST;  // there is nothing yet: the peer waits for our answer
  io_uring_sqe_set_data64(entry, (uintptr_t)it | received);
}

static void answer(struct io_uring* ring, struct connection* it) {
  struct io_uring_sqe* const entry = next_entry(ring);
  io_uring_prep_send(entry, it->socket, it->buffer, it->received, MSG_WAITALL | MSG_NOSIGNAL);
  io_uring_sqe_set_data64(entry, (uintptr_t)it | sent);
}

static void complete(struct io_uring* ring, int listener, struct io_uring_cqe const* completion) {
  struct connection* const it = (struct connection*)(uintptr_t)(completion->user_data & ~(uint64_t)kind_mask);
  int const result = completion->res;
  switch (completion->user_data & kind_mask) {
    case accepted:
      if (result >= 0) receive(ring, new_connection(result));
      if ((completion->flags & IORING_CQE_F_MORE) == 0) accept_all(ring, listener);
      break;
    case received:
      if (result <= 0) {
        end_connection(it);
      } else {
        it->received = (size_t)result;
        answer(ring, it);
      }
      break;
    case sent:  // all of it, since the kernel goes on after a short send
      if (result < (int)it->received) {
        end_connection(it);
      } else {
        receive(ring, it);
      }
      break;
  }
}

static void* serve(void* port) {
  struct io_uring ring;
  struct io_uring_params params = {
      .flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
      .cq_entries = 16 * 1024};
  errno = -io_uring_queue_init_params(4096, &ring, &params);
  if (errno != 0) fail("io_uring_setup");
  int const listener = listen_on((uint16_t)(uintptr_t)port, 0);
  accept_all(&ring, listener);
  for (;;) {
    io_uring_submit_and_wait(&ring, 1);
    struct io_uring_cqe* completion;
    unsigned head;
    unsigned count = 0;
    io_uring_for_each_cqe(&ring, head, completion) {
      complete(&ring, listener, completion);
      ++count;
    }
    io_uring_cq_advance(&ring, count);
  }
  return NULL;
}

int main(int argc, char** argv) { return run_server(argc, argv, serve); }
