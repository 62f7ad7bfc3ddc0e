#include "players.hpp"

#include "secret_game.hpp"

namespace baraza::test {

using namespace actors;

std::array<std::uint8_t, 32> player::hash() const {
  return fair::client_commitment(seed, {reinterpret_cast<const char*>(salt.data()), salt.size()});
}

player make_player(std::mt19937_64& random) {
  player out;
  for (auto& byte : out.key.bytes) byte = static_cast<std::uint8_t>(random());
  for (auto& byte : out.salt) byte = static_cast<std::uint8_t>(random());
  out.seed = "seed " + std::to_string(random());
  return out;
}

bool is_accepted(const answer& what) { return std::holds_alternative<accepted>(what); }
std::string code_of(const answer& what) {
  const auto* why = std::get_if<refused>(&what);
  return why ? why->code : "";
}

duel::duel(world& where, std::string game, std::int64_t stake, std::string options)
    : w{where}, one{make_player(where.random)}, two{make_player(where.random)} {
  w.table_options.find_game = &find_secret;
  w.lobby_options.find_game = &find_secret;
  for (auto& byte : match.bytes) byte = static_cast<std::uint8_t>(w.random());
  const auto at = w.now();
  for (int i = 0; i < 6; ++i)
    match.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(at >> (40 - 8 * i));
  terms = {std::move(game),
           std::move(options),
           stake,
           storage::currency::demo,
           {{one.key, "Asha"}, {two.key, "Baraka"}}};
}

answer duel::create() { return w.ask(table(), terms); }
answer duel::ready(int i) { return w.ask(table(), table_ready{seat(i).key, seat(i).hash()}); }
answer duel::open(int i) {
  return w.ask(table(), table_open{seat(i).key, seat(i).seed, seat(i).salt});
}
answer duel::act(int i, std::string action) {
  return act_as(i, std::move(action), ++seat(i).counter);
}
answer duel::act_as(int i, std::string action, std::uint64_t counter) {
  return w.ask(table(), table_act{seat(i).key, counter, std::move(action)});
}

look duel::view(const uuid& who) {
  const auto got = w.ask(table(), table_watch{who, 0, 0});
  const auto* view = std::get_if<table_view>(&got);
  return view && !view->events_only ? look{view->body} : look{};
}

void duel::reach_opening() {
  if (!is_accepted(create()) || !is_accepted(ready(0)) || !is_accepted(ready(1)))
    throw std::runtime_error{"no opening"};
}
void duel::reach_buying() {
  reach_opening();
  if (!is_accepted(open(0)) || !is_accepted(open(1))) throw std::runtime_error{"no lock"};
}
void duel::reach_play() {
  reach_buying();
  if (!w.run_until([&] { return phase() == "playing"; }, 10'000))
    throw std::runtime_error{"no play"};
}

bool duel::is_over() const { return escrow() != nullptr && escrow()->closed; }

bool duel::tick(int i) {
  auto& who = seat(i);
  const auto got = w.ask(table(), table_watch{who.key, 0, 0});
  const auto* seen = std::get_if<table_view>(&got);
  if (seen == nullptr) return false;
  const look view{seen->body};
  const auto phase = view["phase"].text();
  const auto send = [&](request what) {
    if (w.random() % 8 != 0)
      w.send(table(), what);  // some are lost on the way; the next tick sends again
    if (w.random() % 8 == 0) w.send(table(), std::move(what));
  };
  if (phase == "ready") send(table_ready{who.key, who.hash()});
  if (phase == "opening") send(table_open{who.key, who.seed, who.salt});
  if (phase == "playing") {
    const auto last = static_cast<std::uint64_t>(view["last_command"].number());
    const auto command =
        find_secret(terms.game)
            ->bot_command(view["state"].bytes(), static_cast<games::seat_index>(i));
    if (command) send(table_act{who.key, who.counter = last + 1, *command});
  }
  return phase == "ended" || phase == "voided" || phase == "aborted";
}

bool duel::play_out(millis time) {
  const auto end = w.now() + time;
  while (w.now() < end) {
    const bool first = tick(0), second = tick(1);
    if (first && second) return true;
    w.run_for(100);
  }
  return false;
}

}  // namespace baraza::test
