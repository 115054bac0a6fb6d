#include <astd/coro/dump.hpp>
#include <astd/coro/promise.hpp>

#include <cstdio>

namespace astd::detail {
namespace {

void new_line(std::string& out, unsigned depth) {
  if (!out.empty() && out.back() != '\n') out += '\n';
  out.append(std::size_t(depth) * 2, ' ');
}

}  // namespace

void describe_chain(const chain& c, std::string& out, unsigned depth) {
  new_line(out, depth);
  const suspension* const s = c.suspended_in();
  if (c.cancel_requested())
    out += s ? "is being stopped in " : "is being stopped";
  else if (s)
    out += c.is_ready() ? "ready to run, waited in " : "waits in ";
  else
    out += c.innermost() ? "waits in something that is not astd's" : "ready to run";
  if (s) s->describe(out, depth);
  for (const promise_base* frame = c.innermost(); frame; frame = frame->parent()) {
    new_line(out, depth);
    const std::source_location& where = frame->where();
    char line[32];
    std::snprintf(line, sizeof line, ":%u", static_cast<unsigned>(where.line()));
    out += "  at ";
    out += where.function_name();
    out += ", ";
    out += where.file_name();
    out += line;
  }
}

}  // namespace astd::detail
