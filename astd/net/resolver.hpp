// Internal: looks hosts up on a few threads of its own; equal questions asked at the same time are asked once.
#pragma once

#include <astd/base/intrusive_list.hpp>
#include <astd/base/job.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/task.hpp>
#include <astd/net/socket_address.hpp>
#include <astd/runtime/blocking_pool.hpp>
#include <astd/runtime/virtual_clock.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace astd::driver::sim {
class machine;
}

namespace astd::net::detail {

/// What was found: addresses with port 0, at least one, or why there are none.
struct resolved {
  std::vector<socket_address> addresses;
  std::error_code error;
};

/// getaddrinfo: blocks.
resolved resolve_now(const std::string& host) noexcept;

/// What the names of a simulated world say, on one of its machines. `host` outlives the await.
task<resolved> resolve_in_world(driver::sim::machine& here, std::string_view host);

class resolver {
 public:
  using function = resolved (*)(const std::string& host) noexcept;

  resolver(function how, unsigned max_threads) noexcept : how_(how), max_threads_(max_threads) {}
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;
  /// Nobody waits any more; the lookups that run are waited for.
  ~resolver() = default;

 private:
  class lookup;
  // One question: shared by all who ask it, owned by the pool's job until that has run or was withdrawn.
  struct request : astd::detail::job, astd::detail::list_node {
    request(resolver& asked, std::string_view name)
        : by(asked), host(name), hash(std::hash<std::string_view>{}(name)) {}
    resolver& by;
    const std::string host;
    const std::size_t hash;
    const std::shared_ptr<resolved> answer = std::make_shared<resolved>();
    astd::detail::intrusive_list<lookup> waiting;  // guarded by mutex_
  };

  class lookup final : public astd::detail::suspension,
                       public astd::detail::awaiter_base<lookup>,
                       public astd::detail::list_node {
   public:
    using value_type = std::shared_ptr<const resolved>;
    lookup(resolver& by, std::string_view host) : by_(by), own_(std::make_unique<request>(by, host)) {}
    ~lookup() = default;

    bool await_ready() const noexcept { return false; }
    astd::detail::resumable* start(const astd::detail::await_context& c) noexcept;
    astd::detail::outcome<value_type> take() noexcept {
      resumed();
      hold_.end();
      astd::detail::outcome<value_type> answer;
      answer.set_value(std::move(answer_));
      return answer;
    }
    void request_stop() noexcept override;
    void describe(std::string& out, unsigned) const override;

   private:
    friend class resolver;
    resolver& by_;
    std::unique_ptr<request> own_;  // until it is known whether somebody asks the same
    request* asked_ = nullptr;      // while linked
    std::shared_ptr<resolved> answer_;
    bool stopping_ = false;  // guarded by by_.mutex_
    astd::detail::clock_hold hold_;
  };

 public:
  class [[nodiscard]] awaitable {
   public:
    awaitable(resolver& by, std::string_view host) noexcept : by_(by), host_(host) {}
    lookup operator co_await() const { return lookup(by_, host_); }

   private:
    resolver& by_;
    std::string_view host_;
  };

  /// Gives std::shared_ptr<const resolved>. `host` is copied when it is awaited. Throws std::system_error if the first
  /// thread cannot be started.
  awaitable look_up(std::string_view host);

  /// Questions being asked or waiting to be asked.
  [[nodiscard]] std::size_t in_progress() const;

 private:
  static constexpr std::size_t bucket_count = 64;
  using bucket = astd::detail::intrusive_list<request>;

  bucket& bucket_of(const request& r) noexcept { return buckets_[r.hash % bucket_count]; }
  request& ask(std::unique_ptr<request> r) noexcept;
  static void run(astd::detail::job& j) noexcept;

  const function how_;
  const unsigned max_threads_;
  mutable std::mutex mutex_;
  std::array<bucket, bucket_count> buckets_;
  std::size_t in_progress_ = 0;
  std::optional<astd::detail::blocking_pool> pool_;  // since the first question
};

}  // namespace astd::net::detail
