#include "cluster/link/mesh.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "cluster/link/tls.hpp"

namespace baraza::cluster {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

std::int64_t steady_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}
std::int64_t steady_ms() { return steady_us() / 1000; }

std::string place(const std::string& host, std::uint16_t port) {
  return host + ':' + std::to_string(port);
}

constexpr std::int64_t goodbye_ms = 200;

}  // namespace

link::mesh::mesh(link_options options, link_events events)
    : options_{std::move(options)}, events_{std::move(events)} {}

link::mesh::~mesh() { stop(); }

// ---- start and stop

std::string link::mesh::start() {
  error_code why;
  const auto address = asio::ip::make_address(options_.listen_host, why);
  if (why) return "cannot listen for nodes: " + options_.listen_host + " is no address";
  if (options_.tls) {
    auto made = make_link_context(*options_.tls);
    if (auto* wrong = std::get_if<std::string>(&made)) return *wrong;
    tls_ = std::get<0>(made);
  } else if (!address.is_loopback()) {
    return "cannot listen for nodes on " + options_.listen_host +
           " without certificates: make some with baraza cluster certs, or listen on loopback";
  }
  const asio::ip::tcp::endpoint at{address, options_.listen_port};
  acceptor_.open(at.protocol(), why);
  if (!why) acceptor_.set_option(asio::socket_base::reuse_address{true}, why);
  if (!why) acceptor_.bind(at, why);
  if (!why) acceptor_.listen(asio::socket_base::max_listen_connections, why);
  if (why)
    return "cannot listen for nodes on " + place(options_.listen_host, options_.listen_port) +
           ": " + why.message();
  port_ = acceptor_.local_endpoint().port();
  ticked_ms_ = steady_ms();
  accept();
  tick();
  thread_ = std::thread{[this] { io_.run(); }};
  return {};
}

void link::mesh::stop() {
  if (stopped_.exchange(true)) return;
  if (!thread_.joinable()) return;
  asio::post(io_, [this] { begin_stop(); });
  thread_.join();
}

void link::mesh::begin_stop() {
  stop_by_ms_ = steady_ms() + goodbye_ms;
  error_code ignored;
  acceptor_.close(ignored);
  const auto part = [this](const connection_ptr& c) {
    ending_.insert(c);
    if (!c->greeted) return c->close("stopping");
    c->say(frame_type::bye, {});
    c->close_after_writing("stopping");
  };
  for (auto& [name, peer] : peers_)
    if (peer.out) part(peer.out);
  for (auto& [name, c] : incoming_) part(c);
  for (auto& c : strangers_) part(c);
  peers_.clear();
  incoming_.clear();
  strangers_.clear();
}

// ---- from other threads

void link::mesh::set_peers(std::vector<link_peer> peers) {
  asio::post(io_, [this, peers = std::move(peers)]() mutable { take_peers(std::move(peers)); });
}

send_result link::mesh::send(const std::string& name, outboxes::message what) {
  bool wake = false;
  const auto out = outboxes_.push(name, std::move(what), wake);
  if (wake)
    asio::post(io_, [this, name] {
      if (const auto known = peers_.find(name); known != peers_.end()) pump(known->second);
    });
  return out;
}

std::string link::mesh::reload_certificates() {
  if (!options_.tls) return {};
  auto made = make_link_context(*options_.tls);
  if (auto* wrong = std::get_if<std::string>(&made)) return *wrong;
  asio::post(io_, [this, fresh = std::get<0>(made)] { tls_ = fresh; });
  return {};
}

std::vector<link_status> link::mesh::status() const {
  std::vector<link_status> out;
  {
    const std::lock_guard lock{status_mutex_};
    out = status_;
  }
  for (auto& one : out) one.queued_bytes = outboxes_.bytes(one.name);
  return out;
}

void link::mesh::publish_status() {
  std::vector<link_status> fresh;
  for (const auto& [name, peer] : peers_)
    fresh.push_back({name, peer.where.incarnation, peer.out && peer.out->greeted,
                     incoming_.contains(name), 0, peer.round_trip_us, peer.last_error});
  const std::lock_guard lock{status_mutex_};
  status_ = std::move(fresh);
}

// ---- peers

void link::mesh::take_peers(std::vector<link_peer> peers) {
  if (stop_by_ms_ != 0) return;
  std::map<std::string, link_peer> wanted;
  for (auto& one : peers) {
    if (one.name == options_.self.name) continue;
    if (wanted.size() >= link_peers_max) {
      say(link_log::error, "link.too_many_peers", one.name + " and others are not dialled");
      break;
    }
    wanted[one.name] = std::move(one);
  }
  for (auto at = peers_.begin(); at != peers_.end();) {
    const auto still = wanted.find(at->first);
    if (still != wanted.end() && still->second == at->second.where) {
      ++at;
      continue;
    }
    if (at->second.out) at->second.out->close("this node no longer looks for it");
    // Its owners must hear of it now: on_closed no longer finds the peer.
    if (at->second.out) outgoing_closed(*at->second.out, "this node no longer looks for it");
    at = peers_.erase(at);
  }
  for (auto& [name, where] : wanted) {
    const auto in = incoming_.find(name);
    if (in != incoming_.end() && in->second->incarnation < where.incarnation)
      in->second->close("a later life of this node is known");
    if (auto [at, fresh] = peers_.try_emplace(name); fresh) {
      at->second.where = where;
      dial(at->second);
    }
  }
}

