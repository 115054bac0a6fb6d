#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/shield.hpp>
#include <astd/fs/call.hpp>
#include <astd/fs/file_maker.hpp>
#include <astd/fs/names.hpp>
#include <astd/fs/temporary.hpp>
#include <astd/fs/tree.hpp>
#include <astd/runtime/random.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>

#include <string>

#include <fcntl.h>
#include <sys/stat.h>

namespace astd::fs {

using detail::call;
using detail::deed;
using detail::failure_of;
using detail::file_maker;
using detail::on_path;
using detail::on_two;
using detail::opcode;
using detail::status_call;

namespace {

std::string unlikely_name(std::string_view first) {
  constexpr char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::string name(first);
  name += '.';
  for (int i = 0; i < 12; ++i) name += letters[random::below(32)];
  return name;
}

constexpr int attempts = 100;

task<> remove_shielded(path name) { co_await or_return(shield(fs::remove_all(std::move(name)))); }

task<> remove_quietly(path name) { static_cast<void>(co_await as_result(remove_shielded(std::move(name)))); }

}  // namespace

// ---- names that are to go

task<> detail::doomed_name::remove() {
  if (name_.empty()) co_return;
  co_await or_return(remove_shielded(spare()));
}

void detail::doomed_name::abandon() noexcept {
#if ASTD_HAS_EXCEPTIONS
  try {
#endif
    astd::detail::spawn_anyway(remove_quietly(spare()));
#if ASTD_HAS_EXCEPTIONS
  } catch (...) {
    // No memory for it: the name stays.
  }
#endif
}

task<temporary_file> temporary_file::create(fs::path directory) {
  for (int left = attempts;; --left) {
    fs::path name = directory / unlikely_name("astd");
    auto made = co_await as_result(file_maker::open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    if (made) co_return temporary_file(std::move(*made), detail::doomed_name(std::move(name)));
    if (made.error() != std::errc::file_exists || left == 0)
      co_await fail(failure_of(made.error(), deed("open", name)));
  }
}

task<temporary_file> temporary_file::create() {
  fs::path directory = co_await or_return(temp_directory_path());
  temporary_file made = co_await or_return(create(std::move(directory)));
  co_return made;
}

task<> temporary_file::close() {
  const auto closed = co_await as_result(file_.close());
  co_await or_return(name_.remove());
  if (!closed) co_await fail(failure_of(closed.error(), deed("close", file_.file_path())));
}

task<> temporary_file::persist(fs::path to) {
  co_await or_return(shield(fs::rename(name_.name(), std::move(to))));
  static_cast<void>(name_.spare());
}

task<temporary_directory> temporary_directory::create(fs::path directory) {
  for (int left = attempts;; --left) {
    fs::path name = directory / unlikely_name("astd");
    const auto made = co_await as_result(
        call(opcode::mkdirat, AT_FDCWD, on_path(name.c_str(), 0, 0700), deed("create directory", name)));
    if (made) co_return temporary_directory(detail::doomed_name(std::move(name)));
    if (made.error() != std::errc::file_exists || left == 0)
      co_await fail(failure_of(made.error(), deed("create directory", name)));
  }
}

task<temporary_directory> temporary_directory::create() {
  fs::path directory = co_await or_return(temp_directory_path());
  temporary_directory made = co_await or_return(create(std::move(directory)));
  co_return made;
}

// ---- replacing at one moment

namespace {

task<> write_and_rename(path target, path draft, io::const_bytes data) {
  constexpr std::size_t piece = 1024 * 1024;
  file out = co_await or_return(file_maker::open(draft, O_WRONLY | O_CREAT | O_EXCL, 0666));
  const auto before = co_await as_result(status_call(AT_FDCWD, target.c_str(), 0, deed("stat", target)));
  if (before) co_await or_return(out.set_permissions(static_cast<perms>(before->stx_mode & 07777)));
  for (std::uint64_t at = 0; !data.empty();) {
    const io::const_bytes part = data.take(piece);
    co_await or_return(out.write_all_at(part, at));
    at += part.size();
    data = data.drop(part.size());
    if (!data.empty()) co_await this_task::yield();
  }
  co_await or_return(out.sync_all());
  co_await or_return(out.close());
  co_await or_return(call(opcode::renameat, AT_FDCWD, on_two(draft.c_str(), AT_FDCWD, target.c_str()),
                          deed("rename", draft, target)));
}

task<> sync_directory(path name) {
  file directory = co_await or_return(file_maker::open(std::move(name), O_RDONLY | O_DIRECTORY, 0));
  co_await or_return(directory.sync_all());
}

// Whatever became of the draft: it goes, if it is there.
class draft_remover {
 public:
  explicit draft_remover(path draft) : draft_(std::move(draft)) {}
  task<> operator()() { return removed(draft_); }

 private:
  static task<> removed(path draft) { static_cast<void>(co_await as_result(fs::remove(std::move(draft)))); }
  path draft_;
};

}  // namespace

task<> write_atomic(path name, io::const_bytes data) {
  const deed whom("write", name);
  if (whom.refused) co_await fail(failure_of(std::errc::invalid_argument, whom));
  // A symbolic link stays one: what it leads to is replaced.
  const auto real = co_await as_result(fs::canonical(name));
  const path target = real ? *real : name;
  path directory = target.parent_path();
  if (directory.empty()) directory = ".";
  const path draft = directory / unlikely_name("." + target.filename().native().substr(0, 200));
  draft_remover cleanup(draft);
  // The draft's name would tell nobody anything.
  const auto replaced = co_await as_result(finally(write_and_rename(target, draft, data), cleanup));
  if (!replaced) co_await fail(failure_of(replaced.error(), whom));
  co_await or_return(sync_directory(directory));
}

}  // namespace astd::fs
