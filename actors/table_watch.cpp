// Watching: what a session or an edge missed, or a fresh view.
#include "actors/table_entity.hpp"

namespace baraza::actors {

using table_event::no_seat;

bool table::is_recent(std::uint64_t seq) const {
  return seq == state_.seq ||
         (seq < state_.seq && !recent_.empty() && recent_.front().seq <= seq + 1);
}

const public_event* table::after(std::uint64_t seq, std::size_t& count) const {
  count = state_.seq - seq;
  return recent_.data() + (recent_.size() - count);
}

void table::watch(const table_watch& what, const reply_to& from, context& ctx) {
  const auto seat = what.player.is_nil() ? no_seat : state_.seat_of(what.player);
  table_view out{ctx.epoch(), state_.seq, seat, false, {}};
  try {
    if (what.seq != 0 && is_recent(what.seq)) {
      std::size_t count = 0;
      const auto* first = after(what.seq, count);
      out.events_only = true;
      out.body = body_for(seat, first, count);
    } else {
      out.body = view_of(state_, seat, seats_now(), ctx.now());
    }
  } catch (const std::exception&) {  // looking changes nothing: no reason to end the actor
    return refuse(ctx, from, "internal", "The table cannot be shown; the match goes on.");
  }
  ctx.reply(from, std::move(out));
}

void table::renew(const table_renew& what, const reply_to& from, context& ctx) {
  if (from.edge == 0 || what.seq == state_.seq) return;
  // Too old, or beyond our head (the edge believes what never became durable): its sessions ask for
  // a view.
  if (!is_recent(what.seq)) return ctx.push_to(from.edge, table_restarted{state_.match});
  std::size_t count = 0;
  const auto* first = after(what.seq, count);
  ctx.push_to(from.edge, table_events{state_.match,
                                      ctx.epoch(),
                                      what.seq,
                                      state_.seq,
                                      bodies_of(state_, first, count),
                                      {},
                                      is_over(state_.now)});
}

}  // namespace baraza::actors
