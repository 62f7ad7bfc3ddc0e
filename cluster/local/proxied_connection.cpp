#include "cluster/local/proxied_connection.hpp"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

namespace baraza::cluster::local {

using boost::system::error_code;

proxied_connection::proxied_connection(connection_host& host, tcp::socket dialler,
                                       tcp::endpoint target, party from, party to,
                                       std::function<void()> target_ended)
    : host_{host},
      dialler_{std::move(dialler)},
      target_{dialler_.get_executor()},
      where_{std::move(target)},
      request_{from, to, &dialler_, &target_},
      answer_{to, from, &target_, &dialler_},
      target_ended_{std::move(target_ended)} {}

road proxied_connection::road_of(const direction& d) const {
  return host_.road_of(d.source, d.sink);
}

bool proxied_connection::are_open() const {
  return road_of(request_) == road::open && road_of(answer_) == road::open;
}

void proxied_connection::look_at_roads() {
  if (phase_ == phase::gone) return;
  if (road_of(request_) == road::cut || road_of(answer_) == road::cut) return reset();
  if (phase_ == phase::waiting && are_open()) {
    // Whoever gave up meanwhile has no use for a connection.
    char byte = 0;
    const auto n = ::recv(dialler_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) return reset();
    return dial();
  }
  if (phase_ != phase::carrying) return;
  if (are_open() && (request_.is_deaf || answer_.is_deaf)) return reset();
  advance(request_);
  if (phase_ == phase::carrying) advance(answer_);
}

void proxied_connection::dial() {
  phase_ = phase::dialling;
  target_.async_connect(where_, [self = shared_from_this()](error_code why) {
    if (self->phase_ == phase::gone) return;
    if (why) {
      self->target_ended_();
      return self->reset();
    }
    error_code ignored;
    self->dialler_.set_option(tcp::no_delay{true}, ignored);
    self->target_.set_option(tcp::no_delay{true}, ignored);
    self->phase_ = phase::carrying;
    self->look_at_roads();
  });
}

void proxied_connection::advance(direction& d) {
  if (d.is_busy || d.is_told || road_of(d) != road::open) return;
  if (d.held > 0) return write(d);
  if (d.has_ended) return tell_end(d);
  read(d);
}

void proxied_connection::read(direction& d) {
  d.is_busy = true;
  d.in->async_read_some(boost::asio::buffer(d.bytes),
                        [self = shared_from_this(), &d](error_code why, std::size_t n) {
                          d.is_busy = false;
                          if (self->phase_ == phase::gone) return;
                          d.held = d.is_deaf ? 0 : n;
                          if (why) {
                            d.has_ended = true;
                            d.is_broken = why != boost::asio::error::eof;
                            if (&d == &self->answer_ && !self->request_.has_ended)
                              self->target_ended_();
                          }
                          self->advance(d);
                        });
}

void proxied_connection::write(direction& d) {
  d.is_busy = true;
  boost::asio::async_write(*d.out, boost::asio::buffer(d.bytes.data(), d.held),
                           [self = shared_from_this(), &d](error_code why, std::size_t) {
                             d.is_busy = false;
                             if (self->phase_ == phase::gone) return;
                             d.held = 0;
                             if (why && self->are_open()) return self->reset();
                             // The sink's reset travels the other road, which is closed: its
                             // source goes on talking to nobody, as on a real network.
                             if (why) d.is_deaf = true;
                             self->advance(d);
                           });
}

void proxied_connection::tell_end(direction& d) {
  if (d.is_broken || d.is_deaf) return reset();
  d.is_told = true;
  error_code ignored;
  d.out->shutdown(tcp::socket::shutdown_send, ignored);
  if (request_.is_told && answer_.is_told) reset();
}

void proxied_connection::reset() {
  if (phase_ == phase::gone) return;
  // Both ended in order: then the sockets close in order, too.
  const bool in_order = request_.is_told && answer_.is_told;
  phase_ = phase::gone;
  for (auto* socket : {&dialler_, &target_}) {
    error_code ignored;
    if (!in_order) socket->set_option(boost::asio::socket_base::linger{true, 0}, ignored);
    socket->close(ignored);
  }
  host_.gone(shared_from_this());
}

}  // namespace baraza::cluster::local
