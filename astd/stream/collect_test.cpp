// Into which containers a stream is gathered, and which it makes longer: those that async-std gathers into.
#include <astd/stream.hpp>
#include <astd/testing/gtest.hpp>

#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

using namespace astd;

const std::vector<int> three{3, 1, 2};
const std::vector<std::pair<int, int>> pairs{{1, 2}, {1, 3}, {2, 4}};

ASTD_TEST(stream_collect, into_sequences) {
  auto vector = co_await (three | stream::to<std::vector<int>>());
  EXPECT_EQ(vector, three);
  auto deque = co_await (three | stream::to<std::deque>());
  EXPECT_EQ(deque, (std::deque{3, 1, 2}));
  auto list = co_await (three | stream::to<std::list>());
  EXPECT_EQ(list, (std::list{3, 1, 2}));
  auto forward = co_await (three | stream::to<std::forward_list>());
  EXPECT_EQ(forward, (std::forward_list{3, 1, 2}));
  auto heap = co_await (three | stream::to<std::priority_queue<int>>());
  EXPECT_EQ(heap.top(), 3);
  auto shared = std::make_shared<const std::vector<int>>(std::move(vector));
  EXPECT_EQ(shared->size(), 3u);
}

ASTD_TEST(stream_collect, into_sets_and_maps) {
  auto set = co_await (three | stream::to<std::set>());
  EXPECT_EQ(set, (std::set{1, 2, 3}));
  auto hashed = co_await (three | stream::to<std::unordered_set<int>>());
  EXPECT_EQ(hashed.size(), 3u);
  auto map = co_await (pairs | stream::to<std::map>());
  EXPECT_EQ(map, (std::map<int, int>{{1, 3}, {2, 4}}));  // later keys win
  auto table = co_await (pairs | stream::to<std::unordered_map<int, int>>());
  EXPECT_EQ(table.at(1), 3);
}

ASTD_TEST(stream_collect, into_strings) {
  const std::string letters = "abc";
  const std::vector<std::string_view> parts{"a", "bc"};
  const std::vector<std::string> words{"a", "bc"};
  auto one = co_await (letters | stream::to<std::string>());
  auto two = co_await (parts | stream::to<std::string>());
  auto three_of_them = co_await (words | stream::to<std::string>());
  EXPECT_EQ(one, letters);
  EXPECT_EQ(two, letters);
  EXPECT_EQ(three_of_them, letters);
  auto made = co_await (parts | stream::to<std::vector<std::string>>());
  EXPECT_EQ(made, words);
  auto in_order = co_await (parts | stream::to<std::set<std::string>>());
  EXPECT_TRUE(in_order.contains("bc"));
  co_await (parts | stream::extend(one));
  co_await (words | stream::extend(one));
  co_await (letters | stream::extend(one));
  EXPECT_EQ(one, "abcabcabcabc");
}

ASTD_TEST(stream_collect, behind_what_is_there) {
  std::vector<int> vector{9};
  std::deque<int> deque{9};
  std::list<int> list{9};
  std::set<int> set{9};
  std::unordered_set<int> hashed{9};
  std::priority_queue<int> heap;
  std::map<int, int> map{{1, 9}, {7, 7}};
  std::unordered_map<int, int> table(map.begin(), map.end());
  co_await (three | stream::extend(vector));
  co_await (three | stream::extend(deque));
  co_await (three | stream::extend(list));
  co_await (three | stream::extend(set));
  co_await (three | stream::extend(hashed));
  co_await (three | stream::extend(heap));
  co_await (pairs | stream::extend(map));
  co_await (pairs | stream::extend(table));
  EXPECT_EQ(vector, (std::vector{9, 3, 1, 2}));
  EXPECT_EQ(deque, (std::deque{9, 3, 1, 2}));
  EXPECT_EQ(list, (std::list{9, 3, 1, 2}));
  EXPECT_EQ(set, (std::set{1, 2, 3, 9}));
  EXPECT_EQ(hashed.size(), 4u);
  EXPECT_EQ(heap.size(), 3u);
  EXPECT_EQ(map, (std::map<int, int>{{1, 3}, {2, 4}, {7, 7}}));
  EXPECT_EQ(table.at(1), 3);
}

}  // namespace
