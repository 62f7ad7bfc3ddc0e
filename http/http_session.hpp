// One HTTP connection: header bytes through the gate, then Beast's parser, then a route or the
// WebSocket handshake. A template over the stream (plain or TLS), instantiated in http_session.cpp
// and http_session_tls.cpp only.
#pragma once

#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>

#include "http/auth_tokens.hpp"
#include "http/request_gate.hpp"
#include "http/responses.hpp"
#include "http/websocket_io.hpp"

namespace baraza::http {

template <class Stream>
class http_session final : public timed, public std::enable_shared_from_this<http_session<Stream>> {
 public:
  using fields = beast::http::request<beast::http::string_body>;

  http_session(const session_origin& from, Stream stream, socket_place place)
      : from_{from}, stream_{std::move(stream)}, place_{std::move(place)} {}

  Stream& stream() { return stream_; }
  void read_request() {
    state_ = state::header;
    parser_.reset();
    from_.thread.arm(me(), served_ == 0 || !in_.empty() ? from_.shared.options.header_time
                                                        : from_.shared.options.keep_alive_time);
    look_for_header();
  }

  void expired() override {
    if (state_ == state::header && has_input()) counters().refuse(refusal_reason::header_timeout);
    if (state_ == state::serving) {
      answer(generation_,
             error_response(504, "timeout", "The answer took too long; its outcome is unknown.",
                            request_id_));
      return;
    }
    abort();
  }
  void farewell() override {
    keep_alive_ = false;
    if (state_ == state::header && !has_input()) abort();  // idle between requests
  }
  void arm_tls() { from_.thread.arm(me(), from_.shared.options.tls_time); }

 private:
  enum class state : std::uint8_t { header, body, serving, writing, upgrading };

  std::weak_ptr<http_session> weak() { return this->weak_from_this(); }
  std::shared_ptr<http_session> me() { return this->shared_from_this(); }
  io_counters& counters() { return from_.thread.counters(); }

  void abort() {
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).close(ignored);
  }

  // ---- header

  void look_for_header() {
    const auto end = in_.find("\r\n\r\n");
    if (end != std::string::npos && end + 4 <= limits::header_bytes_max)
      return header_complete(end + 4);
    if (in_.size() >= limits::header_bytes_max)
      return fail(431, "header_too_large", "The header has at most 8 KiB.");
    for (auto at = in_.find('\n'); at != std::string::npos; at = in_.find('\n', at + 1)) {
      if (at == 0 || in_[at - 1] != '\r') return refuse_at_gate("malformed line ending");
    }
    read_some([this] {
      if (in_.size() == last_read_ && served_ > 0)
        from_.thread.arm(me(), from_.shared.options.header_time);  // the next request began
      look_for_header();
    });
  }

  template <class Next>
  void read_some(Next next) {
    read_from_ = in_.size();
    is_reading_ = true;
    in_.resize(read_from_ + chunk_bytes);
    stream_.async_read_some(asio::buffer(in_.data() + read_from_, chunk_bytes),
                            [self = me(), next](boost::system::error_code why, std::size_t n) {
                              self->is_reading_ = false;
                              self->in_.resize(self->read_from_ + n);
                              self->last_read_ = n;
                              if (why) return self->ended();
                              next();
                            });
  }
  [[nodiscard]] bool has_input() const { return (is_reading_ ? read_from_ : in_.size()) > 0; }
  void ended() { io_thread::disarm(*this); }

  void refuse_at_gate(std::string_view reason) {
    counters().refuse(refusal_reason::gate);
    fail(400, "bad_request", reason);
  }

  void header_complete(std::size_t size) {
    const auto verdict =
        check_request(std::string_view{in_}.substr(0, size), from_.shared.options.hosts);
    if (!verdict.ok) return refuse_at_gate(verdict.reason);
    parser_.emplace();
    parser_->header_limit(limits::header_bytes_max);
    parser_->body_limit(limits::body_bytes_max);
    boost::system::error_code why;
    std::size_t used = 0;
    while (!why && used < size && !parser_->is_header_done())
      used += parser_->put(asio::buffer(in_.data() + used, size - used), why);
    if (why == beast::http::error::body_limit) return too_large();
    if ((why && why != beast::http::error::need_more) || !parser_->is_header_done()) {
      counters().refuse(refusal_reason::parse);
      return fail(400, "bad_request", "malformed request");
    }
    in_.erase(0, size);
    counters().http_requests.add();
    describe();
    if (!from_.shared.is_exempt(request_.client)) {
      if (const auto wait = from_.shared.requests.take(request_.client.bytes, steady_nanos());
          wait > 0) {
        counters().refuse(refusal_reason::address_rate);
        return fail(429, "rate_limited", "Too many requests; wait before the next.",
                    static_cast<std::uint32_t>(wait / 1'000'000 + 1));
      }
    }
    if (from_.websockets && request_.path == "/v1/play") return upgrade();
    const auto body_max = from_.routes.body_bytes_max(request_.method, request_.path);
    if (parser_->content_length() && *parser_->content_length() > body_max) return too_large();
    parser_->body_limit(body_max);
    parser_->eager(true);
    state_ = state::body;
    if (!parser_->is_done()) from_.thread.arm(me(), from_.shared.options.body_time);
    feed_body();
  }

