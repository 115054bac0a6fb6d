// Jobs through a channel to a few workers, who share two connections; each job's result comes back through a promise.
#include <astd/channel.hpp>
#include <astd/future.hpp>
#include <astd/print.hpp>
#include <astd/semaphore.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

struct job {
  std::string word;
  astd::promise<std::size_t> result;
};

// Ends when the channel is closed and nothing is left in it.
astd::task<> work(astd::receiver<job> jobs, astd::counting_semaphore<>& connections) {
  for (;;) {
    auto next = co_await jobs.recv();
    if (!next) co_return;
    auto connection = co_await connections.acquire_permit();
    co_await astd::this_task::sleep_for(10ms);  // what a database takes
    next->result.set_value(next->word.size());
  }
}

astd::task<int> async_main() {
  astd::counting_semaphore<> connections(2, "connections");
  auto [sending, receiving] = astd::channel<job>(8);
  std::vector<astd::join_handle<>> workers;
  for (int i = 0; i < 4; ++i) workers.push_back(astd::spawn(work(receiving, connections)));

  std::vector<std::pair<std::string, astd::future<std::size_t>>> waiting;
  for (const char* word : {"what", "you", "know", "from", "std", "is", "here"}) {
    job next{word, astd::promise<std::size_t>()};
    waiting.emplace_back(word, next.result.get_future());
    co_await sending.send(std::move(next));
  }
  sending.close();

  for (auto& [word, result] : waiting) {
    auto length = co_await result;
    co_await astd::println("{}: {}", word, length);
  }
  for (auto& worker : workers) co_await worker;
  co_return 0;
}
