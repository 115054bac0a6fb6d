// Channels: messages between tasks.
//
//   auto [tx, rx] = astd::channel<int>(16);
//   co_await tx.send(42);
//   auto answer = co_await rx.recv();      // std::optional<int>
#pragma once

#include <astd/channel/broadcast.hpp>
#include <astd/channel/channel.hpp>
#include <astd/channel/channel_error.hpp>
#include <astd/channel/promise.hpp>
#include <astd/channel/watch.hpp>
