// An echo server in one file, for its compile time: the counterpart of the others here.
#include <asio.hpp>

#include <array>
#include <exception>
#include <utility>

using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

awaitable<void> session(tcp::socket socket) {
  std::array<char, 4096> buffer;
  try {
    for (;;) {
      auto count = co_await socket.async_read_some(asio::buffer(buffer), use_awaitable);
      co_await asio::async_write(socket, asio::buffer(buffer, count), use_awaitable);
    }
  } catch (const std::exception&) {
    // the client has gone
  }
}

awaitable<void> serve(tcp::acceptor acceptor) {
  for (;;) {
    auto socket = co_await acceptor.async_accept(use_awaitable);
    auto executor = acceptor.get_executor();
    asio::co_spawn(executor, session(std::move(socket)), asio::detached);
  }
}

int main() {
  asio::io_context context;
  asio::co_spawn(context, serve(tcp::acceptor(context, {tcp::v4(), 7777})), asio::detached);
  context.run();
}
