// A proof verifies as it was written, and not after any change.
#include "actors/games/proof.hpp"

#include <unistd.h>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>

#include "actors/games/draw/draw.hpp"
#include "actors/games/proof_json.hpp"
#include "tests/games/nim/nim.hpp"
#include "tests/games/support.hpp"

using namespace baraza;
using namespace baraza::games;
namespace json = boost::json;

namespace {

constexpr millis noon = 1'790'000'000'000;

match_record begin_record(const rules& game, std::uint64_t number, const std::string& options) {
  const auto setup = test::setup_of(game, number, options);
  match_record record;
  record.match = "01990000-0000-7000-8000-00000000000" + std::to_string(number % 10);
  record.game = game.name();
  record.rules_version = setup.rules_version;
  record.options = setup.options;
  record.currency = "DEMO";
  record.rake_bp = 500;
  record.server_seed = setup.seeds.server;
  record.commit = fair::commitment(record.server_seed);
  record.commit_at = noon;
  for (const auto& client_seed : setup.seeds.clients) {
    proof_seat seat;
    seat.player = "player-" + std::to_string(record.seats.size());
    seat.stake = 1000;
    seat.client_seed = client_seed;
    seat.salt = std::string(16, static_cast<char>('a' + record.seats.size()));
    seat.hash = fair::client_commitment(seat.client_seed, seat.salt);
    seat.hash_at = noon + 10;
    seat.seed_at = noon + 20;
    record.seats.push_back(seat);
  }
  record.started_at = noon + 30;
  return record;
}

/// A match that bots play, optionally ended by `last` after some moves.
match_record played(const rules& game, std::uint64_t number, const std::string& options = {},
                    int moves = 1000, bool forfeit = false) {
  auto record = begin_record(game, number, options);
  const auto m = game.create(test::setup_of(game, number, options));
  millis at = record.started_at;
  std::uint64_t seq = 7;
  const auto log = [&](const events& happened) {
    at += 100;
    for (const auto& event : happened) {
      record.log.push_back({++seq, at, event});
      m->evolve(event);
    }
  };
  while (!m->result() && moves-- > 0) {
    const auto seat = static_cast<seat_index>((m->whose_turn().seats & 1) != 0 ? 0 : 1);
    log(std::get<events>(m->decide(seat, *game.bot_command(m->view(seat), seat), at)));
  }
  if (!m->result()) {
    log(forfeit ? m->on_forfeit(1, at) : m->on_timeout(m->whose_turn().seats, at));
  }
  record.ended_at = at;
  record.end = *m->result();
  std::vector<std::int64_t> stakes;
  for (const auto& seat : record.seats) stakes.push_back(seat.stake);
  record.paid = settle(stakes, record.rake_bp, record.end);
  return record;
}

const rules& duel() { return *find("draw"); }
std::string best_of(std::uint8_t n) { return codec::encode(draw::options{n}); }

std::string failed_step(const std::string& text) {
  for (const auto& step : verify_proof(text)) {
    if (!step.ok) return step.name;
  }
  return "none";
}

/// The file after `change`, with a digest that fits again: what a forger would write.
std::string forged(const std::string& text, const auto& change) {
  auto root = json::parse(text).get_object();
  change(root);
  root["digest"] = proof_json::digest_of(root);
  return json::serialize(root);
}

std::string with_other_digit(std::string hex) {
  hex.back() = hex.back() == '0' ? '1' : '0';
  return hex;
}

/// Calls `visit` with every scalar of the tree, each in a copy of the whole file that it may
/// change.
void each_scalar(const json::value& root, const json::value& node, const std::string& pointer,
                 const auto& visit) {
  if (const auto* object = node.if_object()) {
    for (const auto& member : *object)
      each_scalar(root, member.value(), pointer + "/" + std::string{member.key()}, visit);
  } else if (const auto* array = node.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i)
      each_scalar(root, (*array)[i], pointer + "/" + std::to_string(i), visit);
  } else {
    visit(pointer);
  }
}

