#include "cluster/gate.hpp"

#include <bit>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <deque>
#include <thread>

#include "cluster/gate_queue.hpp"
#include "cluster/limits.hpp"
#include "cluster/membership/gate_shards.hpp"
#include "cluster/node.hpp"

namespace baraza::cluster {
namespace {

/// Sends one answer; afterwards the ticket belongs to its host again.
void finish(const std::shared_ptr<node_services>& node, ticket_ptr ticket) {
  const auto host = std::exchange(ticket->host, nullptr);
  if (node->trace)
    node->trace(ticket->origin, "gate.commit", ticket->work.entity,
                std::string{storage::to_string(ticket->result.code)} + " after seq " +
                    std::to_string(ticket->work.expected_seq));
  auto& counters = node->counters;
  ++(ticket->result.code == storage::errc::none ? counters.commits : counters.commits_refused);
  if (host) caf::anon_send(host, commit_done{std::move(ticket)});
}

// ---- writer

/// One connection on a thread of its own. Holds a batch until the store has said what became of it:
/// applied, refused or fenced; a store that is away, or an unknown outcome, never reaches an entity
/// (rules A4, A5).
class writer_actor final : public caf::event_based_actor {
 public:
  writer_actor(caf::actor_config& config, std::shared_ptr<node_services> node, caf::actor gate,
               std::uint16_t index, std::shared_ptr<storage::writer> connection)
      : caf::event_based_actor{config},
        node_{std::move(node)},
        gate_{std::move(gate)},
        index_{index},
        connection_{std::move(connection)} {}
  const char* name() const override { return "writer"; }

 private:
  caf::behavior make_behavior() override {
    set_exception_handler([this](std::exception_ptr&) -> caf::error {
      node_->stop_node("a writer failed with an exception");
      return caf::make_error(caf::sec::runtime_error);
    });
    return {[this](flush& work) { run(work); }};
  }

  void on_exit() override { gate_ = nullptr; }  // breaks the circle gate ↔ writer

  void run(flush& work) {
    const auto began = cluster_clock::steady();
    node_->reach.began(index_, began);
    auto tickets = work.members;
    storage::batch batch;
    for (const auto& ticket : *tickets) batch.members.push_back(&ticket->work);
    std::vector<ticket_ptr> open{tickets->begin(), tickets->end()};
    auto pause = store_retry_first;
    std::deque<ticket_ptr> rest;  // of a batch that was refused as a whole: each on its own
    bool ask_first = false;
    while (!open.empty()) {
      if (!ask_first) batch.id = {node_->grant.incarnation, index_, ++number_};
      auto result = ask_first ? connection_->resolve(batch) : connection_->apply(batch);
      if (result.code == storage::errc::none) {
        ask_first = false;
        settle(open, batch, result);
        if (open.empty()) take_next(open, rest, batch);
        continue;
      }
      if (result.code == storage::errc::fenced || result.code == storage::errc::rolled_back) {
        if (result.code == storage::errc::rolled_back) stop_for_lost_store(*node_, result.detail);
        node_->stop_node("the store has fenced this node off: " + result.detail);
        open.insert(open.end(), rest.begin(), rest.end());
        for (auto& ticket : open) ticket->result.code = storage::errc::fenced;
        for (auto& ticket : open) finish(node_, std::move(ticket));
        break;
      }
      if (is_final(result.code)) {
        refuse_or_split(open, rest, batch, result);
        continue;
      }
      // Away or unknown: an unknown outcome is looked up before anything is sent again.
      node_->reach.stumbled(index_);
      if (result.code == storage::errc::unknown)
        ask_first = true, ++node_->counters.unknown_outcomes;
      ++node_->counters.store_holds;
      node_->log(severity::warning, "gate.store_away", {}, result.detail);
      std::this_thread::sleep_for(pause);
      pause = std::min<std::chrono::milliseconds>(pause * 2, store_retry_max);
    }
    node_->reach.ended(index_);
    ++node_->counters.batches;
    const auto us = static_cast<std::uint64_t>(cluster_clock::steady() - began) * 1000 / 256;
    ++node_->counters.commit_us_log2[std::min<std::size_t>(std::bit_width(us), 15)];
    caf::anon_send(gate_, flushed{index_, storage::errc::none});
  }

