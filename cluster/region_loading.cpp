#include <caf/send.hpp>

#include "cluster/region_actor.hpp"

namespace baraza::cluster {
namespace {

/// A strike that cannot be taken back makes it a suspect of the next death: no more than that.
void forget_strikes(node_services& node, const std::vector<entity_id>& of, storage::strike up_to) {
  if (auto done = node.store.forget_attempts(of, up_to); !done)
    node.log(severity::warning, "region.strikes_kept", {}, done.why().message);
}

/// What is read, and who waits for it. `careful`: a strike is counted against each before any of
/// its code runs, and taken back when it stands, so that at the third death of a process its name
/// is known. Only then: it costs two writes.
struct load_job {
  std::vector<entity_id> who;
  std::vector<caf::actor> hosts;
  bool careful = false;
  std::vector<entity_id> innocent;  // stand by now: forgotten before anybody else is counted

  read_ended run(node_services& node, storage::reader& from) const {
    if (!innocent.empty()) forget_strikes(node, innocent, storage::strike::load);
    auto rows = from.activate(who);
    if (!rows || rows->size() != who.size()) return {who, {}, true};
    read_ended out{{}, {}, true};
    const auto is_suspect = [&](const storage::activation& row) {
      return careful && row.attempts > 0 && row.attempts < attempts_max && who.size() > 1;
    };
    std::vector<entity_id> counted;
    for (auto& row : *rows)
      if (careful && row.attempts < attempts_max && !is_suspect(row)) counted.push_back(row.entity);
    if (!counted.empty() && !node.store.count_attempt(counted, storage::strike::load))
      return {who, {}, true};
    const auto at = node.clock.now();
    for (std::size_t i = 0; i < who.size(); ++i) {
      auto& row = (*rows)[i];
      if (is_suspect(row)) {
        out.suspects.push_back({row.entity, 0, row.attempts});
        continue;
      }
      const bool is_condemned = row.attempts >= attempts_max;
      const bool is_suspected = careful || row.attempts > 0;
      caf::anon_send(hosts[i], loaded{std::move(row), at, is_suspected, careful, is_condemned});
    }
    return out;
  }
};

}  // namespace

/// Reads several entities in one round trip; while the readers are busy the next batch grows.
void region_actor::load_some() {
  const auto now = cluster_clock::steady();
  while (auto batch = loads_.next(now)) {
    load_job job{{}, {}, loads_.is_careful(now), {}};
    for (const auto& who : *batch) {
      const auto known = slots_.find(who);
      if (known == slots_.end() || known->second.now != phase::awake || !known->second.host) {
        loads_.settle(who);  // its life ended while it waited
        continue;
      }
      job.who.push_back(who);
      job.hosts.push_back(known->second.host);
    }
    if (job.who.empty()) {
      loads_.reader_free();
      continue;
    }
    auto node = node_;
    auto self = caf::actor_cast<caf::actor>(this);
    auto who = job.who;
    job.innocent = std::exchange(standing_, {});
    const bool queued =
        node_->reads.submit([job = std::move(job), node, self](storage::reader& from) {
          caf::anon_send(self, job.run(*node, from));
        });
    if (!queued) caf::anon_send(self, read_ended{std::move(who), {}, true});
  }
}

void region_actor::tell_past(slot& at) {
  caf::anon_send(at.host, at.past ? *at.past : past_lives{});
  if (at.past) at.past->just_now = false;
}

void region_actor::on_read(const read_ended& m) {
  if (m.reader_free) loads_.reader_free();
  const auto is_wanted = [&](const entity_id& who) {
    const auto known = slots_.find(who);
    return known != slots_.end() && known->second.now == phase::awake;
  };
  for (const auto& who : m.failed) {
    loads_.settle(who);
    if (is_wanted(who)) loads_.add_failed(who, cluster_clock::steady());
  }
  for (const auto& row : m.suspects) {
    loads_.settle(row.entity);
    if (is_wanted(row.entity)) loads_.add_suspect(row.entity, row.attempts);
  }
  load_some();
}

/// It stands, or has failed without ending the process: it is not what did so.
void region_actor::on_stands(const entity_id& who) {
  loads_.settle(who);
  standing_.push_back(who);
  load_some();
}

void region_actor::forget(std::vector<entity_id> who, storage::strike up_to) {
  if (who.empty()) return;
  auto node = node_;
  node_->reads.submit(
      [node, who = std::move(who), up_to](storage::reader&) { forget_strikes(*node, who, up_to); });
}

}  // namespace baraza::cluster
