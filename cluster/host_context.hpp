// Carries out what the entity of a host decides. A member class of the host, so that the entity
// sees neither CAF nor the host. Included by the sources of the host alone.
#pragma once

#include <algorithm>
#include <caf/send.hpp>
#include <stdexcept>

#include "cluster/entity_host.hpp"
#include "cluster/limits.hpp"

namespace baraza::cluster {

class entity_host::host_context final : public actors::context {
 public:
  explicit host_context(entity_host& host) : host_{host} {}

  millis now() const override { return host_.now(); }
  std::uint64_t head() const override { return host_.head_; }
  std::uint64_t epoch() const override { return host_.epoch_; }
  millis reachable_since() const override { return host_.node_->reach.since(); }
  void commit(actors::change what) override { host_.commit(std::move(what)); }

  void reply(const actors::reply_to& to, actors::answer what) override {
    auto& node = *host_.node_;
    if (to.edge != 0) {
      caf::anon_send(node.gateway(to.edge), edge_answer{to.session, to.request, std::move(what)});
    } else if (to.entity) {
      caf::anon_send(node.region.get(), answer_in{*to.entity, to.request, std::move(what)});
    }
  }
  void ask(const entity_id& to, actors::request what, std::uint64_t correlation,
           millis deadline) override {
    if (host_.questions_.size() >= asks_max)
      throw std::length_error{"an entity asks too many questions at once"};
    auto request = std::make_shared<envelope>();
    request->to = to;
    request->from.entity = host_.who_;
    request->from.request = correlation;
    request->what = std::move(what);
    request->deadline = deadline;
    request->origin = host_.origin_;
    send(*request);
    host_.questions_.push_back({correlation, std::move(request), now() + ask_retry.count()});
  }
  void tell(const entity_id& to, actors::request what) override {
    auto request = std::make_shared<envelope>();
    request->to = to;
    request->what = std::move(what);
    request->origin = host_.origin_;
    caf::anon_send(host_.node_->region.get(), deliver{std::move(request)});
  }
  void push(actors::push what) override {
    auto& node = *host_.node_;
    const auto shared = std::make_shared<const actors::push>(std::move(what));
    if (const auto* events = std::get_if<actors::table_events>(shared.get())) {
      const auto& watchers = host_.watchers_;
      for (const auto edge : watchers) caf::anon_send(node.gateway(edge), edge_push{shared});
      // The push is also the answer to whoever caused it, watcher or not.
      const auto& causes = events->causes;
      for (auto cause = causes.begin(); cause != causes.end(); ++cause) {
        const auto is_same = [&](const auto& other) { return other.edge == cause->edge; };
        if (std::ranges::find(watchers, cause->edge) == watchers.end() &&
            std::none_of(causes.begin(), cause, is_same))
          caf::anon_send(node.gateway(cause->edge), edge_push{shared});
      }
      return;
    }
    for (const auto& gateway : node.gateways) caf::anon_send(gateway.get(), edge_push{shared});
  }
  void push_to(std::uint32_t edge, actors::push what) override {
    caf::anon_send(host_.node_->gateway(edge),
                   edge_push{std::make_shared<const actors::push>(std::move(what))});
  }
  void set_timer(millis at) override { host_.timer_at_ = at; }
  void set_idle(bool idle) override { host_.idle_allowed_ = idle; }

  void read_balances(std::vector<storage::account_id> accounts,
                     std::uint64_t correlation) override {
    read(correlation, [accounts = std::move(accounts)](storage::reader& from, rows_read& into) {
      if (auto rows = from.balances(accounts)) {
        into.balances = std::make_shared<std::vector<storage::balance>>(std::move(*rows));
        return true;
      }
      return false;
    });
  }
  void read_transfers(const storage::account_id& account, const uuid& reference,
                      std::uint64_t correlation) override {
    read(correlation, [account, reference](storage::reader& from, rows_read& into) {
      if (auto rows = from.transfers_of(account, reference)) {
        into.transfers = std::make_shared<std::vector<storage::transfer>>(std::move(*rows));
        return true;
      }
      return false;
    });
  }

 private:
  friend class entity_host;
  void send(const envelope& what) {
    caf::anon_send(host_.node_->region.get(), deliver{std::make_shared<envelope>(what)});
  }

  struct open_read {
    std::uint64_t number = 0, correlation = 0;
    read_pool::job job;
  };

  /// A read that fails is tried again until the store answers: the entity cannot go on without it,
  /// and refusals wait for nobody. A further one under the same correlation replaces it: what the
  /// first one finds is too old by then, and may come twice.
  template <class Query>
  void read(std::uint64_t correlation, Query query) {
    auto self = caf::actor_cast<caf::actor>(&host_);
    auto node = host_.node_;
    const auto number = ++reads_begun_;
    const auto job = [self, number, query](storage::reader& from) {
      rows_read rows;
      rows.number = number;
      query(from, rows);
      caf::anon_send(self, std::move(rows));  // without rows: the host asks again
    };
    if (!node->reads.submit(job)) caf::anon_send(self, rows_read{number, nullptr, nullptr});
    std::erase_if(reads_, [&](const open_read& r) { return r.correlation == correlation; });
    reads_.push_back({number, correlation, job});
  }

  entity_host& host_;
  std::vector<open_read> reads_;  // unanswered; ≤ a handful per entity
  std::uint64_t reads_begun_ = 0;
};

}  // namespace baraza::cluster
