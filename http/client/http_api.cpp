#include "http/client/http_api.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "http/client/fields.hpp"
#include "http/client/limits.hpp"
#include "http/wire.hpp"

namespace baraza::client {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;

struct http_api::connection {
  using request = http::request<http::string_body>;
  using parser = http::response_parser<http::string_body>;
  using tls_stream = beast::ssl_stream<beast::tcp_stream>;

  endpoint server;
  std::optional<tcp::endpoint> from;
  asio::io_context io{1};
  asio::ssl::context tls{asio::ssl::context::tls_client};
  std::unique_ptr<tls_stream> stream;  // plain connections use the layer below TLS alone
  beast::flat_buffer buffer;
  bool connected = false;

  beast::tcp_stream& socket() { return beast::get_lowest_layer(*stream); }

  /// Runs one asynchronous step to its end; the stream's own deadline bounds it.
  template <class Start>
  error_code step(Start&& start) {
    error_code result = asio::error::would_block;
    start([&result](error_code why, auto&&...) { result = why; });
    io.restart();
    io.run();
    return result;
  }

  error_code open() {
    stream = std::make_unique<tls_stream>(io, tls);
    buffer.clear();
    error_code why;
    tcp::resolver resolver{io};
    const auto found = resolver.resolve(server.host, std::to_string(server.port), why);
    if (why) return why;
    socket().expires_after(connect_deadline);
    const tcp::endpoint to = *found.begin();
    if (from) {
      socket().socket().open(to.protocol(), why);
      if (!why) socket().socket().bind(*from, why);
      if (why) return why;
    }
    const auto connect = [&](auto done) {
      from ? socket().async_connect(to, std::move(done))
           : socket().async_connect(found, std::move(done));
    };
    why = step(connect);
    if (why) return why;
    socket().socket().set_option(tcp::no_delay{true}, why);
    if (!server.tls) return {};
    SSL_set_tlsext_host_name(stream->native_handle(), server.host.c_str());
    stream->set_verify_callback(asio::ssl::host_name_verification{server.host});
    return step([&](auto done) {
      stream->async_handshake(asio::ssl::stream_base::client, std::move(done));
    });
  }

  template <class Stream>
  error_code exchange(Stream& over, request& out, parser& in) {
    socket().expires_after(request_deadline);
    error_code why = step([&](auto done) { http::async_write(over, out, std::move(done)); });
    if (why) return why;
    return step([&](auto done) { http::async_read(over, buffer, in, std::move(done)); });
  }

