#include "http/client/match_player.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "http/client/fields.hpp"
#include "http/client/limits.hpp"

namespace baraza::client {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t generated_seed_bytes = 16;
constexpr std::chrono::milliseconds resend_least = 50ms;
constexpr auto repeat_step_every = 2s;  // a table waits 10 s for the slowest seat

/// Refusals that say "not now": the same request is sent again. Everything else is an answer.
constexpr std::array retried{"timeout"sv,          "overloaded"sv,   "paused"sv,
                             "unavailable"sv,      "rate_limited"sv, "going_away"sv,
                             "too_many_requests"sv};
/// Refusals after which a command's number is used up: the next one needs a higher.
constexpr std::array spent{"internal"sv, "stale_command"sv};

template <class List>
bool holds(const List& list, std::string_view code) {
  return std::find(list.begin(), list.end(), code) != list.end();
}

}  // namespace

std::string_view to_string(phase where) {
  constexpr std::array names{"idle"sv, "queued"sv, "seated"sv, "opened"sv, "playing"sv};
  return names[static_cast<std::size_t>(where)];
}

match_player::match_player(options what, listener& out) : options_{std::move(what)}, out_{out} {
  requests_.reserve(6);
}

// ---- wishes

void match_player::queue(time_point now) {
  if (phase_ != phase::idle) return;
  phase_ = phase::queued;
  want(kind::join, now);
}

void match_player::leave(time_point now) {
  if (phase_ != phase::queued) return;
  forget(kind::join);
  phase_ = phase::idle;
  if (online_) want(kind::leave, now);  // offline, the lobby forgets us by itself
}

bool match_player::act(std::string action, time_point now) {
  if (command_ || phase_ != phase::playing) return false;
  command_.emplace(command{next_command_, std::move(action), now, 0});
  want(kind::command, now);
  return true;
}

bool match_player::concede(time_point now) { return act({}, now); }

void match_player::resume(const uuid& table, time_point now) {
  if (phase_ != phase::idle) return;
  seat_at(table, now);
  want(kind::watch, now);
}

// ---- connection

void match_player::online(time_point now) {
  online_ = true;
  for (request& each : requests_) {
    each.id = 0;
    each.due = now;
  }
  if (phase_ == phase::queued) want(kind::join, now);
  if (phase_ >= phase::seated) want(kind::watch, now);
  // What a table knows before a match starts is lost with it: say it again.
  if (phase_ == phase::seated && !commit_.empty()) want(kind::ready, now);
  if (phase_ == phase::opened && !locked_) want(kind::open, now);
  // The watch goes first: its answer brings what was missed before the answers of what is repeated.
  std::sort(requests_.begin(), requests_.end(),
            [](const request& a, const request& b) { return a.what < b.what; });
  for (request& each : requests_) {
    if (each.id == 0) transmit(each, now);
  }
}

void match_player::offline() {
  online_ = false;
  for (request& each : requests_) each.id = 0;
}

bool match_player::tick(time_point now) {
  if (!online_) return false;
  for (request& each : requests_) {
    if (now < each.due) continue;
    if (each.id != 0) return true;
    transmit(each, now);
  }
  return false;
}

void match_player::want(kind what, time_point now) {
  auto found = std::find_if(requests_.begin(), requests_.end(),
                            [&](const request& each) { return each.what == what; });
  if (found == requests_.end()) found = requests_.insert(found, request{what, 0, now});
  if (online_ && found->id == 0) transmit(*found, now);
}

void match_player::forget(kind what) {
  std::erase_if(requests_, [&](const request& each) { return each.what == what; });
}

match_player::kind match_player::kind_of(std::uint64_t id) const {
  if (id == 0) return kind::none;
  for (const request& each : requests_) {
    if (each.id == id) return each.what;
  }
  return kind::none;
}

wire::client_frame match_player::frame_of(kind what) const {
  switch (what) {
    case kind::join:
      return {0, wire::lobby_join{options_.game, options_.game_options, options_.stake,
                                  options_.money}};
    case kind::leave:
      return {0, wire::lobby_leave{}};
    case kind::watch:
      return {0, wire::table_watch{table_, seq_}};
    case kind::ready:
      return {0, wire::table_ready{table_, fair::client_commitment(
                                               seed_, {reinterpret_cast<const char*>(salt_.data()),
                                                       salt_.size()})}};
    case kind::open:
      return {0, wire::table_open{table_, seed_, salt_}};
    case kind::command:
      if (command_->action.empty()) return {0, wire::table_concede{table_, command_->number}};
      return {0, wire::table_act{table_, command_->number, command_->action}};
    case kind::none:
      break;
  }
  return {0, wire::ping{}};
}

