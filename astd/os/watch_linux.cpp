#include <astd/coro/or_return.hpp>
#include <astd/io/pipe.hpp>
#include <astd/os/watch.hpp>
#include <astd/runtime/io_operation.hpp>
#include <astd/runtime/perform_now.hpp>

#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/inotify.h>

namespace astd::os {
namespace {

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

task<> watcher::add(std::filesystem::path path) {
  const int number = co_await or_return(io::detail::io_awaitable<add_awaiter>(handle_.get(), path.c_str()));
  paths_[number] = std::move(path);
}

bool watcher::remove(const std::filesystem::path& path) noexcept {
  for (const auto& [number, watched] : paths_) {
    if (watched != path) continue;
    driver::operation op;
    op.code = driver::opcode::watch_remove;
    op.fd = handle_.get();
    op.args.value = number;
    astd::detail::perform_now(op);
    // The path stays known: changes that came before are still to be given. So it may be an earlier watch of the same path.
    if (op.result >= 0) return true;
  }
  return false;
}

bool watcher::take_held(file_change& into) {
  while (begin_ < held_.size()) {
    inotify_event event;
    std::memcpy(&event, held_.data() + begin_, sizeof event);
    const char* const name = reinterpret_cast<const char*>(held_.data() + begin_ + sizeof event);
    begin_ += sizeof event + event.len;
    const std::optional<change> what = meaning(event.mask);
    const auto watched = paths_.find(event.wd);
    if (what && (*what == change::overflow || watched != paths_.end())) {
      into.what = *what;
      into.cookie = event.cookie;
      into.path = *what == change::overflow ? std::filesystem::path() : watched->second;
      if (event.len > 0 && name[0] != '\0') into.path /= name;
      return true;
    }
    if (event.mask & IN_IGNORED && watched != paths_.end()) paths_.erase(watched);
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
