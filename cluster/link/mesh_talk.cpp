// What a mesh hears and says on its connections.
#include <algorithm>
#include <utility>

#include "cluster/link/mesh.hpp"

namespace baraza::cluster {
namespace {

std::int64_t steady_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}
std::int64_t steady_ms() { return steady_us() / 1000; }

}  // namespace

void link::mesh::on_open(connection& c) {
  if (!c.dialled) return;
  if (!c.peer_shows(c.peer))
    return c.close("the certificate at this address is not for node " + c.peer);
  c.say(frame_type::hello, encode(hello{options_.self, c.peer, c.incarnation}));
}

void link::mesh::on_frame(connection& c, frame_type type, std::string_view body) {
  c.heard_ms = steady_ms();
  if (type == frame_type::bye) return c.close("it says goodbye");
  c.dialled ? on_answer(c, type, body) : on_asked(c, type, body);
}

// ---- what the accepting side says to the dialler

void link::mesh::on_answer(connection& c, frame_type type, std::string_view body) {
  const auto known = peers_.find(c.peer);
  if (known == peers_.end() || known->second.out.get() != &c) return;
  auto& peer = known->second;
  if (!c.greeted) return on_verdict(c, peer, type, body);
  if (type != frame_type::pong) return c.close("it sends what only a dialler sends");
  if (std::exchange(peer.ping_open, false)) peer.round_trip_us = steady_us() - peer.pinged_us;
}

void link::mesh::on_verdict(connection& c, peer_state& peer, frame_type type,
                            std::string_view body) {
  const auto answer = decode_verdict(body);
  if (!answer || (type != frame_type::welcome && type != frame_type::refuse))
    return c.close("its answer to the hello is not ours");
  if (type == frame_type::refuse) {
    // Asking again soon would change nothing: an operator or the next view must.
    peer.backoff_ms = options_.backoff_max.count();
    return c.close("refused: " + answer->sentence);
  }
  if (answer->name != c.peer || answer->incarnation != c.incarnation)
    return c.close("it calls itself " + answer->name + ", incarnation " +
                   std::to_string(answer->incarnation));
  c.greeted = true;
  c.pinged_ms = 0;
  peer.backoff_ms = 0;
  peer.last_error.clear();
  outboxes_.open(c.peer);
  say(link_log::info, "link.up", "to " + c.peer + " at " + c.remote());
  if (events_.up) events_.up(link_direction::outgoing, c.peer, c.incarnation);
}

// ---- what a dialler says

void link::mesh::on_asked(connection& c, frame_type type, std::string_view body) {
  if (c.greeted && type == frame_type::ping) return c.say(frame_type::pong, {});
  if (c.greeted && type == frame_type::data) return on_data(c, body);
  if (!c.greeted && type == frame_type::hello) return on_hello(c, body);
  c.close("it says what does not belong here");
}

void link::mesh::on_hello(connection& c, std::string_view body) {
  const auto from = decode_hello(body);
  if (!from) return c.close("its hello is not ours");
  auto answer = judge(*from, options_.self, known_incarnation(from->from.name));
  if (answer.why == refusal::none && !c.peer_shows(from->from.name)) {
    answer.why = refusal::certificate;
    answer.sentence = "the certificate shown is not for node " + from->from.name;
  }
  if (answer.why == refusal::none) return welcome(c, *from, answer);
  say(link_log::warning, "link.refused", answer.sentence);
  const auto self = c.shared_from_this();
  strangers_.erase(self);
  ending_.insert(self);
  c.say(frame_type::refuse, encode(answer));
  c.close_after_writing(answer.sentence);
}

