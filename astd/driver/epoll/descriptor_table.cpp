#include <astd/driver/epoll/descriptor_table.hpp>

#include <cstdlib>
#include <cstring>
#include <new>

namespace astd::driver {

descriptor_table::~descriptor_table() {
  for (unsigned i = 0; i < count_; ++i) delete[] chunks_[i];
  std::free(chunks_);
}

descriptor* descriptor_table::find_or_make(int fd) noexcept {
  if (fd < 0) return nullptr;
  const unsigned i = static_cast<unsigned>(fd) / chunk_size;
  if (i >= count_) {
    const unsigned count = i + 1 > count_ * 2 ? i + 1 : count_ * 2;
    auto* grown = static_cast<descriptor**>(std::realloc(chunks_, count * sizeof(descriptor*)));
    if (!grown) return nullptr;
    std::memset(grown + count_, 0, (count - count_) * sizeof(descriptor*));
    chunks_ = grown;
    count_ = count;
  }
  if (!chunks_[i]) chunks_[i] = new (std::nothrow) descriptor[chunk_size];
  return chunks_[i] ? &chunks_[i][static_cast<unsigned>(fd) % chunk_size] : nullptr;
}

}  // namespace astd::driver
