// Ending a match without running its code, as the region of a real node does (rule D2).
#include "actors/table_void.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/node.hpp"

namespace baraza::sim {

using storage::errc;

namespace {
constexpr millis flight_poll_ms = 20;
}

void host::end_match(const entity_id& id) {
  const auto epoch = node_.member.shards().epoch_of(shard(id));
  if (epoch == 0) return;
  live_.erase(id);
  ++ending_[id];
  plan_end(id, epoch);
}

// What the old life has on its way comes first: the plan is made from what is durable.
void host::plan_end(const entity_id& id, std::uint64_t epoch) {
  const auto again = [this, id, epoch] { plan_end(id, epoch); };
  const auto over = [this, id] {
    if (--ending_[id] == 0) ending_.erase(id);
  };
  if (node_.member.shards().epoch_of(shard(id)) != epoch) return over();
  if (flying_.contains(id)) return world_.later(flight_poll_ms, node_.id, again);
  struct stored {
    storage::activation journal;
    std::vector<storage::transfer> escrow;
  };
  auto seen = std::make_shared<stored>();
  world_.ask_store(
      node_.id,
      [this, id, seen] {
        const auto& ledger = world_.store.ledger;
        seen->journal = ledger.read(id, false);
        for (const auto& account : actors::escrows_of(id.key, seen->journal.events))
          for (auto& row : ledger.transfers_of(account, id.key)) seen->escrow.push_back(row);
      },
      [this, id, epoch, seen, over] {
        const auto plan =
            actors::plan_void(id, seen->journal.head, seen->journal.events, seen->escrow, "ordered",
                              &world_.table_options.cluster_key, node_.cluster_now());
        if (!plan) return over();
        commit_end(id, epoch, seen->journal.head, std::make_shared<actors::change>(plan->what));
      },
      again);
}

void host::commit_end(const entity_id& id, std::uint64_t epoch, std::uint64_t head,
                      const change_ptr& what) {
  sent_commit sent{
      .entity = id, .shard = shard(id), .epoch = epoch, .expected_seq = head, .what = *what};
  ++flying_[id];
  node_.commit(std::move(sent), [this, id, epoch, head, what](const auto& result) {
    if (--flying_[id] == 0) flying_.erase(id);
    // A second void finds the seq taken: it looks again, and finds the match over.
    if (result.code == errc::seq_conflict) {
      if (world_.options.with == bug::void_twice) return commit_end(id, epoch, head + 1, what);
      return plan_end(id, epoch);
    }
    if (--ending_[id] == 0) ending_.erase(id);
    // A late stake may have come in between: as with any refusal, the table itself goes on.
    if (result.code != errc::none) activate(id);
  });
}

}  // namespace baraza::sim