void link::mesh::welcome(connection& c, const hello& from, const verdict& answer) {
  const auto self = c.shared_from_this();
  c.greeted = true;
  c.peer = from.from.name;
  c.incarnation = from.from.incarnation;
  c.allow_long_frames();
  strangers_.erase(self);
  auto& place = incoming_[c.peer];
  if (const auto old = std::exchange(place, self)) {
    ending_.insert(old);
    old->close("replaced");
    if (events_.down)
      events_.down(link_direction::incoming, old->peer, old->incarnation,
                   "the peer has dialled again");
  }
  c.say(frame_type::welcome, encode(answer));
  say(link_log::info, "link.up", "from " + c.peer + " at " + c.remote());
  if (events_.up) events_.up(link_direction::incoming, c.peer, c.incarnation);
  // It is there: do not wait for the back-off to end.
  if (const auto known = peers_.find(c.peer); known != peers_.end() && !known->second.out)
    known->second.next_dial_ms = 0;
}

void link::mesh::on_data(connection& c, std::string_view body) {
  auto out = c.pages.take(body, steady_ms());
  if (auto* whole = std::get_if<std::string>(&out)) {
    if (events_.received) events_.received(c.peer, c.incarnation, std::move(*whole));
  } else if (std::holds_alternative<wire::reassembler::fault>(out)) {
    c.close("its pages do not fit together");
  }
}

// ---- the end of a connection

void link::mesh::on_closed(connection& c, const std::string& why) {
  if (ending_.erase(c.shared_from_this()) != 0) return;
  if (stop_by_ms_ != 0) return;
  c.dialled ? outgoing_closed(c, why) : incoming_closed(c, why);
}

void link::mesh::outgoing_closed(connection& c, const std::string& why) {
  const auto known = peers_.find(c.peer);
  if (known == peers_.end() || known->second.out.get() != &c) return;
  auto& peer = known->second;
  const auto keep = c.shared_from_this();
  peer.out = nullptr;
  peer.pages.clear();
  peer.last_error = why;
  const auto first = options_.backoff_first.count(), last = options_.backoff_max.count();
  peer.backoff_ms = std::clamp(peer.backoff_ms * 2, first, last);
  // Jitter, so that nodes that lost a peer together do not come back together.
  peer.next_dial_ms = steady_ms() + std::uniform_int_distribution<std::int64_t>{
                                        peer.backoff_ms / 2, peer.backoff_ms}(random_);
  say(link_log::warning, c.greeted ? "link.down" : "link.dial_failed", "to " + c.peer + ": " + why);
  if (!std::exchange(c.greeted, false)) return;
  tell_lost(outboxes_.close(c.peer), link_loss::disconnected);
  if (events_.down) events_.down(link_direction::outgoing, c.peer, c.incarnation, why);
}

void link::mesh::incoming_closed(connection& c, const std::string& why) {
  if (strangers_.erase(c.shared_from_this()) != 0)
    return say(link_log::warning, "link.stranger",
               c.remote().substr(0, c.remote().rfind(':')) + ": " + why);
  const auto known = incoming_.find(c.peer);
  if (known == incoming_.end() || known->second.get() != &c) return;
  const auto keep = known->second;
  incoming_.erase(known);
  say(link_log::warning, "link.down", "from " + c.peer + ": " + why);
  if (events_.down) events_.down(link_direction::incoming, c.peer, c.incarnation, why);
}

// ---- data

void link::mesh::on_writable(connection& c) {
  if (!c.dialled) return;
  if (const auto known = peers_.find(c.peer);
      known != peers_.end() && known->second.out.get() == &c)
    pump(known->second);
}

void link::mesh::pump(peer_state& peer) {
  if (!peer.out || !peer.out->greeted || !peer.out->is_idle()) return;
  const auto now = std::chrono::steady_clock::now();
  outboxes::owners expired;
  std::string batch;
  while (batch.size() < link_batch_bytes_max) {
    if (peer.pages.empty()) {
      auto next = outboxes_.take(peer.where.name, now, expired);
      if (!next) break;
      peer.pages = wire::split(next->bytes, ++peer.messages);
      std::reverse(peer.pages.begin(), peer.pages.end());
    }
    connection::append_frame(batch, frame_type::data, peer.pages.back());
    peer.pages.pop_back();
  }
  if (!batch.empty()) peer.out->write(std::move(batch));
  tell_lost(expired, link_loss::expired);
}

}  // namespace baraza::cluster
