#include <astd/base/intrusive_list.hpp>

#include <gtest/gtest.h>

#include <random>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using astd::detail::intrusive_list;
using astd::detail::list_node;

struct item : list_node {
  explicit item(int v) : value(v) {}
  int value;
};

std::vector<int> values(intrusive_list<item>& list) {
  std::vector<int> v;
  for (item* i = list.front(); i; i = list.after(*i)) v.push_back(i->value);
  return v;
}

using ints = std::vector<int>;

static_assert(!std::is_copy_constructible_v<intrusive_list<item>> &&
              !std::is_move_constructible_v<intrusive_list<item>>);

TEST(intrusive_list, is_empty_at_first) {
  intrusive_list<item> list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(intrusive_list, keeps_the_order) {
  item a(1), b(2), c(3);
  intrusive_list<item> list;
  list.push_back(b);
  list.push_back(c);
  list.push_front(a);
  EXPECT_FALSE(list.empty());
  EXPECT_EQ(values(list), (ints{1, 2, 3}));
  EXPECT_EQ(list.front(), &a);
  EXPECT_EQ(list.after(a), &b);
  EXPECT_EQ(list.after(c), nullptr);
  EXPECT_EQ(list.pop_front(), &a);
  EXPECT_EQ(list.pop_front(), &b);
  EXPECT_EQ(list.pop_front(), &c);
  EXPECT_TRUE(list.empty());
}

TEST(intrusive_list, unlinks_anywhere) {
  item a(1), b(2), c(3);
  intrusive_list<item> list;
  for (item* i : {&a, &b, &c}) list.push_back(*i);
  EXPECT_TRUE(b.linked());
  intrusive_list<item>::erase(b);
  EXPECT_FALSE(b.linked());
  EXPECT_EQ(values(list), (ints{1, 3}));
  intrusive_list<item>::erase(c);
  EXPECT_EQ(values(list), (ints{1}));
  list.push_back(b);
  EXPECT_EQ(values(list), (ints{1, 2}));
  intrusive_list<item>::erase(a);
  intrusive_list<item>::erase(b);
  EXPECT_TRUE(list.empty());
  EXPECT_FALSE(a.linked());
}

TEST(intrusive_list, knows_a_lonely_element_as_linked) {
  item a(1);
  intrusive_list<item> list;
  EXPECT_FALSE(a.linked());
  list.push_back(a);
  EXPECT_TRUE(a.linked());
  list.pop_front();
  EXPECT_FALSE(a.linked());
}

TEST(intrusive_list, splices) {
  item a(1), b(2), c(3), d(4);
  intrusive_list<item> left, right;
  left.splice(right);
  EXPECT_TRUE(left.empty());
  right.push_back(c);
  right.push_back(d);
  left.splice(right);
  EXPECT_TRUE(right.empty());
  EXPECT_EQ(values(left), (ints{3, 4}));
  right.push_back(a);
  right.push_back(b);
  right.splice(left);
  EXPECT_TRUE(left.empty());
  EXPECT_EQ(values(right), (ints{1, 2, 3, 4}));
  right.splice(left);
  EXPECT_EQ(values(right), (ints{1, 2, 3, 4}));
  intrusive_list<item>::erase(c);
  left.push_back(c);
  EXPECT_EQ(values(left), (ints{3}));
  EXPECT_EQ(values(right), (ints{1, 2, 4}));
}

struct first_node : list_node {};
struct second_node : list_node {};
struct in_two : first_node, second_node {
  explicit in_two(int v) : value(v) {}
  int value;
};

TEST(intrusive_list, of_one_of_several_nodes) {
  in_two a(1), b(2);
  intrusive_list<first_node> first;
  intrusive_list<second_node> second;
  first.push_back(a);
  first.push_back(b);
  second.push_back(b);
  EXPECT_EQ(static_cast<in_two*>(first.after(*first.front())), &b);
  EXPECT_EQ(static_cast<in_two*>(second.pop_front()), &b);
  EXPECT_TRUE(second.empty());
  EXPECT_EQ(static_cast<in_two*>(first.front()), &a);
}

TEST(intrusive_list, does_what_a_vector_does) {
  std::minstd_rand random(1);
  std::vector<item> items;
  for (int i = 0; i != 20; ++i) items.emplace_back(i);
  intrusive_list<item> list;
  ints model;
  for (int step = 0; step != 20'000; ++step) {
    item& i = items[random() % items.size()];
    if (!i.linked()) {
      if (random() % 2) {
        list.push_back(i);
        model.push_back(i.value);
      } else {
        list.push_front(i);
        model.insert(model.begin(), i.value);
      }
    } else if (random() % 2) {
      intrusive_list<item>::erase(i);
      std::erase(model, i.value);
    } else {
      ASSERT_EQ(list.pop_front()->value, model.front());
      model.erase(model.begin());
    }
    ASSERT_EQ(values(list), model);
  }
}

}  // namespace
