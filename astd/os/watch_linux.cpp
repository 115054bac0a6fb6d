#include <astd/coro/or_return.hpp>
#include <astd/io/pipe.hpp>
#include <astd/os/watch.hpp>
#include <astd/runtime/io_operation.hpp>
#include <astd/runtime/perform_now.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/inotify.h>

namespace astd::os {
namespace {

constexpr std::size_t most_ended = 1000;

constexpr int wanted =
    IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF;

class add_awaiter final : public astd::detail::io_awaiter<add_awaiter, int> {
 public:
  struct arguments {
    arguments(int fd, const char* path) noexcept : descriptor(fd), name(path) {}
    int descriptor;
    const char* name;
  };
  explicit add_awaiter(const arguments& a) noexcept : io_awaiter(driver::opcode::watch_add, a.descriptor) {
    args.path = {a.name, wanted, 0};
  }
  astd::detail::outcome<int> take() {
    resumed();
    if (failed()) return failed_with("watch", args.path.path);
    astd::detail::outcome<int> number;
    number.set_value(result());
    return number;
  }
};

std::optional<change> meaning(std::uint32_t mask) noexcept {
  if (mask & IN_Q_OVERFLOW) return change::overflow;
  if (mask & IN_CREATE) return change::created;
  if (mask & (IN_DELETE | IN_DELETE_SELF)) return change::removed;
  if (mask & IN_MODIFY) return change::modified;
  if (mask & IN_ATTRIB) return change::attributes;
  if (mask & (IN_MOVED_FROM | IN_MOVE_SELF)) return change::moved_from;
  if (mask & IN_MOVED_TO) return change::moved_to;
  return std::nullopt;  // IN_IGNORED: it is watched no more
}

}  // namespace

watcher::watcher() {
  driver::operation op;
  op.code = driver::opcode::watch_open;
  astd::detail::perform_now(op);
  if (op.result < 0) astd::detail::throw_failure(failure({-op.result, std::system_category()}, "watch files"));
  handle_ = owned_handle(op.result);
}

watcher watcher::from_native_handle(native_handle handle) noexcept {
  io::detail::adopt_descriptor(handle);
  io::detail::set_blocking(handle, false);
  return watcher(owned_handle(handle));
}

task<> watcher::add(std::filesystem::path path) {
  const int number = co_await or_return(io::detail::io_awaitable<add_awaiter>(handle_.get(), path.c_str()));
  auto& paths = watches_[number].paths;
  std::erase(paths, path);
  paths.push_back(std::move(path));
}

bool watcher::remove(const std::filesystem::path& path) noexcept {
  for (auto& [number, w] : watches_) {
    if (w.ended) continue;
    const auto at = std::ranges::find(w.paths, path);
    if (at == w.paths.end()) continue;
    if (w.paths.size() > 1) {
      w.paths.erase(at);
      return true;
    }
    driver::operation op;
    op.code = driver::opcode::watch_remove;
    op.fd = handle_.get();
    op.args.value = number;
    astd::detail::perform_now(op);
    // What it led to may have gone: then the system has ended the watch, and the path may be that of a later one.
    if (op.result < 0) continue;
    // The path stays known until the system says that nothing more comes.
    w.ended = true;
    ++ended_;
    forget_ended(most_ended);
    return true;
  }
  return false;
}

// The oldest first. Nobody may ask for changes for long, and the system forgets what is too much.
void watcher::forget_ended(std::size_t most) noexcept {
  for (auto w = watches_.begin(); ended_ > most && w != watches_.end();) {
    if (w->second.ended) {
      w = watches_.erase(w);
      --ended_;
    } else {
      ++w;
    }
  }
}

bool watcher::take_held(file_change& into) {
  while (begin_ < held_.size()) {
    inotify_event event;
    std::memcpy(&event, held_.data() + begin_, sizeof event);
    const char* const name = reinterpret_cast<const char*>(held_.data() + begin_ + sizeof event);
    begin_ += sizeof event + event.len;
    const std::optional<change> what = meaning(event.mask);
    const auto watched = watches_.find(event.wd);
    if (what && (*what == change::overflow || watched != watches_.end())) {
      into.what = *what;
      into.cookie = event.cookie;
      into.path = *what == change::overflow ? std::filesystem::path() : watched->second.paths.back();
      // The word that a watch has ended may be among what the system has forgotten.
      if (*what == change::overflow) forget_ended(0);
      if (event.len > 0 && name[0] != '\0') into.path /= name;
      return true;
    }
    if (event.mask & IN_IGNORED && watched != watches_.end()) {
      if (watched->second.ended) --ended_;
      watches_.erase(watched);
    }
  }
  return false;
}

task<std::optional<file_change>> watcher::next() {
  file_change found{};
  while (!take_held(found)) {
    // Room for one event with the longest name at least.
    held_.resize(8192);
    begin_ = held_.size();
    const auto got = io::detail::try_read_from(handle_.get(), io::mutable_bytes(held_.data(), held_.size()));
    held_.resize(got.is_ready() ? *got : 0);
    begin_ = 0;
    if (got.is_error()) co_await fail({got.error(), "read changes of files"});
    // Waiting takes nothing away.
    if (got.is_not_ready()) co_await or_return(io::detail::poll(handle_.get(), POLLIN, "changes of files"));
  }
  co_return found;
}

}  // namespace astd::os