std::optional<std::uint64_t> link::mesh::known_incarnation(const std::string& name) const {
  std::optional<std::uint64_t> out;
  if (const auto known = peers_.find(name); known != peers_.end())
    out = known->second.where.incarnation;
  if (const auto in = incoming_.find(name); in != incoming_.end())
    out = std::max(out.value_or(0), in->second->incarnation);
  return out;
}

void link::mesh::dial(peer_state& peer) {
  peer.out = std::make_shared<connection>(io_, *this, tls_);
  peer.out->peer = peer.where.name;
  peer.out->incarnation = peer.where.incarnation;
  peer.out->begun_ms = peer.out->heard_ms = steady_ms();
  peer.ping_open = false;
  peer.pages.clear();
  peer.out->dial(peer.where.host, peer.where.port, options_.listen_host);
}

void link::mesh::accept() {
  if (accepting_ || !acceptor_.is_open()) return;
  accepting_ = true;
  acceptor_.async_accept([this](error_code why, asio::ip::tcp::socket socket) {
    accepting_ = false;
    if (why) return;  // out of descriptors, as a rule: the next tick tries again
    if (strangers_.size() >= link_strangers_max) {
      say(link_log::warning, "link.crowded", "a connection was closed: too many without a hello");
    } else {
      auto c = std::make_shared<connection>(io_, *this, tls_);
      c->begun_ms = c->heard_ms = steady_ms();
      strangers_.insert(c);
      c->accept(std::move(socket));
    }
    accept();
  });
}

// ---- time

void link::mesh::tick() {
  const auto now = steady_ms();
  const auto gap = now - std::exchange(ticked_ms_, now);
  if (stop_by_ms_ != 0 && (now >= stop_by_ms_ || ending_.empty())) return io_.stop();
  if (stop_by_ms_ == 0) {
    if (gap > options_.silence_max.count() / 2) forgive_own_pause(gap);
    accept();
    look_at_peers(now);
    look_at_incoming(now);
    tell_lost(outboxes_.expire(std::chrono::steady_clock::now()), link_loss::expired);
    publish_status();
  }
  ticker_.expires_after(link_tick);
  ticker_.async_wait([this](error_code why) {
    if (!why) tick();
  });
}

/// This process stood still: what the others said meanwhile waits unread in the sockets.
void link::mesh::forgive_own_pause(std::int64_t gap) {
  const auto forgive = [gap](connection& c) { c.heard_ms += gap, c.begun_ms += gap; };
  for (auto& [name, peer] : peers_)
    if (peer.out) forgive(*peer.out);
  for (auto& [name, c] : incoming_) forgive(*c);
  for (auto& c : strangers_) forgive(*c);
}

void link::mesh::look_at_peers(std::int64_t now) {
  for (auto& [name, peer] : peers_) {
    if (!peer.out) {
      if (now >= peer.next_dial_ms) dial(peer);
      continue;
    }
    auto& c = *peer.out;
    if (!c.greeted) {
      if (now - c.begun_ms > options_.dial_max.count())
        c.close("no answer within " + std::to_string(options_.dial_max.count()) + " ms");
      continue;
    }
    if (now - c.heard_ms > options_.silence_max.count())
      c.close("silent for " + std::to_string(now - c.heard_ms) + " ms");
    else if (now - c.pinged_ms >= options_.heartbeat_every.count()) {
      c.pinged_ms = now;
      if (!std::exchange(peer.ping_open, true)) peer.pinged_us = steady_us();
      c.say(frame_type::ping, {});
    }
  }
}

void link::mesh::look_at_incoming(std::int64_t now) {
  for (auto& [name, c] : incoming_)
    if (now - c->heard_ms > options_.silence_max.count())
      c->close("silent for " + std::to_string(now - c->heard_ms) + " ms");
  for (const auto* group : {&strangers_, &ending_})
    for (const auto& c : *group)
      if (now - c->begun_ms > options_.dial_max.count()) c->close("no hello in time");
}

void link::mesh::say(link_log how, std::string_view event, const std::string& detail) {
  if (!events_.log || stop_by_ms_ != 0) return;
  const auto now = steady_ms();
  auto sentence = std::string{event} + ' ' + detail;
  const auto known = said_.find(sentence);
  if (known != said_.end() && now - known->second < link_log_quiet.count()) return;
  if (said_.size() >= link_log_sentences_max) said_.clear();
  said_[std::move(sentence)] = now;
  events_.log(how, event, detail);
}

void link::mesh::tell_lost(const outboxes::owners& whose, link_loss why) {
  if (events_.lost && stop_by_ms_ == 0)
    for (const auto owner : whose) events_.lost(owner, why);
}

}  // namespace baraza::cluster
