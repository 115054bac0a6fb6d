// Reading and writing: the concepts, the functions over them, buffers, pipes in memory, and the standard streams.
//
//   astd::io::buf_reader in(stream);
//   std::string line;
//   auto n = co_await astd::io::read_line(in, line);
//   co_await astd::io::write_all(stream, "hello\n");
#pragma once

#include <astd/io/any_stream.hpp>
#include <astd/io/buf_reader.hpp>
#include <astd/io/buf_stream.hpp>
#include <astd/io/buf_writer.hpp>
#include <astd/io/buffer.hpp>
#include <astd/io/byte_buffer.hpp>
#include <astd/io/bytes.hpp>
#include <astd/io/chain.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/copy.hpp>
#include <astd/io/cursor.hpp>
#include <astd/io/duplex.hpp>
#include <astd/io/error.hpp>
#include <astd/io/flush.hpp>
#include <astd/io/halves.hpp>
#include <astd/io/line_writer.hpp>
#include <astd/io/lines.hpp>
#include <astd/io/null.hpp>
#include <astd/io/number.hpp>
#include <astd/io/poll_result.hpp>
#include <astd/io/print.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/read_to_end.hpp>
#include <astd/io/seek.hpp>
#include <astd/io/seek_from.hpp>
#include <astd/io/standard_input.hpp>
#include <astd/io/standard_output.hpp>
#include <astd/io/timeout.hpp>
#include <astd/io/vectored.hpp>
#include <astd/io/write_all.hpp>
