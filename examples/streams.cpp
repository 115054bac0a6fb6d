// A stream through adaptors: words from a generator, looked up several at once, in order.
#include <astd/astd.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace stream = astd::stream;

astd::generator<std::string> words() {
  for (const char* word : {"an", "async", "standard", "library", "for", "everyone"}) {
    co_await astd::this_task::sleep_for(1ms);  // as if it came from afar
    co_yield word;
  }
}

astd::task<std::pair<std::string, std::size_t>> look_up(std::string word) {
  co_await astd::this_task::sleep_for(5ms);
  const std::size_t length = word.size();
  co_return std::pair(std::move(word), length);
}

astd::task<int> async_main() {
  auto found = words() | stream::filter([](const std::string& w) { return w.size() > 2; }) |
               stream::transform(look_up) | stream::buffered(4);
  for (;;) {
    auto next = co_await found.next();
    if (!next) break;
    co_await astd::println("{}: {}", next->first, next->second);
  }
  auto letters =
      co_await (words() | stream::transform([](const std::string& w) { return w.size(); }) | stream::sum());
  co_await astd::println("{} letters", letters);
  co_return 0;
}
