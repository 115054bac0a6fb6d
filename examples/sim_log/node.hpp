// A log that several nodes hold, and that none of them may lose once it has said that an entry is in: Raft (Ongaro and
// Ousterhout, In search of an understandable consensus algorithm, 2014) over UDP, without snapshots or changes of members.
#pragma once

#include "storage.hpp"
#include <astd/future.hpp>
#include <astd/net.hpp>
#include <astd/random.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace replicated {

using namespace std::chrono_literals;

struct entry {
  std::uint64_t term, value;
  friend bool operator==(const entry&, const entry&) = default;
};

/// Is told what a node believes to be certain: for those who check it.
class observer {
 public:
  virtual void committed(unsigned node, std::uint64_t index, const entry& e) = 0;
  virtual void leads(unsigned node, std::uint64_t term) = 0;

 protected:
  ~observer() = default;
};

// ---- what is sent: numbers of 8 bytes, as this machine writes them
enum kind : std::uint64_t { request_vote, vote, append, appended, propose, accepted, redirected };

class message {
 public:
  message(kind what, std::uint64_t term, std::uint64_t from) { words_ = {what, term, from}; }
  explicit message(std::span<const std::byte> bytes) : words_(bytes.size() / 8) {
    std::memcpy(words_.data(), bytes.data(), words_.size() * 8);
  }
  message& add(std::uint64_t word) {
    words_.push_back(word);
    return *this;
  }
  /// Whether it has as many words beside kind, term and sender.
  bool has(std::size_t n) const { return words_.size() >= 3 + n; }
  std::uint64_t what() const { return words_[0]; }
  std::uint64_t term() const { return words_[1]; }
  std::uint64_t from() const { return words_[2]; }
  std::uint64_t operator[](std::size_t i) const { return words_[3 + i]; }
  std::size_t size() const { return words_.size() - 3; }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(words_)); }

 private:
  std::vector<std::uint64_t> words_;
};

using addresses = std::vector<astd::net::socket_address>;

class node {
 public:
  node(unsigned number, addresses all, storage where, observer& seen)
      : number_(number), all_(std::move(all)), storage_(std::move(where)), observer_(seen) {}

  /// Goes on until it is cancelled.
  astd::task<> run(astd::net::udp_socket socket) {
    socket_.emplace(std::move(socket));
    co_await load();
    wait_for_leader();
    for (;;) {
      std::array<std::byte, 2048> buffer;
      auto got = co_await astd::as_result(astd::timeout_at(deadline_, socket_->recv_from(buffer)));
      if (got) {
        const message m(std::span<const std::byte>(buffer).first(got->first));
        if (m.has(0)) co_await handle(m, got->second);
      } else if (got.error() == std::errc::timed_out) {
        if (role_ == role::leader)
          co_await replicate();
        else
          co_await stand_for_election();
      }
    }
  }

 private:
  enum class role { follower, candidate, leader };
  static constexpr std::uint64_t most_entries = 32;

  // ---- what is stored: term, vote, entries. Before anybody hears of it.
  astd::task<> load() {
    auto text = co_await storage_.load();
    if (!text) co_return;
    std::vector<std::uint64_t> words(text->size() / 8);
    std::memcpy(words.data(), text->data(), words.size() * 8);
    term_ = words[0];
    voted_for_ = words[1];
    for (std::size_t i = 2; i + 1 < words.size(); i += 2) log_.push_back({words[i], words[i + 1]});
  }
  astd::task<> save() {
    std::vector<std::uint64_t> words = {term_, voted_for_};
    for (const entry& e : log_) {
      words.push_back(e.term);
      words.push_back(e.value);
    }
    const std::string bytes(reinterpret_cast<const char*>(words.data()), words.size() * 8);
    co_await storage_.save(bytes);
  }

  // ---- time
  void wait_for_leader() {
    deadline_ = astd::steady_clock::now() + std::chrono::milliseconds(astd::random::between(300, 600));
  }
  void beat() { deadline_ = astd::steady_clock::now() + 50ms; }

  // ---- the log; entry i is log_[i - 1]
  std::uint64_t last() const { return log_.size(); }
  std::uint64_t term_at(std::uint64_t index) const { return index == 0 ? 0 : log_[index - 1].term; }
  std::size_t majority() const { return all_.size() / 2 + 1; }

  astd::task<> send(const astd::net::socket_address& to, const message& m) {
    auto sent = co_await astd::as_result(socket_->send_to(m.bytes(), to));
    static_cast<void>(sent);  // whatever gets lost is sent again
  }

