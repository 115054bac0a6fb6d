// A shop that takes orders over TCP, and customers that repeat an order until they know that it was taken.
//
// An order is 12 bytes: a key of 8, that the customer chooses, and an item of 4. The shop answers with one byte when the
// order is in its book.
#pragma once

#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/random.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace shop {

struct order {
  std::uint64_t key;
  std::uint32_t item;
};

/// What the shop will deliver. A careless one writes down whatever it hears; a careful one knows an order by its key, and
/// answers again what it has answered before.
class book {
 public:
  explicit book(bool careful) : careful_(careful) {}
  void take(const order& o) {
    if (!keys_.insert(o.key).second && careful_) return;
    items_.push_back(o.item);
  }
  const std::vector<std::uint32_t>& items() const { return items_; }

 private:
  bool careful_;
  std::set<std::uint64_t> keys_;
  std::vector<std::uint32_t> items_;
};

inline std::array<std::byte, 12> to_bytes(const order& o) {
  std::array<std::byte, 12> bytes;
  std::memcpy(bytes.data(), &o.key, 8);
  std::memcpy(bytes.data() + 8, &o.item, 4);
  return bytes;
}
inline order from_bytes(const std::array<std::byte, 12>& bytes) {
  order o;
  std::memcpy(&o.key, bytes.data(), 8);
  std::memcpy(&o.item, bytes.data() + 8, 4);
  return o;
}

inline astd::task<> attend(astd::net::tcp_stream customer, book& orders) {
  for (;;) {
    std::array<std::byte, 12> bytes;
    auto got = co_await astd::as_result(astd::io::read_exact(customer, bytes));
    if (!got) co_return;
    orders.take(from_bytes(bytes));
    auto told = co_await astd::as_result(astd::io::write_all(customer, "!"));
    if (!told) co_return;
  }
}

inline astd::task<> open(astd::net::tcp_listener listener, book& orders) {
  for (;;) {
    auto came = co_await astd::as_result(listener.accept());
    if (!came) continue;
    astd::spawn(attend, std::move(came->first), std::ref(orders)).detach();
  }
}

inline astd::task<> open_at(astd::net::endpoint where, book& orders) {
  auto listener = co_await astd::net::tcp_listener::bind(where);
  co_await open(std::move(listener), orders);
}

inline astd::task<> ask(astd::net::endpoint where, order o) {
  auto stream = co_await astd::net::tcp_stream::connect(where);
  const auto bytes = to_bytes(o);
  co_await astd::io::write_all(stream, bytes);
  std::array<char, 1> answer;
  co_await astd::io::read_exact(stream, answer);
}

/// Ends when the shop has said that it has the order.
inline astd::task<> buy(astd::net::endpoint where, std::uint32_t item) {
  using namespace std::chrono_literals;
  const order o{astd::random::next(), item};
  for (;;) {
    auto done = co_await astd::as_result(astd::timeout(1s, ask(where, o)));
    if (done) co_return;
    co_await astd::this_task::sleep_for(std::chrono::milliseconds(astd::random::between(10, 100)));
  }
}

}  // namespace shop