  /// Not the store's absence but the batch's fault: sent again as it is, it is refused for ever.
  static bool is_final(storage::errc code) {
    return code == storage::errc::invalid || code == storage::errc::corrupt ||
           code == storage::errc::incompatible;
  }
  static void take_next(std::vector<ticket_ptr>& open, std::deque<ticket_ptr>& rest,
                        storage::batch& batch) {
    if (rest.empty()) return;
    open.push_back(std::move(rest.front()));
    rest.pop_front();
    batch.members = {&open.front()->work};
  }
  /// One bad member must not hold up its lane: each is tried alone, and answered what it is.
  void refuse_or_split(std::vector<ticket_ptr>& open, std::deque<ticket_ptr>& rest,
                       storage::batch& batch, const storage::batch_result& result) {
    if (result.code != storage::errc::invalid)
      node_->stop_node("the store cannot be written by this process: " + result.detail);
    if (open.size() > 1) {
      rest.insert(rest.end(), open.begin(), open.end());
      open.clear();
    } else {
      open.front()->result.code = result.code;
      open.front()->result.detail = result.detail;
      finish(node_, std::move(open.front()));
      open.clear();
    }
    take_next(open, rest, batch);
  }

  /// Answers the members that have a final result; keeps those that a lookup found missing, to be
  /// sent again under a new number.
  void settle(std::vector<ticket_ptr>& open, storage::batch& batch, storage::batch_result& result) {
    if (result.members.size() != open.size())
      return node_->stop_node("the store answered another number of members");
    std::vector<ticket_ptr> again;
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (result.members[i].code == storage::errc::unavailable) {
        again.push_back(std::move(open[i]));
        continue;
      }
      open[i]->result = std::move(result.members[i]);
      finish(node_, std::move(open[i]));
    }
    open = std::move(again);
    batch.members.clear();
    for (const auto& ticket : open) batch.members.push_back(&ticket->work);
  }

  std::shared_ptr<node_services> node_;
  caf::actor gate_;
  std::uint16_t index_;
  std::shared_ptr<storage::writer> connection_;
  std::uint64_t number_ = 0;
};

// ---- gate

class gate_actor final : public caf::event_based_actor {
 public:
  gate_actor(caf::actor_config& config, std::shared_ptr<node_services> node,
             std::shared_ptr<std::vector<std::unique_ptr<storage::writer>>> connections)
      : caf::event_based_actor{config},
        node_{std::move(node)},
        queue_{static_cast<std::uint16_t>(connections->size()), node_->gate_waiting_max},
        shards_{node_->shards},
        in_flight_(connections->size()) {
    if (!node_->others)  // alone: every shard is ours, and none of them ever moves
      for (shard_id shard = 0; shard < node_->shards; ++shard)
        (void)shards_.open(shard, node_->grant.epoch);
    auto self = caf::actor_cast<caf::actor>(this);
    for (std::uint16_t i = 0; i < connections->size(); ++i)
      writers_.push_back(spawn<writer_actor, caf::detached + caf::hidden>(
          node_, self, i, std::shared_ptr<storage::writer>{std::move((*connections)[i])}));
  }
  const char* name() const override { return "gate"; }

 private:
  caf::behavior make_behavior() override {
    set_exception_handler([this](std::exception_ptr&) -> caf::error {
      node_->stop_node("the journal gate failed with an exception");
      return caf::make_error(caf::sec::runtime_error);
    });
    return {
        [this](commit_asked& m) { take(std::move(m.ticket)); },
        [this](gate_shard m) { set_shard(m); },
        [this](gate_paused m) { pause(m.is); },
        [this](flushed m) {
          for (const auto shard : std::exchange(in_flight_[m.writer], {})) settled(shard);
          for (const auto& raised : queue_.flushed(m.writer))
            caf::anon_send(node_->region.get(), barred{raised.who, raised.earliest});
          start(m.writer);
        },
        [this](look_again m) { start(m.writer); },
        [this](drain_asked) { return queue_.idle() && held_.empty(); },
        [this](bar m) {
          std::vector<ticket_ptr> dropped;
          const bool clear = queue_.raise_bar(m, dropped);
          refuse(dropped);
          if (clear) caf::anon_send(node_->region.get(), barred{m.who, m.earliest});
        },
    };
  }

