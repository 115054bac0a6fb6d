#include <astd/base/assert.hpp>
#include <astd/driver/uring/ring.hpp>
#include <astd/driver/wakeup.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace astd::driver {

namespace {

refusal because(const char* call, int error) { return {error, std::string(call) + ": " + std::strerror(error)}; }

// 2: nobody may. Asked before the first try, because a sandbox may answer the try itself with a fatal signal.
refusal by_sysctl() {
  const int fd = ::open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);
  // Where there is no descriptor for the question there is none for a ring.
  if (fd < 0) return errno == EMFILE || errno == ENFILE ? because("open (io_uring_disabled)", errno) : refusal{};
  char value = '0';
  [[maybe_unused]] auto got = ::read(fd, &value, 1);
  ::close(fd);
  if (value != '2') return {};
  return {EPERM, "io_uring is off (kernel.io_uring_disabled = 2)"};
}

struct size {
  unsigned submissions, completions;
};
// The ring's memory counts against RLIMIT_MEMLOCK: 84 KiB, 36 KiB, 12 KiB, 8 KiB.
constexpr size sizes[] = {{256, 4096}, {256, 1024}, {64, 256}, {16, 64}};

constexpr unsigned basic = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
// Best first; a kernel that does not know a flag answers EINVAL. Deferred task work runs only when the owner enters
// to collect, so another thread would find nothing: not for shared rings.
constexpr unsigned flags[] = {
    basic | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG,  // 6.1
    basic | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG,                                                            // 6.0
    basic | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,  // 5.19
    basic | IORING_SETUP_SUBMIT_ALL,                                                          // 5.18
    basic,                                                                                    // 5.6
};

// What there is no other way for; everything else can be carried out otherwise.
constexpr unsigned needed_operations[] = {
    IORING_OP_NOP,  IORING_OP_READV,   IORING_OP_WRITEV,  IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL,
    IORING_OP_READ, IORING_OP_WRITE,   IORING_OP_ACCEPT,  IORING_OP_CONNECT,  IORING_OP_SEND,
    IORING_OP_RECV, IORING_OP_SENDMSG, IORING_OP_RECVMSG,
};
constexpr unsigned needed_features = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_RW_CUR_POS |
                                     IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG;  // 5.11

// The kernel may map a new ring where a closed one was. liburing does that by system calls of its own, unseen by
// ThreadSanitizer, which takes the one for a race with the other: this counter tells it the order.
constinit std::atomic<unsigned> closed_rings{0};

}  // namespace

ring::~ring() {
  closed_rings.fetch_add(1, std::memory_order_release);
  if (opened_) io_uring_queue_exit(&ring_);
}

refusal ring::open(bool shared, bool one_owner, kernel age) {
  if (refusal no = by_sysctl(); no.error != 0) return no;
  int result = -EINVAL;
  for (unsigned wanted : flags) {
    if (shared && (wanted & IORING_SETUP_DEFER_TASKRUN)) continue;
    if (!one_owner && (wanted & IORING_SETUP_SINGLE_ISSUER)) continue;
    if (age == kernel::oldest_supported && wanted != basic) continue;
    for (size s : sizes) {
      io_uring_params parameters{};
      parameters.flags = wanted;
      parameters.cq_entries = s.completions;
      result = io_uring_queue_init_params(s.submissions, &ring_, &parameters);
      if (result != -ENOMEM) break;
    }
    if (result != -EINVAL) {
      setup_flags_ = wanted;
      break;
    }
  }
  if (result < 0) return because("io_uring_setup", -result);
  opened_ = true;
  const int descriptor = above_standard(ring_.ring_fd);
  const int error = errno;
  ring_.ring_fd = ring_.enter_ring_fd = descriptor;
  if (descriptor < 0) return because("fcntl (io_uring)", error);
  static_cast<void>(closed_rings.load(std::memory_order_acquire));
  if ((ring_.features & needed_features) != needed_features)
    return {ENOSYS, "io_uring of this kernel is too old (before 5.11)"};
  if (int refused = io_uring_ring_dontfork(&ring_)) return because("madvise (io_uring)", -refused);
  entries_ = ring_.sq.ring_entries;
  mask_ = ring_.cq.ring_entries - 1;
  tail_ = *ring_.sq.ktail;
  for (unsigned i = 0; i < entries_; ++i) ring_.sq.array[i] = i;
  return probe(age);
}

refusal ring::probe(kernel age) {
  io_uring_probe* found = io_uring_get_probe_ring(&ring_);
  if (!found) return {ENOSYS, "io_uring_register: no list of operations"};
  for (unsigned i = 0; i < found->ops_len; ++i) {
    if (found->ops[i].flags & IO_URING_OP_SUPPORTED) known_.set(found->ops[i].op);
  }
  io_uring_free_probe(found);
  if (age == kernel::oldest_supported) {
    const auto all = std::exchange(known_, {});
    for (unsigned operation : needed_operations) known_[operation] = all[operation];
  }
  for (unsigned operation : needed_operations) {
    if (!known_[operation]) return {ENOSYS, "io_uring of this kernel lacks operation " + std::to_string(operation)};
  }
  // A filter may allow the setup and refuse the use.
  io_uring_sqe* entry = next_entry();
  io_uring_prep_nop(entry);
  entry->user_data = 0;
  const int result = enter(publish(), 1, nullptr);
  if (result < 0) return because("io_uring_enter", -result);
  int nop = -EIO;
  reap([&](const io_uring_cqe& completion) {
    nop = completion.res;
    return true;
  });
  return nop == 0 ? refusal{} : because("io_uring nop", -nop);
}

std::string ring::description() const {
  std::string text = std::to_string(entries_) + " entries";
  if (setup_flags_ & IORING_SETUP_DEFER_TASKRUN) text += ", deferred task work";
  if (setup_flags_ & IORING_SETUP_COOP_TASKRUN) text += ", cooperative task work";
  return text;
}

io_uring_sqe* ring::next_entry() noexcept {
  if (is_full()) return nullptr;
  return &ring_.sq.sqes[tail_++ & (entries_ - 1)];
}

bool ring::unsubmitted_for(int fd) const noexcept {
  for (unsigned i = io_uring_smp_load_acquire(ring_.sq.khead); i != tail_; ++i) {
    if (ring_.sq.sqes[i & (entries_ - 1)].fd == fd) return true;
  }
  return false;
}

int ring::enter(unsigned submit, unsigned least, const __kernel_timespec* timeout) noexcept {
  const auto fd = static_cast<unsigned>(ring_.ring_fd);
  int result;
  if (timeout) {
    io_uring_getevents_arg argument{};
    argument.ts = reinterpret_cast<std::uint64_t>(timeout);
    result = io_uring_enter2(fd, submit, least, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                             reinterpret_cast<sigset_t*>(&argument), sizeof argument);
  } else {
    result = io_uring_enter(fd, submit, least, IORING_ENTER_GETEVENTS, nullptr);
  }
  ASTD_ASSERT(result != -EEXIST, "a driver is used by another thread than the one that made it");
  return result;
}

}  // namespace astd::driver
