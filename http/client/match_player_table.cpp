// The journal of the table as it arrives: pushes, what was missed, views. The other half is
// match_player.cpp.
#include <algorithm>

#include "http/client/fields.hpp"
#include "http/client/limits.hpp"
#include "http/client/match_player.hpp"

namespace baraza::client {
namespace {

table_event read_event(std::string_view bytes) {
  return {fields::number(fields::find(bytes, "seq")),
          fields::signed_number(fields::find(bytes, "at")),
          fields::text(fields::find(bytes, "type")), bytes};
}

bool ends_match(std::string_view type) {
  return type == "ended" || type == "aborted" || type == "voided";
}

/// Hashes travel as byte strings; a JSON server's hexadecimal stays as it is.
std::string hex(std::string_view bytes) {
  return bytes.size() == 32 ? fair::to_hex(bytes) : std::string{bytes};
}

}  // namespace

void match_player::receive_events(std::string_view frame, time_point now) {
  const std::uint64_t re = fields::number(fields::find(frame, "re"));
  const kind answered = kind_of(re);
  const std::uint64_t prev = fields::number(fields::find(frame, "prev"));
  const std::uint64_t seq = fields::number(fields::find(frame, "seq"));
  const std::uint64_t epoch = fields::number(fields::find(frame, "epoch"));
  const bool ours = phase_ >= phase::seated && fields::id(fields::find(frame, "table")) == table_;
  if (answered == kind::watch) forget(kind::watch);
  // Only after the commit does a push say whose command it answers: durable, even if we cannot fold
  // it yet.
  if (answered == kind::command) answer_command(seq);
  if (answered == kind::ready || answered == kind::open) forget(answered);  // it completed the list
  if (!ours || epoch < epoch_ || seq <= seq_) return;
  if (prev > seq_) {
    // Something is missing. A watch under way answers from our seq on; what this push says comes
    // with it or, if it was computed earlier, is asked for when the head turns out to lie further.
    ++gaps_;
    head_ = std::max(head_, seq);
    want(kind::watch, now);
    return;
  }
  epoch_ = epoch;
  const uuid table = table_;
  fields::elements(fields::find(frame, "events"), [&](std::string_view bytes) {
    const table_event event = read_event(bytes);
    if (phase_ < phase::seated || table_ != table || event.seq <= seq_) return;
    seq_ = event.seq;
    apply(event, now);
  });
  if (phase_ < phase::seated || table_ != table) return;  // over, perhaps already in the next match
  seq_ = std::max(seq_, seq);  // events hidden from this seat use up their seq too
  if (seq_ < head_) want(kind::watch, now);
}

void match_player::receive_view(std::string_view frame, time_point now) {
  const kind answered = kind_of(fields::number(fields::find(frame, "re")));
  if (answered == kind::watch) forget(kind::watch);
  if (phase_ < phase::seated || fields::id(fields::find(frame, "table")) != table_) return;
  const std::uint64_t seq = fields::number(fields::find(frame, "seq"));
  const std::uint64_t epoch = fields::number(fields::find(frame, "epoch"));
  if (epoch < epoch_ || seq < seq_) return;
  if (seq == seq_ && seq != 0) return;  // nothing new
  epoch_ = epoch;
  seq_ = seq;
  apply_view(fields::find(frame, "view"), now);
}

void match_player::apply_view(std::string_view view, time_point now) {
  const std::string_view where = fields::text(fields::find(view, "phase"));
  if (commit_.empty()) commit_ = hex(fields::text(fields::find(view, "commit")));
  seat_ = static_cast<std::uint8_t>(fields::number(fields::find(view, "you"), seat_));
  // Commands of an earlier process of ours: go on after the last one the journal holds.
  const auto last = fields::number(fields::find(view, "last_command"));
  if (!command_ && last >= next_command_) next_command_ = last + 1;
  if (where == "ready") {
    phase_ = phase::seated;
    want(kind::ready, now);
  } else if (where == "opening") {
    phase_ = phase::opened;
    forget(kind::ready);
    want(kind::open, now);
  } else if (where == "buying") {
    phase_ = phase::opened;
    locked_ = true;
    forget(kind::ready);
    forget(kind::open);
  } else if (where == "playing") {
    phase_ = phase::playing;
    locked_ = true;
    forget(kind::ready);
    forget(kind::open);
  }
  out_.viewed(view);
  if (ends_match(where)) finish(where, fields::find(view, "result"));
}

/// Which seat is ours, from the list of players.
void match_player::find_seat(std::string_view seats) {
  std::uint8_t index = 0;
  fields::elements(seats, [&](std::string_view seat) {
    if (fields::id(fields::find(seat, "player")) == options_.self) seat_ = index;
    ++index;
  });
}

void match_player::apply(const table_event& event, time_point now) {
  if (event.type == "created") {
    if (commit_.empty()) commit_ = hex(fields::text(fields::find(event.body, "commit")));
    find_seat(fields::find(event.body, "seats"));
    want(kind::ready, now);
  } else if (event.type == "hashes") {
    forget(kind::ready);
    phase_ = phase::opened;
    want(kind::open, now);
  } else if (event.type == "locked") {
    locked_ = true;
    forget(kind::open);
  } else if (event.type == "started") {
    phase_ = phase::playing;
  }
  out_.happened(event);
  if (ends_match(event.type)) finish(event.type, event.body);
}

}  // namespace baraza::client