  // A term that others have reached.
  astd::task<> follow(std::uint64_t term) {
    term_ = term;
    voted_for_ = nobody;
    role_ = role::follower;
    clients_.clear();
    wait_for_leader();
    co_await save();
  }

  astd::task<> stand_for_election() {
    role_ = role::candidate;
    ++term_;
    voted_for_ = number_;
    leader_ = nobody;
    votes_ = {number_};
    wait_for_leader();
    co_await save();
    message m(request_vote, term_, number_);
    m.add(last()).add(term_at(last()));
    co_await send_to_others(m);
    if (votes_.size() >= majority()) co_await lead();
  }

  astd::task<> send_to_others(const message& m) {
    for (unsigned i = 0; i < all_.size(); ++i)
      if (i != number_) co_await send(all_[i], m);
  }

  astd::task<> lead() {
    role_ = role::leader;
    leader_ = number_;
    observer_.leads(number_, term_);
    next_.assign(all_.size(), last() + 1);
    match_.assign(all_.size(), 0);
    // An entry of its own term: with it, those of earlier terms are certain, too.
    log_.push_back({term_, 0});
    co_await save();
    co_await replicate();
  }

  astd::task<> replicate() {
    beat();
    for (unsigned i = 0; i < all_.size(); ++i)
      if (i != number_) co_await append_to(i);
    match_[number_] = last();
    co_await commit_what_is_certain();
  }

  astd::task<> append_to(unsigned peer) {
    const std::uint64_t before = next_[peer] - 1;
    message m(append, term_, number_);
    m.add(before).add(term_at(before)).add(committed_);
    const std::uint64_t until = std::min(last(), before + most_entries);
    for (std::uint64_t i = before + 1; i <= until; ++i) m.add(log_[i - 1].term).add(log_[i - 1].value);
    co_await send(all_[peer], m);
  }

  astd::task<> commit_what_is_certain() {
    std::vector<std::uint64_t> held = match_;
    std::ranges::sort(held, std::greater<>());
    const std::uint64_t certain = held[majority() - 1];
    // Entries of earlier terms only by one of this term that follows them (5.4.2 of the paper).
    if (certain > committed_ && term_at(certain) == term_) {
      commit(certain);
      for (auto c = clients_.begin(); c != clients_.end() && c->first <= committed_;) {
        message m(accepted, term_, number_);
        m.add(log_[c->first - 1].value);
        const astd::net::socket_address to = c->second;
        c = clients_.erase(c);
        co_await send(to, m);
      }
    }
  }

  void commit(std::uint64_t until) {
    for (; committed_ < until; ++committed_) observer_.committed(number_, committed_ + 1, log_[committed_]);
  }

  // ---- what comes
  astd::task<> handle(message m, astd::net::socket_address sender) {
    if (m.what() == propose) {
      if (m.has(1)) co_await on_propose(m, sender);
      co_return;
    }
    if (m.from() >= all_.size()) co_return;
    if (m.term() > term_) co_await follow(m.term());
    switch (m.what()) {
      case request_vote:
        if (m.has(2)) co_await on_request_vote(m);
        break;
      case vote:
        if (m.term() == term_ && role_ == role::candidate && m.has(1) && m[0] == 1) {
          votes_.insert(m.from());
          if (votes_.size() >= majority()) co_await lead();
        }
        break;
      case append:
        if (m.has(3)) co_await on_append(m);
        break;
      case appended:
        if (m.has(2)) co_await on_appended(m);
        break;
      default: break;
    }
  }

  astd::task<> on_request_vote(const message& m) {
    const bool up_to_date = m[1] > term_at(last()) || (m[1] == term_at(last()) && m[0] >= last());
    const bool yes = m.term() == term_ && up_to_date && (voted_for_ == nobody || voted_for_ == m.from());
    if (yes && voted_for_ != m.from()) {
      voted_for_ = m.from();
      wait_for_leader();
      co_await save();
    }
    message answer(vote, term_, number_);
    answer.add(yes ? 1 : 0);
    co_await send(all_[m.from()], answer);
  }

