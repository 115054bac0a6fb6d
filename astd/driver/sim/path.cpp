#include <astd/driver/sim/path.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace astd::driver::sim {
namespace {

constexpr std::size_t longest_name = 255;

path_end::type type_of(std::string_view component) noexcept {
  if (component == ".") return path_end::type::dot;
  if (component == "..") return path_end::type::dot_dot;
  return path_end::type::name;
}

}  // namespace

inode_pointer look_up(const inode& directory, std::string_view name, std::int32_t& error) {
  error = name.size() > longest_name ? -ENAMETOOLONG : -ENOENT;
  const auto found = directory.entries.find(name);
  if (found == directory.entries.end()) return nullptr;
  error = 0;
  return found->second;
}

inode_pointer look_up(const path_end& end, std::int32_t& error) {
  error = 0;
  switch (end.last) {
    case path_end::type::root:
    case path_end::type::dot: return end.directory;
    case path_end::type::dot_dot: return end.directory->parent;
    case path_end::type::name: break;
  }
  inode_pointer found = look_up(*end.directory, end.name, error);
  if (found && end.slashes && !found->is_directory()) {
    error = -ENOTDIR;
    return nullptr;
  }
  return found;
}

std::int32_t walk(const inode_pointer& root, const inode_pointer& start, const char* path, path_end& end,
                  last_link at_end) {
  std::string_view rest(path);
  if (rest.size() >= PATH_MAX) return -ENAMETOOLONG;
  const bool absolute = rest.front() == '/';
  if (!absolute && !start->is_directory()) return -ENOTDIR;
  end = {};
  end.directory = absolute ? root : start;
  const auto skip_slashes = [&] { rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size())); };
  // What the link says takes the place of its name.
  unsigned links = 0;
  const auto follow = [&](const inode& link) -> std::int32_t {
    if (++links > 40) return -ELOOP;
    auto spelled = std::make_shared<std::string>(link.target);
    if (end.slashes) *spelled += '/';
    spelled->append(rest);
    if (spelled->front() == '/') end.directory = root;
    end.spelled = std::move(spelled);
    rest = *end.spelled;
    end.last = path_end::type::root;
    skip_slashes();
    return 0;
  };
  skip_slashes();
  for (;;) {
    while (!rest.empty()) {
      if (end.last != path_end::type::root) {
        // What was the last component is on the way.
        std::int32_t error = 0;
        const bool slashes = std::exchange(end.slashes, false);
        inode_pointer next = look_up(end, error);
        end.slashes = slashes;
        if (!next) return error;
        if (next->is_link()) {
          end.fetched |= !std::exchange(next->cached, true);
          if (error = follow(*next); error != 0) return error;
          continue;
        }
        if (!next->is_directory()) return -ENOTDIR;
        end.directory = std::move(next);
      }
      end.fetched |= !std::exchange(end.directory->cached, true);
      const std::size_t length = std::min(rest.find('/'), rest.size());
      end.name = rest.substr(0, length);
      end.last = type_of(end.name);
      rest.remove_prefix(length);
      end.slashes = !rest.empty();
      skip_slashes();
    }
    if (end.last != path_end::type::name || at_end == last_link::kept) return 0;
    if (at_end == last_link::followed_if_slashes && !end.slashes) return 0;
    const auto found = end.directory->entries.find(end.name);
    if (found == end.directory->entries.end() || !found->second->is_link()) return 0;
    const inode_pointer link = found->second;
    end.fetched |= !std::exchange(link->cached, true);
    if (const std::int32_t error = follow(*link); error != 0) return error;
  }
}

}  // namespace astd::driver::sim
