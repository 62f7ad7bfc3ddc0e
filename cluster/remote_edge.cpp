#include "cluster/remote_edge.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <unordered_map>

#include "cluster/peers.hpp"

namespace baraza::cluster {
namespace {

// A player waits no longer for an answer, and a push is made up for by the next one.
constexpr auto push_within = 5s;
constexpr auto digest_every = 1s;
// Tables of one digest; those beyond are renewed by their edge after 15 s at the latest.
constexpr std::size_t digest_tables_max = wire::list_items_max;

class remote_edge_actor final : public caf::event_based_actor {
 public:
  remote_edge_actor(caf::actor_config& config, std::shared_ptr<node_services> node,
                    std::uint64_t incarnation, std::uint32_t number)
      : caf::event_based_actor{config},
        node_{std::move(node)},
        incarnation_{incarnation},
        number_{number} {}
  const char* name() const override { return "remote_edge"; }

 private:
  caf::behavior make_behavior() override {
    delayed_send(this, digest_every, edge_sweep{});
    return {
        [this](edge_answer& m) { answer(m); }, [this](const edge_push& m) { push(*m.what); },
        [this](edge_sweep) {
          delayed_send(this, digest_every, edge_sweep{});
          tell_digest();
        },
        [](const shards_changed&) {},  // it reads its own view
    };
  }

  void answer(edge_answer& m) {
    wire::message out;
    out.about.to.kind = entity_kind::house;
    out.about.from.to = {own_edge, m.session, m.request, std::nullopt};
    out.what = std::move(m.what);
    send(std::move(out));
  }

  void push(const actors::push& what) {
    wire::message out;
    out.about.to.kind = entity_kind::house;
    if (const auto* events = std::get_if<actors::table_events>(&what)) {
      auto copy = *events;
      // Whom a push answers is known by the number its own edge has here; there it has another.
      std::erase_if(copy.causes, [&](const auto& cause) { return cause.edge != number_; });
      for (auto& cause : copy.causes) cause.edge = own_edge;
      note(copy);
      out.about.to = {entity_kind::table, copy.table};
      out.what = actors::push{std::move(copy)};
    } else {
      out.what = what;
    }
    send(std::move(out));
  }

  void note(const actors::table_events& what) {
    if (heads_.size() < digest_tables_max || heads_.contains(what.table))
      heads_[what.table] = what.seq;
  }
  void tell_digest() {
    if (heads_.empty()) return;
    wire::digest out;
    out.tables.reserve(heads_.size());
    for (const auto& [table, seq] : heads_) out.tables.push_back({table, seq});
    heads_.clear();
    (void)node_->others->send(incarnation_, std::move(out));
  }

  void send(wire::message what) {
    if (node_->others->send(incarnation_, std::move(what), push_within) == peers::sent::full)
      ++node_->counters.overloaded;
  }

  std::shared_ptr<node_services> node_;
  const std::uint64_t incarnation_;
  const std::uint32_t number_;
  std::unordered_map<uuid, std::uint64_t> heads_;
};

}  // namespace

caf::actor start_remote_edge(caf::actor_system& system, const std::shared_ptr<node_services>& node,
                             std::uint64_t incarnation, std::uint32_t number) {
  return system.spawn<remote_edge_actor>(node, incarnation, number);
}

}  // namespace baraza::cluster
