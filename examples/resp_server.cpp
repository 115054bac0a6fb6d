// A store of keys and values in memory that speaks the protocol of Redis (RESP): PING, ECHO, SET, GET, DEL, EXISTS, INCR,
// and what redis-cli and redis-benchmark ask first. A client may be silent for long, but has so long for a command that it
// has begun, and for taking the answer. Arguments: ADDRESS:PORT (until Ctrl-C; else it has one client, its own), and how
// many seconds that is (60).
//
//   example_resp_server 127.0.0.1:6379 &
//   redis-benchmark -p 6379 -t ping,set,get -n 100000 -q
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
#include <limits>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

namespace io = astd::io;
namespace net = astd::net;

// Looked at for moments only, without an await: a plain mutex will do.
class store {
 public:
  void set(std::string_view key, std::string_view value) {
    const std::lock_guard guard(lock_);
    values_[std::string(key)] = value;
  }
  bool get(std::string_view key, std::string& value) {
    const std::lock_guard guard(lock_);
    const auto found = values_.find(std::string(key));
    if (found == values_.end()) return false;
    value = found->second;
    return true;
  }
  bool remove(std::string_view key) {
    const std::lock_guard guard(lock_);
    return values_.erase(std::string(key)) != 0;
  }
  // False: not a number, or there is none above it.
  bool increment(std::string_view key, long long& value) {
    const std::lock_guard guard(lock_);
    std::string& text = values_.try_emplace(std::string(key), "0").first->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return false;
    if (value == std::numeric_limits<long long>::max()) return false;
    text = std::to_string(++value);
    return true;
  }

 private:
  std::mutex lock_;
  std::unordered_map<std::string, std::string> values_;
};

constexpr std::size_t longest_command = 1024 * 1024;

enum class parsed { whole, partial, wrong };

// A line of `text` from `at` on: its mark, and the number behind it.
parsed read_number(std::string_view text, std::size_t& at, char mark, std::size_t most, std::size_t& number) {
  if (at >= text.size()) return parsed::partial;
  if (text[at] != mark) return parsed::wrong;
  const auto end = text.find("\r\n", at);
  if (end == text.npos) return text.size() - at > 32 ? parsed::wrong : parsed::partial;
  const char* const last = text.data() + end;
  const auto [stop, error] = std::from_chars(text.data() + at + 1, last, number);
  if (error != std::errc() || stop != last || number > most) return parsed::wrong;
  at = end + 2;
  return parsed::whole;
}

// A command as one types it: "PING\r\n".
parsed parse_line(std::string_view text, std::vector<std::string_view>& words, std::size_t& size) {
  const auto end = text.find("\r\n");
  if (end == text.npos) return text.size() > 1024 ? parsed::wrong : parsed::partial;
  for (std::size_t at = 0; at < end;) {
    const auto blank = std::min(text.find(' ', at), end);
    if (blank != at) words.push_back(text.substr(at, blank - at));
    at = blank + 1;
  }
  size = end + 2;
  return parsed::whole;
}

// The first command of `text`, an array of strings: "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".
parsed parse(std::string_view text, std::vector<std::string_view>& words, std::size_t& size) {
  words.clear();
  if (!text.starts_with('*')) return parse_line(text, words, size);
  std::size_t at = 0, count = 0;
  if (const parsed how = read_number(text, at, '*', 1024, count); how != parsed::whole) return how;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t length = 0;
    if (const parsed how = read_number(text, at, '$', longest_command, length); how != parsed::whole) return how;
    if (at + length > longest_command) return parsed::wrong;
    if (text.size() < at + length + 2) return parsed::partial;
    words.push_back(text.substr(at, length));
    if (text.substr(at + length, 2) != "\r\n") return parsed::wrong;
    at += length + 2;
  }
  size = at;
  return parsed::whole;
}

void put_text(std::string& to, std::string_view text) {
  to += '$' + std::to_string(text.size()) + "\r\n";
  to += text;
  to += "\r\n";
}

void put_number(std::string& to, long long number) { to += ':' + std::to_string(number) + "\r\n"; }

void answer(store& data, const std::vector<std::string_view>& words, std::string& to) {
  if (words.empty()) return;
  std::string command(words[0]);
  for (char& c : command) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::size_t arguments = words.size() - 1;
  if (command == "PING" && arguments <= 1) {
    if (arguments == 0)
      to += "+PONG\r\n";
    else
      put_text(to, words[1]);
  } else if (command == "ECHO" && arguments == 1) {
    put_text(to, words[1]);
  } else if (command == "SET" && arguments == 2) {
    data.set(words[1], words[2]);
    to += "+OK\r\n";
  } else if (command == "GET" && arguments == 1) {
    std::string value;
    if (data.get(words[1], value))
      put_text(to, value);
    else
      to += "$-1\r\n";
  } else if ((command == "DEL" || command == "EXISTS") && arguments >= 1) {
    long long count = 0;
    std::string value;
    for (std::size_t i = 1; i < words.size(); ++i)
      count += command == "DEL" ? data.remove(words[i]) : data.get(words[i], value);
    put_number(to, count);
  } else if (command == "INCR" && arguments == 1) {
    long long value = 0;
    if (data.increment(words[1], value))
      put_number(to, value);
    else
      to += "-ERR value is not an integer or out of range\r\n";
  } else if (command == "CONFIG" && arguments == 2) {  // GET of a setting: it has none
    to += "*2\r\n";
    put_text(to, words[2]);
    put_text(to, "");
  } else if (command == "CONFIG" || command == "COMMAND") {
    to += "*0\r\n";
  } else {
    to += "-ERR unknown command or wrong number of arguments\r\n";
  }
}

astd::task<> converse(store& data, std::chrono::seconds patience, net::tcp_stream stream) {
  stream.set_nodelay(true);
  std::chrono::steady_clock::time_point end;  // of the time for a command that has begun
  std::string in, out;
  std::vector<std::string_view> words;
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    std::size_t size = 0;
    if (in.empty())
      size = co_await stream.read(buffer);
    else
      size = co_await astd::timeout_at(end, stream.read(buffer));
    if (size == 0) co_return;
    const bool begun = !in.empty();
    in.append(buffer.data(), size);
    std::size_t used = 0, length = 0;
    parsed how = parsed::whole;
    out.clear();
    while (used < in.size()) {
      how = parse(std::string_view(in).substr(used), words, length);
      if (how != parsed::whole) break;
      answer(data, words, out);
      used += length;
    }
    if (how == parsed::wrong) out += "-ERR Protocol error\r\n";
    in.erase(0, used);
    if (!out.empty()) co_await astd::timeout(patience, io::write_all(stream, out));
    if (how == parsed::wrong) co_return;
    if (!begun || used != 0) end = std::chrono::steady_clock::now() + patience;
  }
}

// A client that goes away in the middle or is too slow is no news, and a flood of them no reason to end: net::serve sees
// to it.
astd::task<> serve_all(net::tcp_listener& listener, std::chrono::seconds patience) {
  store data;  // all clients have ended before it goes
  const auto attend = [&data, patience](net::tcp_stream stream) {
    return converse(data, patience, std::move(stream));
  };
  auto report = co_await net::serve(listener, attend);
  static_cast<void>(report);
}

astd::task<> ask(net::socket_address server) {
  auto stream = co_await net::tcp_stream::connect(server);
  co_await io::write_all(stream, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
  std::string text;
  std::array<char, 64> buffer;
  while (!text.ends_with("value\r\n")) {
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
