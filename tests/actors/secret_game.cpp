#include "secret_game.hpp"

#include <array>
#include <stdexcept>

#include "actors/games/codec.hpp"

namespace baraza::test {
namespace {

using namespace games;

struct secret_options {
  std::uint8_t steps = 3;
  static void fields(auto& field, auto& self) { field.optional("steps", self.steps); }
};

struct secret_state {
  std::uint8_t steps = 3;
  std::array<std::uint8_t, 2> done{}, card{};
  std::uint8_t over = 0;  // 1 seat 0 won, 2 seat 1 won, 3 tie
  std::uint8_t forfeit = 0;
  std::uint32_t number = 0;
  static void fields(auto& field, auto& self) {
    field("steps", self.steps);
    field("done", self.done);
    field("card", self.card);
    field("over", self.over);
    field("forfeit", self.forfeit);
    field("number", self.number);
  }
};

struct secret_event {
  std::string kind;  // step, peek, broken, end
  std::uint8_t seat = 0, value = 0;
  static void fields(auto& field, auto& self) {
    field("kind", self.kind);
    field("seat", self.seat);
    field("value", self.value);
  }
};

struct secret_screen {
  std::array<std::uint8_t, 2> done{};
  std::uint8_t card = 0;
  std::uint32_t awaited = 0;
  static void fields(auto& field, auto& self) {
    field("done", self.done);
    field("card", self.card);
    field("awaited", self.awaited);
  }
};

class secret_match final : public match {
 public:
  explicit secret_match(secret_state s) : s_{s} {}
  decision decide(seat_index seat, std::string_view command, millis) const override {
    if (command == "t") throw std::runtime_error{"decide throws"};
    if (command == "e") return events{};
    if (command == "p") return events{bytes({"peek", seat, s_.card[seat]})};
    if (command == "x") return events{bytes({"broken", seat, 0})};
    if (command == "y") return events{bytes({"snapped", seat, 0})};
    if (command == "z") return events{bytes({"zapped", seat, 0})};
    if (command == "v") return events{bytes({"veiled", seat, 0})};
    if (command == "r") return events{bytes({"end", seat, 4})};
    if (command == "q") return events{bytes({"end", seat, 5})};
    if (command == "w") return events{bytes({"end", seat, static_cast<std::uint8_t>(seat + 1)})};
    if (command == "d") return events{bytes({"end", seat, 3})};
    if ((whose_turn().seats >> seat & 1) == 0) return refusal{"not_your_turn", "Wait."};
    if (command == "2")
      return events{bytes({"peek", seat, s_.card[seat]}), bytes({"step", seat, 0})};
    if (command == "s") return events{bytes({"step", seat, 0})};
    return refusal{"bad_command", "No such letter."};
  }
  void evolve(std::string_view event) override {
    const auto e = codec::decode<secret_event>(event);
    if (!e) throw cannot_fold{"no secret event"};
    if (e->kind == "broken") {
      if (refolding) throw cannot_fold{"this event breaks the fold"};
    } else if (e->kind == "snapped") {
      if (refolding) throw std::out_of_range{"as a bug of the rules would"};
    } else if (e->kind == "zapped") {
      throw std::out_of_range{"evolve fails at what decide has accepted"};
    } else if (e->kind == "step") {
      ++s_.done[e->seat];
      if (s_.done[0] == s_.done[1]) ++s_.number;
      if (s_.done[0] >= s_.steps && s_.done[1] >= s_.steps)
        s_.over = s_.card[0] == s_.card[1] ? 3 : s_.card[0] > s_.card[1] ? 1 : 2;
    } else if (e->kind == "end") {
      s_.over = e->value;
    } else if (e->kind == "late") {
      s_.over = e->value;
      s_.forfeit = 1;
    }
  }
  events on_timeout(std::uint32_t late, millis) const override {
    const std::uint8_t result = late == 3 ? 3 : late == 1 ? 2 : 1;
    return {bytes({"late", 0, result})};
  }
  events on_forfeit(seat_index seat, millis) const override {
    return {bytes({"late", seat, static_cast<std::uint8_t>(2 - seat)})};
  }
  turn whose_turn() const override {
    if (s_.over != 0) return {};
    std::uint32_t mask = 0;
    for (int i = 0; i < 2; ++i)
      if (s_.done[i] <= s_.number && s_.done[i] < s_.steps) mask |= 1u << i;
    return {mask, s_.number, secret_turn_ms};
  }
  std::optional<outcome> result() const override {
    if (s_.over == 0) return std::nullopt;
    if (s_.over == 4) throw std::logic_error{"result throws"};
    if (s_.over == 5) return outcome{{0, 0, 7}, "odd"};  // cannot be settled
    const std::string reason = s_.forfeit != 0 ? "forfeit" : "won";
    if (s_.over == 3) return outcome{{1, 1}, "tie"};
    return outcome{{s_.over == 1 ? 1u : 0u, s_.over == 2 ? 1u : 0u}, reason};
  }
  std::string view(seat_index seat) const override {
    secret_screen screen{s_.done, 0, whose_turn().seats};
    if (seat < 2) screen.card = s_.card[seat];
    return codec::encode(screen);
  }
  std::optional<std::string> visible(std::string_view event, seat_index seat) const override {
    const auto e = codec::decode<secret_event>(event);
    if (e->kind == "veiled") throw std::logic_error{"visible throws"};
    if (e->kind == "peek" && e->seat != seat) return std::nullopt;
    return std::string{event};
  }
  std::string snapshot() const override { return codec::encode(s_); }

  static inline thread_local bool refolding = false;

 private:
  static std::string bytes(secret_event e) { return codec::encode(e); }
  secret_state s_;
};

class secret_rules final : public rules {
 public:
  std::string_view name() const override { return "secret"; }
  std::uint32_t version() const override { return 1; }
  std::uint8_t seats_min() const override { return 2; }
  std::uint8_t seats_max() const override { return 2; }
  std::variant<std::string, refusal> check_options(std::string_view options) const override {
    secret_options o;
    if (!options.empty()) {
      const auto read = codec::decode<secret_options>(options);
      if (!read || read->steps == 0 || read->steps > 100)
        return refusal{"bad_options", "steps is 1 to 100"};
      o = *read;
    }
    return codec::encode(o);
  }
  std::unique_ptr<match> create(const match_setup& setup) const override {
    secret_state s;
    s.steps = codec::decode<secret_options>(setup.options)->steps;
    fair::stream cards{setup.seeds, 0};
    for (auto& card : s.card) card = static_cast<std::uint8_t>(100 + cards.below(100));
    return std::make_unique<secret_match>(s);
  }
  std::unique_ptr<match> restore(const match_setup&, std::string_view snapshot) const override {
    const auto s = codec::decode<secret_state>(snapshot);
    if (!s) throw cannot_fold{"no secret snapshot"};
    return std::make_unique<secret_match>(*s);
  }
  std::optional<std::string> bot_command(std::string_view view, seat_index seat) const override {
    const auto screen = codec::decode<secret_screen>(view);
    if (!screen || (screen->awaited >> seat & 1) == 0) return std::nullopt;
    return "s";
  }
  std::vector<std::string> sample_commands() const override { return {"s"}; }
};

}  // namespace

const games::rules* find_secret(std::string_view name) {
  static const secret_rules the_rules;
  return name == "secret" ? &the_rules : games::find(name);
}

void set_refolding(bool on) { secret_match::refolding = on; }

}  // namespace baraza::test
