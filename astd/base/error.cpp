#include <astd/base/assert.hpp>
#include <astd/base/error.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <typeinfo>

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#endif

namespace astd {

namespace {

// The categories that have been met, by number. There are few in a program and they live for ever, so that a code fits
// into one word beside the number of its category.
constexpr unsigned most_categories = 1024;
constinit std::atomic<const std::error_category*> categories[most_categories] = {};

unsigned number_of(const std::error_category& category) noexcept {
  for (unsigned i = 0; i < most_categories; ++i) {
    const std::error_category* known = categories[i].load(std::memory_order_acquire);
    // release: whoever finds it uses the category.
    if (!known && categories[i].compare_exchange_strong(known, &category, std::memory_order_acq_rel)) return i;
    if (known == &category) return i;
  }
  detail::assertion_failed("more than 1024 error categories in one program");
}

}  // namespace

// The text follows the struct in the same allocation.
struct failure::shared {
  std::error_code code;
  std::size_t size;
  std::atomic<unsigned> owners{1};
};

std::uint64_t failure::in_place(std::error_code code) noexcept {
  return std::uint64_t(static_cast<std::uint32_t>(code.value())) << 32 | number_of(code.category()) << 1 | 1;
}

failure::failure(std::error_code code, std::string_view subject) noexcept : failure(code, {}, subject) {}

failure::failure(std::error_code code, std::string_view action, std::string_view subject) noexcept : failure(code) {
  const std::size_t gap = action.empty() || subject.empty() ? 0 : 1;
  const std::size_t size = action.size() + gap + subject.size();
  if (size == 0) return;
  void* memory = ::operator new(sizeof(shared) + size, std::nothrow);
  if (!memory) return;
  auto* const made = ::new (memory) shared{.code = code, .size = size};
  char* out = reinterpret_cast<char*>(made + 1);
  if (!action.empty()) std::memcpy(out, action.data(), action.size());
  if (gap) out[action.size()] = ' ';
  if (!subject.empty()) std::memcpy(out + action.size() + gap, subject.data(), subject.size());
  bits_ = reinterpret_cast<std::uintptr_t>(made);
}

failure::failure(const failure& other) noexcept : bits_(other.bits_) {
  if (is_shared()) get()->owners.fetch_add(1, std::memory_order_relaxed);
}

void failure::release() noexcept {
  shared* const s = get();
  // acq_rel: the last owner frees what every other owner has read.
  if (s->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    s->~shared();
    ::operator delete(static_cast<void*>(s));
  }
}

std::error_code failure::code() const noexcept {
  if (is_shared()) return get()->code;
  const auto number = static_cast<std::uint32_t>(bits_) >> 1;
  return {static_cast<int>(bits_ >> 32), *categories[number].load(std::memory_order_acquire)};
}

std::string_view failure::subject() const noexcept {
  if (!is_shared()) return {};
  return {reinterpret_cast<const char*>(get() + 1), get()->size};
}

namespace {

class own_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "astd"; }
  std::string message(int value) const override {
    return value == static_cast<int>(errc::timed_out) ? "timed out" : "unknown error";
  }
  std::error_condition default_error_condition(int value) const noexcept override {
    if (value == static_cast<int>(errc::timed_out)) return std::errc::timed_out;
    return {value, *this};
  }
};

}  // namespace

std::error_code make_error_code(errc e) noexcept {
  static const own_category category;
  return {static_cast<int>(e), category};
}

system_error::system_error(astd::failure f)
    : std::system_error(f.subject().empty() ? std::system_error(f.code())
                                            : std::system_error(f.code(), std::string(f.subject()))),
      failure_(std::move(f)) {}

task_cancelled::task_cancelled(std::string_view task)
    : system_error(astd::failure(std::make_error_code(std::errc::operation_canceled), task)) {}

namespace detail {

#if ASTD_HAS_EXCEPTIONS
void throw_failure(failure f) { throw system_error(std::move(f)); }
void throw_task_cancelled(std::string_view task) { throw task_cancelled(task); }
void throw_invalid_argument(const char* message) { throw std::invalid_argument(message); }
void rethrow(std::exception_ptr e) { std::rethrow_exception(std::move(e)); }

std::error_code code_of(std::exception_ptr e) {
  try {
    std::rethrow_exception(std::move(e));
  } catch (const std::system_error& error) {
    return error.code();
  }
}

void describe_exception(const std::exception_ptr& e, char* out, std::size_t size) noexcept {
  const char* type = "unknown exception";
  char* readable = nullptr;
#if __has_include(<cxxabi.h>)
  if (const std::type_info* info = e.__cxa_exception_type()) {
    int status = 0;
    readable = abi::__cxa_demangle(info->name(), nullptr, nullptr, &status);
    type = readable ? readable : info->name();
  }
#endif
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& error) {
    std::snprintf(out, size, "%s: %s", type, error.what());
  } catch (...) {
    std::snprintf(out, size, "%s", type);
  }
  std::free(readable);
}
#else
namespace {
[[noreturn]] void die(const std::string& text) {
  std::fprintf(stderr, "astd: nobody took this error as a value, and exceptions are off: %s\n", text.c_str());
  std::abort();
}
}  // namespace
void throw_failure(failure f) {
  die((f.subject().empty() ? std::string() : std::string(f.subject()) + ": ") + f.code().message());
}
void throw_task_cancelled(std::string_view task) { die(std::string(task) + " was cancelled"); }
void throw_invalid_argument(const char* message) { die(message); }
void rethrow(std::exception_ptr) { die("an exception"); }
std::error_code code_of(std::exception_ptr) { die("an exception"); }
void describe_exception(const std::exception_ptr&, char* out, std::size_t size) noexcept {
  std::snprintf(out, size, "an exception");
}
#endif

}  // namespace detail
}  // namespace astd
