// Every registered game, and nim, which the documentation writes: what must hold for any of them.
#include "tests/games/properties.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "actors/games/payout.hpp"
#include "tests/games/nim/nim.hpp"
#include "tests/games/support.hpp"

using namespace baraza::games;
using test::violation;

namespace {

const hosted<nim::game> nim_rules;

/// GAMES_SEED=<n> runs that seed alone; otherwise many.
template <class Check>
void for_all(const rules& game, Check check, std::uint64_t seeds) {
  const char* chosen = std::getenv("GAMES_SEED");
  const std::uint64_t first = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 1;
  const std::uint64_t last = chosen != nullptr ? first : seeds;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const violation found = check(game, seed);
    INFO(game.name() << ", GAMES_SEED=" << seed << ": " << found.value_or(""));
    REQUIRE_FALSE(found);
  }
}

void for_all_games(violation (*check)(const rules&, std::uint64_t), std::uint64_t seeds) {
  const scoped_registration with_nim{nim_rules};
  REQUIRE(registered().size() >= 2);
  for (const auto* game : registered()) for_all(*game, check, seeds);
}

enum class fault { leaks, loses_pot, never_ends, ignores_snapshot, throws_on_bytes, hides_cause };

/// A duel with one fault.
class broken_match final : public match {
 public:
  broken_match(std::unique_ptr<match> sound, fault what, std::uint8_t secret)
      : sound_{std::move(sound)}, what_{what}, secret_{secret} {}
  decision decide(seat_index seat, std::string_view command, millis now) const override {
    if (what_ == fault::throws_on_bytes && command.empty())
      throw std::out_of_range{"no first byte"};
    return sound_->decide(seat, command, now);
  }
  void evolve(std::string_view event) override {
    if (what_ != fault::never_ends) sound_->evolve(event);
  }
  events on_timeout(std::uint32_t late, millis now) const override {
    return sound_->on_timeout(late, now);
  }
  events on_forfeit(seat_index seat, millis now) const override {
    return sound_->on_forfeit(seat, now);
  }
  turn whose_turn() const override { return sound_->whose_turn(); }
  std::optional<outcome> result() const override {
    auto end = sound_->result();
    if (end && what_ == fault::loses_pot) end->weights.assign(2, 0);
    return end;
  }
  std::string view(seat_index seat) const override {
    auto shown = sound_->view(seat);
    if (what_ == fault::leaks) shown.push_back(static_cast<char>(secret_));
    return shown;
  }
  std::optional<std::string> visible(std::string_view event, seat_index seat) const override {
    return sound_->visible(event, seat);
  }
  std::string snapshot() const override { return sound_->snapshot(); }
  std::optional<cause> cause_of(std::string_view event) const override {
    if (what_ == fault::hides_cause) return std::nullopt;
    return sound_->cause_of(event);
  }

 private:
  std::unique_ptr<match> sound_;
  fault what_;
  std::uint8_t secret_;
};

class broken_rules final : public rules {
 public:
  explicit broken_rules(fault what) : what_{what} {}
  std::string_view name() const override { return "broken"; }
  std::uint32_t version() const override { return 1; }
  std::uint8_t seats_min() const override { return 2; }
  std::uint8_t seats_max() const override { return 2; }
  std::variant<std::string, refusal> check_options(std::string_view options) const override {
    return sound_.check_options(options);
  }
  std::unique_ptr<match> create(const match_setup& setup) const override {
    return wrap(setup, sound_.create(setup));
  }
  std::unique_ptr<match> restore(const match_setup& setup,
                                 std::string_view snapshot) const override {
    if (what_ == fault::ignores_snapshot) return create(setup);
    return wrap(setup, sound_.restore(setup, snapshot));
  }
  std::optional<std::string> bot_command(std::string_view view, seat_index seat) const override {
    return sound_.bot_command(view, seat);
  }
  std::vector<std::string> sample_commands() const override { return sound_.sample_commands(); }

 private:
  std::unique_ptr<match> wrap(const match_setup& setup, std::unique_ptr<match> m) const {
    return std::make_unique<broken_match>(std::move(m), what_, setup.seeds.server[0]);
  }
  const rules& sound_ = *find("draw");
  fault what_;
};

bool is_found(fault what, violation (*check)(const rules&, std::uint64_t)) {
  const broken_rules game{what};
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    if (check(game, seed)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a replay is bit-exact, from the start and from every snapshot") {
  for_all_games(test::check_replay, 300);
}
TEST_CASE("a view tells no more than the events that its seat may see") {
  for_all_games(test::check_secrecy, 300);
}
TEST_CASE("every outcome shares out the whole pot") { for_all_games(test::check_money, 300); }
TEST_CASE("time-outs alone end every match") { for_all_games(test::check_time_outs, 300); }
TEST_CASE("any bytes are refused or accepted, and nothing else happens") {
  for_all_games(test::check_any_bytes, 300);
}
TEST_CASE("somebody is awaited exactly until the match is over") {
  for_all_games(test::check_turns, 300);
}
TEST_CASE("every event tells what caused it") { for_all_games(test::check_causes, 300); }
TEST_CASE("bots finish a match by themselves") { for_all_games(test::check_bots, 300); }

TEST_CASE("the properties find a game that is broken") {
  CHECK(is_found(fault::leaks, test::check_secrecy));
  CHECK(is_found(fault::loses_pot, test::check_money));
  CHECK(is_found(fault::never_ends, test::check_time_outs));
  CHECK(is_found(fault::ignores_snapshot, test::check_replay));
  CHECK(is_found(fault::throws_on_bytes, [](const rules& game, std::uint64_t seed) {
    return test::check_any_bytes(game, seed);
  }));
  CHECK(is_found(fault::hides_cause, test::check_causes));
}

TEST_CASE("a registration lasts as long as its object, and names are unique") {
  REQUIRE(find("nim") == nullptr);
  {
    const scoped_registration with_nim{nim_rules};
    CHECK(find("nim") == &nim_rules);
    CHECK_THROWS_AS(scoped_registration{nim_rules}, std::invalid_argument);
  }
  CHECK(find("nim") == nullptr);
}

TEST_CASE("the documentation shows nim as it is") {
  const auto content = [](const char* path) {
    std::ifstream in{std::string{BARAZA_SOURCE_ROOT} + path};
    return std::string{std::istreambuf_iterator<char>{in}, {}};
  };
  const auto nim = content("/tests/games/nim/nim.hpp");
  REQUIRE(nim.size() > 1000);
  CHECK(content("/docs/writing-a-game.md").find(nim) != std::string::npos);
}

TEST_CASE("in nim the players alternate and take one to three stones") {
  const auto m = nim_rules.create(test::setup_of(nim_rules, 1));
  const auto code = [&](seat_index seat, std::uint32_t stones) {
    const auto made = m->decide(seat, codec::encode_case("do", nim::command{nim::take{stones}}), 0);
    if (const auto* why = std::get_if<refusal>(&made)) return why->code;
    test::fold(*m, std::get<events>(made));
    return std::string_view{"accepted"};
  };
  CHECK(code(1, 1) == "not_your_turn");
  CHECK(code(0, 0) == "bad_count");
  CHECK(code(0, 4) == "bad_count");
  for (const seat_index seat : {0, 1, 0, 1, 0, 1}) CHECK(code(seat, 3) == "accepted");
  CHECK(code(0, 1) == "accepted");
  CHECK(code(1, 3) == "bad_count");
  CHECK(code(1, 2) == "accepted");
  CHECK(m->result()->weights == std::vector<std::uint32_t>{0, 1});
  CHECK(code(0, 1) == "match_over");
}
