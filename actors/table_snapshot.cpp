// A match's state as bytes: speeds activation up, never replaces the journal.
#include "actors/limits.hpp"
#include "actors/pack.hpp"
#include "actors/table_state.hpp"

namespace baraza::actors {
namespace {

using namespace pack;

constexpr std::uint64_t snapshot_version = 1;
constexpr std::size_t fields = 20;

void put_seat(std::string& out, const seat_state& seat) {
  put_array(out, 6);
  put_id(out, seat.player);
  put_text(out, seat.display);
  put_binary(out, seat.hash);
  put_binary(out, seat.seed);
  put_binary(out, seat.salt);
  put_array(out, seat.commands.size() * 2);
  for (const auto& done : seat.commands) {
    put_uint(out, done.command);
    put_uint(out, done.seq);
  }
}

seat_state read_seat(unpacker& in) {
  const auto size = in.array(6);
  seat_state seat;
  seat.player = in.id();
  seat.display = in.text();
  seat.hash = in.fixed<32>();
  seat.seed = in.binary();
  seat.salt = in.fixed<16>();
  const auto numbers = in.array();
  if (numbers > 2 * repeats_per_seat_max || numbers % 2 != 0)
    throw games::cannot_fold{"too many commands in a snapshot"};
  for (std::uint32_t i = 0; i < numbers; i += 2) {
    accepted_command done;
    done.command = in.number();
    done.seq = in.number();
    seat.commands.push_back(done);
  }
  in.skip(size - 6);
  return seat;
}

void put_result(std::string& out, const table_result* result) {
  if (result == nullptr) return put_nil(out);
  put_array(out, 5);
  put_text(out, result->reason);
  put_uint(out, result->who);
  put_array(out, result->payouts.size());
  for (const auto payout : result->payouts) put_int(out, payout);
  put_int(out, result->rake);
  result->server_seed ? put_binary(out, *result->server_seed) : put_nil(out);
}

std::unique_ptr<table_result> read_result(unpacker& in) {
  if (in.nil()) return nullptr;
  const auto size = in.array(5);
  auto result = std::make_unique<table_result>();
  result->reason = in.text();
  result->who = in.number32();
  const auto payouts = in.array();
  if (payouts > seats_max) throw games::cannot_fold{"more payouts than seats"};
  for (std::uint32_t i = 0; i < payouts; ++i) result->payouts.push_back(in.integer());
  result->rake = in.integer();
  if (!in.nil()) result->server_seed = in.fixed<32>();
  in.skip(size - 5);
  return result;
}

}  // namespace

std::string table_state::snapshot() const {
  std::string out;
  out.reserve(1024);
  put_array(out, fields);
  put_uint(out, snapshot_version);
  put_uint(out, static_cast<std::uint64_t>(now));
  put_uint(out, seq);
  put_int(out, last_at);
  put_text(out, game);
  put_uint(out, rules_version);
  put_binary(out, options);
  put_int(out, stake);
  put_uint(out, static_cast<std::uint64_t>(money));
  put_uint(out, rake_bp);
  put_array(out, seats.size());
  for (const auto& seat : seats) put_seat(out, seat);
  put_binary(out, commit);
  put_binary(out, sealed);
  put_uint(out, hashes_seq);
  put_uint(out, locked_seq);
  put_array(out, buy_ins.size());
  for (const auto& id : buy_ins) put_id(out, id);
  put_int(out, deadline);
  put_uint(out, turn_number);
  play ? put_binary(out, play->snapshot()) : put_nil(out);
  put_result(out, result.get());
  return out;
}

void table_state::restore(std::string_view bytes) {
  unpacker in{bytes};
  in.array(fields);
  expect(in.number() == snapshot_version, "a snapshot of another version");
  const auto at_phase = in.number();
  expect(at_phase <= static_cast<std::uint64_t>(phase::voided), "no such phase");
  now = static_cast<phase>(at_phase);
  seq = in.number();
  last_at = in.integer();
  game = in.text();
  rules_version = in.number32();
  options = in.binary();
  stake = in.integer();
  money = static_cast<storage::currency>(in.number32());
  rake_bp = in.number32();
  seats.clear();
  for (auto left = in.array(); left > 0; --left) {
    expect(seats.size() < seats_max, "more seats than a table has");
    seats.push_back(read_seat(in));
  }
  commit = in.fixed<32>();
  sealed = in.binary();
  hashes_seq = in.number();
  locked_seq = in.number();
  buy_ins.clear();
  for (auto left = in.array(); left > 0; --left) {
    expect(buy_ins.size() < seats_max, "more buy-ins than seats");
    buy_ins.push_back(in.id());
  }
  deadline = in.integer();
  turn_number = in.number32();
  // A voided match may be one whose game cannot be created: its code is not run any more.
  if (now != phase::voided) find_rules();
  if (!in.nil()) {
    const auto played = in.binary();
    if (rules != nullptr) play = rules->restore(setup(), played);
  }
  result = read_result(in);
}

}  // namespace baraza::actors
