// Small tasks that the tests of join, race and select put side by side.
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>
#include <astd/coro/test_world.hpp>

#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace astd::test {

inline task<int> gives(int n, counted = {}) { co_return n; }
inline task<std::string> gives_text(std::string s) { co_return s; }
inline task<> nothing() { co_return; }
inline task<int&> refers(int& r) { co_return r; }
inline task<std::unique_ptr<int>> moves(int n) { co_return std::make_unique<int>(n); }
inline task<int> fails(std::errc e, counted = {}) {
  co_await fail(e);
  co_return 0;
}
/// Its number, when its operation has ended.
inline task<int> waits(world& w, int n, counted = {}) {
  co_await w.pass();
  co_return n;
}
inline task<int> waits_and_fails(world& w, std::errc e, counted = {}) {
  co_await w.pass();
  co_await fail(e);
  co_return 0;
}

}  // namespace astd::test
