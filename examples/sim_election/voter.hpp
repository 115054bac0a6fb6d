// Nodes that choose a leader, over UDP: who has heard of none for a while asks the others for their votes in a new term;
// whoever has votes of most of them leads that term. Each gives one vote a term, so a term has one leader at most.
//
// A careless candidate counts answers. A careful one counts who has answered, in this term.
#pragma once

#include <astd/future.hpp>
#include <astd/net.hpp>
#include <astd/random.hpp>
#include <astd/task.hpp>
#include <astd/time.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace election {

using namespace std::chrono_literals;

class observer {
 public:
  virtual void leads(std::uint32_t node, std::uint32_t term) = 0;

 protected:
  ~observer() = default;
};

enum kind : std::uint32_t { ask, vote, beat };
struct message {
  std::uint32_t what, term, from;
};

class voter {
 public:
  voter(std::uint32_t number, std::vector<astd::net::socket_address> all, bool careful, observer& seen)
      : number_(number), all_(std::move(all)), careful_(careful), observer_(seen) {}

  /// Goes on until it is cancelled.
  astd::task<> run(astd::net::udp_socket socket) {
    socket_.emplace(std::move(socket));
    wait_for_leader();
    for (;;) {
      std::array<std::byte, sizeof(message)> buffer;
      auto got = co_await astd::as_result(astd::timeout_at(deadline_, socket_->recv_from(buffer)));
      if (got && got->first == sizeof(message)) {
        message m;
        std::memcpy(&m, buffer.data(), sizeof m);
        if (m.from < all_.size()) co_await handle(m);
      } else if (!got && got.error() == std::errc::timed_out) {
        if (!leads_) co_await stand();
        if (leads_) co_await lead();
      }
    }
  }

 private:
  void wait_for_leader() {
    deadline_ = astd::steady_clock::now() + std::chrono::milliseconds(astd::random::between(150, 300));
  }
  void follow(std::uint32_t term) {
    term_ = term;
    gave_vote_to_.reset();
    stands_ = leads_ = false;
  }
  astd::task<> send(std::uint32_t to, message m) {
    auto sent = co_await astd::as_result(socket_->send_to(std::as_bytes(std::span(&m, 1)), all_[to]));
    static_cast<void>(sent);  // lost, then
  }
  astd::task<> send_to_others(message m) {
    for (std::uint32_t i = 0; i < all_.size(); ++i)
      if (i != number_) co_await send(i, m);
  }

  astd::task<> stand() {
    follow(term_ + 1);
    gave_vote_to_ = number_;
    stands_ = true;
    voters_ = {number_};
    answers_ = 1;
    wait_for_leader();
    co_await send_to_others({ask, term_, number_});
  }
  astd::task<> lead() {
    deadline_ = astd::steady_clock::now() + 50ms;
    co_await send_to_others({beat, term_, number_});
  }

  astd::task<> handle(message m) {
    if (m.term > term_) follow(m.term);
    switch (m.what) {
      case ask:
        if (m.term == term_ && gave_vote_to_.value_or(m.from) == m.from) {
          gave_vote_to_ = m.from;
          wait_for_leader();
          co_await send(m.from, {vote, term_, number_});
        }
        break;
      case vote: {
        if (!stands_ || (careful_ && m.term != term_)) break;
        voters_.insert(m.from);
        ++answers_;
        const std::size_t votes = careful_ ? voters_.size() : answers_;
        if (votes <= all_.size() / 2) break;
        stands_ = false;
        leads_ = true;
        observer_.leads(number_, term_);
        co_await lead();
        break;
      }
      case beat:
        if (m.term == term_ && m.from != number_) wait_for_leader();
        break;
      default: break;
    }
  }

  const std::uint32_t number_;
  const std::vector<astd::net::socket_address> all_;
  const bool careful_;
  observer& observer_;
  std::optional<astd::net::udp_socket> socket_;
  astd::steady_clock::time_point deadline_;
  std::uint32_t term_ = 0;
  std::optional<std::uint32_t> gave_vote_to_;
  bool stands_ = false, leads_ = false;
  std::set<std::uint32_t> voters_;
  std::size_t answers_ = 0;
};

inline astd::task<> run_voter(std::uint32_t number, std::vector<astd::net::socket_address> all, bool careful,
                              astd::net::endpoint at, observer& seen) {
  auto socket = co_await astd::net::udp_socket::bind(at);
  voter v(number, std::move(all), careful, seen);
  co_await v.run(std::move(socket));
}

}  // namespace election
