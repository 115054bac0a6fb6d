#include <astd/net/tcp_stream.hpp>
