#include "actors/table_view.hpp"

#include <algorithm>

#include "actors/pack.hpp"

namespace baraza::actors {
namespace {

using namespace pack;
using table_event::no_seat;

std::uint32_t bit_of(std::uint8_t seat) { return seat == no_seat ? spectators_bit : 1u << seat; }
std::uint32_t everybody(const table_state& state) { return state.seat_mask() | spectators_bit; }

void put_seats(std::string& out, std::uint32_t mask) {
  put_array(out, static_cast<std::size_t>(__builtin_popcount(mask)));
  for (std::uint8_t i = 0; i < 32; ++i)
    if (mask >> i & 1) put_uint(out, i);
}

void put_clock(std::string& out, std::uint32_t seats, std::int64_t left_ms) {
  put_text(out, "clock");
  put_map(out, 2);
  put_text(out, "seats");
  put_seats(out, seats);
  put_text(out, "left_ms");
  put_int(out, std::max<std::int64_t>(0, left_ms));
}

void put_id_text(std::string& out, const uuid& id) { put_text(out, id.to_string()); }

void open_map(std::string& out, std::size_t fields, std::uint64_t seq, millis at,
              std::string_view type) {
  put_map(out, 3 + fields);
  put_text(out, "seq");
  put_uint(out, seq);
  put_text(out, "at");
  put_int(out, at);
  put_text(out, "type");
  put_text(out, type);
}

void put_deadline(std::string& out, millis deadline) {
  put_text(out, "deadline");
  put_int(out, deadline);
}

void put_amounts(std::string& out, std::string_view name,
                 const std::vector<std::int64_t>& amounts) {
  put_text(out, name);
  put_array(out, amounts.size());
  for (const auto amount : amounts) put_int(out, amount);
}

void put_seed(std::string& out, const std::optional<fair::bytes32>& seed) {
  put_text(out, "server_seed");
  seed ? put_binary(out, *seed) : put_nil(out);
}

struct shower {
  std::string& out;
  std::uint64_t seq;
  millis at;

