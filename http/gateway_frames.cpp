#include "http/gateway_frames.hpp"

#include "http/msgpack.hpp"

namespace baraza::http {
namespace {

shared_frame share(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

void put(std::string& out, std::string_view key, std::uint64_t value) {
  pack::put_text(out, key);
  pack::put_unsigned(out, value);
}

}  // namespace

std::string events_fields(const uuid& table, std::uint64_t epoch, std::uint64_t prev,
                          std::uint64_t seq, std::string_view events) {
  std::string out;
  out.reserve(events.size() + 96);
  pack::put_text(out, "table");
  pack::put_text(out, table.to_string());
  put(out, "epoch", epoch);
  put(out, "prev", prev);
  put(out, "seq", seq);
  pack::put_text(out, "events");
  out.append(events);
  return out;
}

shared_frame view_frame(const uuid& table, std::uint64_t asked_seq, std::uint64_t re,
                        const actors::table_view& view) {
  if (view.events_only) {
    const auto fields = events_fields(table, view.epoch, asked_seq, view.seq, view.body);
    return share(re != 0 ? wire::push_frame_re("table.events", re, events_field_count, fields)
                         : wire::push_frame("table.events", events_field_count, fields));
  }
  std::string out;
  out.reserve(view.body.size() + 96);
  pack::put_text(out, "table");
  pack::put_text(out, table.to_string());
  put(out, "epoch", view.epoch);
  put(out, "seq", view.seq);
  pack::put_text(out, "seat");
  if (view.seat == 0xFF)
    pack::put_nil(out);
  else
    pack::put_unsigned(out, view.seat);
  pack::put_text(out, "view");
  out.append(view.body);
  return share(re != 0 ? wire::push_frame_re("table.view", re, 5, out)
                       : wire::push_frame("table.view", 5, out));
}

shared_frame answer_frame(std::uint64_t re, const actors::answer& what) {
  if (const auto* yes = std::get_if<actors::accepted>(&what)) {
    std::string fields;
    if (yes->seq != 0) put(fields, "seq", yes->seq);
    return share(wire::ok_frame(re, yes->seq != 0 ? 1 : 0, fields));
  }
  if (const auto* no = std::get_if<actors::refused>(&what))
    return share(wire::error_frame(re, no->code, no->message, no->retry_ms));
  if (const auto* wallet = std::get_if<actors::wallet_state>(&what)) {
    std::string fields;
    pack::put_text(fields, "currency");
    pack::put_text(fields, storage::to_string(wallet->money));
    pack::put_text(fields, "balance");
    pack::put_signed(fields, wallet->balance);
    pack::put_text(fields, "available");
    pack::put_signed(fields, wallet->available);
    put(fields, "version", wallet->version);
    return share(wire::ok_frame(re, 4, fields));
  }
  return share(wire::ok_frame(re));
}

shared_frame gone_frame(const uuid& table, const actors::refused& why) {
  std::string fields;
  pack::put_text(fields, "table");
  pack::put_text(fields, table.to_string());
  pack::put_text(fields, "code");
  pack::put_text(fields, why.code);
  pack::put_text(fields, "message");
  pack::put_text(fields, why.message);
  return share(wire::push_frame("table.gone", 3, fields));
}

shared_frame pause_frame(const uuid& table, bool is_paused) {
  std::string fields;
  pack::put_text(fields, "table");
  pack::put_text(fields, table.to_string());
  return share(wire::push_frame(is_paused ? "table.paused" : "table.resumed", 1, fields));
}

shared_frame going_away_frame(std::uint32_t retry_ms) {
  std::string fields;
  put(fields, "retry_ms", retry_ms);
  return share(wire::push_frame("going_away", 1, fields));
}

}  // namespace baraza::http