void change_scalar(json::value& value) {
  if (auto* number = value.if_int64()) {
    ++*number;
  } else if (auto* text = value.if_string()) {
    *text = with_other_digit(std::string{*text} + (text->empty() ? "x" : ""));
  } else if (auto* flag = value.if_bool()) {
    *flag = !*flag;
  } else {
    value = 1;
  }
}

}  // namespace

TEST_CASE("a played match verifies, however it ended") {
  for (std::uint64_t number = 1; number <= 30; ++number) {
    const auto text = write_proof(played(duel(), number, best_of(7)));
    const auto steps = verify_proof(text);
    CAPTURE(number, text);
    REQUIRE(is_verified(steps));
    REQUIRE(steps.size() == 9);
  }
  for (const int moves : {0, 1, 2, 3}) {
    for (const bool forfeit : {false, true})
      CHECK(failed_step(write_proof(played(duel(), 3, best_of(5), moves, forfeit))) == "none");
  }
  const auto absent = played(duel(), 3, best_of(5), 0);
  CHECK(absent.end.reason == "both_absent");
  CHECK(absent.paid.rake == 0);
}

TEST_CASE("a game without chance has proofs too") {
  const hosted<nim::game> nim_rules;
  const auto unknown = [&] {
    const scoped_registration with_nim{nim_rules};
    const auto text = write_proof(played(nim_rules, 1));
    CHECK(failed_step(text) == "none");
    CHECK(failed_step(write_proof(played(nim_rules, 1, {}, 3, true))) == "none");
    return text;
  }();
  CHECK(failed_step(unknown) == "replay");  // a program without the game says so
}

TEST_CASE("any single change of the file is found") {
  const auto text = write_proof(played(duel(), 5, best_of(3)));
  REQUIRE(failed_step(text) == "none");
  const auto root = json::parse(text);
  int changed = 0;
  each_scalar(root, root, "", [&](const std::string& pointer) {
    auto copy = root;
    change_scalar(copy.at_pointer(pointer));
    CAPTURE(pointer);
    REQUIRE_FALSE(is_verified(verify_proof(json::serialize(copy))));
    ++changed;
  });
  CHECK(changed > 150);
  for (const auto& member : root.get_object()) {
    auto copy = root.get_object();
    copy.erase(member.key());
    CAPTURE(std::string{member.key()});
    REQUIRE_FALSE(is_verified(verify_proof(json::serialize(copy))));
  }
  auto spaced = json::parse(text).get_object();
  const auto first = *spaced.begin();
  spaced.erase(spaced.begin());
  spaced.emplace(first.key(), first.value());
  CHECK(failed_step(json::serialize(spaced)) == "none");  // the order of fields means nothing
}

TEST_CASE("a forger who mends the digest meets the check behind it") {
  const auto text = write_proof(played(duel(), 5, best_of(3)));
  const auto change = [&](const char* pointer, const json::value& to) {
    return failed_step(forged(text, [&](json::object& root) {
      json::value whole = root;
      whole.at_pointer(pointer) = to;
      root = whole.get_object();
    }));
  };
  const auto other_hex = [&](const char* pointer) {
    return with_other_digit(std::string{json::parse(text).at_pointer(pointer).as_string()});
  };
  CHECK(change("/commit", json::value(other_hex("/commit"))) == "commit");
  CHECK(change("/server_seed", json::value(other_hex("/server_seed"))) == "commit");
  CHECK(change("/seats/0/client_seed", json::value(other_hex("/seats/0/client_seed"))) == "seeds");
  CHECK(change("/seats/1/salt", json::value(other_hex("/seats/1/salt"))) == "seeds");
  CHECK(change("/seats/1/hash", json::value(other_hex("/seats/1/hash"))) == "seeds");
  CHECK(change("/seats/0/client_seed", "") == "seeds");
  CHECK(change("/fairness_id", "draw-1-side") == "shuffles");
  CHECK(change("/shuffles/0/cards/5", 53) == "shuffles");
  CHECK(change("/shuffles/1/nonce", 0) == "shuffles");
  CHECK(change("/options/bytes", json::value(fair::to_hex(best_of(7)))) == "replay");
  CHECK(change("/options/shown/best_of", 5) == "replay");
  CHECK(change("/log/0/shown/card", 51) == "replay");
  CHECK(change("/log/0/bytes", json::value(other_hex("/log/0/bytes"))) == "replay");
  CHECK(change("/rules_version", 2) == "replay");
  CHECK(change("/result/reason", "forfeit") == "result");
  CHECK(change("/result/weights/0", 3) == "result");
  CHECK(change("/result/rake", 0) == "payout");
  CHECK(change("/rake_bp", 0) == "payout");
  CHECK(change("/seats/0/payout", 2000) == "payout");
  CHECK(change("/seats/0/stake", 999) == "payout");
  CHECK(change("/commit_at", noon + 11) == "times");
  CHECK(change("/seats/0/hash_at", noon + 21) == "times");
  CHECK(change("/seats/0/seed_at", noon + 31) == "times");
  CHECK(change("/started_at", noon + 131) == "times");
  CHECK(change("/log/1/seq", 8) == "times");
  CHECK(change("/log/0/at", noon) == "times");
  CHECK(change("/ended_at", noon) == "times");
  CHECK(change("/game", "pool") == "replay");
  CHECK(change("/encoding", "fair/v2") == "file");
  CHECK(change("/proof", 2) == "file");
  CHECK(change("/proof", "1") == "file");
  CHECK(change("/server_seed", "00") == "file");
  CHECK(change("/seats", 1) == "file");
  CHECK(change("/rake_bp", -1) == "file");
}

