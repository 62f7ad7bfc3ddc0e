#include "http/client/play_account.hpp"

#include <cstdlib>

namespace baraza::client {
namespace {

constexpr int patience = 5;  // repeats of a request that cannot be answered now

std::string login_name() {
  const char* user = std::getenv("USER");
  return user && *user ? std::string{user}.substr(0, 32) : "Guest";
}

}  // namespace

/// Asks, and once more with a renewed token if the old one has run out.
template <class Ask>
auto play_account::asked(Ask ask) {
  auto got = ask();
  const auto* why = std::get_if<problem>(&got);
  if (!why || why->code != "unauthorized" || !renew()) return got;
  return ask();
}

play_account::play_account(const play_options& options) : options_{options}, api_{options.server} {}

bool play_account::sign_in(std::string& why) {
  const std::string server = options_.server.authority();
  if (!options_.guest) {
    const bool claimed =
        options_.as.empty() ? file_.claim_free(server, "player") : file_.claim(server, options_.as);
    if (!claimed) {
      why = file_.error();
      return false;
    }
    if (auto found = file_.load()) {
      known_ = std::move(*found);
      // Shows whether the server still knows the account, and renews the token if it has run out.
      const auto known = asked([&] { return api_.balance(known_.who, "DEMO"); });
      const auto* problem = std::get_if<client::problem>(&known);
      if (!problem) return true;
      if (problem->code == "unreachable") {
        why = problem->message;
        return false;
      }
      if (problem->code != "unauthorized") return true;  // the server is busy, but it knows us
      expired_ = true;
    }
  }
  const std::string display = !options_.display.empty() ? options_.display
                              : !options_.as.empty()    ? options_.as
                                                        : login_name();
  auto made = api_.guest(display, patience);
  if (auto* problem = std::get_if<client::problem>(&made)) {
    why = problem->message;
    return false;
  }
  known_ = {std::move(std::get<account>(made)), {}, {}};
  if (!options_.guest && !file_.save(known_)) {
    why = file_.error();
    return false;
  }
  return true;
}

bool play_account::renew() {
  auto renewed = api_.renew(known_.who);
  auto* fresh = std::get_if<account>(&renewed);
  if (!fresh) return false;
  known_.who = std::move(*fresh);
  if (!options_.guest) file_.save(known_);
  return true;
}

std::optional<std::int64_t> play_account::balance() {
  const auto got = asked([&] { return api_.balance(known_.who, "DEMO"); });
  const auto* amount = std::get_if<std::int64_t>(&got);
  return amount ? std::optional{*amount} : std::nullopt;
}

std::vector<history_line> play_account::history(int limit) {
  auto got = asked([&] { return api_.history(known_.who, "DEMO", limit); });
  auto* lines = std::get_if<std::vector<history_line>>(&got);
  return lines ? std::move(*lines) : std::vector<history_line>{};
}

void play_account::remember(const uuid& match, std::string commit) {
  known_.match = match;
  known_.commit = std::move(commit);
  if (!options_.guest) file_.save(known_);
}

}  // namespace baraza::client
