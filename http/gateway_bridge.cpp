#include "http/gateway_bridge.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "cluster/peers.hpp"
#include "http/gateway_hub.hpp"

namespace baraza::http {
namespace {

class gateway_actor final : public caf::event_based_actor {
 public:
  gateway_actor(caf::actor_config& config, std::shared_ptr<gateway_hub> to)
      : caf::event_based_actor{config}, hub_{std::move(to)} {}
  const char* name() const override { return "gateway"; }

 private:
  caf::behavior make_behavior() override {
    delayed_send(this, std::chrono::seconds{1}, cluster::edge_sweep{});
    return {
        [this](cluster::edge_answer& m) {
          hub_->on_answer(m);
          flush_soon();
        },
        [this](cluster::edge_push& m) {
          hub_->on_push(*m.what);
          flush_soon();
        },
        [this](const cluster::shards_changed& m) {
          hub_->on_shards(m);
          flush_soon();
        },
        [this](const cluster::edge_heads& m) {
          hub_->on_heads(m.what);
          flush_soon();
        },
        [this](cluster::edge_flush) {
          is_flushing_ = false;
          hub_->flush();
        },
        [this](const cluster::edge_logout& m) { hub_->on_ended(m.what); },
        [this](cluster::edge_sweep) {
          delayed_send(this, std::chrono::seconds{1}, cluster::edge_sweep{});
          hub_->sweep();
          flush_soon();
        },
    };
  }

  /// Behind what waits already: the frames of a whole batch of commits leave together.
  void flush_soon() {
    if (!std::exchange(is_flushing_, true)) send(this, cluster::edge_flush{});
  }

  std::shared_ptr<gateway_hub> hub_;
  bool is_flushing_ = false;
};

class gateway_bridge final : public bridge {
 public:
  gateway_bridge(std::shared_ptr<gateway_hub> to, caf::actor gateway,
                 std::shared_ptr<cluster::node_services> node)
      : hub_{std::move(to)}, gateway_{std::move(gateway)}, node_{std::move(node)} {}
  ~gateway_bridge() override { caf::anon_send_exit(gateway_, caf::exit_reason::user_shutdown); }

  session_number attach(const uuid& player, const uuid& login, std::string display,
                        std::weak_ptr<session_sink> sink) override {
    return hub_->attach(player, login, std::move(display), std::move(sink));
  }
  void detach(session_number session) override { hub_->detach(session); }
  void handle(session_number session, wire::client_frame frame) override {
    hub_->handle(session, std::move(frame));
  }
  void ask(const entity_id& to, actors::request what, std::string_view request_id,
           std::chrono::milliseconds deadline,
           std::function<void(const actors::answer&)> answered) override {
    hub_->ask(to, std::move(what), request_id, deadline, std::move(answered));
  }
  void end_sessions(const uuid& player, const uuid* login) override {
    hub_->end_sessions(player, login);
    if (node_->others)
      node_->others->broadcast(
          cluster::wire::logins_ended{player, login == nullptr ? uuid{} : *login});
  }
  void hear_ended(ended_elsewhere hears) override { hub_->hear_ended(std::move(hears)); }
  void go_away(std::uint32_t retry_ms) override { hub_->go_away(retry_ms); }
  std::size_t sessions() const override { return hub_->count(); }

 private:
  std::shared_ptr<gateway_hub> hub_;
  caf::actor gateway_;
  std::shared_ptr<cluster::node_services> node_;
};

}  // namespace

std::unique_ptr<bridge> make_gateway_bridge(caf::actor_system& system,
                                            std::shared_ptr<cluster::node_services> node,
                                            const bridge_options& options) {
  auto state = std::make_shared<gateway_hub>(node, options);
  auto gateway = system.spawn<gateway_actor>(state);
  node->gateways[options.edge].set(gateway);
  return std::make_unique<gateway_bridge>(std::move(state), std::move(gateway), std::move(node));
}

}  // namespace baraza::http