TEST_CASE("a log that was cut, stretched or given another card is found") {
  const auto record = played(duel(), 5, best_of(3));
  auto cut = record;
  cut.log.pop_back();
  CHECK(failed_step(write_proof(cut)) != "none");
  auto repeated = record;
  repeated.log.push_back(record.log.back());
  repeated.log.back().seq += 1;
  CHECK_THROWS_AS(write_proof(repeated), cannot_fold);
  // The whole round dealt other cards, and everything that follows from them made to fit.
  auto swapped = played(duel(), 5, best_of(1));
  std::swap(swapped.log[0].bytes, swapped.log[1].bytes);
  CHECK(failed_step(write_proof(swapped)) == "none");  // who drew first does not matter
  swapped.log[0].bytes = codec::encode_case("event", draw::event{draw::drawn{0, 51, 1, 0}});
  swapped.log[1].bytes = codec::encode_case("event", draw::event{draw::drawn{1, 0, 1, 0}});
  CHECK(failed_step(write_proof(swapped)) == "replay");
}

TEST_CASE("a missing shuffle is found") {
  const auto text = write_proof(played(duel(), 5, best_of(3)));
  CHECK(failed_step(forged(text, [](json::object& root) {
          root["shuffles"].get_array().pop_back();
        })) == "nonces");
  CHECK(failed_step(forged(text, [](json::object& root) {
          auto& list = root["shuffles"].get_array();
          list.erase(list.begin());
        })) == "nonces");
}

TEST_CASE("what is no proof is said to be none") {
  CHECK(failed_step("") == "file");
  CHECK(failed_step("[]") == "file");
  CHECK(failed_step("{}") == "file");
  CHECK(failed_step("{\"proof\":1}") == "file");
  CHECK(failed_step(std::string(100'000, '[')) == "file");
  CHECK_FALSE(is_verified({}));
}

TEST_CASE("the command's exit code tells a wrong proof from an unreadable file") {
  const auto path = "/tmp/baraza_proof_test_" + std::to_string(::getpid()) + ".json";
  const auto exit_code = [&](const std::string& content) {
    std::ofstream{path, std::ios::binary} << content;
    const int code = proof_verify_command(path, true);
    std::remove(path.c_str());
    return code;
  };
  const auto text = write_proof(played(duel(), 6));
  CHECK(exit_code(text) == 0);
  CHECK(exit_code(forged(text, [](json::object& root) { root["rake_bp"] = 0; })) == 1);
  CHECK(exit_code("{}") == 1);
  CHECK(exit_code("not json") == 2);
  CHECK(exit_code("") == 2);
  CHECK(exit_code("[1" + std::string(proof_bytes_max, ' ') + "]") == 2);
  CHECK(proof_verify_command(path, false) == 2);
}
