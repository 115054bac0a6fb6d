// What every coroutine library of C++ needs of std, without any of them.
#include <atomic>
#include <chrono>
#include <coroutine>
#include <exception>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>