  void too_large() {
    counters().refuse(refusal_reason::body_too_large);
    fail(413, "body_too_large", "The body is larger than this route takes.");
  }

  void describe() {
    const auto& head = parser_->get();
    const auto text = [](beast::string_view s) { return std::string{s.data(), s.size()}; };
    request_ = {};
    request_.method = text(head.method_string());
    const auto target = text(head.target());
    const auto question = target.find('?');
    request_.path = target.substr(0, question);
    if (question != std::string::npos) request_.query = target.substr(question + 1);
    request_.authorization = text(head[beast::http::field::authorization]);
    request_.operator_name = text(head["X-Operator"]);
    request_.content_type = text(head[beast::http::field::content_type]);
    request_id_ = request_.request_id = sane_request_id(text(head["X-Request-Id"]));
    request_.client =
        client_address(place_.peer(), text(head["X-Forwarded-For"]), from_.shared.trusted);
    head_only_ = request_.method == "HEAD";
    keep_alive_ = head.keep_alive() && served_ + 1 < limits::keep_alive_requests_max &&
                  !from_.shared.stopping;
  }

  // ---- body and answer

  void feed_body() {
    boost::system::error_code why;
    std::size_t used = 0;
    while (!parser_->is_done() && used < in_.size()) {
      used += parser_->put(asio::buffer(in_.data() + used, in_.size() - used), why);
      if (why == beast::http::error::need_more) break;
      if (why == beast::http::error::body_limit) return too_large();
      if (why) {
        counters().refuse(refusal_reason::parse);
        return fail(400, "bad_request", "malformed body");
      }
    }
    in_.erase(0, used);
    if (parser_->is_done()) return serve();
    if (in_.size() > limits::header_bytes_max)
      return fail(400, "bad_request", "malformed body");  // a chunk line that never ends
    read_some([this] { feed_body(); });
  }

  void serve() {
    state_ = state::serving;
    request_.body = std::move(parser_->get().body());
    from_.thread.arm(me(), limits::respond_time);
    from_.thread.hold(me());
    from_.routes.serve(std::move(request_), [self = weak(), turn = ++generation_,
                                             inbox = from_.thread.inbox()](response what) {
      inbox->post([self, turn, what = std::move(what)]() mutable {
        if (const auto alive = self.lock()) alive->answer(turn, std::move(what));
      });
    });
  }

  void fail(int status, std::string_view code, std::string_view message,
            std::uint32_t retry_ms = 0) {
    keep_alive_ = false;
    state_ = state::serving;
    answer(++generation_, error_response(status, code, message, request_id_, retry_ms));
  }

  void ask_for_upgrade() {
    keep_alive_ = false;
    state_ = state::serving;
    auto out = error_response(426, "upgrade_required",
                              "This address speaks WebSocket, version 13, only.", request_id_);
    out.fields.emplace_back("Upgrade", "websocket");
    out.fields.emplace_back("Sec-WebSocket-Version", "13");
    answer(++generation_, std::move(out));
  }

  void answer(std::uint32_t turn, response what) {
    if (turn != generation_ || state_ != state::serving) return;  // the deadline was faster
    state_ = state::writing;
    from_.thread.release(me());
    ++served_;
    if (what.status >= 400) counters().http_errors.add();
    out_ = serialise(what, request_id_, keep_alive_, head_only_);
    from_.thread.arm(me(), from_.shared.options.write_time);
    asio::async_write(stream_, asio::buffer(out_),
                      [self = me()](boost::system::error_code why, std::size_t) {
                        self->out_ = {};
                        if (why) return self->ended();
                        if (self->keep_alive_) return self->read_request();
                        self->finish();
                      });
  }