  void on_exit() override {
    for (const auto& writer : writers_)
      caf::anon_send_exit(writer, caf::exit_reason::user_shutdown);
    writers_.clear();
  }

  void take(ticket_ptr ticket) {
    const auto shard = ticket->work.shard;
    switch (shards_.admit(shard, ticket->work.epoch)) {
      case gate_shards::verdict::refuse:
        ticket->refused_by_gate = true;
        return finish(node_, std::move(ticket));
      case gate_shards::verdict::hold:  // an entity has one in flight, so this is bounded by them
        held_.push_back(std::move(ticket));
        return;
      case gate_shards::verdict::take:
        break;
    }
    const auto writer = queue_.writer_of(ticket->work.entity);
    switch (queue_.add(ticket)) {
      case gate_queue::verdict::queued:
        return start(writer);
      case gate_queue::verdict::stale:
        ticket->refused_by_gate = true;
        break;
      case gate_queue::verdict::full:
        ticket->result.code = storage::errc::unavailable;
        break;
    }
    settled(shard);
    finish(node_, std::move(ticket));
  }

  /// Taken out of the queue before a writer had them: each counts as settled.
  void refuse(std::vector<ticket_ptr>& dropped) {
    for (auto& ticket : dropped) {
      settled(ticket->work.shard);
      ticket->refused_by_gate = true;
      finish(node_, std::move(ticket));
    }
  }

  void settled(shard_id shard) {
    if (shards_.settled(shard)) tell_emptied(shard);
  }
  void tell_emptied(shard_id shard) {
    caf::anon_send(node_->membership.get(), gate_emptied{shard, shards_.epoch(shard)});
  }

  void set_shard(const gate_shard& m) {
    if (m.open) {
      if (!shards_.open(m.shard, m.epoch))
        node_->stop_node("a shard was opened while commits of its last life were on their way");
      return;
    }
    const bool is_empty = shards_.close(m.shard);
    std::vector<ticket_ptr> dropped;
    queue_.drop_shard(m.shard, dropped);
    for (auto one = held_.begin(); one != held_.end();) {  // never counted
      if ((*one)->work.shard != m.shard) {
        ++one;
        continue;
      }
      (*one)->refused_by_gate = true;
      finish(node_, std::move(*one));
      one = held_.erase(one);
    }
    refuse(dropped);  // the last of them may say that it is empty
    if (is_empty) tell_emptied(m.shard);
  }

  void pause(bool is) {
    if (is) return shards_.suspend();
    shards_.resume();
    for (auto& ticket : std::exchange(held_, {})) take(std::move(ticket));
    for (std::uint16_t writer = 0; writer < writers_.size(); ++writer) start(writer);
  }

  void start(std::uint16_t writer) {
    node_->counters.gate_queue = static_cast<std::int64_t>(queue_.size());
    if (shards_.is_suspended()) return;  // what is queued waits for the lease
    auto batch = queue_.next(writer);
    if (!batch) return;
    if (batch->empty())
      return caf::anon_send(caf::actor_cast<caf::actor>(this), look_again{writer});
    for (const auto& ticket : *batch) in_flight_[writer].push_back(ticket->work.shard);
    caf::anon_send(writers_[writer],
                   flush{std::make_shared<std::vector<ticket_ptr>>(std::move(*batch)), 0});
  }

  std::shared_ptr<node_services> node_;
  gate_queue queue_;
  gate_shards shards_;
  std::vector<std::vector<shard_id>> in_flight_;  // by writer: whose outcome is not known yet
  std::vector<ticket_ptr> held_;                  // while the node is suspended
  std::vector<caf::actor> writers_;
};

}  // namespace

caf::actor start_gate(caf::actor_system& system, const std::shared_ptr<node_services>& node,
                      std::vector<std::unique_ptr<storage::writer>> writers) {
  return system.spawn<gate_actor>(
      node, std::make_shared<std::vector<std::unique_ptr<storage::writer>>>(std::move(writers)));
}

}  // namespace baraza::cluster
