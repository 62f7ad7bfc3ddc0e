// The checks of a proof, each against the seeds and the rules, never against what the file says of
// itself.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>

#include "actors/games/limits.hpp"
#include "actors/games/proof.hpp"
#include "actors/games/proof_json.hpp"

namespace baraza::games {
namespace {

namespace json = boost::json;

/// The file lacks something or holds something of the wrong kind.
struct malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

constexpr std::size_t seats_max = 32;  // a turn names seats by bits
constexpr std::size_t log_events_max = 100'000;
constexpr std::size_t shuffles_max = 10'000;

const json::value& member(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  if (value == nullptr) throw malformed{"the field \"" + std::string{key} + "\" is missing"};
  return *value;
}
std::int64_t integer(const json::object& from, std::string_view key) {
  const auto* number = member(from, key).if_int64();
  if (number == nullptr) throw malformed{"\"" + std::string{key} + "\" is no integer"};
  return *number;
}
std::string_view text(const json::object& from, std::string_view key) {
  const auto* found = member(from, key).if_string();
  if (found == nullptr) throw malformed{"\"" + std::string{key} + "\" is no text"};
  return *found;
}
std::string bytes(const json::object& from, std::string_view key) {
  std::string out;
  if (!fair::from_hex(text(from, key), out))
    throw malformed{"\"" + std::string{key} + "\" is not hexadecimal"};
  return out;
}
fair::bytes32 bytes_32(const json::object& from, std::string_view key) {
  const auto found = bytes(from, key);
  fair::bytes32 out;
  if (found.size() != out.size()) throw malformed{"\"" + std::string{key} + "\" is not 32 bytes"};
  std::copy(found.begin(), found.end(), out.begin());
  return out;
}
const json::object& object(const json::object& from, std::string_view key) {
  const auto* found = member(from, key).if_object();
  if (found == nullptr) throw malformed{"\"" + std::string{key} + "\" is no object"};
  return *found;
}
const json::array& array(const json::object& from, std::string_view key, std::size_t size_max) {
  const auto* found = member(from, key).if_array();
  if (found == nullptr) throw malformed{"\"" + std::string{key} + "\" is no list"};
  if (found->size() > size_max) throw malformed{"\"" + std::string{key} + "\" is too long"};
  return *found;
}
const json::object& element(const json::value& from) {
  const auto* found = from.if_object();
  if (found == nullptr) throw malformed{"a list holds something else than objects"};
  return *found;
}
template <class Number>
Number number_in_range(std::int64_t value, const char* what) {
  if (!std::in_range<Number>(value)) throw malformed{std::string{what} + " is out of range"};
  return static_cast<Number>(value);
}

struct listed_shuffle {
  std::int64_t nonce = 0;
  std::vector<std::int64_t> cards;
};

/// The file as values. What cannot be read throws malformed.
struct proof_file {
  match_record record;
  std::string fairness_game_id;
  std::vector<listed_shuffle> shuffles;
  bool shown_as_written = true;  // the forms for readers say what the bytes say
};

std::vector<std::int64_t> integers(const json::array& from) {
  std::vector<std::int64_t> out;
  for (const auto& value : from) {
    if (!value.is_int64()) throw malformed{"a list of numbers holds something else"};
    out.push_back(value.get_int64());
  }
  return out;
}

void read_seats(const json::object& root, match_record& record) {
  for (const auto& value : array(root, "seats", seats_max)) {
    const auto& from = element(value);
    proof_seat seat;
    seat.player = text(from, "player");
    seat.stake = integer(from, "stake");
    seat.client_seed = bytes(from, "client_seed");
    seat.salt = bytes(from, "salt");
    seat.hash = bytes_32(from, "hash");
    seat.hash_at = integer(from, "hash_at");
    seat.seed_at = integer(from, "seed_at");
    record.paid.payouts.push_back(integer(from, "payout"));
    record.seats.push_back(std::move(seat));
  }
}

void read_log(const json::object& root, proof_file& file) {
  for (const auto& value : array(root, "log", log_events_max)) {
    const auto& from = element(value);
    proof_event event;
    event.seq = number_in_range<std::uint64_t>(integer(from, "seq"), "\"seq\"");
    event.at = integer(from, "at");
    event.bytes = bytes(from, "bytes");
    file.shown_as_written &= proof_json::readable(event.bytes) == member(from, "shown");
    file.record.log.push_back(std::move(event));
  }
}

proof_file read_file(const json::object& root) {
  if (integer(root, "proof") != proof_version) throw malformed{"a proof of an unknown version"};
  if (text(root, "encoding") != fair::encoding)
    throw malformed{"an unknown encoding of the stream"};
  if (text(root, "digest") != proof_json::digest_of(root))
    throw malformed{"the file was changed: its digest does not fit its content"};
  proof_file file;
  auto& record = file.record;
  record.match = text(root, "match");
  record.game = text(root, "game");
  record.rules_version =
      number_in_range<std::uint32_t>(integer(root, "rules_version"), "\"rules_version\"");
  file.fairness_game_id = text(root, "fairness_id");
  const auto& options = object(root, "options");
  record.options = bytes(options, "bytes");
  file.shown_as_written = proof_json::readable(record.options) == member(options, "shown");
  record.currency = text(root, "currency");
  record.rake_bp = number_in_range<std::uint32_t>(integer(root, "rake_bp"), "\"rake_bp\"");
  record.commit = bytes_32(root, "commit");
  record.commit_at = integer(root, "commit_at");
  record.server_seed = bytes_32(root, "server_seed");
  read_seats(root, record);
  record.started_at = integer(root, "started_at");
  for (const auto& value : array(root, "shuffles", shuffles_max)) {
    const auto& from = element(value);
    file.shuffles.push_back(
        {integer(from, "nonce"), integers(array(from, "cards", shuffle_size_max))});
  }
  read_log(root, file);
  const auto& result = object(root, "result");
  record.end.reason = text(result, "reason");
  for (const auto weight : integers(array(result, "weights", seats_max)))
    record.end.weights.push_back(number_in_range<std::uint32_t>(weight, "a weight"));
  record.paid.rake = integer(result, "rake");
  record.ended_at = integer(root, "ended_at");
  return file;
}

// ---- the checks: each returns what is wrong, or nothing -------------------------------

using wrong = std::optional<std::string>;

wrong check_commit(const match_record& record) {
  if (fair::commitment(record.server_seed) != record.commit)
    return "the server seed is not the one that was committed to";
  return std::nullopt;
}

wrong check_seeds(const match_record& record) {
  if (record.seats.empty()) return "no seats";
  for (std::size_t i = 0; i < record.seats.size(); ++i) {
    const auto& seat = record.seats[i];
    const auto who = "seat " + std::to_string(i);
    if (seat.client_seed.empty() || seat.client_seed.size() > fair::client_seed_bytes_max)
      return who + " has a client seed that is not 1 to 64 bytes";
    if (seat.salt.size() != fair::salt_bytes) return who + " has a salt that is not 16 bytes";
    if (fair::client_commitment(seat.client_seed, seat.salt) != seat.hash)
      return who + " opened another client seed than it had committed to";
  }
  return std::nullopt;
}

wrong check_shuffles(const proof_file& file, const match_setup& setup, const rules& game) {
  if (file.fairness_game_id != setup.seeds.game_id) return "the seeds were used for another game";
  for (const auto& listed : file.shuffles) {
    const auto cards = fair::stream{setup.seeds, static_cast<std::uint64_t>(listed.nonce)}.shuffle(
        game.shuffle_size());
    if (!std::equal(cards.begin(), cards.end(), listed.cards.begin(), listed.cards.end()))
      return "the seeds give another shuffle for nonce " + std::to_string(listed.nonce);
  }
  return std::nullopt;
}

decision ask_again(const match& m, const cause& why, millis at) {
  switch (why.what) {
    case cause::kind::command:
      return m.decide(why.seat, why.command, at);
    case cause::kind::timeout:
      return m.on_timeout(why.late, at);
    case cause::kind::forfeit:
      return m.on_forfeit(why.seat, at);
  }
  return refusal{"bad_cause", "Unknown cause."};
}

/// Asks the rules again for every action of the log and compares what they answer.
wrong check_replay(const proof_file& file, match& m) {
  if (!file.shown_as_written) return "a form for readers says something else than its bytes";
  const auto& log = file.record.log;
  for (std::size_t i = 0; i < log.size();) {
    const auto place = "event " + std::to_string(log[i].seq);
    try {
      const auto why = m.cause_of(log[i].bytes);
      if (!why) return "the game cannot say what caused " + place;
      const auto again = ask_again(m, *why, log[i].at);
      const auto* expected = std::get_if<events>(&again);
      if (expected == nullptr || expected->empty()) return "the rules do not allow " + place;
      for (const auto& event : *expected) {
        if (i == log.size() || log[i].bytes != event)
          return "the rules and the seeds give something else than " + place;
        m.evolve(event);
        ++i;
      }
    } catch (const cannot_fold& why) {
      return place + " is impossible: " + why.what();
    }
  }
  return std::nullopt;
}

wrong check_result(const match_record& record, const match& m) {
  const auto end = m.result();
  if (!end) return "the log ends before the match does";
  if (end->reason != record.end.reason) return "the match ended for another reason: " + end->reason;
  if (end->weights != record.end.weights) return "the match ended with another result";
  return std::nullopt;
}

wrong check_payout(const match_record& record, const match& m) {
  const auto end = m.result();
  if (!end) return "an unfinished match pays nothing";
  std::vector<std::int64_t> stakes;
  for (const auto& seat : record.seats) stakes.push_back(seat.stake);
  try {
    const auto due = settle(stakes, record.rake_bp, *end);
    if (due.payouts != record.paid.payouts) return "a seat was paid another amount";
    if (due.rake != record.paid.rake) return "the house took another rake";
  } catch (const std::invalid_argument& why) {
    return why.what();
  }
  return std::nullopt;
}

wrong check_nonces(const proof_file& file, const match& m) {
  for (std::size_t i = 0; i < file.shuffles.size(); ++i) {
    if (file.shuffles[i].nonce != static_cast<std::int64_t>(i))
      return "nonce " + std::to_string(i) + " is missing or repeated";
  }
  if (file.shuffles.size() != m.nonces_used())
    return "the match used " + std::to_string(m.nonces_used()) + " nonces, the file lists " +
           std::to_string(file.shuffles.size());
  std::int64_t next = 0;  // events that name their nonce must go through them in order
  for (const auto& event : file.record.log) {
    const auto shown = proof_json::readable(event.bytes);
    const auto* fields = shown.if_object();
    const auto* value = fields == nullptr ? nullptr : fields->if_contains("nonce");
    if (value == nullptr) continue;
    const auto nonce = value->is_uint64() ? static_cast<std::int64_t>(value->get_uint64()) : -1;
    if (nonce != next && nonce != next - 1)
      return "event " + std::to_string(event.seq) + " skips a nonce";
    next = nonce + 1;
  }
  return std::nullopt;
}

wrong check_times(const match_record& record) {
  millis hashes_complete = record.commit_at;
  millis seeds_complete = record.commit_at;
  for (const auto& seat : record.seats) {
    if (seat.hash_at < record.commit_at) return "a player chose before the server had committed";
    hashes_complete = std::max(hashes_complete, seat.hash_at);
  }
  for (const auto& seat : record.seats) {
    if (seat.seed_at < hashes_complete) return "a seed was opened before all had committed";
    seeds_complete = std::max(seeds_complete, seat.seed_at);
  }
  if (record.started_at < seeds_complete) return "play began before the seeds were locked";
  millis last = record.started_at;
  std::uint64_t seq = 0;
  for (const auto& event : record.log) {
    if (event.at < last)
      return "event " + std::to_string(event.seq) + " is older than the one before";
    if (event.seq <= seq) return "event " + std::to_string(event.seq) + " is out of order";
    last = event.at;
    seq = event.seq;
  }
  if (record.ended_at < last) return "the match ended before its last event";
  return std::nullopt;
}

void add(std::vector<proof_step>& steps, const char* name, const wrong& found, const char* fine) {
  steps.push_back({name, !found, found.value_or(fine)});
}

match_setup setup_of(const match_record& record) {
  match_setup setup{
      record.rules_version, record.options, static_cast<std::uint8_t>(record.seats.size()), {}};
  setup.seeds.server = record.server_seed;
  setup.seeds.game_id = fairness_id(record.game, record.rules_version);
  for (const auto& seat : record.seats) setup.seeds.clients.push_back(seat.client_seed);
  return setup;
}

void check_all(const proof_file& file, std::vector<proof_step>& steps) {
  const auto& record = file.record;
  add(steps, "commit", check_commit(record), "SHA-256 of the server seed is the commitment");
  add(steps, "seeds", check_seeds(record), "every player opened the seed committed to");
  add(steps, "times", check_times(record),
      "the server committed first, then all players, then play began");
  const auto* game = find(record.game);
  if (game == nullptr) {
    add(steps, "replay", "this program does not know the game", "");
    return;
  }
  const auto setup = setup_of(record);
  std::unique_ptr<match> m;
  try {
    m = game->create(setup);
  } catch (const cannot_fold& why) {
    add(steps, "replay", why.what(), "");
    return;
  }
  add(steps, "shuffles", check_shuffles(file, setup, *game),
      "the seeds give exactly these shuffles");
  add(steps, "replay", check_replay(file, *m), "the rules give exactly these events");
  add(steps, "result", check_result(record, *m), "the result follows from the events");
  add(steps, "payout", check_payout(record, *m), "payouts and rake follow from the result");
  add(steps, "nonces", check_nonces(file, *m), "nonces run from 0, none missing or repeated");
}

}  // namespace

std::vector<proof_step> verify_proof(std::string_view text) {
  std::vector<proof_step> steps;
  if (text.size() > proof_bytes_max) return {{"file", false, "larger than any proof"}};
  boost::system::error_code error;
  const auto root = json::parse(text, error);
  if (error || !root.is_object()) return {{"file", false, "this is not a JSON object"}};
  proof_file file;
  try {
    file = read_file(root.get_object());
  } catch (const malformed& why) {
    return {{"file", false, why.what()}};
  }
  steps.push_back({"file", true, "complete and undamaged"});
  check_all(file, steps);
  return steps;
}

bool is_verified(const std::vector<proof_step>& steps) {
  return !steps.empty() &&
         std::all_of(steps.begin(), steps.end(), [](const auto& s) { return s.ok; });
}

int proof_verify_command(const std::string& path, bool as_json) {
  std::ifstream in{path, std::ios::binary};
  std::string text(proof_bytes_max + 1, '\0');  // one more than allowed, to see that there is more
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  boost::system::error_code error;
  if (text.size() <= proof_bytes_max) (void)json::parse(text, error);
  if (error || text.size() > proof_bytes_max) {
    std::fprintf(stderr, "%s: not a readable JSON file of at most 8 MiB\n", path.c_str());
    return 2;
  }
  const auto steps = verify_proof(text);
  if (as_json) {
    json::array list;
    for (const auto& step : steps)
      list.push_back({{"step", step.name}, {"ok", step.ok}, {"why", step.why}});
    const json::object out{{"verified", is_verified(steps)}, {"steps", std::move(list)}};
    std::printf("%s\n", json::serialize(out).c_str());
  } else {
    for (const auto& step : steps)
      std::printf("%-4s %-9s %s\n", step.ok ? "ok" : "FAIL", step.name.c_str(), step.why.c_str());
    std::printf("%s\n", is_verified(steps) ? "verified" : "NOT verified");
  }
  return is_verified(steps) ? 0 : 1;
}

}  // namespace baraza::games
