// The card draw duel, each accepted command beside its refused neighbours.
#include "actors/games/draw/draw.hpp"

#include "tests/games/support.hpp"

using namespace baraza;
using namespace baraza::games;

namespace {

const std::string draw_it = codec::encode_case("do", draw::command{draw::draw_card{}});

const rules& duel() { return *find("draw"); }

std::string options_of(std::uint8_t best_of) { return codec::encode(draw::options{best_of}); }

std::string_view code_of(const decision& d) {
  const auto* why = std::get_if<refusal>(&d);
  return why != nullptr ? why->code : "accepted";
}

draw::state state_of(const match& m) { return *codec::decode<draw::state>(m.snapshot()); }

void draw_card(match& m, seat_index seat) {
  const auto d = m.decide(seat, draw_it, 0);
  REQUIRE(code_of(d) == "accepted");
  test::fold(m, std::get<events>(d));
}

/// A state in which round 1 is being played, for folds with chosen cards.
draw::state fresh(std::uint8_t best_of) { return draw::create({best_of}, {}); }

void play_round(draw::state& s, std::uint8_t first, std::uint8_t second) {
  evolve(s, draw::drawn{0, first, s.round, s.nonce});
  evolve(s, draw::drawn{1, second, s.round, s.nonce});
}

}  // namespace

TEST_CASE("the draw game is registered") {
  REQUIRE(find("draw") != nullptr);
  CHECK(find("draw")->version() == 1);
  CHECK(find("Draw") == nullptr);
  CHECK(find("") == nullptr);
  CHECK(fairness_id("draw", 1) == "draw-1");
}

TEST_CASE("best of 1, 3, 5 and 7 are playable, 3 is the default, the rest is refused") {
  CHECK(std::get<std::string>(duel().check_options("")) == options_of(3));
  CHECK(std::get<std::string>(duel().check_options("\x80")) == options_of(3));
  for (const int n : {1, 3, 5, 7}) {
    const auto wanted = options_of(static_cast<std::uint8_t>(n));
    CHECK(std::get<std::string>(duel().check_options(wanted)) == wanted);
  }
  for (const int n : {0, 2, 4, 6, 8, 9, 255}) {
    const auto checked = duel().check_options(options_of(static_cast<std::uint8_t>(n)));
    CHECK(std::get<refusal>(checked).code == "bad_best_of");
  }
  const std::vector<std::string> nonsense{
      "x",
      std::string{"\x81\xa7"} + "best_of" + "\xa1" + "3",
      std::string{"\x81\xa5"} + "bestx" + "\x03",
      std::string{"\x82\xa7"} + "best_of" + "\x03\xa7" + "best_of" + "\x05",
      std::string{"\x81\xa7"} + "best_of" + "\xd0\xff",
      options_of(3) + "x",
      std::string(2000, '\x80')};
  for (const auto& bytes : nonsense)
    CHECK(std::get<refusal>(duel().check_options(bytes)).code == "bad_options");
}

TEST_CASE("the cards are the first two of the shuffle that the seeds fix") {
  match_setup setup{1, options_of(7), 2, {}};
  for (std::size_t i = 0; i < 32; ++i) setup.seeds.server[i] = static_cast<std::uint8_t>(i);
  setup.seeds.game_id = "draw-1";
  setup.seeds.clients = {"alice", "bob"};
  const auto m = duel().create(setup);
  draw_card(*m, 0);
  CHECK(state_of(*m).drawn == draw::cards{33, std::nullopt});
  draw_card(*m, 1);
  CHECK(state_of(*m).last == draw::cards{33, 43});  // ranks 7 and 4
  CHECK(state_of(*m).wins == std::array<std::uint8_t, 2>{1, 0});
  draw_card(*m, 1);  // the order in which seats draw changes nothing
  CHECK(state_of(*m).drawn == draw::cards{std::nullopt, 44});
  draw_card(*m, 0);
  CHECK(state_of(*m).last == draw::cards{24, 44});
  CHECK(state_of(*m).nonce == 2);
}

TEST_CASE("a round costs one shuffle, however often it is asked for") {
  const auto m = duel().create(test::setup_of(duel(), 1));
  const auto& counted = dynamic_cast<const hosted_match<draw::game>&>(*m);
  (void)m->decide(0, draw_it, 0);
  (void)m->decide(0, draw_it, 0);
  draw_card(*m, 0);
  draw_card(*m, 1);
  CHECK(counted.shuffles_computed() == 1);
}

