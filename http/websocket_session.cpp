#include "http/websocket_session.hpp"

#include <algorithm>

#include "http/auth_tokens.hpp"
#include "http/msgpack.hpp"
#include "http/wire_json.hpp"

namespace baraza::http {
namespace {

constexpr std::chrono::milliseconds drop_after{
    100};  // what was pending on a closed socket has ended by then: the loop went round

std::int64_t steady_ms() { return steady_nanos() / 1'000'000; }

std::string_view reason_of(std::uint16_t code) {
  switch (code) {
    case 1001:
      return "going away";
    case 1008:
      return "not allowed";
    case 1012:
      return "restarting";
    case 1013:
      return "try again later";
    default:
      return "";
  }
}

}  // namespace

websocket_session::websocket_session(const session_origin& from, socket_place place,
                                     const address& client, wire::encoding how)
    : thread_{from.thread},
      shared_{from.shared},
      place_{std::move(place)},
      address_key_{client.bytes},
      how_{how},
      is_counted_address_{!from.shared.is_exempt(client)} {
  opened_ms_ = last_heard_ms_ = steady_ms();
}

websocket_session::~websocket_session() { gone(); }

// ---- life and death

void websocket_session::opened(std::optional<caller> who) {
  if (phase_ == phase::gone) return;  // the handshake's deadline was faster
  thread_.counters().sessions_open.add();
  thread_.counters().sessions_total.add();
  last_heard_ms_ = steady_ms();
  phase_ = phase::waiting_hello;
  if (who) {
    welcome(std::move(*who), 0);
  } else {
    rearm();
  }
}

void websocket_session::welcome(caller who, std::uint64_t hello_id) {
  phase_ = phase::open;
  player_ = who.player;
  login_ = who.login;
  absolute_expires_at_ = who.absolute_expires_at;
  if (hello_id != 0) {
    std::string fields;
    pack::put_text(fields, "player");
    pack::put_text(fields, who.player.to_string());
    pack::put_text(fields, "display");
    pack::put_text(fields, who.display);
    enqueue(std::make_shared<const std::string>(wire::ok_frame(hello_id, 2, fields)));
  }
  mailbox_ = std::make_shared<session_mailbox>(thread_.inbox());
  mailbox_->address(weak_from_this());
  number_ = shared_.to->attach(who.player, who.login, std::move(who.display), mailbox_);
  // A logout that ran between the token's check and the attach has not seen this session.
  if (shared_.accounts->is_ended(who)) return finish(1008, "login ended");
  rearm();
}

void websocket_session::gone() {
  if (phase_ == phase::gone) return;
  if (phase_ != phase::handshake) thread_.counters().sessions_open.sub();
  phase_ = phase::gone;
  if (const auto me = weak_from_this().lock()) {  // none while it is destroyed
    abort();
    thread_.arm(me, drop_after);
  }
  if (number_ != 0) shared_.to->detach(number_);
  number_ = 0;
  mailbox_.reset();
  outbox_ = {};
}

void websocket_session::finish(std::uint16_t code, std::string_view reason) {
  if (phase_ == phase::closing || phase_ == phase::gone) return;
  phase_ = phase::closing;
  close_code_ = code;
  close_reason_ = reason;
  close_since_ms_ = steady_ms();
  // Answers already queued may still leave, but a reader who does not read gets no more than what
  // is on its way.
  if (code == 1013 && outbox_.size() > head_ + 1) outbox_.resize(head_ + 1);
  rearm();
  try_close();
}

void websocket_session::try_close() {
  if (writing_ || close_started_) return;
  close_started_ = true;
  start_close(close_code_, close_reason_);
}

void websocket_session::rearm() {
  const auto& o = shared_.options;
  auto due = last_heard_ms_ + o.ping_after.count();
  const auto now = steady_ms();
  if (due <= now) due = last_heard_ms_ + o.idle_time.count();
  if (phase_ == phase::waiting_hello || phase_ == phase::checking)
    due = std::min<std::int64_t>(due, opened_ms_ + o.hello_time.count());
  if (writing_) due = std::min<std::int64_t>(due, write_since_ms_ + o.write_time.count());
  if (phase_ == phase::closing) due = close_since_ms_ + o.close_time.count();
  thread_.arm(shared_from_this(), std::chrono::milliseconds{std::max<std::int64_t>(due - now, 1)});
}

void websocket_session::expired() {
  const auto now = steady_ms();
  const auto& o = shared_.options;
  if (phase_ == phase::gone) return drop();
  if (phase_ == phase::handshake) return gone();
  if (phase_ == phase::closing) {
    if (now >= close_since_ms_ + o.close_time.count()) return gone();
  } else if (writing_ && now >= write_since_ms_ + o.write_time.count()) {
    count(refusal_reason::write_timeout);
    return gone();
  } else if (phase_ != phase::open && now >= opened_ms_ + o.hello_time.count()) {
    count(refusal_reason::hello_timeout);
    return finish(1008, "no hello in time");
  } else if (now >= last_heard_ms_ + o.idle_time.count()) {
    count(refusal_reason::idle);
    return gone();
  } else if (absolute_expires_at_ != 0 && shared_.accounts->now() >= absolute_expires_at_) {
    return finish(1008, "login expired");
  } else if (now >= last_heard_ms_ + o.ping_after.count()) {
    start_ping();
  }
  rearm();
}

void websocket_session::farewell() {
  if (phase_ != phase::handshake) finish(1001, reason_of(1001));
}

// ---- from the client

void websocket_session::control_received() {
  last_heard_ms_ = steady_ms();
  if (controls_.take(shared_.options.ping_rate, steady_nanos()) == 0) return;
  count(refusal_reason::session_rate);
  finish(1008, "too many control frames");
}

void websocket_session::received(std::string_view bytes, bool is_text) {
  if (phase_ == phase::closing || phase_ == phase::gone) return;
  last_heard_ms_ = steady_ms();
  thread_.counters().frames_in.add();
  thread_.counters().bytes_in.add(bytes.size());
  if (is_text != (how_ == wire::encoding::json))
    return finish(1003, "wrong kind of frame for this subprotocol");
  auto read = wire::decode(how_, bytes);
  if (auto* why = std::get_if<wire::wire_error>(&read)) {
    count(refusal_reason::bad_message);
    if (why->close != 0) return finish(why->close, "malformed message");
    if (is_within_rates(why->id)) refuse(why->id, why->code, why->sentence);
    return;
  }
  auto& frame = std::get<wire::client_frame>(read);
  if (is_within_rates(frame.id, class_of(frame.body))) request(std::move(frame));
}

bool websocket_session::is_within_rates(std::uint64_t id, action_class what) {
  const auto now = steady_nanos();
  auto reason = refusal_reason::session_rate;
  auto wait = messages_.take(shared_.options.session_rate, now);
  if (wait == 0 && number_ != 0) {
    reason = refusal_reason::account_rate;
    wait = shared_.account_messages.take(player_, now);
  }
  if (wait == 0 && is_counted_address_) {
    reason = refusal_reason::address_rate;
    wait = shared_.address_messages.take(address_key_, now);
  }
  std::string_view sentence = "Too many messages; wait before the next.";
  if (wait == 0 && number_ != 0 && what == action_class::join) {
    reason = refusal_reason::join_rate;
    sentence = "Too many joins; wait before the next.";
    wait = shared_.account_joins.take(player_, now);
  }
  if (wait == 0 && number_ != 0 && what == action_class::stake) {
    reason = refusal_reason::stake_rate;
    sentence = "Too many actions that move stakes; wait before the next.";
    wait = shared_.account_stakes.take(player_, now);
  }
  if (wait == 0) {
    if (refusals_ > 0) --refusals_;
    return true;
  }
  count(reason);
  if (++refusals_ > limits::session_rate_refusals_max) {
    finish(1008, "too many messages");
  } else {
    refuse(id, "rate_limited", sentence, static_cast<std::uint32_t>(wait / 1'000'000 + 1));
  }
  return false;
}

void websocket_session::request(wire::client_frame frame) {
  const auto id = frame.id;
  if (const auto* h = std::get_if<wire::hello>(&frame.body)) return hello(id, h->token);
  if (phase_ != phase::open)
    return refuse(id, "not_authenticated", "Say hello with a token first.");
  if (id <= highest_id_) {
    count(refusal_reason::replayed_id);
    return refuse(id, "replayed_id", "Each request has a higher id than the one before.");
  }
  highest_id_ = id;
  if (std::holds_alternative<wire::ping>(frame.body))
    return enqueue(std::make_shared<const std::string>(wire::ok_frame(id)));
  const auto most =
      flights_.begin() + static_cast<std::ptrdiff_t>(std::min(shared_.options.session_inflight_max,
                                                              limits::session_inflight_max));
  const auto free =
      std::find_if(flights_.begin(), most, [](const auto& one) { return one.id == 0; });
  if (free == most) {
    count(refusal_reason::inflight);
    return refuse(id, "too_many_in_flight", "Too many requests wait for their answers.", 50);
  }
  *free = {id, steady_nanos() / 1000};
  shared_.to->handle(number_, std::move(frame));
}

void websocket_session::hello(std::uint64_t id, const std::string& token) {
  if (phase_ != phase::waiting_hello)
    return refuse(id, "already_authenticated", "This connection knows its player already.");
  highest_id_ = id;
  if (token.starts_with(tokens::ticket_prefix)) {
    if (auto who = shared_.accounts->redeem(token)) return welcome(std::move(*who), id);
    count(refusal_reason::unauthorized);
    return finish(1008, "unknown or used ticket");
  }
  phase_ = phase::checking;
  shared_.accounts->authenticate(token, [self = weak_from_this(), id, inbox = thread_.inbox()](
                                            std::variant<caller, auth_error> known) {
    inbox->post([self, id, known = std::move(known)]() mutable {
      const auto alive = self.lock();
      if (!alive || alive->phase_ != phase::checking) return;
      if (auto* who = std::get_if<caller>(&known)) return alive->welcome(std::move(*who), id);
      alive->count(refusal_reason::unauthorized);
      const bool is_ours = std::get<auth_error>(known).status >= 500;
      alive->finish(is_ours ? 1013 : 1008,
                    is_ours ? "accounts unavailable" : "unknown or expired token");
    });
  });
}

void websocket_session::refuse(std::uint64_t id, std::string_view code, std::string_view message,
                               std::uint32_t retry_ms) {
  enqueue(std::make_shared<const std::string>(wire::error_frame(id, code, message, retry_ms)));
}

// ---- to the client

void websocket_session::take(std::shared_ptr<const std::string> frame, std::uint16_t close_code) {
  if (!frame) return finish(close_code, reason_of(close_code));
  if (const auto id = wire::answered(*frame)) land(id);
  enqueue(std::move(frame));
}

void websocket_session::land(std::uint64_t id) {
  const auto flight =
      std::find_if(flights_.begin(), flights_.end(), [&](const auto& one) { return one.id == id; });
  if (flight == flights_.end()) return;
  thread_.counters().observe(static_cast<std::uint64_t>(
      std::max<std::int64_t>(steady_nanos() / 1000 - flight->since_us, 0)));
  *flight = {};
}

void websocket_session::enqueue(std::shared_ptr<const std::string> frame) {
  if (phase_ == phase::closing || phase_ == phase::gone) return;
  if (how_ == wire::encoding::json)
    frame = std::make_shared<const std::string>(wire::to_json(*frame));
  outbox_bytes_ += frame->size();
  outbox_.push_back(std::move(frame));
  const auto queued = outbox_.size() - head_;
  if (queued > shared_.options.session_outbox_frames_max ||
      (queued > 1 && outbox_bytes_ > limits::session_outbox_bytes_max)) {
    count(refusal_reason::slow_reader);
    return finish(1013, "too slow a reader");
  }
  if (!writing_) {
    write_next();
  } else if (queued == 2) {
    rearm();  // the write in progress did not end at once: its deadline matters now
  }
}

void websocket_session::write_next() {
  writing_ = true;
  write_since_ms_ = steady_ms();
  write(*outbox_[head_]);
}

void websocket_session::sent() {
  writing_ = false;
  if (phase_ == phase::gone) return;
  thread_.counters().frames_out.add();
  thread_.counters().bytes_out.add(outbox_[head_]->size());
  outbox_bytes_ -= outbox_[head_]->size();
  outbox_[head_++].reset();
  if (head_ < outbox_.size()) {
    write_next();
    return rearm();
  }
  outbox_.clear();
  head_ = 0;
  outbox_bytes_ = 0;
  if (outbox_.capacity() > 8) outbox_ = {};  // 20,000 quiet sessions hold nothing
  if (phase_ == phase::closing) try_close();
}

}  // namespace baraza::http
