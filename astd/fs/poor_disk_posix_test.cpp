// Disks that are full or may not be written: small file systems of our own, which nobody else sees.
#include <astd/fs/fs_test.hpp>

#include <csignal>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

namespace astd::fs {
namespace {

// In memory, of so many bytes; reached by its descriptor alone.
class small_disk {
 public:
  explicit small_disk(const char* size) {
    const int made = ::fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (made < 0) {
      note("fsopen");
      return;
    }
    if (::fsconfig(made, FSCONFIG_SET_STRING, "size", size, 0) != 0 ||
        ::fsconfig(made, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
      note("fsconfig");
    else if ((mounted_ = ::fsmount(made, FSMOUNT_CLOEXEC, 0)) < 0)
      note("fsmount");
    ::close(made);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    if (mounted_ >= 0) ::close(mounted_);
  }
  /// Why there is none; empty: there is.
  [[nodiscard]] const std::string& missing() const { return missing_; }
  [[nodiscard]] path root() const { return "/proc/self/fd/" + std::to_string(mounted_); }
  void may_not_be_written() {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    EXPECT_EQ(::mount_setattr(mounted_, "", AT_EMPTY_PATH, &attributes, sizeof attributes), 0);
  }

 private:
  void note(const char* call) { missing_ = std::string(call) + ": " + std::strerror(errno); }
  int mounted_ = -1;
  std::string missing_;
};

task<std::set<std::string>> names_in(path directory) {
  std::set<std::string> names;
  directory_iterator entries(std::move(directory));
  for (;;) {
    const auto entry = co_await entries.next();
    if (!entry) break;
    names.insert(entry->path().filename().native());
  }
  co_return names;
}

void leave_out(const small_disk& disk) {
  GTEST_SKIP() << "NOT RUN: no file system of our own, which takes the right to mount: " << disk.missing();
}

// What errors end with.
constexpr std::string_view full = ": No space left on device", read_only = ": Read-only file system",
                           too_large = ": File too large";

const std::string much(300'000, 'm');

}  // namespace

ASTD_TEST(fs_poor_disk, that_is_full) {
  const small_disk disk("128k");
  if (!disk.missing().empty()) {
    leave_out(disk);
    co_return;
  }
  auto here = co_await temporary_directory::create();
  const path old = disk.root() / "old", fresh = disk.root() / "fresh";
  co_await write(old, "what was there");

  const std::string written = co_await test::error_of(write(fresh, much));
  EXPECT_TRUE(written.ends_with(full)) << written;
  EXPECT_TRUE(written.contains(fresh.native())) << written;
  co_await fs::remove(fresh);

  // The old one, or the new one, and nothing beside it.
  const std::string replaced = co_await test::error_of(write_atomic(old, much));
  EXPECT_TRUE(replaced.ends_with(full)) << replaced;
  EXPECT_TRUE(replaced.contains(old.native())) << replaced;
  const std::string still = co_await read_to_string(old);
  EXPECT_EQ(still, "what was there");
  const auto names = co_await names_in(disk.root());
  EXPECT_EQ(names, std::set<std::string>{"old"});

  // Small files, which are copied many at a time, and a large one.
  const path many = here.path() / "many";
  co_await fs::create_directory(many);
  for (int i = 0; i < 50; ++i) co_await write(many / std::to_string(i), std::string(5'000, 's'));
  const std::string tree = co_await test::error_of(fs::copy(many, disk.root() / "many", copy_options::recursive));
  EXPECT_TRUE(tree.ends_with(full)) << tree;
  EXPECT_TRUE(tree.contains(many.native() + '/')) << tree;
  co_await fs::remove_all(disk.root() / "many");
  co_await write(here.path() / "large", much);
  const std::string one = co_await test::error_of(fs::copy_file(here.path() / "large", fresh));
  EXPECT_TRUE(one.ends_with(full)) << one;
  EXPECT_TRUE(one.contains((here.path() / "large").native()) && one.contains(fresh.native())) << one;
  co_await fs::remove(fresh);

  // What write() has told of is there.
  auto out = co_await file::create(fresh);
  std::size_t told = 0;
  for (;;) {
    const auto n = co_await as_result(out.write(io::const_bytes(much).take(10'000)));
    if (!n) {
      EXPECT_EQ(n.error(), std::errc::no_space_on_device);
      break;
    }
    told += *n;
  }
  co_await out.close();
  const std::uintmax_t size = co_await fs::file_size(fresh);
  EXPECT_EQ(size, told);
  EXPECT_GT(told, 0u);
  co_await here.close();
}

ASTD_TEST(fs_poor_disk, that_may_not_be_written) {
  small_disk disk("128k");
  if (!disk.missing().empty()) {
    leave_out(disk);
    co_return;
  }
  const path a = disk.root() / "a", b = disk.root() / "b";
  co_await write(a, "read only");
  co_await fs::create_directory(disk.root() / "directory");
  disk.may_not_be_written();
  const std::string text = co_await read_to_string(a);
  EXPECT_EQ(text, "read only");
  const auto refused = [](const std::string& says, const path& name) {
    EXPECT_TRUE(says.contains(name.native()) && says.ends_with(read_only)) << says;
  };
  refused(co_await test::error_of(write(a, "x")), a);
  refused(co_await test::error_of(write_atomic(a, "x")), a);
  refused(co_await test::error_of(file::create(b)), b);
  refused(co_await test::error_of(fs::create_directory(b)), b);
  refused(co_await test::error_of(fs::create_symlink("a", b)), b);
  refused(co_await test::error_of(fs::rename(a, b)), b);
  refused(co_await test::error_of(fs::remove(a)), a);
  refused(co_await test::error_of(fs::remove_all(disk.root() / "directory")), disk.root() / "directory");
  refused(co_await test::error_of(fs::permissions(a, perms::owner_all)), a);
  refused(co_await test::error_of(fs::resize_file(a, 1)), a);
  refused(co_await test::error_of(fs::copy_file(a, b)), b);
  const auto names = co_await names_in(disk.root());
  EXPECT_EQ(names, (std::set<std::string>{"a", "directory"}));
}

ASTD_TEST(fs_file, may_be_no_larger_than_the_limit) {
  rlimit before{};
  EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  auto here = co_await temporary_directory::create();
  const rlimit little{100'000, before.rlim_max};
  EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const path large = here.path() / "large";
  const std::string written = co_await test::error_of(write(large, much));
  EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_TRUE(written.ends_with(too_large)) << written;
  EXPECT_TRUE(written.contains(large.native())) << written;
  const std::uintmax_t size = co_await fs::file_size(large);
  EXPECT_EQ(size, 100'000u) << "what fits is written";
  co_await here.close();
}

}  // namespace astd::fs
