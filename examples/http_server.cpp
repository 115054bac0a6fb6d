// An HTTP/1.1 server that answers each request with "Hello, World!". Connections are kept, requests may come before the
// answer to the last one, and one read's worth of them is answered with one write. A client has only so long for a request, and
// for taking the answer. Arguments: ADDRESS:PORT (until Ctrl-C; else it has one client, its own), and how many seconds that
// is (60).
//
//   example_http_server 127.0.0.1:8080 &
//   curl -i http://127.0.0.1:8080/
//   wrk -c 64 -t 1 -d 5 http://127.0.0.1:8080/
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace io = astd::io;
namespace net = astd::net;

constexpr std::size_t longest_head = 16 * 1024, longest_body = 1024 * 1024;

struct request {
  std::string_view method;
  std::size_t size = 0;  // head and body
  bool keep = true;      // the connection
};

enum class parsed { whole, partial, wrong };

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b,
                            [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// The first request of `text`.
parsed parse(std::string_view text, request& r) {
  const auto head = text.find("\r\n\r\n");
  if (head == text.npos) return text.size() > longest_head ? parsed::wrong : parsed::partial;
  std::size_t body = 0;
  bool sized = false;
  auto line_end = text.find("\r\n");
  const std::string_view first = text.substr(0, line_end);
  const auto blank = first.find(' ');
  if (blank == 0 || blank == first.npos || !first.substr(blank).contains(" HTTP/1.")) return parsed::wrong;
  r.method = first.substr(0, blank);
  r.keep = !first.ends_with("HTTP/1.0");
  while (line_end < head) {
    const auto begin = line_end + 2;
    line_end = text.find("\r\n", begin);
    const std::string_view line = text.substr(begin, line_end - begin);
    const auto colon = line.find(':');
    if (colon == line.npos) return parsed::wrong;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    const std::string_view name = line.substr(0, colon);
    if (name.empty() || name.find_first_of(" \t") != name.npos) return parsed::wrong;
    if (equal_ignoring_case(name, "content-length")) {
      // Where a body ends must be beyond doubt: what follows is the next request.
      while (value.ends_with(' ')) value.remove_suffix(1);
      const char* const last = value.data() + value.size();
      const auto [end, error] = std::from_chars(value.data(), last, body);
      if (error != std::errc() || end != last || body > longest_body || sized) return parsed::wrong;
      sized = true;
    } else if (equal_ignoring_case(name, "connection")) {
      if (equal_ignoring_case(value, "close")) r.keep = false;
      if (equal_ignoring_case(value, "keep-alive")) r.keep = true;
    } else if (equal_ignoring_case(name, "transfer-encoding")) {
      return parsed::wrong;  // bodies in chunks are not for this server
    }
  }
  r.size = head + 4 + body;
  return r.size <= text.size() ? parsed::whole : parsed::partial;
}

void answer(const request& r, std::string& to) {
  const bool known = r.method == "GET" || r.method == "HEAD" || r.method == "POST";
  to += known ? "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
              : "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, POST\r\nContent-Length: 0\r\n";
  to += r.keep ? "\r\n" : "Connection: close\r\n\r\n";
  if (known && r.method != "HEAD") to += "Hello, World!";
}

// Reads until there is a request, at least, and answers what has come. False: the connection is to end.
astd::task<bool> answer_some(net::tcp_stream& stream, std::string& in) {
  std::string out;
  std::array<char, 4096> buffer;
  bool keep = true;
  while (out.empty()) {
    const auto size = co_await stream.read(buffer);
    if (size == 0) co_return false;
    in.append(buffer.data(), size);
    std::size_t used = 0;
    while (keep && used < in.size()) {
      request r;
      const parsed how = parse(std::string_view(in).substr(used), r);
      if (how == parsed::partial) break;
      if (how == parsed::wrong) {
        out += "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        keep = false;
        break;
      }
      answer(r, out);
      used += r.size;
      keep = r.keep;
    }
    in.erase(0, used);
  }
  co_await io::write_all(stream, out);
  co_return keep;
}

astd::task<> read_to_end(net::tcp_stream& stream) {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto size = co_await stream.read(buffer);
    if (size == 0) co_return;
  }
}

astd::task<> converse(std::chrono::seconds patience, net::tcp_stream stream) {
  stream.set_nodelay(true);
  std::string in;
  for (bool keep = true; keep;) keep = co_await astd::timeout(patience, answer_some(stream, in));
  // The client reads to the end before we go: closing with unread bytes would reset the connection.
  co_await stream.shutdown_write();
  co_await astd::timeout(patience, read_to_end(stream));
}

// A client that goes away in the middle or is too slow is no news, and a flood of them no reason to end: net::serve sees
// to it.
astd::task<> serve_all(net::tcp_listener& listener, std::chrono::seconds patience) {
  const auto attend = [patience](net::tcp_stream stream) { return converse(patience, std::move(stream)); };
  auto report = co_await net::serve(listener, attend);
  static_cast<void>(report);
}

astd::task<> ask(net::socket_address server) {
  auto stream = co_await net::tcp_stream::connect(server);
  co_await io::write_all(stream, "GET / HTTP/1.1\r\nHost: example\r\nConnection: close\r\n\r\n");
  std::string text;
  std::array<char, 1024> buffer;
  for (;;) {
    const auto size = co_await stream.read(buffer);
    if (size == 0) break;
    text.append(buffer.data(), size);
  }
  co_await astd::println("{}", text);
}

astd::task<int> async_main(std::span<const std::string_view> args) {
  const std::string_view where = args.size() > 1 ? args[1] : "127.0.0.1:0";
  unsigned seconds = 60;
  if (args.size() > 2) std::from_chars(args[2].data(), args[2].data() + args[2].size(), seconds);
  const std::chrono::seconds patience(seconds);
  auto listener = co_await net::tcp_listener::bind(where);
  co_await astd::println("Listening on {}", listener.local_address());
  if (args.size() > 1)
    co_await serve_all(listener, patience);
  else
    co_await astd::race(serve_all(listener, patience), ask(listener.local_address()));
  co_return 0;
}
