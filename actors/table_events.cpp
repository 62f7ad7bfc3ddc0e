#include "actors/table_events.hpp"

#include "actors/limits.hpp"
#include "actors/pack.hpp"

namespace baraza::actors::table_event {
namespace {

using namespace pack;

void open_event(std::string& out, kind which, std::size_t fields, millis at) {
  put_array(out, 2 + fields);
  put_uint(out, static_cast<std::uint64_t>(which));
  put_int(out, at);
}

void write(std::string& out, millis at, const created& e) {
  open_event(out, kind::created, 10, at);
  put_text(out, e.game);
  put_uint(out, e.rules_version);
  put_binary(out, e.options);
  put_int(out, e.stake);
  put_uint(out, static_cast<std::uint64_t>(e.money));
  put_uint(out, e.rake_bp);
  put_array(out, e.seats.size());
  for (const auto& seat : e.seats) {
    put_array(out, 2);
    put_id(out, seat.player);
    put_text(out, seat.display);
  }
  put_binary(out, e.commit);
  put_binary(out, e.sealed);
  put_int(out, e.deadline);
}

void write(std::string& out, millis at, const hashes& e) {
  open_event(out, kind::hashes, 2, at);
  put_array(out, e.list.size());
  for (const auto& hash : e.list) put_binary(out, hash);
  put_int(out, e.deadline);
}

void write(std::string& out, millis at, const locked& e) {
  open_event(out, kind::locked, 3, at);
  put_array(out, e.seeds.size());
  for (const auto& opened : e.seeds) {
    put_array(out, 2);
    put_binary(out, opened.seed);
    put_binary(out, opened.salt);
  }
  put_array(out, e.buy_ins.size());
  for (const auto& id : e.buy_ins) put_id(out, id);
  put_int(out, e.deadline);
}

void write(std::string& out, millis at, const started&) { open_event(out, kind::started, 0, at); }

void write(std::string& out, millis at, const game& e) {
  open_event(out, kind::game, 3, at);
  put_uint(out, e.seat);
  put_uint(out, e.command);
  put_binary(out, e.body);
}

void write(std::string& out, millis at, const clock& e) {
  open_event(out, kind::clock, 2, at);
  put_uint(out, e.seats);
  put_int(out, e.left_ms);
}

void write(std::string& out, millis at, const ended& e) {
  open_event(out, kind::ended, 5, at);
  put_text(out, e.reason);
  put_array(out, e.weights.size());
  for (const auto weight : e.weights) put_uint(out, weight);
  put_array(out, e.payouts.size());
  for (const auto payout : e.payouts) put_int(out, payout);
  put_int(out, e.rake);
  put_binary(out, e.server_seed);
}

void write(std::string& out, millis at, const aborted& e) {
  open_event(out, kind::aborted, 3, at);
  put_text(out, e.reason);
  put_uint(out, e.who);
  put_binary(out, e.server_seed);
}

void write(std::string& out, millis at, const voided& e) {
  open_event(out, kind::voided, 4, at);
  put_text(out, e.reason);
  put_uint(out, e.who);
  put_array(out, e.refunds.size());
  for (const auto refund : e.refunds) put_int(out, refund);
  e.server_seed ? put_binary(out, *e.server_seed) : put_nil(out);
}

std::uint32_t seat_list(unpacker& in) {
  const auto size = in.array(1);
  if (size > seats_max) throw games::cannot_fold{"more seats than a table has"};
  return size;
}

created read_created(unpacker& in) {
  created e;
  e.game = in.text();
  e.rules_version = in.number32();
  e.options = in.binary();
  e.stake = in.integer();
  e.money = static_cast<storage::currency>(in.number32());
  e.rake_bp = in.number32();
  e.seats.resize(seat_list(in));
  for (auto& seat : e.seats) {
    const auto fields = in.array(2);
    seat.player = in.id();
    seat.display = in.text();
    in.skip(fields - 2);
  }
  e.commit = in.fixed<32>();
  e.sealed = in.binary();
  e.deadline = in.integer();
  return e;
}

hashes read_hashes(unpacker& in) {
  hashes e;
  e.list.resize(seat_list(in));
  for (auto& hash : e.list) hash = in.fixed<32>();
  e.deadline = in.integer();
  return e;
}

locked read_locked(unpacker& in) {
  locked e;
  e.seeds.resize(seat_list(in));
  for (auto& opened : e.seeds) {
    const auto fields = in.array(2);
    opened.seed = in.binary();
    opened.salt = in.fixed<16>();
    in.skip(fields - 2);
  }
  e.buy_ins.resize(seat_list(in));
  for (auto& id : e.buy_ins) id = in.id();
  e.deadline = in.integer();
  return e;
}

game read_game(unpacker& in) {
  game e;
  const auto seat = in.number();
  if (seat > seats_max && seat != no_seat) throw games::cannot_fold{"no such seat"};
  e.seat = static_cast<std::uint8_t>(seat);
  e.command = in.number();
  e.body = in.binary();
  return e;
}

clock read_clock(unpacker& in) {
  clock e;
  e.seats = in.number32();
  e.left_ms = static_cast<std::int32_t>(in.number32() & 0x7FFF'FFFF);
  return e;
}

ended read_ended(unpacker& in) {
  ended e;
  e.reason = in.text();
  e.weights.resize(seat_list(in));
  for (auto& weight : e.weights) weight = in.number32();
  e.payouts.resize(seat_list(in));
  for (auto& payout : e.payouts) payout = in.integer();
  e.rake = in.integer();
  e.server_seed = in.fixed<32>();
  return e;
}

aborted read_aborted(unpacker& in) {
  aborted e;
  e.reason = in.text();
  e.who = in.number32();
  e.server_seed = in.fixed<32>();
  return e;
}

voided read_voided(unpacker& in) {
  voided e;
  e.reason = in.text();
  e.who = in.number32();
  e.refunds.resize(in.array());
  if (e.refunds.size() > seats_max) throw games::cannot_fold{"more seats than a table has"};
  for (auto& refund : e.refunds) refund = in.integer();
  if (!in.nil()) e.server_seed = in.fixed<32>();
  return e;
}

any read(kind which, unpacker& in) {
  switch (which) {
    case kind::created:
      return read_created(in);
    case kind::hashes:
      return read_hashes(in);
    case kind::locked:
      return read_locked(in);
    case kind::started:
      return started{};
    case kind::game:
      return read_game(in);
    case kind::clock:
      return read_clock(in);
    case kind::ended:
      return read_ended(in);
    case kind::aborted:
      return read_aborted(in);
    case kind::voided:
      return read_voided(in);
  }
  throw games::cannot_fold{"an event of a kind that this version does not know"};
}

}  // namespace

std::string encode(millis at, const any& what) {
  std::string out;
  out.reserve(256);
  std::visit([&](const auto& e) { write(out, at, e); }, what);
  return out;
}

std::string encode_game(millis at, std::uint8_t seat, std::uint64_t command,
                        std::string_view body) {
  std::string out;
  out.reserve(body.size() + 32);
  write(out, at, game{seat, command, body});
  return out;
}

stamped decode(std::string_view bytes) {
  unpacker in{bytes};
  in.array(2);
  const auto which = in.number();
  if (which > 255) throw games::cannot_fold{"an event of a kind that this version does not know"};
  stamped e;
  e.at = in.integer();
  e.what = read(static_cast<kind>(which), in);
  return e;
}

std::optional<kind> kind_of(std::string_view bytes) {
  games::codec::reader in{bytes};
  std::uint32_t size = 0;
  std::uint64_t which = 0;
  bool negative = false;
  if (!in.array(size) || size < 2 || !in.integer(which, negative) || negative || which > 255)
    return std::nullopt;
  return static_cast<kind>(which);
}

}  // namespace baraza::actors::table_event
