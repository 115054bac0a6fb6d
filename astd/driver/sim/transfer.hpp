// The bytes of a read or write, whichever form it has: for what descriptors of simulated machines stand for.
#pragma once

#include <astd/driver/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <limits.h>
#include <sys/uio.h>

namespace astd::driver::sim {

class transfer_view {
 public:
  explicit transfer_view(const operation& op) noexcept {
    if (op.code == opcode::readv || op.code == opcode::writev) {
      vectors_ = op.args.vectors.vectors;
      count_ = std::min<unsigned>(op.args.vectors.count, IOV_MAX);
      offset_ = op.args.vectors.offset;
    } else {
      single_ = {op.args.transfer.data, op.args.transfer.size};
      vectors_ = &single_;
      count_ = 1;
      offset_ = op.args.transfer.offset;
    }
    for (unsigned i = 0; i < count_; ++i) size_ += std::min(vectors_[i].iov_len, most - size_);
  }
  transfer_view(const transfer_view&) = delete;
  transfer_view& operator=(const transfer_view&) = delete;

  /// As much as Linux does at once, at most.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// -1: at the descriptor's own position.
  [[nodiscard]] std::int64_t offset() const noexcept { return offset_; }

  /// f(data, bytes) for the pieces of the first `n` bytes.
  template <class F>
  void each(std::size_t n, F f) const {
    for (unsigned i = 0; i < count_ && n > 0; ++i) {
      const std::size_t piece = std::min(vectors_[i].iov_len, n);
      if (piece > 0) f(static_cast<char*>(vectors_[i].iov_base), piece);
      n -= piece;
    }
  }

 private:
  static constexpr std::size_t most = 0x7ffff000;
  const iovec* vectors_;
  unsigned count_;
  iovec single_{};
  std::int64_t offset_;
  std::size_t size_ = 0;
};

}  // namespace astd::driver::sim
