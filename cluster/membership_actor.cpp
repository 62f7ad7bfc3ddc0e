#include "cluster/membership_actor.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "cluster/limits.hpp"
#include "cluster/node.hpp"
#include "cluster/remote_edge.hpp"

namespace baraza::cluster {
namespace {

/// Numbers of probes made for others carry this bit, so that they never meet our own.
constexpr std::uint64_t for_another = 1ull << 63;

bool has_role(const std::string& roles, std::string_view role) {
  const auto all = "," + roles + ",";
  return all.find("," + std::string{role} + ",") != std::string::npos;
}

/// "10.0.0.7:7780" or "[::1]:7780"; port 0 when it cannot be read.
std::pair<std::string, std::uint16_t> host_and_port(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return {address, 0};
  auto host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto port = std::strtoul(address.c_str() + colon + 1, nullptr, 10);
  return {host, static_cast<std::uint16_t>(port <= 65535 ? port : 0)};
}

}  // namespace

membership_actor::membership_actor(caf::actor_config& config, std::shared_ptr<node_services> node,
                                   std::shared_ptr<membership_parts> parts)
    : caf::event_based_actor{config},
      node_{std::move(node)},
      parts_{std::move(parts)},
      leases_{std::move(parts_->leases)},
      views_{std::move(parts_->views)},
      changes_{std::move(parts_->changes)},
      member_{parts_->self, node_->shards, parts_->lease, *this, parts_->asked_at},
      edges_(edges_max) {}

membership_actor::~membership_actor() = default;

caf::behavior membership_actor::make_behavior() {
  set_exception_handler([this](std::exception_ptr&) -> caf::error {
    node_->stop_node("membership failed with an exception");
    return caf::make_error(caf::sec::runtime_error);
  });
  caf::anon_send(caf::actor_cast<caf::actor>(this), member_tick_now{});
  return {
      [this](member_says& m) {
        m.tell(*this);
        conclude();
      },
      [this](member_tick_now) {
        delayed_send(this, member_tick, member_tick_now{});
        tick();
        conclude();
      },
      [this](control_in& m) {
        hear(m);
        conclude();
      },
      [this](const link_changed& m) {
        hear_link(m);
        conclude();
      },
      [this](const moved_in& m) {
        hear_moved(m.what);
        conclude();
      },
      [this](const shards_loaded& m) {
        for (const auto& [shard, epoch] : m.what) member_.wakes_loaded(shard, epoch);
        conclude();
      },
      [this](shard_stopped m) {
        member_.entities_stopped(m.shard, m.epoch);
        conclude();
      },
      [this](gate_emptied m) {
        member_.gate_empty(m.shard, m.epoch, now());
        conclude();
      },
      [this](leave_asked) {
        if (leaving_) return;
        leaving_ = true;
        member_.leave();
        leave_by_ = now() + leave_limit;
        set_status(storage::member_status::draining);
      },
  };
}

void membership_actor::on_exit() {
  for (std::uint32_t number = own_edge + 1; number < edges_.size(); ++number)
    if (edges_[number].incarnation != 0) {
      const auto gateway = node_->gateways[number].get();
      node_->gateways[number].set({});
      caf::anon_send_exit(gateway, caf::exit_reason::user_shutdown);
    }
  leases_.stop();
  views_.stop();
  changes_.stop();
}

void membership_actor::later(std::function<void(membership_actor&)> what) {
  caf::anon_send(caf::actor_cast<caf::actor>(this), member_says{std::move(what)});
}

void membership_actor::log(severity how, std::string_view event, std::string_view detail) const {
  node_->log(how, event, {}, detail);
  node_->events.add({node_->clock.now(), std::string{event}, std::string{detail}});
}

// ---- time and store

void membership_actor::tick() {
  const auto at = now();
  if (renewal_due_ != time_point{} && at >= renewal_due_) {
    renewal_due_ = {};
    ++renewals_;  // a late answer is no answer any more
    member_.renewal_failed(false, at);
  }
  member_.tick(at);
  if (leaving_) go_on_leaving();
  measure();
  end_late_questions();
}

/// Nothing that this process knows is true any more, be it a node or an edge: it ends, loudly.
bool membership_actor::is_rolled_back(const storage::error& why) {
  if (why.code != storage::errc::rolled_back) return false;
  stop_for_lost_store(*node_, why.message);
  return true;
}

void membership_actor::on_renewed(std::uint64_t question,
                                  const storage::result<storage::renewal>& answer, millis asked,
                                  millis heard) {
  if (answer) node_->clock.adjust(answer->now, asked, heard);
  if (question != renewals_) return;
  renewal_due_ = {};
  if (answer) return member_.renewed(answer->connection, *answer, now());
  // Having left looks like death to a renewal that overtakes the answer: the next view tells.
  if (is_rolled_back(answer.why())) return;
  const bool is_dead = answer.why().code == storage::errc::fenced && !is_left_asked_;
  if (!is_dead) log(severity::warning, "membership.renewal_failed", answer.why().message);
  member_.renewal_failed(is_dead, now());
}

void membership_actor::on_state(const storage::result<storage::cluster_state>& answer) {
  if (!answer) {
    if (is_rolled_back(answer.why())) return;
    log(severity::warning, "membership.store_failed", answer.why().message);
    return member_.read_failed();
  }
  if (is_left_asked_ && std::ranges::find(answer->members, parts_->self,
                                          &storage::member::incarnation) == answer->members.end())
    return has_left();
  member_.state(*answer, now());
}

void membership_actor::on_rows(const std::vector<storage::shard_change>& asked,
                               const storage::result<std::vector<storage::shard_row>>& rows) {
  if (rows) {
    for (const auto& row : *rows) member_.row(row, now());
    return;
  }
  if (is_rolled_back(rows.why())) return;
  log(severity::warning, "membership.store_failed", rows.why().message);
  for (const auto& change : asked) member_.shard_store_failed(change.shard, now());
}

void membership_actor::go_on_leaving() {
  const auto& state = member_.last_state();
  const auto own = std::ranges::find(state.members, parts_->self, &storage::member::incarnation);
  // An operator may have undrained a node whose process is told to end: it ends all the same.
  if (now() >= next_status_ && own != state.members.end() &&
      own->status == storage::member_status::up)
    return set_status(storage::member_status::draining);
  if (member_.shards().is_empty()) {
    if (now() >= next_status_ && own != state.members.end()) {
      is_left_asked_ = true;
      set_status(storage::member_status::left);
    }
    return;
  }
  const bool has_heir = std::ranges::any_of(state.members, [&](const storage::member& m) {
    return m.incarnation != parts_->self && m.weight > 0 &&
           m.status == storage::member_status::up && m.lease_until > state.now;
  });
  // Nobody is there to take them: whoever comes next will. Again and again, since some may have
  // been on their way here: what opens later is given up later.
  if (!has_heir || now() >= leave_by_) member_.give_up_shards(now());
}

void membership_actor::has_left() {
  node_->others->broadcast(wire::view_news{});
  quit();
}

// ---- peers

void membership_actor::hear(control_in& m) {
  if (!known_.contains(m.from)) later([](membership_actor& a) { a.read(0); });
  member_.view().hear_of(m.view);
  std::visit([&](const auto& word) { hear_word(m.from, word); }, m.what);
}

void membership_actor::hear_word(std::uint64_t from, const wire::probe& m) {
  node_->others->send(from, wire::alive{m.number, !member_.may_commit(now())});
}
void membership_actor::hear_word(std::uint64_t from, const wire::alive& m) {
  if ((m.number & for_another) == 0) return member_.answered(from, m.number, m.is_suspended, now());
  if (const auto asked = relay_.ended(m.number & ~for_another))
    node_->others->send(asked->asker,
                        wire::tried{asked->target, asked->asked_number, true, m.is_suspended});
}
void membership_actor::hear_word(std::uint64_t from, const wire::try_for& m) {
  const auto number = relay_.asked({from, m.target, m.number}, now());
  if (!number) return;
  if (node_->others->send(m.target, wire::probe{*number | for_another}) == peers::sent::queued)
    return;
  (void)relay_.ended(*number);
  node_->others->send(from, wire::tried{m.target, m.number, false, false});
}
void membership_actor::hear_word(std::uint64_t, const wire::tried& m) {
  if (m.answered)
    member_.answered(m.target, m.number, m.is_suspended, now());
  else
    member_.unreachable(m.target, m.number, now());
}
void membership_actor::hear_word(std::uint64_t from, const wire::greeting&) {
  node_->others->send(from, wire::greeted{});  // over the connection that we dialled to it
}
void membership_actor::hear_word(std::uint64_t from, const wire::greeted&) {
  member_.greeted(from);
}
void membership_actor::hear_word(std::uint64_t, const wire::hand_off& m) {
  member_.hand_off({m.shard, m.epoch, parts_->self, m.to, m.coordinator_epoch}, now());
}
void membership_actor::hear_word(std::uint64_t from, const wire::shard_news& m) {
  for (const auto& row : m.rows)
    if (row.shard < node_->shards)
      member_.row({row.shard, row.owner, row.epoch, row.next_owner, 0}, now(), from);
}

void membership_actor::hear_moved(const wire::moved& m) {
  if (m.shard >= node_->shards) return;
  auto& view = member_.view();  // it answers whom we took for the owner
  view.learn(m.shard, {m.owner, m.epoch, m.next_owner, m.view}, view.at(m.shard).owner);
}

void membership_actor::hear_link(const link_changed& m) {
  if (const auto known = known_.find(m.peer); known != known_.end() && m.is_up && m.is_outgoing)
    known->second.was_up = true;
  if (m.is_outgoing) caf::anon_send(node_->region.get(), peer_reached{m.peer, m.is_up});
  if (!m.is_up) member_.link_lost(m.peer, now());
}

// ---- conclusions

void membership_actor::conclude() {
  if (!to_release_.empty() || !to_take_.empty()) send_changes_soon();
  tell_news();
  look_at_view();
  tell_places();  // first: what a step opens is then known to be here
  if (!steps_.empty()) caf::anon_send(node_->region.get(), shard_steps{std::exchange(steps_, {})});
}

/// What has come already is heard first: a drain's shards are ready one by one, within a
/// millisecond, and should not wait for a transaction with the first of them alone.
void membership_actor::send_changes_soon() {
  if (std::exchange(is_sending_soon_, true)) return;
  later([](membership_actor& a) {
    a.is_sending_soon_ = false;
    a.send_changes(a.to_release_, a.is_releasing_, false);
    a.send_changes(a.to_take_, a.is_taking_, true);
  });
}

void membership_actor::tell_news() {
  for (std::size_t first = 0; first < news_.size(); first += wire::list_items_max) {
    const auto count = std::min(wire::list_items_max, news_.size() - first);
    const auto from = news_.begin() + static_cast<std::ptrdiff_t>(first);
    node_->others->broadcast(wire::shard_news{{from, from + static_cast<std::ptrdiff_t>(count)}});
  }
  news_.clear();
}

void membership_actor::send_changes(std::vector<storage::shard_change>& what, bool& is_busy,
                                    bool is_take) {
  if (what.empty() || is_busy) return;
  const auto asked = std::exchange(what, {});
  is_busy = ask_store(
      changes_,
      [asked, is_take, self = parts_->self](auto& store) {
        return is_take ? store.take(self, asked) : store.release(self, asked);
      },
      [asked, is_take](membership_actor& a, const auto& rows) {
        (is_take ? a.is_taking_ : a.is_releasing_) = false;
        a.on_rows(asked, rows);
      });
  if (is_busy) return;
  for (const auto& change : asked) member_.shard_store_failed(change.shard, now());
}

void membership_actor::look_at_view() {
  const auto& state = member_.last_state();
  if (state.version != 0 && std::exchange(shown_at_, state.now) != state.now)  // leases, too
    node_->board.show(std::make_shared<const storage::cluster_state>(state), parts_->self);
  if (state.version == 0 || state.version == shown_version_) return;
  shown_version_ = state.version;
  node_->level = state.level;
  node_->others->set_view(state.version);
  set_peers(state);
  if (std::exchange(caused_news_, false)) node_->others->broadcast(wire::view_news{});
  const auto own = std::ranges::find(state.members, parts_->self, &storage::member::incarnation);
  const bool is_up = own != state.members.end() && own->status != storage::member_status::joining;
  if (is_up && !node_->is_member &&
      std::ranges::all_of(state.shards, [](const auto& row) { return row.owner != 0; })) {
    node_->is_member = true;
    // Only now every member knows this edge by number; what it asked before found nobody to answer.
    for (const auto who : node_->others->all())
      caf::anon_send(node_->region.get(), peer_reached{who, true});
    log(severity::info, "membership.up", "view " + std::to_string(state.version));
  }
}

void membership_actor::set_peers(const storage::cluster_state& state) {
  std::vector<link_peer> dialled;
  std::vector<peer> all;
  std::map<std::uint64_t, known_peer> known;
  for (auto& slot : edges_)  // those that are gone, first: their numbers rest before the next use
    if (slot.incarnation != 0 && std::ranges::none_of(state.members, [&](const auto& m) {
          return m.incarnation == slot.incarnation;
        })) {
      const auto number = static_cast<std::size_t>(&slot - edges_.data());
      const auto gateway = node_->gateways[number].get();
      node_->gateways[number].set({});
      caf::anon_send_exit(gateway, caf::exit_reason::user_shutdown);
      slot = {0, now()};
    }
  for (const auto& m : state.members) {
    if (m.incarnation == parts_->self) continue;
    auto [host, port] = host_and_port(m.address);
    if (port != 0) dialled.push_back({m.name, m.incarnation, host, port});
    all.push_back({m.incarnation, m.name, has_role(m.roles, "edge"), 0});
    if (all.back().is_edge) give_edge(all.back());
    const auto before = known_.find(m.incarnation);
    known[m.incarnation] = before == known_.end() ? known_peer{now(), false} : before->second;
  }
  known_ = std::move(known);
  node_->others->set(std::move(all));
  parts_->links->set_peers(std::move(dialled));
}

void membership_actor::give_edge(peer& to) {
  std::uint32_t free = 0;
  for (std::uint32_t number = own_edge + 1; number < edges_.size(); ++number) {
    const auto& slot = edges_[number];
    if (slot.incarnation == to.incarnation) {
      to.edge = number;
      return;
    }
    const bool has_rested = slot.free_since == time_point{} || now() - slot.free_since > edge_rest;
    if (free == 0 && slot.incarnation == 0 && has_rested) free = number;
  }
  if (free == 0) return log(severity::error, "membership.too_many_edges", to.name);
  edges_[free].incarnation = to.incarnation;
  to.edge = free;
  node_->gateways[free].set(start_remote_edge(system(), node_, to.incarnation, free));
}

void membership_actor::tell_places() {
  places_told out{.has_adopted = member_.view().take_adopted()};
  for (const auto shard : member_.view().take_changed())
    out.what.emplace_back(shard, member_.view().at(shard));
  if (!out.what.empty()) caf::anon_send(node_->region.get(), std::move(out));
}

}  // namespace baraza::cluster
