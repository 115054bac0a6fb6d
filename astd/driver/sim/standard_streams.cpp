#include <astd/driver/sim/standard_streams.hpp>
#include <astd/driver/sim/transfer.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <poll.h>

namespace astd::driver::sim {

std::size_t standard_streams::read(char* to, std::size_t n) {
  n = std::min(n, input_.size() - read_);
  std::memcpy(to, input_.data() + read_, n);
  read_ += n;
  return n;
}

void standard_streams::write(int number, const char* from, std::size_t n) {
  if (!real_) {
    written_[number - 1].append(from, n);
    return;
  }
  std::FILE* const to = number == 1 ? stdout : stderr;
  std::fwrite(from, 1, n, to);
  std::fflush(to);
}

// As a pipe that is never full and whose other end has written all it will.
class standard_streams::stream final : public open_file {
 public:
  stream(standard_streams& of, int number) noexcept : streams_(of), number_(number) {}

  std::int32_t start(operation& op) noexcept override {
    switch (op.code) {
      case opcode::read:
      case opcode::readv:
      case opcode::write:
      case opcode::writev: return transfer(op);
      case opcode::poll: {
        const int held = op.args.value & (number_ == 0 ? POLLIN | POLLRDNORM : POLLOUT | POLLWRNORM);
        if (held != 0) return held;
        polls_.push_back(op);
        return pending;
      }
      case opcode::fsync:
      case opcode::ftruncate: return -EINVAL;
      default: return -ENOTSOCK;
    }
  }
  void cancel(operation& op) noexcept override {
    op.cancel_asked = true;
    detail::intrusive_list<operation>::erase(op);
    streams_.world_.finish(op, -ECANCELED);
  }
  std::int32_t next_connection(operation&) noexcept override { return -ENOTSOCK; }
  void crash() noexcept override {
    while (operation* const op = polls_.front()) cancel(*op);
  }

 private:
  std::int32_t transfer(operation& op) {
    const bool reads = op.code == opcode::read || op.code == opcode::readv;
    const transfer_view what(op);
    if (reads != (number_ == 0)) return -EBADF;
    if (what.offset() != -1) return what.offset() < 0 ? -EINVAL : -ESPIPE;
    std::size_t done = 0;
    what.each(what.size(), [&](char* data, std::size_t n) {
      if (reads)
        done += streams_.read(data, n);
      else
        streams_.write(number_, data, n), done += n;
    });
    return static_cast<std::int32_t>(done);
  }

  standard_streams& streams_;
  const int number_;
  detail::intrusive_list<operation> polls_;  // for what never comes
};

std::unique_ptr<open_file> standard_streams::open(int number) { return std::make_unique<stream>(*this, number); }

}  // namespace astd::driver::sim
