// How answers and pushes of entities become frames of the player protocol.
#pragma once

#include <memory>
#include <string>

#include "actors/messages.hpp"
#include "http/wire.hpp"

namespace baraza::http {

using shared_frame = std::shared_ptr<const std::string>;

/// Fields of "table.events" (a MessagePack map body of 5 pairs): written once per variant of a
/// push.
std::string events_fields(const uuid& table, std::uint64_t epoch, std::uint64_t prev,
                          std::uint64_t seq, std::string_view events);
inline constexpr std::uint32_t events_field_count = 5;

/// A table_view answer: a view, or the events missed. `re` 0: nobody asked (the edge did).
shared_frame view_frame(const uuid& table, std::uint64_t asked_seq, std::uint64_t re,
                        const actors::table_view& view);
/// Every other answer to the request `re` of a session.
shared_frame answer_frame(std::uint64_t re, const actors::answer& what);
/// "table.paused" and "table.resumed": the table's node cannot be reached for a moment; what was
/// acknowledged is kept, and its clocks stand.
shared_frame pause_frame(const uuid& table, bool is_paused);
/// "table.gone": this connection watches the table no longer, and why.
shared_frame gone_frame(const uuid& table, const actors::refused& why);
/// "going_away": this edge stops; come back, to any edge, after `retry_ms`.
shared_frame going_away_frame(std::uint32_t retry_ms);

}  // namespace baraza::http