  void operator()(const table_event::created& e) const {
    open_map(out, 8, seq, at, "created");
    put_text(out, "game");
    put_text(out, e.game);
    put_text(out, "rules");
    put_uint(out, e.rules_version);
    put_text(out, "options");
    e.options.empty() ? put_map(out, 0) : void(out.append(e.options));
    put_text(out, "stake");
    put_int(out, e.stake);
    put_text(out, "currency");
    put_text(out, storage::to_string(e.money));
    put_text(out, "seats");
    put_array(out, e.seats.size());
    for (const auto& seat : e.seats) {
      put_map(out, 2);
      put_text(out, "player");
      put_id_text(out, seat.player);
      put_text(out, "display");
      put_text(out, seat.display);
    }
    put_text(out, "commit");
    put_binary(out, e.commit);
    put_deadline(out, e.deadline);
  }
  void operator()(const table_event::hashes& e) const {
    open_map(out, 2, seq, at, "hashes");
    put_text(out, "hashes");
    put_array(out, e.list.size());
    for (const auto& hash : e.list) put_binary(out, hash);
    put_deadline(out, e.deadline);
  }
  void operator()(const table_event::locked& e) const {
    open_map(out, 2, seq, at, "locked");
    put_text(out, "seeds");
    put_array(out, e.seeds.size());
    for (const auto& opened : e.seeds) {
      put_map(out, 2);
      put_text(out, "seed");
      put_binary(out, opened.seed);
      put_text(out, "salt");
      put_binary(out, opened.salt);
    }
    put_deadline(out, e.deadline);
  }
  void operator()(const table_event::started&) const { open_map(out, 0, seq, at, "started"); }
  void operator()(const table_event::game&) const {}  // show_game
  void operator()(const table_event::clock& e) const {
    open_map(out, 1, seq, at, "clock");
    put_clock(out, e.seats, e.left_ms);
  }
  void operator()(const table_event::ended& e) const {
    open_map(out, 5, seq, at, "ended");
    put_text(out, "reason");
    put_text(out, e.reason);
    put_text(out, "weights");
    put_array(out, e.weights.size());
    for (const auto weight : e.weights) put_uint(out, weight);
    put_amounts(out, "payouts", e.payouts);
    put_text(out, "rake");
    put_int(out, e.rake);
    put_seed(out, e.server_seed);
  }
  void operator()(const table_event::aborted& e) const {
    open_map(out, 3, seq, at, "aborted");
    put_text(out, "reason");
    put_text(out, e.reason);
    put_text(out, "who");
    put_seats(out, e.who);
    put_seed(out, e.server_seed);
  }
  void operator()(const table_event::voided& e) const {
    open_map(out, 4, seq, at, "voided");
    put_text(out, "reason");
    put_text(out, e.reason);
    put_text(out, "who");
    put_seats(out, e.who);
    put_amounts(out, "refunds", e.refunds);
    put_seed(out, e.server_seed);
  }
};

/// A game's own bytes inside our map: only one whole value may stand there.
void put_value(std::string& out, std::string_view value) {
  value.empty() ? put_nil(out) : void(out.append(value));
}

std::string game_map(const table_state& state, std::uint64_t seq, millis at, std::uint8_t seat,
                     std::uint64_t command, std::string_view shown, bool with_clock) {
  std::string out;
  out.reserve(shown.size() + 112);
  const std::size_t fields = 1u + (seat != no_seat) + (command != 0) + with_clock;
  open_map(out, fields, seq, at, "game");
  if (seat != no_seat) {
    put_text(out, "seat");
    put_uint(out, seat);
  }
  if (command != 0) {
    put_text(out, "command");
    put_uint(out, command);
  }
  put_text(out, "game");
  put_value(out, shown);
  if (with_clock) put_clock(out, state.play->whose_turn().seats, state.deadline - at);
  return out;
}

void put_seat_view(std::string& out, const table_state& state, std::size_t i,
                   const volatile_seats& seats) {
  const auto& seat = state.seats[i];
  const bool hashed = state.hashes_seq != 0, opened = state.locked_seq != 0;
  put_map(out, 4u + hashed + 2u * opened);
  put_text(out, "player");
  put_id_text(out, seat.player);
  put_text(out, "display");
  put_text(out, seat.display);
  put_text(out, "ready");
  games::codec::put_bool(out, hashed || (seats.ready >> i & 1) != 0);
  put_text(out, "open");
  games::codec::put_bool(out, opened || (seats.open >> i & 1) != 0);
  if (hashed) {
    put_text(out, "hash");
    put_binary(out, seat.hash);
  }
  if (opened) {
    put_text(out, "seed");
    put_binary(out, seat.seed);
    put_text(out, "salt");
    put_binary(out, seat.salt);
  }
}

void put_result(std::string& out, const table_result& result, bool paid_back) {
  put_text(out, "result");
  put_map(out, 5);
  put_text(out, "reason");
  put_text(out, result.reason);
  put_text(out, "who");
  put_seats(out, result.who);
  put_amounts(out, paid_back ? "refunds" : "payouts", result.payouts);
  put_text(out, "rake");
  put_int(out, result.rake);
  put_seed(out, result.server_seed);
}

}  // namespace

std::size_t public_event::bytes() const {
  std::size_t sum = 0;
  for (const auto& variant : variants) sum += variant.body.size();
  return sum;
}

public_event show(const table_state& state, std::uint64_t seq, const table_event::stamped& event) {
  public_event out{seq, {}};
  auto& all = out.variants.emplace_back(everybody(state), std::string{});
  all.body.reserve(256);
  std::visit(shower{all.body, seq, event.at}, event.what);
  return out;
}

public_event show_game(const table_state& state, std::uint64_t seq, millis at, std::uint8_t seat,
                       std::uint64_t command, std::string_view body, bool with_clock) {
  public_event out{seq, {}};
  struct group {
    std::uint32_t seats;
    std::string shown;
  };
  std::vector<group> groups;
  const auto add = [&](std::uint8_t who) {
    auto shown = state.play->visible(body, who);
    if (!shown) return;
    for (auto& g : groups)
      if (g.shown == *shown) {
        g.seats |= bit_of(who);
        return;
      }
    groups.push_back({bit_of(who), std::move(*shown)});
  };
  for (std::uint8_t i = 0; i < state.seats.size(); ++i) add(i);
  add(no_seat);
  for (const auto& g : groups)
    out.variants.push_back({g.seats, game_map(state, seq, at, seat, command, g.shown, with_clock)});
  return out;
}

std::string body_for(std::uint8_t seat, const public_event* first, std::size_t count) {
  std::size_t seen = 0, size = 5;
  const auto bit = bit_of(seat);
  const auto each = [&](auto&& use) {
    for (std::size_t i = 0; i < count; ++i)
      for (const auto& variant : first[i].variants)
        if (variant.seats & bit) use(variant.body);
  };
  each([&](const std::string& body) { ++seen, size += body.size(); });
  std::string out;
  out.reserve(size);
  put_array(out, seen);
  each([&](const std::string& body) { out.append(body); });
  return out;
}

std::vector<table_events::variant_body> bodies_of(const table_state& state,
                                                  const public_event* first, std::size_t count) {
  std::vector<table_events::variant_body> out;
  const auto all = everybody(state);
  const bool one = std::all_of(first, first + count, [&](const public_event& e) {
    return e.variants.size() == 1 && e.variants[0].seats == all;
  });
  if (one) {
    out.push_back({all, body_for(no_seat, first, count)});
    return out;
  }
  const auto add = [&](std::uint8_t who) {
    auto body = body_for(who, first, count);
    for (auto& variant : out)
      if (variant.body == body) {
        variant.seats |= bit_of(who);
        return;
      }
    out.push_back({bit_of(who), std::move(body)});
  };
  for (std::uint8_t i = 0; i < state.seats.size(); ++i) add(i);
  add(no_seat);
  return out;
}

std::string view_of(const table_state& state, std::uint8_t seat, const volatile_seats& seats,
                    millis now) {
  std::string out;
  out.reserve(1024);
  const bool seated = seat != no_seat, over = is_over(state.now);
  const bool playing = state.now == phase::playing &&
                       state.play;  // a record of a running match has no game, so no clock
  const bool waits = !over && state.now != phase::playing;
  put_map(out, 10u + playing + 2u * seated + (state.result != nullptr) + waits);
  put_text(out, "game");
  put_text(out, state.game);
  put_text(out, "rules");
  put_uint(out, state.rules_version);
  put_text(out, "options");
  state.options.empty() ? put_map(out, 0) : void(out.append(state.options));
  put_text(out, "stake");
  put_int(out, state.stake);
  put_text(out, "currency");
  put_text(out, storage::to_string(state.money));
  put_text(out, "phase");
  put_text(out, to_string(state.now));
  put_text(out, "commit");
  put_binary(out, state.commit);
  put_text(out, "rake_bp");
  put_uint(out, state.rake_bp);
  put_text(out, "seats");
  put_array(out, state.seats.size());
  for (std::size_t i = 0; i < state.seats.size(); ++i) put_seat_view(out, state, i, seats);
  put_text(out, "state");
  state.play ? put_value(out, state.play->view(seat)) : put_nil(out);
  if (playing) put_clock(out, state.play->whose_turn().seats, state.deadline - now);
  if (waits) put_deadline(out, state.deadline);
  if (seated) {
    put_text(out, "you");
    put_uint(out, seat);
    put_text(out, "last_command");
    put_uint(out, state.last_command(seat));
  }
  if (state.result) put_result(out, *state.result, state.now == phase::voided);
  return out;
}

}  // namespace baraza::actors
