#include "cluster/link/connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

#include "cluster/link/limits.hpp"
#include "cluster/link/tls.hpp"

namespace baraza::cluster {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {
constexpr std::size_t head_bytes = 4;
}

connection::connection(asio::io_context& io, connection_owner& owner, context_ptr tls)
    : io_{io},
      owner_{owner},
      context_{std::move(tls)},
      socket_{io},
      resolver_{io},
      in_(16 * 1024),
      frame_limit_{handshake_bytes_max} {}

connection::~connection() = default;

void connection::dial(const std::string& host, std::uint16_t port, const std::string& from) {
  dialled = true;
  from_ = from;
  error_code why;
  const auto address = asio::ip::make_address(host, why);
  if (!why) return connect({address, port});
  resolver_.async_resolve(host, std::to_string(port),
                          [self = shared_from_this(), host](error_code failed, auto found) {
                            if (self->closed_) return;
                            if (failed || found.empty())
                              return self->close(host + ": " + failed.message());
                            self->connect(found.begin()->endpoint());
                          });
}

void connection::connect(const tcp::endpoint& to) {
  if (!context_ && !to.address().is_loopback())
    return close("without certificates only loopback addresses are dialled");
  error_code unbound;
  const auto source = asio::ip::make_address(from_, unbound);
  if (!unbound && !source.is_unspecified() && source.is_v4() == to.address().is_v4()) {
    socket_.open(to.protocol(), unbound);
    if (!unbound) socket_.bind({source, 0}, unbound);
    if (unbound) return close("cannot leave from " + from_ + ": " + unbound.message());
  }
  socket_.async_connect(to, [self = shared_from_this()](error_code why) {
    if (self->closed_) return;
    if (why) return self->close(why.message());
    self->remember_remote();
    self->start_tls(asio::ssl::stream_base::client);
  });
}

void connection::accept(tcp::socket socket) {
  socket_ = std::move(socket);
  remember_remote();
  start_tls(asio::ssl::stream_base::server);
}

void connection::remember_remote() {
  error_code why;
  socket_.set_option(tcp::no_delay{true}, why);
  const auto to = socket_.remote_endpoint(why);
  if (!why) remote_ = to.address().to_string() + ':' + std::to_string(to.port());
}

void connection::start_tls(asio::ssl::stream_base::handshake_type role) {
  if (!context_) return opened();
  tls_.emplace(socket_, *context_);
  tls_->async_handshake(role, [self = shared_from_this()](error_code why) {
    if (self->closed_) return;
    if (why) return self->close("TLS: " + self->reason(why));
    self->opened();
  });
}

std::string connection::reason(const error_code& why) {
  if (tls_)
    if (const auto verdict = SSL_get_verify_result(tls_->native_handle()); verdict != X509_V_OK)
      return std::string{"the peer's certificate: "} + X509_verify_cert_error_string(verdict);
  if (why == asio::error::eof || why == asio::ssl::error::stream_truncated)
    return "the peer closed the connection";
  return why.message();
}

void connection::opened() {
  open_ = true;
  owner_.on_open(*this);
  read();
  flush();
}

void connection::read() {
  if (closed_) return;
  const auto room = asio::buffer(in_.data() + in_size_, in_.size() - in_size_);
  auto then = [self = shared_from_this()](error_code why, std::size_t count) {
    if (self->closed_) return;
    if (why) return self->close(self->reason(why));
    self->in_size_ += count;
    self->parse();
    self->read();
  };
  tls_ ? tls_->async_read_some(room, std::move(then))
       : socket_.async_read_some(room, std::move(then));
}

void connection::parse() {
  std::size_t at = 0;
  while (!closed_ && in_size_ - at >= head_bytes) {
    std::uint32_t size = 0;
    std::memcpy(&size, in_.data() + at, head_bytes);
    size = __builtin_bswap32(size);
    if (size == 0 || size > frame_limit_) return close("it sends no frames of ours");
    if (in_.size() < head_bytes + size) in_.resize(head_bytes + wire::frame_bytes_max + 1);
    if (in_size_ - at < head_bytes + size) break;
    const std::string_view frame{in_.data() + at + head_bytes, size};
    owner_.on_frame(*this, static_cast<frame_type>(frame[0]), frame.substr(1));
    at += head_bytes + size;
  }
  if (at == 0) return;
  std::memmove(in_.data(), in_.data() + at, in_size_ - at);
  in_size_ -= at;
}

void connection::append_frame(std::string& out, frame_type type, std::string_view body) {
  const auto size = __builtin_bswap32(static_cast<std::uint32_t>(body.size() + 1));
  out.append(reinterpret_cast<const char*>(&size), head_bytes);
  out.push_back(static_cast<char>(type));
  out.append(body);
}

void connection::say(frame_type type, std::string_view body) {
  if (closed_) return;
  append_frame(control_, type, body);
  if (control_.size() > link_control_bytes_max) return close("it does not read what it is told");
  flush();
}

void connection::write(std::string frames) {
  writing_ = std::move(control_);
  control_.clear();
  writing_ += frames;
  auto then = [self = shared_from_this()](error_code why, std::size_t) {
    if (self->closed_) return;
    self->writing_.clear();
    if (why) return self->close(self->reason(why));
    if (!self->control_.empty()) return self->write({});
    if (self->last_words_) return self->close(*self->last_words_);
    self->owner_.on_writable(*self);
  };
  tls_ ? asio::async_write(*tls_, asio::buffer(writing_), std::move(then))
       : asio::async_write(socket_, asio::buffer(writing_), std::move(then));
}

void connection::flush() {
  if (is_idle() && !control_.empty()) write({});
}

void connection::close_after_writing(std::string why) {
  if (closed_) return;
  if (is_idle() && control_.empty()) return close(std::move(why));
  last_words_ = std::move(why);
}

void connection::close(std::string why) {
  if (closed_) return;
  closed_ = true;
  error_code ignored;
  resolver_.cancel();
  socket_.close(ignored);
  asio::post(io_, [self = shared_from_this(), why = std::move(why)] {
    self->owner_.on_closed(*self, why);
  });
}

bool connection::peer_shows(const std::string& name) {
  return !tls_ || shows_name(tls_->native_handle(), name);
}

}  // namespace baraza::cluster
