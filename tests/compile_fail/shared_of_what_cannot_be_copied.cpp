// Each await gets a copy.
// compilers: clang gcc
// expect: no matching function for call to .*shared
// says: copy_constructible
#include <astd/future.hpp>

#include <memory>

astd::task<std::unique_ptr<int>> make() { co_return std::make_unique<int>(1); }

auto one() { return astd::shared(make()); }