TEST_CASE("replaying a journal computes no shuffle") {
  const auto setup = test::setup_of(duel(), 2);
  const auto played = duel().create(setup);
  const auto replayed = duel().create(setup);
  while (!played->result()) {
    for (const seat_index seat : {0, 1}) {
      const auto d = played->decide(seat, draw_it, 0);
      test::fold(*played, std::get<events>(d));
      test::fold(*replayed, std::get<events>(d));
    }
  }
  CHECK(dynamic_cast<const hosted_match<draw::game>&>(*replayed).shuffles_computed() == 0);
  CHECK(replayed->snapshot() == played->snapshot());
}

TEST_CASE("a player cannot draw twice in a round, draw for nobody, or draw after the end") {
  const auto m = duel().create(test::setup_of(duel(), 3));
  CHECK(code_of(m->decide(0, draw_it, 0)) == "accepted");
  draw_card(*m, 0);
  CHECK(code_of(m->decide(0, draw_it, 0)) == "already_drawn");
  CHECK(code_of(m->decide(1, draw_it, 0)) == "accepted");
  CHECK(code_of(m->decide(2, draw_it, 0)) == "no_such_seat");
  CHECK(code_of(m->decide(spectator, draw_it, 0)) == "no_such_seat");
  CHECK(code_of(m->decide(1, "", 0)) == "bad_command");
  CHECK(code_of(m->decide(1, codec::encode(draw::options{}), 0)) == "bad_command");
  CHECK(code_of(m->decide(1, draw_it + "\x01", 0)) == "bad_command");
  CHECK(code_of(m->decide(1, std::string{"\x82\xa2"} + "do" + "\xa4" + "draw" + "\xa1x\x01", 0)) ==
        "bad_command");
  test::fold(*m, m->on_forfeit(1, 0));
  CHECK(code_of(m->decide(1, draw_it, 0)) == "match_over");
}

TEST_CASE("the higher rank wins, suits do not count, and the ace is high") {
  auto s = fresh(7);
  play_round(s, 12, 11 + 13);  // ace of clubs, king of diamonds
  CHECK(s.wins == std::array<std::uint8_t, 2>{1, 0});
  play_round(s, 0, 1);  // two, three
  CHECK(s.wins == std::array<std::uint8_t, 2>{1, 1});
  CHECK(s.round == 3);
  play_round(s, 5, 5 + 39);  // equal ranks
  CHECK(s.wins == std::array<std::uint8_t, 2>{1, 1});
  CHECK(s.round == 3);
  CHECK(s.nonce == 3);
  CHECK_FALSE(s.over);
}

TEST_CASE("the first to win more than half of the rounds wins the match") {
  for (const std::uint8_t best_of : {1, 3, 5, 7}) {
    auto s = fresh(best_of);
    for (int round = 0; round < best_of / 2; ++round) {
      play_round(s, 12, 0);
      play_round(s, 0, 12);
      REQUIRE_FALSE(result(s));
    }
    play_round(s, 0, 12);
    REQUIRE(result(s));
    CHECK(result(s)->weights == std::vector<std::uint32_t>{0, 1});
    CHECK(result(s)->reason == "won");
    CHECK(whose_turn(s).seats == 0);
    CHECK(valid(s));
  }
}

