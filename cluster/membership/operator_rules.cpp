#include "cluster/membership/operator_rules.hpp"

#include <algorithm>

namespace baraza::cluster {
namespace {

using storage::cluster_state;
using storage::member;
using storage::member_status;
using kind = operator_verdict::kind;
using verdict = std::optional<operator_verdict>;

const operator_verdict so_already{kind::done, {}, {}, false};

operator_verdict refuse(std::string code, std::string message) {
  return {kind::refused, std::move(code), std::move(message), false};
}

bool is_shards_place(const member& m) { return m.status == member_status::up && m.weight > 0; }

verdict judge_drain(const member& who, const cluster_state& state) {
  if (who.status == member_status::draining) return so_already;
  if (who.status == member_status::joining)
    return refuse("joining", who.name + " is only joining: stop it instead");
  const bool has_heir =
      who.weight == 0 || std::ranges::any_of(state.members, [&](const member& m) {
        return m.incarnation != who.incarnation && is_shards_place(m) && m.lease_until > state.now;
      });
  if (!has_heir)
    return refuse("no_heir", "no other node is up that could take the shards of " + who.name);
  return std::nullopt;
}

verdict judge_undrain(const member& who) {
  if (who.status == member_status::up) return so_already;
  if (who.status == member_status::joining)
    return refuse("joining", who.name + " is only joining: it was never up");
  return std::nullopt;
}

verdict judge_remove(const member& who, const cluster_state& state, std::uint64_t self,
                     bool hears) {
  if (who.incarnation == self)
    return refuse("alive", who.name + " is the node that you ask: it lives");
  if (who.lease_until > state.now)
    return refuse("alive", who.name + " renewed its lease " +
                               std::to_string(std::max<millis>(0, state.now - who.renewed_at)) +
                               " ms ago: drain it and stop its process");
  // After a silence of the store every lease is over, and everybody lives (rule B3).
  if (hears)
    return refuse("alive", who.name +
                               " answers this node, only its lease is over: stop its process, or "
                               "give it time to renew");
  return std::nullopt;
}

verdict judge_move(const operator_wish& what, const member& to, const cluster_state& state) {
  if (what.shard >= state.shards.size())
    return operator_verdict{kind::unknown, "unknown_shard",
                            "there are shards 0 to " + std::to_string(state.shards.size() - 1),
                            false};
  if (state.shards[what.shard].owner == to.incarnation) return so_already;
  if (!is_shards_place(to))
    return refuse("owns_no_shards",
                  to.name + (to.weight == 0 ? " owns no shards, by its roles"
                                            : " is " + std::string{to_string(to.status)}));
  return std::nullopt;
}

}  // namespace

std::string_view to_string(operator_wish::action what) {
  switch (what) {
    case operator_wish::action::drain:
      return "drain";
    case operator_wish::action::undrain:
      return "undrain";
    case operator_wish::action::remove:
      return "remove";
    case operator_wish::action::move:
      break;
  }
  return "move";
}

std::string to_string(const operator_wish& what) {
  std::string out{to_string(what.what)};
  if (what.what == operator_wish::action::move)
    out += " shard " + std::to_string(what.shard) + " to";
  return out + ' ' + what.node;
}

std::optional<operator_verdict> judge(const operator_wish& what, const cluster_state& state,
                                      std::uint64_t self, bool hears) {
  const auto who = std::ranges::find(state.members, what.node, &member::name);
  if (who == state.members.end()) {
    std::string names;
    for (const auto& each : state.members) names += (names.empty() ? "" : ", ") + each.name;
    return operator_verdict{kind::unknown, "unknown_node",
                            "no member is called " + what.node + "; there are: " + names, false};
  }
  switch (what.what) {
    case operator_wish::action::drain:
      return judge_drain(*who, state);
    case operator_wish::action::undrain:
      return judge_undrain(*who);
    case operator_wish::action::remove:
      return judge_remove(*who, state, self, hears);
    case operator_wish::action::move:
      break;
  }
  return judge_move(what, *who, state);
}

}  // namespace baraza::cluster
