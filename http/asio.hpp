// The socket types of the edge. Bound to io_context's own executor: no type erasure, no strand; a
// session lives on one thread.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace baraza::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using plain_socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;

}  // namespace baraza::http