TEST_CASE("both seats are awaited at once, and a new deck restarts the clock") {
  auto s = fresh(3);
  CHECK(whose_turn(s).seats == 0b11);
  CHECK(whose_turn(s).limit_ms == 15'000);
  const auto number = whose_turn(s).number;
  evolve(s, draw::drawn{1, 3, 1, 0});
  CHECK(whose_turn(s).seats == 0b01);
  CHECK(whose_turn(s).number == number);
  evolve(s, draw::drawn{0, 3 + 13, 1, 0});  // a tie
  CHECK(whose_turn(s).seats == 0b11);
  CHECK(whose_turn(s).number == number + 1);
}

TEST_CASE("who alone is late forfeits; if both are late the stakes go back") {
  const auto ended_by = [](bool zero_draws, std::uint32_t late) {
    const auto m = duel().create(test::setup_of(duel(), 4));
    if (zero_draws) draw_card(*m, 0);
    test::fold(*m, m->on_timeout(late, 0));
    return m->result().value();
  };
  CHECK(ended_by(true, 0b10).weights == std::vector<std::uint32_t>{1, 0});
  CHECK(ended_by(true, 0b10).reason == "forfeit");
  CHECK(ended_by(true, 0b11).weights == std::vector<std::uint32_t>{1, 0});  // seat 0 is not awaited
  CHECK(ended_by(false, 0b11).weights == std::vector<std::uint32_t>{1, 1});
  CHECK(ended_by(false, 0b11).reason == "both_absent");
  CHECK(ended_by(false, 0b01).weights == std::vector<std::uint32_t>{0, 1});
  const auto m = duel().create(test::setup_of(duel(), 4));
  draw_card(*m, 0);
  CHECK(m->on_timeout(0b01, 0).empty());
  CHECK(m->on_timeout(0, 0).empty());
}

TEST_CASE("conceding gives the match to the other, also in the middle and when leading") {
  for (const seat_index seat : {0, 1}) {
    const auto m = duel().create(test::setup_of(duel(), 5, options_of(7)));
    draw_card(*m, 0);
    draw_card(*m, 1);
    draw_card(*m, seat);
    test::fold(*m, m->on_forfeit(seat, 0));
    CHECK(m->result()->weights[seat] == 0);
    CHECK(m->result()->weights[1 - seat] == 1);
    CHECK(m->result()->reason == "forfeit");
    CHECK(m->on_forfeit(seat, 0).empty());
    CHECK(m->on_timeout(0b11, 0).empty());
  }
  CHECK(duel().create(test::setup_of(duel(), 5))->on_forfeit(2, 0).empty());
}

TEST_CASE("events that the rules never wrote cannot be folded") {
  auto s = fresh(1);
  CHECK_THROWS_AS(evolve(s, draw::drawn{2, 0, 1, 0}), cannot_fold);
  CHECK_THROWS_AS(evolve(s, draw::drawn{0, 52, 1, 0}), cannot_fold);
  CHECK_THROWS_AS(evolve(s, draw::drawn{0, 0, 2, 0}), cannot_fold);
  CHECK_THROWS_AS(evolve(s, draw::drawn{0, 0, 1, 1}), cannot_fold);
  CHECK_THROWS_AS(evolve(s, draw::forfeited{2, true}), cannot_fold);
  evolve(s, draw::drawn{0, 0, 1, 0});
  CHECK_THROWS_AS(evolve(s, draw::drawn{0, 1, 1, 0}), cannot_fold);
  CHECK_THROWS_AS(evolve(s, draw::drawn{1, 0, 1, 0}), cannot_fold);
  CHECK_THROWS_AS(evolve(s, draw::both_absent{}), cannot_fold);
  evolve(s, draw::drawn{1, 1, 1, 0});
  CHECK_THROWS_AS(evolve(s, draw::drawn{0, 1, 2, 1}), cannot_fold);
  CHECK_THROWS_AS(evolve(s, draw::forfeited{0, true}), cannot_fold);
  CHECK_THROWS_AS(evolve(s, draw::both_absent{}), cannot_fold);
  const auto m = duel().create(test::setup_of(duel(), 6));
  CHECK_THROWS_AS(m->evolve(""), cannot_fold);
  CHECK_THROWS_AS(m->evolve(draw_it), cannot_fold);
}

TEST_CASE("a match of unknown rules, options or seats is not created") {
  auto setup = test::setup_of(duel(), 7);
  setup.rules_version = 2;
  CHECK_THROWS_AS(duel().create(setup), cannot_fold);
  setup.rules_version = 0;
  CHECK_THROWS_AS(duel().create(setup), cannot_fold);
  setup.rules_version = 1;
  setup.seats = 3;
  CHECK_THROWS_AS(duel().create(setup), cannot_fold);
  setup.seats = 2;
  setup.options = options_of(4);
  CHECK_THROWS_AS(duel().create(setup), cannot_fold);
}

TEST_CASE("a damaged snapshot is refused, not believed") {
  const auto setup = test::setup_of(duel(), 8);
  const auto broken = [&](auto change) {
    auto s = fresh(3);
    change(s);
    return codec::encode(s);
  };
  CHECK_NOTHROW(duel().restore(setup, broken([](auto&) {})));
  CHECK_THROWS_AS(duel().restore(setup, broken([](auto& s) { s.best_of = 4; })), cannot_fold);
  CHECK_THROWS_AS(duel().restore(setup, broken([](auto& s) { s.drawn[0] = 52; })), cannot_fold);
  CHECK_THROWS_AS(duel().restore(setup, broken([](auto& s) { s.drawn = {1, 2}; })), cannot_fold);
  CHECK_THROWS_AS(duel().restore(setup, broken([](auto& s) { s.wins[1] = 2; })), cannot_fold);
  CHECK_THROWS_AS(duel().restore(setup, broken([](auto& s) { s.round = 2; })), cannot_fold);
  CHECK_THROWS_AS(duel().restore(setup, broken([](auto& s) {
                                   s.winner = 2;
                                   s.over = true;
                                 })),
                  cannot_fold);
  CHECK_THROWS_AS(duel().restore(setup, "nonsense"), cannot_fold);
}

TEST_CASE("a match is small at rest") {
  CHECK(sizeof(hosted_match<draw::game>) <= 256);
  const auto m = duel().create(test::setup_of(duel(), 9, options_of(7)));
  draw_card(*m, 0);
  draw_card(*m, 1);
  CHECK(m->snapshot().size() <= 128);
}
