// Reading and writing: the concepts, the algorithms over them, and standard input.
//
//   co_await astd::io::write_all(stream, "hello\n");
//   auto line = co_await astd::io::standard_input().read_line();
#pragma once

#include <astd/io/buffer.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/error.hpp>
#include <astd/io/poll_result.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/seek_from.hpp>
#include <astd/io/standard_input.hpp>
#include <astd/io/write_all.hpp>
