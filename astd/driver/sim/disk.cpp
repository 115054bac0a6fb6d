#include <astd/base/assert.hpp>
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/disk_file.hpp>
#include <astd/driver/sim/machine.hpp>

#include <cerrno>
#include <set>
#include <utility>

namespace astd::driver::sim {

disk::disk(machine& of)
    : machine_(of),
      world_(of.in()),
      streams_(of.in()),
      root_(make(inode_kind::directory, 0755)),
      queue_(*this, of, account_.settings) {
  current_ = root_;
  root_->parent = root_;
  root_->links = 2;
  next_number_ = 12;  // behind ext4's own
  put_directory("/tmp");
  find("/tmp", &inode::entries)->mode = 01777;
  put_directory("/dev");
  const auto put_device = [&](const char* name, inode_kind kind) {
    const inode_pointer device = make(kind, 0666);
    device->links = 1;
    journal_.change({{find("/dev", &inode::entries), name, device}}, 0);
  };
  put_device("null", inode_kind::null_device);
  put_device("full", inode_kind::full_device);
  journal_.store_all();
  for (auto& [number, i] : inodes_) i->cached = true;
  all_cached_ = true;
}

disk::~disk() {
  current_.reset();
  root_.reset();
  journal_.store_all();
  dissolve([](const inode&) { return true; });
}

inode_pointer disk::make(inode_kind kind, unsigned mode) {
  return std::make_shared<inode>(inodes_, account_, next_number_++, kind, mode, machine_.system_now());
}

// ---- for scenarios and tests

inode_pointer disk::put_directories(const std::string& path, std::string_view& last) {
  ASTD_ASSERT(path.starts_with('/'), "a path on a simulated disk begins with a slash");
  inode_pointer here = root_;
  std::string_view rest(path);
  for (;;) {
    rest.remove_prefix(1);
    last = rest.substr(0, rest.find('/'));
    if (last.size() == rest.size()) return here;
    rest.remove_prefix(last.size());
    inode_pointer& next = here->entries[std::string(last)];
    if (!next) {
      next = here->stored_entries[std::string(last)] = make(inode_kind::directory, 0755);
      next->parent = here;
      next->links = 2;
      next->cached = false;
      ++here->links;
    }
    here = next;
  }
}

void disk::put_directory(const std::string& path) {
  std::string_view last;
  static_cast<void>(put_directories(path + "/", last));
  all_cached_ = false;
}

void disk::put(const std::string& path, std::string_view bytes) {
  std::string_view last;
  const inode_pointer directory = put_directories(path, last);
  inode_pointer& there = directory->entries[std::string(last)];
  if (!there) {
    there = make(inode_kind::file, 0644);
    there->links = 1;
  }
  directory->stored_entries[std::string(last)] = there;
  file_content& content = there->content;
  content.resize(0, world_.now());
  content.write(0, bytes.data(), bytes.size(), world_.now());
  content.store_all();
  content.drop_cache();
  there->cached = false;
  all_cached_ = false;
}

inode_pointer disk::find(const std::string& path, directory_entries inode::* in) const {
  inode_pointer here = root_;
  std::string_view rest(path);
  while (here && !rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (name.empty()) continue;
    const auto found = (*here.*in).find(name);
    here = found == (*here.*in).end() ? nullptr : found->second;
  }
  return here;
}

std::optional<std::string> disk::bytes_of(const std::string& path) const {
  const inode_pointer found = find(path, &inode::entries);
  if (!found || found->is_directory()) return std::nullopt;
  return found->content.now().bytes();
}

std::optional<std::string> disk::stored_bytes_of(const std::string& path) const {
  const inode_pointer found = find(path, &inode::stored_entries);
  if (!found || found->is_directory()) return std::nullopt;
  return found->content.stored().bytes();
}

std::optional<std::vector<std::string>> disk::names_in(const std::string& path) const {
  const inode_pointer found = find(path, &inode::entries);
  if (!found || !found->is_directory()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& [name, what] : found->entries) names.push_back(name);
  return names;
}

// ---- for the machine

bool disk::serves(opcode code) noexcept {
  switch (code) {
    case opcode::openat:
    case opcode::statx:
    case opcode::renameat:
    case opcode::unlinkat:
    case opcode::mkdirat:
    case opcode::linkat:
    case opcode::symlinkat:
    case opcode::readlinkat:
    case opcode::realpath:
    case opcode::read_directory:
    case opcode::fchmodat:
    case opcode::fchownat:
    case opcode::utimensat:
    case opcode::copy_file:
    case opcode::batch:
    case opcode::statvfs:
    case opcode::chdir:
    case opcode::getcwd: return true;
    default: return false;
  }
}

std::int32_t disk::start(operation& op) noexcept {
  if (op.code == opcode::getcwd || all_cached_ || !must_be_fetched(op)) return perform(op);
  queue_.add(op, page_size, 0);
  return pending;
}

std::int32_t disk::carry_out(operation& op, std::uint64_t mark) noexcept {
  if (serves(op.code)) return world_.strikes(fault::disk_error, &machine_) ? -EIO : perform(op);
  open_file* const file = machine_.find(op.fd);
  ASTD_ASSERT(file && file->on_disk(), "a file was closed while somebody read or wrote it");
  return static_cast<disk_file*>(file)->carry_out(op, mark);
}

void disk::write_back(std::uint64_t down_to) noexcept {
  for (auto& [number, i] : inodes_) {
    if (account_.dirty <= down_to) return;
    i->content.store_all();
  }
}

void disk::crash() noexcept {
  queue_.crash();
  journal_.store_older_than(world_.now() - settings().names_stay);
  journal_.crash(world_.at_disks());
  // What can be reached from the root is all there is.
  std::set<std::uint64_t> reached{root_->number};
  std::vector<inode*> todo{root_.get()};
  root_->links = 2;
  current_ = root_;
  while (!todo.empty()) {
    inode& i = *todo.back();
    todo.pop_back();
    i.cached = false;
    i.descriptors = 0;
    i.locked_by = nullptr;
    i.shared_by.clear();
    i.removed = false;
    i.content.store_older_than(world_.now() - settings().data_stays);
    i.content.crash(world_.at_disks(), settings().journal);
    i.entries = i.stored_entries;
    for (auto& [name, below] : i.entries) {
      if (reached.insert(below->number).second) {
        below->links = 0;
        todo.push_back(below.get());
      }
      ++below->links;
      if (!below->is_directory()) continue;
      ++below->links;  // "."
      ++i.links;       // its ".."
      below->parent = i.shared_from_this();
    }
  }
  for (auto& [number, i] : inodes_) i->removed = !reached.contains(number);
  dissolve([](const inode& i) { return i.removed; });
  all_cached_ = false;
}

// Directories that nobody can reach may know each other in a circle.
void disk::dissolve(bool (*which)(const inode&)) noexcept {
  std::vector<directory_entries> entries;
  std::vector<inode_pointer> parents;
  for (auto& [number, i] : inodes_) {
    if (!which(*i)) continue;
    entries.push_back(std::exchange(i->entries, {}));
    entries.push_back(std::exchange(i->stored_entries, {}));
    parents.push_back(std::exchange(i->parent, {}));
  }
}

}  // namespace astd::driver::sim
