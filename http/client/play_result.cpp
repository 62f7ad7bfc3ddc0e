#include <cstdio>
#include <thread>

#include "actors/games/proof.hpp"
#include "http/client/cards.hpp"
#include "http/client/fields.hpp"
#include "http/client/limits.hpp"
#include "http/client/play_run.hpp"

namespace baraza::client {

namespace {

constexpr int proof_patience = 5;  // the record of an ended match may be a moment late

}  // namespace

void play_run::over(std::string_view how, std::string_view event) {
  progressed();
  played done{client_.player().table(), std::string{how}, "none", 0, false};
  tell_result(how, event, done);
  if (const auto balance = account_.balance()) {
    const std::int64_t change = *balance - balance_;
    screen_.line("Balance " + money_text(balance_) + " → " + screen_.strong(money_text(*balance)) +
                 " DEMO (" + (change > 0 ? "+" : "") + money_text(change) + ")");
    balance_ = *balance;
  }
  if (how == "ended") {
    done.proof = check_proof(done.match);
    if (!done.proof) exit_code_ = 1;
    for (const auto& line : account_.history(5)) {
      if (line.reference == done.match.to_string())
        screen_.line("History: " + line.kind + " " + (line.amount > 0 ? "+" : "") +
                     money_text(line.amount) + " DEMO, match " + line.reference);
    }
  }
  account_.remember({}, {});
  // A match of an earlier run comes on top of those asked for now.
  if (!std::exchange(resumed_, false) || how == "ended") results_.push_back(std::move(done));
  clock_end_ = {};
  next();
}

void play_run::tell_result(std::string_view how, std::string_view event, played& done) {
  if (how != "ended") {
    const auto reason = fields::text(fields::find(event, "reason"));
    screen_.line(how == "gone" ? "The match is over; its record has been archived."
                               : "The match did not come about (" + std::string{reason} +
                                     "); stakes went back.");
    return;
  }
  std::vector<std::int64_t> payouts;
  fields::elements(fields::find(event, "payouts"), [&](std::string_view amount) {
    payouts.push_back(fields::signed_number(amount));
  });
  const std::uint8_t seat = client_.player().seat();
  if (seat < payouts.size()) done.payout = payouts[seat];
  std::vector<std::uint64_t> weights;
  fields::elements(fields::find(event, "weights"),
                   [&](std::string_view weight) { weights.push_back(fields::number(weight)); });
  // A view tells payouts only.
  const std::int64_t mine =
      seat < weights.size() ? static_cast<std::int64_t>(weights[seat]) : done.payout;
  const std::int64_t theirs = weights.size() == 2 && seat < 2
                                  ? static_cast<std::int64_t>(weights[1 - seat])
                              : payouts.size() == 2 && seat < 2 ? payouts[1 - seat]
                                                                : 0;
  done.result = mine > theirs ? "won" : mine < theirs ? "lost" : "drawn";
  const auto reason = fields::text(fields::find(event, "reason"));
  std::string text = mine > theirs   ? "You win the match!"
                     : mine < theirs ? shown_name(opponent_) + " wins the match."
                                     : "Nobody wins; stakes go back.";
  if (reason == "forfeit") text += " (by forfeit)";
  screen_.line(screen_.strong(text) + " Payout " + money_text(done.payout) + " DEMO.");
}

bool play_run::check_proof(const uuid& match) {
  const std::string commit =
      account_.known().commit.empty() ? client_.player().commit() : account_.known().commit;
  for (int attempt = 0; attempt < proof_patience; ++attempt) {
    const auto got = account_.proof(match);
    const auto* text = std::get_if<std::string>(&got);
    if (!text) {
      if (std::get<problem>(got).code != "not_found") break;
      std::this_thread::sleep_for(200ms);
      continue;
    }
    const auto steps = games::verify_proof(*text);
    for (const auto& step : steps) {
      if (step.ok) continue;
      screen_.line("proof verified ✗ (" + step.name + ": " + step.why + ")");
      return false;
    }
    const auto map = wire::from_json(*text);
    // The file must be about what this program saw and sent, not merely consistent in itself.
    const bool same_commit =
        map && (commit.empty() || fields::text(fields::find(*map, "commit")) == commit);
    bool own_seed = resumed_ || client_.player().seed().empty();
    if (map) {
      fields::elements(fields::find(*map, "seats"), [&](std::string_view seat) {
        own_seed |= fields::text(fields::find(seat, "client_seed")) ==
                    fair::to_hex(client_.player().seed());
      });
    }
    screen_.line(same_commit && own_seed ? "proof verified ✓"
                 : same_commit           ? "proof verified ✗ (your seed is not in it)"
                               : "proof verified ✗ (the commitment is not the one shown first)");
    return same_commit && own_seed;
  }
  screen_.line("proof verified ✗ (the server gave no proof)");
  return false;
}

void play_run::print_json() const {
  int won = 0, lost = 0, drawn = 0, proofs = 0;
  std::string list;
  for (const auto& one : results_) {
    won += one.result == "won";
    lost += one.result == "lost";
    drawn += one.result == "drawn";
    proofs += one.proof;
    list += (list.empty() ? "" : ",");
    list += "{\"match\":\"" + one.match.to_string() + "\",\"how\":\"" + one.how +
            "\",\"result\":\"" + one.result + "\",\"payout\":" + std::to_string(one.payout) +
            ",\"proof\":" + (one.proof ? "true" : "false") + "}";
  }
  std::printf(
      "{\"player\":\"%s\",\"matches\":%zu,\"won\":%d,\"lost\":%d,\"drawn\":%d,\"balance_before\":%"
      "lld,\"balance_after\":%lld,"
      "\"proofs_verified\":%d,\"reconnects\":%llu,\"results\":[%s]}\n",
      account_.who().player.to_string().c_str(), results_.size(), won, lost, drawn,
      static_cast<long long>(balance_first_), static_cast<long long>(balance_), proofs,
      static_cast<unsigned long long>(client_.reconnects()), list.c_str());
}

}  // namespace baraza::client
