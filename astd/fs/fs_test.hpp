// For the tests of this room: a directory of one's own, made and removed by what is tested, so that they run in a
// simulated world as well.
#pragma once

#include <astd/coro/as_result.hpp>
#include <astd/fs.hpp>
#include <astd/io/test_support.hpp>
#include <astd/io/write_all.hpp>
#include <astd/testing/gtest.hpp>

#include <string>
#include <string_view>

namespace astd::fs::testing {

/// What `aw` fails with.
template <class A>
task<std::error_code> code_of(A aw) {
  const auto result = co_await as_result(static_cast<A&&>(aw));
  co_return result ? std::error_code() : result.error();
}

}  // namespace astd::fs::testing
