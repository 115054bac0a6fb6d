#include <astd/base/config.hpp>
#include <astd/base/frame_pool.hpp>
#include <astd/base/spin_lock.hpp>

#include <atomic>
#include <cstdint>
#include <new>
#include <type_traits>

namespace astd::detail {

#if !ASTD_ADDRESS_SANITIZED

const bool frames_are_pooled = true;

namespace {

constexpr std::size_t granule = 16;
constexpr std::size_t smallest_block = 32;  // holds the links of a magazine
constexpr std::size_t chunk_size = 64 * 1024;
constexpr std::size_t batch_bytes = 8 * 1024;

// The size classes: 32, 48, ... 256 in steps of 16, ... 512 by 32, ... 1024 by 64, ... 2048 by 256, ... 4096 by 512.
constexpr std::size_t class_count = 15 + 8 + 8 + 4 + 4;

struct class_table {
  std::uint16_t size[class_count] = {};
  std::uint16_t batch[class_count] = {};  // blocks that travel together
  std::uint8_t of_granules[largest_pooled_frame / granule + 1] = {};

  constexpr class_table() {
    std::size_t index = 0;
    std::size_t granules = 0;
    for (std::size_t block = smallest_block; block <= largest_pooled_frame; ++index) {
      size[index] = static_cast<std::uint16_t>(block);
      const std::size_t blocks = batch_bytes / block;
      batch[index] = static_cast<std::uint16_t>(blocks > 64 ? 64 : blocks < 4 ? 4 : blocks);
      for (; granules * granule <= block; ++granules) of_granules[granules] = static_cast<std::uint8_t>(index);
      block += block < 256 ? 16 : block < 512 ? 32 : block < 1024 ? 64 : block < 2048 ? 256 : 512;
    }
  }
};
constexpr class_table classes;
static_assert(classes.size[class_count - 1] == largest_pooled_frame);

constexpr std::size_t most_cached() {
  std::size_t bytes = 0;
  for (std::size_t c = 0; c != class_count; ++c) bytes += 2u * classes.batch[c] * classes.size[c];
  return bytes;
}
static_assert(most_cached() <= most_cached_by_a_thread);

std::size_t class_of(std::size_t size) noexcept { return classes.of_granules[(size + granule - 1) / granule]; }

// A free block. The fields behind `next` are used in the first block of a magazine: a list of blocks on its way
// between threads.
struct block {
  block* next;
  block* next_magazine;
  std::size_t count;
};
static_assert(sizeof(block) <= smallest_block);

// The uncut rest of a chunk, described in its own first bytes.
struct remnant {
  remnant* next;
  std::byte* end;
};

struct chunk {
  chunk* next;  // keeps every chunk reachable, for leak checkers
};
constexpr std::size_t chunk_header = granule;

struct thread_cache;

// What threads share. Constant-initialised and without a destructor: it is there before and after everything else.
struct alignas(cache_line) depot_list {
  spin_lock lock;
  std::atomic<block*> magazines{nullptr};  // guarded by `lock`; read without it to see whether it is worth locking
  std::atomic<std::size_t> blocks{0};      // written under `lock`, for frame_pool_usage()
};

struct depot_type {
  depot_list lists[class_count];

