// Between astd's cancel tokens and std's stop tokens, both ways. In a header of its own, since <stop_token> is heavy.
//
//   std::jthread old_code([&](std::stop_token stop) {
//     astd::cancel_on_stop link(stop);
//     astd::block_on(astd::with_cancel(link.token(), new_code()));
//   });
//
//   astd::stop_on_cancel link(token);
//   old_code(link.get_token());
#pragma once

#include <astd/sync/cancel_token.hpp>

#include <stop_token>
#include <utility>

namespace astd {

/// Its token is cancelled when `from` is asked to stop; at once if it was. As long as it lives.
class cancel_on_stop {
 public:
  explicit cancel_on_stop(const std::stop_token& from) : link_(from, request{source_}) {}
  cancel_on_stop(const cancel_on_stop&) = delete;
  cancel_on_stop& operator=(const cancel_on_stop&) = delete;
  [[nodiscard]] cancel_token token() const noexcept { return source_.token(); }

 private:
  struct request {
    cancel_source source;
    void operator()() const noexcept { source.request_cancel(); }
  };
  cancel_source source_;
  std::stop_callback<request> link_;
};

/// Its std::stop_token is asked to stop when `from` is cancelled; at once if it was. As long as it lives.
class stop_on_cancel {
 public:
  explicit stop_on_cancel(const cancel_token& from) : link_(from, request{source_}) {}
  stop_on_cancel(const stop_on_cancel&) = delete;
  stop_on_cancel& operator=(const stop_on_cancel&) = delete;
  [[nodiscard]] std::stop_token get_token() const noexcept { return source_.get_token(); }

 private:
  struct request {
    std::stop_source source;
    void operator()() const noexcept { source.request_stop(); }
  };
  std::stop_source source_;
  cancel_callback<request> link_;
};

}  // namespace astd