  /// Half-closes and reads what is left for a moment: closing with unread bytes would reset the
  /// connection and lose our answer.
  void finish() {
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).shutdown(tcp::socket::shutdown_send, ignored);
    from_.thread.arm(me(), linger_time);
    linger();
  }
  void linger() {
    in_.clear();
    if (++lingered_ > linger_reads_max) return abort();
    read_some([this] { linger(); });
  }

  // ---- WebSocket

  void upgrade() {
    const auto& head = parser_->get();
    // All that Beast's own handshake would refuse is refused here, in the words of every other
    // refusal.
    if (request_.method != "GET" || !websocket::is_upgrade(head) ||
        head[beast::http::field::sec_websocket_version] != "13")
      return ask_for_upgrade();
    if (head.count(beast::http::field::sec_websocket_version) != 1 ||
        head.count(beast::http::field::sec_websocket_key) != 1 ||
        head[beast::http::field::sec_websocket_key].size() != key_characters)
      return fail(400, "bad_request", "Sec-WebSocket-Key is 16 bytes in base64, once.");
    if (from_.shared.stopping)
      return fail(503, "going_away", "The server restarts; try again soon.", 1000);
    if (!in_.empty())  // a client waits for the answer before its first frame (RFC 6455, 4.1)
      return fail(400, "bad_request", "Nothing may follow an upgrade before its answer.");
    const auto offered = head[beast::http::field::sec_websocket_protocol];
    const bool msgpack = offers(offered, subprotocol_msgpack),
               json = offers(offered, subprotocol_json);
    if (!offered.empty() && !msgpack && !json)
      return fail(400, "bad_subprotocol", "Subprotocols are baraza.v1.msgpack and baraza.v1.json.");
    const auto token = tokens::bearer(request_.authorization);
    if (!is_origin_allowed(token.empty())) {
      counters().refuse(refusal_reason::origin);
      return fail(403, "bad_origin", "This origin may not open a game connection.");
    }
    names_subprotocol_ = !offered.empty();
    encoding_ = json && !msgpack ? wire::encoding::json : wire::encoding::msgpack;
    if (request_.authorization.empty()) return accept(std::nullopt);
    state_ = state::serving;
    from_.thread.arm(me(), limits::respond_time);
    from_.thread.hold(me());
    from_.shared.accounts->authenticate(
        token, [self = weak(), turn = ++generation_,
                inbox = from_.thread.inbox()](std::variant<caller, auth_error> known) {
          inbox->post([self, turn, known = std::move(known)]() mutable {
            if (const auto alive = self.lock()) alive->authenticated(turn, std::move(known));
          });
        });
  }

  void authenticated(std::uint32_t turn, std::variant<caller, auth_error> known) {
    if (turn != generation_ || state_ != state::serving) return;
    from_.thread.release(me());
    if (auto* who = std::get_if<caller>(&known)) return accept(std::move(*who));
    const auto& why = std::get<auth_error>(known);
    counters().refuse(refusal_reason::unauthorized);
    from_.shared.accounts->note_unauthorized(request_.client, request_id_);
    fail(why.status, why.code, why.sentence, why.retry_ms);
  }

  static bool offers(beast::string_view list, std::string_view one) {
    std::string_view rest{list.data(), list.size()};
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      auto item = rest.substr(0, comma);
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
      while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
      while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
      if (item == one) return true;
    }
    return false;
  }

  /// Browsers always send Origin; programs may leave it out if they show a token at once
  /// (ASVS 4.4.2).
  bool is_origin_allowed(bool has_no_token) {
    const auto& head = parser_->get();
    if (head.count(beast::http::field::origin) == 0) return !has_no_token;
    if (head.count(beast::http::field::origin) > 1) return false;
    const auto raw = head[beast::http::field::origin];
    const std::string_view origin{raw.data(), raw.size()};
    if (!from_.shared.options.origins.empty()) {
      return std::find(from_.shared.options.origins.begin(), from_.shared.options.origins.end(),
                       origin) != from_.shared.options.origins.end();
    }
    const auto host = head[beast::http::field::host];
    const std::string same{host.data(), host.size()};
    return origin == "https://" + same || origin == "http://" + same;
  }

  void accept(std::optional<caller> who) {
    state_ = state::upgrading;
    io_thread::disarm(*this);
    auto head = parser_->release();
    auto session = std::make_shared<websocket_io<Stream>>(from_, std::move(place_), request_.client,
                                                          encoding_, std::move(stream_));
    session->accept(head, names_subprotocol_, std::move(who), from_.shared.options.upgrade_time);
  }

  static constexpr std::size_t chunk_bytes = 2048;
  static constexpr std::size_t key_characters = 24;
  static constexpr int linger_reads_max = 16;
  static constexpr std::chrono::milliseconds linger_time{1000};

  session_origin from_;
  Stream stream_;
  socket_place place_;
  std::string in_, out_;
  std::optional<beast::http::request_parser<beast::http::string_body>> parser_;
  request request_;
  std::string request_id_;
  std::size_t last_read_ = 0, read_from_ = 0;
  std::uint32_t served_ = 0, generation_ = 0;
  int lingered_ = 0;
  wire::encoding encoding_ = wire::encoding::msgpack;
  state state_ = state::header;
  bool is_reading_ = false, keep_alive_ = false, head_only_ = false, names_subprotocol_ = false;
};

}  // namespace baraza::http
