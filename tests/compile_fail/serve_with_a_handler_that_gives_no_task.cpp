// expect: astd::net::serve: the handler cannot be called .* or gives nothing that can be awaited
#include <astd/net.hpp>

void let_go(astd::net::tcp_stream) {}

astd::task<> program(astd::net::tcp_listener& listener) { co_await astd::net::serve(listener, let_go); }
