#include "http/client/house_account.hpp"

#include "http/client/http_api.hpp"

namespace baraza::client {
namespace {

/// The server is the node's own, on whichever port.
constexpr std::string_view server = "house";

}  // namespace

house_account::house_account(const std::string& folder, std::string_view seat, std::string display)
    : display_{std::move(display)} {
  if (folder.empty()) return;
  file_.emplace(folder);
  if (!file_->claim(server, seat)) {
    file_.reset();  // another process plays under it, or the folder cannot be written
  } else if (auto found = file_->load()) {
    known_ = std::move(*found);
  }
}

bool house_account::sign_in(http_api& api) {
  if (known_.who.refresh.empty()) return start_anew(api);
  const auto known = api.balance(known_.who, "DEMO");
  const auto* why = std::get_if<problem>(&known);
  if (why == nullptr) return true;
  return why->code == "unauthorized" && renew(api);
}

bool house_account::renew(http_api& api) {
  auto got = api.renew(known_.who);
  if (auto* renewed = std::get_if<account>(&got)) {
    known_.who = std::move(*renewed);
    save();
    return true;
  }
  return std::get<problem>(got).code == "bad_refresh" && start_anew(api);
}

bool house_account::start_anew(http_api& api) {
  auto got = api.guest(display_);
  auto* fresh = std::get_if<account>(&got);
  if (fresh == nullptr) return false;
  known_ = {std::move(*fresh), {}, {}};
  save();
  return true;
}

void house_account::remember(const uuid& match) {
  if (known_.match == match) return;
  known_.match = match;
  save();
}

/// Without a place to keep it the bot plays on; only a restart then makes it somebody else.
void house_account::save() {
  if (file_) (void)file_->save(known_);
}

}  // namespace baraza::client