  error_code perform(request& out, parser& in) {
    if (!connected) {
      if (const error_code why = open()) return why;
      connected = true;
    }
    const error_code why = server.tls ? exchange(*stream, out, in) : exchange(socket(), out, in);
    if (why || !in.get().keep_alive()) {
      connected = false;
      socket().close();
    }
    return why;
  }
};

namespace {

/// Seconds of Retry-After in milliseconds, within our patience; a short pause if there is none.
std::chrono::milliseconds retry_after(std::string_view header) {
  int seconds = 0;
  std::from_chars(header.data(), header.data() + header.size(), seconds);
  return std::clamp<std::chrono::milliseconds>(std::chrono::seconds{seconds}, 50ms,
                                               retry_after_max);
}

problem problem_of(int status, std::string_view body) {
  problem why{"http_" + std::to_string(status),
              "The server answered with status " + std::to_string(status) + "."};
  const auto packed = baraza::http::wire::from_json(body);
  if (!packed) return why;
  std::string_view map = *packed;
  if (const auto inner = fields::find(map, "error"); !inner.empty() && fields::text(inner).empty())
    map = inner;
  if (const auto code = fields::text(fields::find(map, "code")); !code.empty()) why.code = code;
  if (const auto text = fields::text(fields::find(map, "message")); !text.empty())
    why.message = text;
  return why;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out += '"';
}

account account_of(std::string_view map, account known) {
  const auto first = [&](std::string_view a, std::string_view b) {
    const auto value = fields::text(fields::find(map, a));
    return std::string{value.empty() ? fields::text(fields::find(map, b)) : value};
  };
  if (const uuid id = fields::id(fields::find(map, "player")); !id.is_nil()) known.player = id;
  if (std::string name = first("display", "name"); !name.empty()) known.display = std::move(name);
  known.access = first("access_token", "access");
  known.refresh = first("refresh_token", "refresh");
  return known;
}

}  // namespace

http_api::http_api(endpoint server, const sockaddr_in* from)
    : connection_{std::make_unique<connection>()} {
  connection_->server = std::move(server);
  if (from)
    connection_->from = tcp::endpoint{asio::ip::address_v4{ntohl(from->sin_addr.s_addr)}, 0};
  if (connection_->server.tls) {
    connection_->tls.set_default_verify_paths();
    connection_->tls.set_verify_mode(asio::ssl::verify_peer);
  }
}

http_api::~http_api() = default;

answer_or<std::string> http_api::text(std::string_view verb, std::string_view target,
                                      std::string_view json, std::string_view token, int patience) {
  connection::request out{http::string_to_verb(verb), target, 11};
  out.set(http::field::host, connection_->server.authority());
  out.set(http::field::accept, "application/json");
  if (!token.empty()) out.set(http::field::authorization, "Bearer " + std::string{token});
  if (verb != "GET") {
    out.set(http::field::content_type, "application/json");
    out.body() = json;
    out.prepare_payload();
  }
  for (int attempt = 0;; ++attempt) {
    connection::parser in;
    in.body_limit(http_body_bytes_max);
    const bool reused = connection_->connected;
    const error_code why = connection_->perform(out, in);
    if (why) {
      // A kept connection that the server has closed meanwhile says nothing about the server.
      if (reused && attempt == 0) continue;
      if (attempt < patience) {
        std::this_thread::sleep_for(backoff_first * std::min(attempt + 1, 10));
        continue;
      }
      return problem{"unreachable", why.message()};
    }
    const int status = in.get().result_int();
    if (status >= 200 && status < 300) return std::move(in.get().body());
    if ((status == 429 || status == 503) && attempt < patience) {
      std::this_thread::sleep_for(retry_after(in.get()[http::field::retry_after]));
      continue;
    }
    return problem_of(status, in.get().body());
  }
}

answer_or<std::string> http_api::call(std::string_view verb, std::string_view target,
                                      std::string_view json, std::string_view token, int patience) {
  auto got = text(verb, target, json, token, patience);
  if (auto* body = std::get_if<std::string>(&got)) {
    if (body->empty()) return std::string{"\x80"};
    auto packed = baraza::http::wire::from_json(*body);
    if (!packed) return problem{"bad_answer", "The server's answer is not JSON."};
    return std::move(*packed);
  }
  return got;
}

answer_or<account> http_api::guest(std::string_view display, int patience) {
  auto got = call("POST", "/v1/auth/guest", R"({"display":)" + quoted(display) + "}", {}, patience);
  if (auto* why = std::get_if<problem>(&got)) return std::move(*why);
  account who = account_of(std::get<std::string>(got), {{}, std::string{display}, {}, {}});
  if (who.access.empty()) return problem{"bad_answer", "The server gave no access token."};
  return who;
}

answer_or<account> http_api::renew(const account& who) {
  auto got =
      call("POST", "/v1/auth/refresh", R"({"refresh_token":)" + quoted(who.refresh) + "}", {});
  if (auto* why = std::get_if<problem>(&got)) return std::move(*why);
  account renewed = account_of(std::get<std::string>(got), who);
  if (renewed.access.empty()) return problem{"bad_answer", "The server gave no access token."};
  return renewed;
}

answer_or<std::int64_t> http_api::balance(const account& who, std::string_view currency) {
  auto got = call("GET", "/v1/wallet?currency=" + std::string{currency}, {}, who.access);
  if (auto* why = std::get_if<problem>(&got)) return std::move(*why);
  return fields::signed_number(fields::find(std::get<std::string>(got), "balance"));
}

answer_or<std::vector<history_line>> http_api::history(const account& who,
                                                       std::string_view currency, int limit) {
  auto got = call(
      "GET",
      "/v1/wallet/history?currency=" + std::string{currency} + "&limit=" + std::to_string(limit),
      {}, who.access);
  if (auto* why = std::get_if<problem>(&got)) return std::move(*why);
  std::vector<history_line> lines;
  fields::elements(fields::find(std::get<std::string>(got), "transfers"),
                   [&](std::string_view row) {
                     lines.push_back({std::string{fields::text(fields::find(row, "kind"))},
                                      fields::signed_number(fields::find(row, "amount")),
                                      std::string{fields::text(fields::find(row, "reference"))}});
                   });
  return lines;
}

answer_or<std::string> http_api::record(const account& who, const uuid& match) {
  return call("GET", "/v1/matches/" + match.to_string(), {}, who.access, 20);
}

answer_or<std::string> http_api::proof(const account& who, const uuid& match) {
  return text("GET", "/v1/matches/" + match.to_string() + "/proof", {}, who.access, 5);
}

}  // namespace baraza::client