void match_player::transmit(request& which, time_point now) {
  which.id = next_id_++;
  which.due = now + request_deadline;
  if (which.what == kind::command) ++command_->sends;
  wire::client_frame frame = frame_of(which.what);
  frame.id = which.id;
  out_.send(wire::encode(wire::encoding::msgpack, frame));
}

// ---- frames

void match_player::receive(std::string_view frame, time_point now) {
  const std::string_view type = fields::text(fields::find(frame, "t"));
  if (type == "table.events") return receive_events(frame, now);
  if (type == "ok") return receive_ok(fields::number(fields::find(frame, "re")), frame, now);
  if (type == "error") return receive_error(frame, now);
  if (type == "lobby.matched") return receive_matched(frame, now);
  if (type == "table.view") return receive_view(frame, now);
  if (type == "table.gone" && phase_ >= phase::seated &&
      fields::id(fields::find(frame, "table")) == table_)
    return finish("gone", {});
  if (type == "lobby.left" && phase_ == phase::queued) {
    phase_ = phase::idle;
    return out_.refused("join", {std::string{fields::text(fields::find(frame, "reason"))},
                                 "The lobby could not seat you."});
  }
  out_.pushed(type, frame);
}

void match_player::receive_ok(std::uint64_t re, std::string_view frame, time_point now) {
  const kind what = kind_of(re);
  if (what == kind::none) return out_.pushed("ok", frame);
  if (what == kind::command) return answer_command(fields::number(fields::find(frame, "seq")));
  if (what != kind::ready && what != kind::open) return forget(what);
  // Known to the table's memory only. Should it come back from its journal without us noticing, it
  // waits for this again.
  put_off(what, now + repeat_step_every);
}

void match_player::put_off(kind what, time_point until) {
  for (request& each : requests_) {
    if (each.what != what) continue;
    each.id = 0;
    each.due = until;
  }
}

void match_player::receive_error(std::string_view frame, time_point now) {
  const problem why{std::string{fields::text(fields::find(frame, "code"))},
                    std::string{fields::text(fields::find(frame, "message"))}};
  const auto retry_ms = fields::number(fields::find(frame, "retry_ms"));
  const kind what = kind_of(fields::number(fields::find(frame, "re")));
  if (what == kind::none) return out_.refused("connection", why);
  const bool crowded = what == kind::join && why.code == "too_many_tickets";
  if (crowded) want(kind::leave, now);  // tickets of connections before this one
  if (crowded || retry_ms > 0 || holds(retried, why.code)) {
    put_off(what,
            now + std::clamp(std::chrono::milliseconds{retry_ms}, resend_least, retry_after_max));
    if (what != kind::command || command_->sends < resends_max) return;
  }
  forget(what);
  if (what == kind::command) {
    // The number stays for the next command: a refused one used none.
    if (holds(spent, why.code)) ++next_command_;
    command_.reset();
  }
  if (what == kind::join) phase_ = phase::idle;
  out_.refused(what == kind::join ? "join" : what == kind::command ? "command" : "table", why);
  if (what == kind::watch && phase_ >= phase::seated) finish("gone", {});
}

void match_player::receive_matched(std::string_view frame, time_point now) {
  const uuid table = fields::id(fields::find(frame, "table"));
  if (phase_ >= phase::seated || table.is_nil())
    return;  // one match at a time; the other one expires
  forget(kind::join);
  seat_at(table, now);
  out_.matched(frame);
}

void match_player::seat_at(const uuid& table, time_point) {
  phase_ = phase::seated;
  table_ = table;
  epoch_ = seq_ = head_ = 0;
  seat_ = 0xFF;
  next_command_ = 1;
  locked_ = false;
  command_.reset();
  commit_.clear();
  choose_seed();
}

void match_player::choose_seed() {
  seed_ = options_.seed;
  if (seed_.empty()) {
    seed_.resize(generated_seed_bytes);
    randombytes_buf(seed_.data(), seed_.size());
  }
  randombytes_buf(salt_.data(), salt_.size());
}

void match_player::answer_command(std::uint64_t seq) {
  forget(kind::command);
  if (!command_) return;
  const command done = std::move(*command_);
  command_.reset();
  next_command_ = done.number + 1;
  out_.acknowledged(done.number, seq, done.first_sent);
}

void match_player::finish(std::string_view how, std::string_view event) {
  phase_ = phase::idle;
  command_.reset();
  requests_.clear();
  out_.over(how, event);
}

}  // namespace baraza::client
