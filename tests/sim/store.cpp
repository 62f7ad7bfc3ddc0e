#include "tests/sim/store.hpp"

#include <algorithm>

#include "actors/table_events.hpp"
#include "cluster/membership/limits.hpp"

namespace baraza::sim {

using storage::errc;
using storage::member_status;

namespace {
constexpr millis lease_ms = cluster::lease_length.count();
}

sim_store::sim_store(std::uint32_t shards, bug with) : bug_{with} {
  for (shard_id s = 0; s < shards; ++s) rows_.push_back({.id = s});
}

// ---- membership -------------------------------------------------------------------------------

std::uint64_t sim_store::join(const std::string& name, std::uint32_t weight, std::uint16_t level,
                              millis now) {
  if (level < level_) return 0;
  const auto id = next_id_++;
  members_[id] = {.incarnation = id,
                  .name = name,
                  .zone = "z" + std::to_string(id % 2),
                  .weight = weight,
                  .level = level,
                  .status = member_status::joining,
                  .renewed_at = now,
                  .lease_until = now + lease_ms};
  fences_[id] = {};
  ++version_;
  return id;
}

std::optional<storage::renewal> sim_store::renew(std::uint64_t who, millis now) {
  const auto found = members_.find(who);
  if (found == members_.end()) return std::nullopt;
  found->second.renewed_at = now;
  found->second.lease_until = now + lease_ms;
  return storage::renewal{
      .now = now, .version = version_, .level = level_, .status = found->second.status};
}

storage::cluster_state sim_store::read(millis now) const {
  storage::cluster_state state{.version = version_, .level = level_, .now = now, .shards = rows_};
  for (const auto& [id, m] : members_) state.members.push_back(m);
  for (const auto& [pair, v] : votes_) state.votes.push_back(v);
  state.coordinator = now < coordinator_until_ ? coordinator_ : 0;
  state.coordinator_epoch = coordinator_epoch_;
  return state;
}

void sim_store::become_up(std::uint64_t who, millis now) {
  const auto found = members_.find(who);
  if (found == members_.end() || found->second.status != member_status::joining) return;
  found->second.status = member_status::up;
  found->second.renewed_at = now;
  ++version_;
}

void sim_store::set_draining(std::uint64_t who, bool is) {
  const auto found = members_.find(who);
  if (found == members_.end() || found->second.status == member_status::joining) return;
  found->second.status = is ? member_status::draining : member_status::up;
  ++version_;
}

void sim_store::accuse(std::uint64_t accuser, std::uint64_t accused, storage::vote_kind kind,
                       millis now) {
  if (is_member(accuser) && members_.at(accuser).status == member_status::joining)
    fail("a newcomer voted");  // the real store would answer that it is fenced off
  if (is_member(accuser) && is_member(accused))
    votes_[{accuser, accused}] = {accuser, accused, kind, now};
}

bool sim_store::declare_dead(std::uint64_t declarer, std::uint64_t version,
                             const std::vector<std::uint64_t>& dead,
                             const std::vector<storage::shard_change>& changes, millis now) {
  if (version != version_ || !is_member(declarer)) return false;
  for (const auto who : dead) {
    fences_[who].open = false;
    if (members_.erase(who) > 0) ++deaths;
    if (coordinator_ == who) coordinator_until_ = 0;
    std::erase_if(votes_,
                  [&](const auto& v) { return v.first.first == who || v.first.second == who; });
  }
  for (const auto& change : changes) {
    auto& row = rows_.at(change.shard);
    if (row.epoch != change.epoch) fail("a dead node's shard changed beside the view's version");
    row = {change.shard, change.to, row.epoch + (change.to != 0 ? 1 : 0), 0, now};
  }
  for (const auto& row : rows_)
    if (row.owner != 0 && !is_member(row.owner)) fail("a shard was left to the dead");
  ++version_;
  return true;
}

bool sim_store::leave(std::uint64_t who) {
  const auto owns = [&](const storage::shard_row& row) { return row.owner == who; };
  if (!is_member(who) || std::ranges::any_of(rows_, owns)) return !is_member(who);
  fences_[who].open = false;
  members_.erase(who);
  if (coordinator_ == who) coordinator_until_ = 0;
  std::erase_if(votes_,
                [&](const auto& v) { return v.first.first == who || v.first.second == who; });
  ++version_, ++left;
  return true;
}

storage::shard_row sim_store::take(std::uint64_t who, shard_id shard, std::uint64_t epoch,
                                   millis now) {
  auto& row = rows_.at(shard);
  if (is_member(who) && members_.at(who).status == member_status::joining)
    fail("a newcomer took a shard");
  if (is_member(who) && row.owner == 0 && row.epoch == epoch) {
    row = {shard, who, epoch + 1, 0, now};
    ++version_, ++takes;
  }
  return row;
}

storage::shard_row sim_store::release(std::uint64_t who, const storage::shard_change& what,
                                      millis now) {
  auto& row = rows_.at(what.shard);
  if (is_member(who) && row.owner == who && row.epoch == what.epoch) {
    const auto taker = members_.find(what.to);
    const bool is_given = taker != members_.end() && taker->second.status == member_status::up &&
                          taker->second.weight > 0 && taker->second.lease_until > now;
    row = is_given ? storage::shard_row{what.shard, what.to, what.epoch + 1, 0, now}
                   : storage::shard_row{what.shard, 0, what.epoch, what.to, now};
    takes += is_given ? 1 : 0;
    if (bug_ != bug::release_before_flight) ++fences_[who].generation;
    ++version_;
  }
  return row;
}

std::uint64_t sim_store::coordinate(std::uint64_t who, millis now) {
  if (!is_member(who) || members_.at(who).status != member_status::up) return 0;
  if (now < coordinator_until_ && coordinator_ != who) return 0;
  if (coordinator_ != who || now >= coordinator_until_) ++coordinator_epoch_;
  coordinator_ = who;
  coordinator_until_ = now + lease_ms;
  return coordinator_epoch_;
}

void sim_store::raise_level(std::uint64_t who, std::uint64_t coordinator_epoch,
                            std::uint16_t level) {
  const auto is_old = [&](const auto& m) { return m.second.level < level; };
  const bool may = coordinator_ == who && coordinator_epoch_ == coordinator_epoch &&
                   level > level_ &&
                   (bug_ == bug::level_over_newcomers || std::ranges::none_of(members_, is_old));
  if (!may) return;
  level_ = level;
  ++version_;
  if (std::ranges::any_of(members_, is_old)) fail("a member cannot read what may be written now");
}

// ---- commits ----------------------------------------------------------------------------------

void sim_store::reopen_for(const sent_commit& what, std::set<storage::account_id>& reopened) {
  for (const auto& t : what.what.transfers) {
    const auto found = ledger.accounts.find(t.credit);
    if (found == ledger.accounts.end() || !found->second.closed) continue;
    found->second.closed = false;
    reopened.insert(t.credit);
  }
}

storage::member_result sim_store::commit(const sent_commit& what, millis now) {
  const auto& row = fences_[what.id.incarnation];
  if (bug_ != bug::no_fence && bug_ != bug::retry_without_looking) {
    if (!row.open) return {errc::fenced, "closed", {}, {}};
    if (row.generation != what.generation) return {errc::unknown, "generation", {}, {}};
  }
  if (bug_ == bug::retry_without_looking && !row.open) return {errc::fenced, "closed", {}, {}};
  std::set<storage::account_id> reopened;
  if (bug_ == bug::late_buy_in) reopen_for(what, reopened);
  auto out = ledger.apply(what.entity, what.expected_seq, what.what, now);
  for (const auto& id : reopened) ledger.accounts[id].closed = true;
  landed_[what.id] = out;
  if (out.code == errc::none) check_landed(what);
  return out;
}

void sim_store::check_landed(const sent_commit& what) {
  using namespace actors::table_event;
  ++commits;
  const auto name = what.entity.to_string();
  const auto& row = rows_.at(what.shard);
  if (row.owner != what.id.incarnation || row.epoch != what.epoch)
    fail("a commit of " + name + " landed after its owner had let go");
  const auto [writer, first] =
      writers_.emplace(std::pair{what.entity, what.epoch}, what.id.incarnation);
  if (writer->second != what.id.incarnation) fail("two writers of " + name + " in one epoch");
  if (told_refused_.contains(what.id)) fail("a commit told as refused landed: " + name);
  std::uint64_t seq = 0;
  for (const auto& event : ledger.journals[what.entity])
    if (event.seq != ++seq) fail("the journal of " + name + " is not dense");
  if (const auto broken = ledger.violation(); !broken.empty()) fail(broken);
  if (what.entity.kind != entity_kind::table) return;
  if (over_.contains(what.entity)) fail("a match went on after its end: " + name);
  for (const auto& bytes : what.what.events) {
    const auto event = decode(bytes);
    if (const auto* g = std::get_if<game>(&event.what); g != nullptr && g->command != 0)
      if (!commands_.emplace(what.entity, g->seat, g->command).second)
        fail("a command counted twice in " + name);
    if (std::holds_alternative<ended>(event.what) || std::holds_alternative<voided>(event.what) ||
        std::holds_alternative<aborted>(event.what))
      if (!over_.insert(what.entity).second) fail("a match was settled twice: " + name);
  }
}

sim_store::resolved sim_store::resolve(std::uint64_t who, const storage::batch_id& id) {
  auto& row = fences_[who];
  const auto found = landed_.find(id);
  const auto applied = found == landed_.end() ? std::nullopt : std::optional{found->second};
  if (!row.open) return {.fenced = true, .applied = applied};
  return {.generation = ++row.generation, .applied = applied};
}

void sim_store::told_refused(const storage::batch_id& id) {
  told_refused_.insert(id);
  const auto found = landed_.find(id);
  if (found != landed_.end() && found->second.code == errc::none)
    fail("a commit that landed was told as refused");
}

std::vector<std::pair<entity_id, millis>> sim_store::wakes(shard_id shard) const {
  std::vector<std::pair<entity_id, millis>> out;
  for (const auto& [id, at] : ledger.wakes)
    if (shard_of(id, static_cast<std::uint32_t>(rows_.size())) == shard) out.emplace_back(id, at);
  return out;
}

}  // namespace baraza::sim
