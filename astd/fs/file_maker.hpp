// Internal: files of descriptors, and what others here need of them.
#pragma once

#include <astd/fs/file.hpp>

#include <utility>

namespace astd::fs::detail {

struct file_maker {
  [[nodiscard]] static file made(path name, int descriptor, bool writes) noexcept {
    return file(file_handle(std::move(name), descriptor, writes));
  }
  /// `flags` as of open(2); `action`: what an error says was tried.
  static task<file> open(path name, int flags, unsigned mode, const char* action = "open");
  static task<file> refuse(path name);
  static task<std::size_t> alignment(file& of);
  [[nodiscard]] static int descriptor_of(const file& f) noexcept { return f.handle_.descriptor(); }
};

}  // namespace astd::fs::detail
