#include <boost/json.hpp>

#include "actors/games/proof.hpp"
#include "actors/games/proof_json.hpp"

namespace baraza::games {
namespace {

namespace json = boost::json;

json::array numbers(const auto& values) {
  json::array out;
  for (const auto value : values) out.emplace_back(value);
  return out;
}

match_setup setup_of(const match_record& record) {
  match_setup setup;
  setup.rules_version = record.rules_version;
  setup.options = record.options;
  setup.seats = static_cast<std::uint8_t>(record.seats.size());
  setup.seeds.server = record.server_seed;
  setup.seeds.game_id = fairness_id(record.game, record.rules_version);
  for (const auto& seat : record.seats) setup.seeds.clients.push_back(seat.client_seed);
  return setup;
}

json::array seats_of(const match_record& record) {
  json::array out;
  for (std::size_t i = 0; i < record.seats.size(); ++i) {
    const auto& seat = record.seats[i];
    out.push_back({{"player", seat.player},
                   {"stake", seat.stake},
                   {"hash", fair::to_hex(seat.hash)},
                   {"hash_at", seat.hash_at},
                   {"client_seed", fair::to_hex(seat.client_seed)},
                   {"salt", fair::to_hex(seat.salt)},
                   {"seed_at", seat.seed_at},
                   {"payout", record.paid.payouts.at(i)}});
  }
  return out;
}

json::array shuffles_of(const match_record& record, const rules& game) {
  const auto setup = setup_of(record);
  const auto replayed = game.create(setup);
  for (const auto& event : record.log) replayed->evolve(event.bytes);
  json::array out;
  for (std::uint64_t nonce = 0; nonce < replayed->nonces_used(); ++nonce) {
    const auto cards = fair::stream{setup.seeds, nonce}.shuffle(game.shuffle_size());
    out.push_back({{"nonce", nonce}, {"cards", numbers(cards)}});
  }
  return out;
}

}  // namespace

std::string write_proof(const match_record& record) {
  const auto* game = find(record.game);
  if (game == nullptr) throw std::invalid_argument{"write_proof: no such game"};
  if (record.paid.payouts.size() != record.seats.size())
    throw std::invalid_argument{"write_proof: one payout per seat"};
  json::array log;
  for (const auto& event : record.log) {
    log.push_back({{"seq", event.seq},
                   {"at", event.at},
                   {"bytes", fair::to_hex(event.bytes)},
                   {"shown", proof_json::readable(event.bytes)}});
  }
  json::object file{
      {"proof", proof_version},
      {"encoding", fair::encoding},
      {"match", record.match},
      {"game", record.game},
      {"rules_version", record.rules_version},
      {"fairness_id", fairness_id(record.game, record.rules_version)},
      {"options",
       {{"bytes", fair::to_hex(record.options)}, {"shown", proof_json::readable(record.options)}}},
      {"currency", record.currency},
      {"rake_bp", record.rake_bp},
      {"commit", fair::to_hex(record.commit)},
      {"commit_at", record.commit_at},
      {"server_seed", fair::to_hex(record.server_seed)},
      {"seats", seats_of(record)},
      {"started_at", record.started_at},
      {"shuffles", shuffles_of(record, *game)},
      {"log", std::move(log)},
      {"result",
       {{"reason", record.end.reason},
        {"weights", numbers(record.end.weights)},
        {"rake", record.paid.rake}}},
      {"ended_at", record.ended_at}};
  file["digest"] = proof_json::digest_of(file);
  return json::serialize(file);
}

}  // namespace baraza::games