  astd::task<> on_append(const message& m) {
    message answer(appended, term_, number_);
    if (m.term() < term_) {
      answer.add(0).add(0);
      co_await send(all_[m.from()], answer);
      co_return;
    }
    role_ = role::follower;
    leader_ = m.from();
    wait_for_leader();
    const std::uint64_t before = m[0];
    if (before > last() || term_at(before) != m[1]) {
      // Where the leader may try next: not beyond what is here.
      answer.add(0).add(before > last() ? last() : before - 1);
      co_await send(all_[m.from()], answer);
      co_return;
    }
    std::uint64_t index = before;
    bool changed = false;
    for (std::size_t i = 3; i + 1 < m.size(); i += 2) {
      const entry e{m[i], m[i + 1]};
      if (++index <= last()) {
        if (log_[index - 1].term == e.term) continue;
        log_.resize(index - 1);
      }
      log_.push_back(e);
      changed = true;
    }
    if (changed) co_await save();
    commit(std::max(committed_, std::min(m[2], index)));
    answer.add(1).add(index);
    co_await send(all_[m.from()], answer);
  }

  astd::task<> on_appended(const message& m) {
    if (role_ != role::leader || m.term() != term_) co_return;
    const unsigned peer = static_cast<unsigned>(m.from());
    if (m[0] == 1) {
      match_[peer] = std::max(match_[peer], m[1]);
      next_[peer] = std::max(next_[peer], match_[peer] + 1);
      co_await commit_what_is_certain();
      if (next_[peer] <= last()) co_await append_to(peer);
    } else {
      // An old answer, or one that makes no sense, waits for the next beat.
      const std::uint64_t next = std::max(match_[peer], m[1]) + 1;
      if (next >= next_[peer]) co_return;
      next_[peer] = next;
      co_await append_to(peer);
    }
  }

  astd::task<> on_propose(const message& m, astd::net::socket_address client) {
    if (role_ != role::leader) {
      message answer(redirected, term_, number_);
      answer.add(leader_);
      co_await send(client, answer);
      co_return;
    }
    // One that is here already is not taken twice.
    std::uint64_t index = 0;
    for (std::uint64_t i = last(); i > 0 && index == 0; --i)
      if (log_[i - 1].value == m[0]) index = i;
    if (index != 0 && index <= committed_) {
      message answer(accepted, term_, number_);
      answer.add(m[0]);
      co_await send(client, answer);
      co_return;
    }
    if (index == 0) {
      log_.push_back({term_, m[0]});
      index = last();
      clients_.insert_or_assign(index, client);
      co_await save();
      co_await replicate();
    } else {
      clients_.insert_or_assign(index, client);
    }
  }

  static constexpr std::uint64_t nobody = UINT64_MAX;
  const unsigned number_;
  const addresses all_;
  std::optional<astd::net::udp_socket> socket_;
  storage storage_;
  observer& observer_;
  astd::steady_clock::time_point deadline_;

  // Stored.
  std::uint64_t term_ = 0, voted_for_ = nobody;
  std::vector<entry> log_;

  role role_ = role::follower;
  std::uint64_t committed_ = 0, leader_ = nobody;
  std::set<std::uint64_t> votes_;
  std::vector<std::uint64_t> next_, match_;                     // of each node, where it leads
  std::map<std::uint64_t, astd::net::socket_address> clients_;  // who waits for which entry
};

inline astd::task<> run_node(unsigned number, addresses all, astd::net::endpoint at, storage where,
                             observer& seen) {
  auto socket = co_await astd::net::udp_socket::bind(at);
  node n(number, std::move(all), std::move(where), seen);
  co_await n.run(std::move(socket));
}

/// Ends when a node has said that `value` (not 0, and different each time) is in the log.
inline astd::task<> put(addresses nodes, std::uint64_t value) {
  auto socket = co_await astd::net::udp_socket::bind("0.0.0.0:0");
  message m(propose, 0, 0);
  m.add(value);
  for (std::uint64_t whom = astd::random::below(nodes.size());;) {
    auto sent = co_await astd::as_result(socket.send_to(m.bytes(), nodes[whom]));
    static_cast<void>(sent);
    const auto until = astd::steady_clock::now() + 300ms;
    std::uint64_t next = astd::random::below(nodes.size());
    for (;;) {
      std::array<std::byte, 256> buffer;
      auto got = co_await astd::as_result(astd::timeout_at(until, socket.recv_from(buffer)));
      if (!got) break;
      const message answer(std::span<const std::byte>(buffer).first(got->first));
      if (!answer.has(1)) continue;
      if (answer.what() == accepted && answer[0] == value) co_return;
      if (answer.what() == redirected) {
        if (answer[0] < nodes.size()) next = answer[0];
        co_await astd::this_task::sleep_for(20ms);
        break;
      }
    }
    whom = next;
  }
}

}  // namespace replicated
