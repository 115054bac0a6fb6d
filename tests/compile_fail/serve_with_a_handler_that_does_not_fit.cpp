// expect: astd::net::serve: the handler cannot be called with \(stream\), \(stream, peer\) or \(stream, peer, stop\)
#include <astd/net.hpp>

astd::task<> number(int) { co_return; }

astd::task<> program(astd::net::tcp_listener& listener) { co_await astd::net::serve(listener, number); }
