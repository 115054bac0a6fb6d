// Messages over a stream of bytes: framed(stream, codec), and the codecs.
//
//   auto peer = astd::codec::framed(std::move(stream), astd::codec::lines());
//   auto line = co_await peer.next();
//   co_await peer.send("hello");
#pragma once

#include <astd/io/codecs.hpp>
#include <astd/io/framed.hpp>

namespace astd {

using codec::framed;

}  // namespace astd
