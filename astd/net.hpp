// Networking: addresses, names, TCP and UDP.
//
//   auto stream = co_await astd::net::tcp_stream::connect("example.org:80");
#pragma once

#include <astd/net/address_error.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/host_port.hpp>
#include <astd/net/ip_address.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/serve.hpp>
#include <astd/net/socket_address.hpp>
#include <astd/net/tcp_halves.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_socket.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/net/udp_socket.hpp>
#include <astd/net/unix_address.hpp>
#include <astd/net/unix_datagram.hpp>
#include <astd/net/unix_listener.hpp>
#include <astd/net/unix_seqpacket.hpp>
#include <astd/net/unix_stream.hpp>
