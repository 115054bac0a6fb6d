// A task with a name, which it can ask for, and which error messages and dumps show.
#include <astd/print.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

astd::task<> introduce() {
  co_await astd::println("The name of this task is \"{}\", its id is {}", astd::this_task::name(),
                         astd::this_task::get_id());
}

astd::task<int> async_main() {
  co_await introduce();  // awaited: still the same task
  auto friend_of_ours = astd::task_builder().name("friend").spawn(introduce());
  co_await friend_of_ours;
  co_return 0;
}