  spin_lock lock;  // guards the rest
  chunk* chunks = nullptr;
  remnant* remnants = nullptr;
  std::size_t chunk_bytes = 0;
  std::size_t overhead = 0;  // of it, never to be a block: headers and slivers
  thread_cache* threads = nullptr;
};
constinit depot_type depot;

// A thread's free blocks of one class. Zero is the state of a list that keeps nothing: empty and without room.
struct free_list {
  block* head = nullptr;
  std::atomic<std::uint32_t> room{0};  // blocks that may still be put in; atomic only for frame_pool_usage()
};

enum class phase : std::uint8_t { untouched, in_use, closed };

struct thread_cache {
  free_list lists[class_count];
  // A full batch beside each list: a thread that goes to and fro where the list is full or empty leaves the depot
  // alone.
  std::atomic<block*> reserve[class_count] = {};
  std::atomic<std::byte*> fresh{nullptr};  // the uncut rest of this thread's chunk
  std::atomic<std::byte*> fresh_end{nullptr};
  phase now = phase::untouched;
  thread_cache* next = nullptr;  // guarded by depot.lock
  thread_cache* previous = nullptr;
};
constinit thread_local thread_cache cache;

// The owner's side of what others may read at any time, for statistics: relaxed, since nothing follows from it.
template <class T>
T get(const std::atomic<T>& value) noexcept {
  return value.load(std::memory_order_relaxed);
}
template <class T>
void set(std::atomic<T>& value, std::type_identity_t<T> to) noexcept {
  value.store(to, std::memory_order_relaxed);
}

std::size_t fresh_bytes(const thread_cache& of) noexcept {
  return static_cast<std::size_t>(get(of.fresh_end) - get(of.fresh));
}

// Everything from here to allocate_frame() runs once in a batch, or for fresh memory.

void put_magazine(std::size_t c, block* first, std::size_t count) noexcept {
  depot_list& list = depot.lists[c];
  first->count = count;
  spin_guard guard(list.lock);
  first->next_magazine = get(list.magazines);
  set(list.magazines, first);
  set(list.blocks, get(list.blocks) + count);
}

block* take_magazine(std::size_t c) noexcept {
  depot_list& list = depot.lists[c];
  if (!get(list.magazines)) return nullptr;  // only a hint: what it misses the next batch finds
  spin_guard guard(list.lock);
  block* first = get(list.magazines);
  if (!first) return nullptr;
  set(list.magazines, first->next_magazine);
  set(list.blocks, get(list.blocks) - first->count);
  return first;
}

void push(std::size_t c, void* memory) noexcept {
  free_list& list = cache.lists[c];
  const std::uint32_t room = get(list.room);
  block* b = ::new (memory) block;
  b->next = list.head;
  list.head = b;
  set(list.room, room - 1);
}

void make_room(std::size_t c) noexcept {
  free_list& list = cache.lists[c];
  if (block* full = get(cache.reserve[c])) put_magazine(c, full, classes.batch[c]);
  set(cache.reserve[c], list.head);
  list.head = nullptr;
  set(list.room, classes.batch[c]);
}

// Cuts what is left of the chunk into blocks of the largest sizes that fit.
void use_up_fresh() noexcept {
  std::byte* begin = get(cache.fresh);
  std::size_t left = fresh_bytes(cache);
  set(cache.fresh, nullptr);
  set(cache.fresh_end, nullptr);
  for (std::size_t c = class_count; c-- != 0;) {
    for (; left >= classes.size[c]; left -= classes.size[c], begin += classes.size[c]) {
      if (get(cache.lists[c].room) == 0) make_room(c);
      push(c, begin);
    }
  }
  spin_guard guard(depot.lock);
  depot.overhead += left;
}

void take_chunk() {
  {
    spin_guard guard(depot.lock);
    if (remnant* rest = depot.remnants) {
      depot.remnants = rest->next;
      set(cache.fresh, reinterpret_cast<std::byte*>(rest));
      set(cache.fresh_end, rest->end);
      return;
    }
  }
  void* memory = ::operator new(chunk_size);
  auto* begin = static_cast<std::byte*>(memory);
  set(cache.fresh, begin + chunk_header);
  set(cache.fresh_end, begin + chunk_size);
  auto* header = ::new (memory) chunk;
  spin_guard guard(depot.lock);
  header->next = depot.chunks;
  depot.chunks = header;
  depot.chunk_bytes += chunk_size;
  depot.overhead += chunk_header;
}

void close_lists() noexcept {
  // Whoever takes a remnant counts on it for a block of any size.
  if (fresh_bytes(cache) < largest_pooled_frame) use_up_fresh();
  for (std::size_t c = 0; c != class_count; ++c) {
    free_list& list = cache.lists[c];
    if (block* full = get(cache.reserve[c])) put_magazine(c, full, classes.batch[c]);
    if (list.head) put_magazine(c, list.head, classes.batch[c] - get(list.room));
    set(cache.reserve[c], nullptr);
    list.head = nullptr;
    set(list.room, 0);
  }
  if (fresh_bytes(cache) == 0) return;
  spin_guard guard(depot.lock);
  depot.remnants = ::new (get(cache.fresh)) remnant{depot.remnants, get(cache.fresh_end)};
  set(cache.fresh, nullptr);
  set(cache.fresh_end, nullptr);
}

// Gives a thread's blocks to the depot when the thread ends.
struct thread_end {
  thread_end() noexcept {
    cache.now = phase::in_use;
    for (std::size_t c = 0; c != class_count; ++c) set(cache.lists[c].room, classes.batch[c]);
    spin_guard guard(depot.lock);
    cache.next = depot.threads;
    if (cache.next) cache.next->previous = &cache;
    depot.threads = &cache;
  }
  ~thread_end() {
    close_lists();
    cache.now = phase::closed;
    spin_guard guard(depot.lock);
    (cache.previous ? cache.previous->next : depot.threads) = cache.next;
    if (cache.next) cache.next->previous = cache.previous;
  }
};

// The slow paths run inside one of these. A thread whose thread_end has gone (its thread-locals are being destroyed,
// or it is the main thread among its statics) keeps nothing.
struct visit {
  visit() noexcept {
    if (cache.now == phase::untouched) {
      static thread_local thread_end end;
    }
  }
  ~visit() {
    if (cache.now == phase::closed) close_lists();
  }
  visit(const visit&) = delete;
  visit& operator=(const visit&) = delete;
};

ASTD_NOINLINE void* allocate_slowly(std::size_t c) {
  visit here;
  free_list& list = cache.lists[c];
  if (block* full = get(cache.reserve[c])) {
    set(cache.reserve[c], nullptr);
    list.head = full;
    set(list.room, 0);
  } else if (block* magazine = take_magazine(c)) {
    list.head = magazine;
    set(list.room, classes.batch[c] - static_cast<std::uint32_t>(magazine->count));
  } else {
    if (fresh_bytes(cache) < classes.size[c]) {
      use_up_fresh();
      take_chunk();
    }
    std::byte* begin = get(cache.fresh);
    set(cache.fresh, begin + classes.size[c]);
    return begin;
  }
  block* b = list.head;
  list.head = b->next;
  set(list.room, get(list.room) + 1);
  return b;
}

ASTD_NOINLINE void free_slowly(std::size_t c, void* frame) noexcept {
  visit here;
  if (get(cache.lists[c].room) == 0) make_room(c);
  push(c, frame);
}

}  // namespace

void* allocate_frame(std::size_t size) {
  if (size > largest_pooled_frame) [[unlikely]]
    return ::operator new(size);
  const std::size_t c = class_of(size);
  free_list& list = cache.lists[c];
  block* b = list.head;
  if (!b) [[unlikely]]
    return allocate_slowly(c);
  list.head = b->next;
  set(list.room, get(list.room) + 1);
  return b;
}

void free_frame(void* frame, std::size_t size) noexcept {
  if (size > largest_pooled_frame) [[unlikely]]
    return ::operator delete(frame);
  const std::size_t c = class_of(size);
  if (get(cache.lists[c].room) == 0) [[unlikely]]
    return free_slowly(c, frame);
  push(c, frame);
}

frame_pool_stats frame_pool_usage() noexcept {
  frame_pool_stats result;
  for (std::size_t c = 0; c != class_count; ++c) result.in_depot += get(depot.lists[c].blocks) * classes.size[c];
  spin_guard guard(depot.lock);
  std::size_t uncut = 0;
  for (const remnant* rest = depot.remnants; rest; rest = rest->next)
    uncut += static_cast<std::size_t>(rest->end - reinterpret_cast<const std::byte*>(rest));
  for (const thread_cache* thread = depot.threads; thread; thread = thread->next) {
    std::size_t cached = 0;
    for (std::size_t c = 0; c != class_count; ++c) {
      const std::size_t blocks =
          classes.batch[c] - get(thread->lists[c].room) + (get(thread->reserve[c]) ? classes.batch[c] : 0);
      cached += blocks * classes.size[c];
    }
    if (thread == &cache) result.cached_here = cached;
    result.in_threads += cached;
    uncut += fresh_bytes(*thread);
  }
  result.reserved = depot.chunk_bytes;
  result.in_use = result.reserved - depot.overhead - uncut - result.in_threads - result.in_depot;
  return result;
}

#else

const bool frames_are_pooled = false;

void* allocate_frame(std::size_t size) { return ::operator new(size); }
void free_frame(void* frame, std::size_t) noexcept { ::operator delete(frame); }
frame_pool_stats frame_pool_usage() noexcept { return {}; }

#endif

}  // namespace astd::detail
