#include "cluster/node.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <thread>

#include "cluster/cluster_part.hpp"
#include "cluster/gate.hpp"
#include "cluster/limits.hpp"
#include "cluster/peers.hpp"
#include "cluster/region.hpp"
#include "cluster/rejoiner.hpp"
#include "cluster/store_pulse.hpp"

namespace baraza::cluster {
namespace {

void init_types() {
  static const bool once = [] {
    caf::init_global_meta_objects<caf::id_block::baraza>();
    caf::core::init_global_meta_objects();
    return true;
  }();
  (void)once;
}

struct system_config : caf::actor_system_config {
  explicit system_config(std::size_t threads) {
    // One shared queue: with few threads it costs less than stealing, which polls, and it leaves
    // idle threads asleep.
    set("caf.scheduler.policy", "sharing");
    set("caf.scheduler.max-threads", threads);
    // Others get their turn: a busy region must not keep the tables it feeds from running.
    set("caf.scheduler.max-throughput", std::size_t{256});
    set("caf.logger.file.verbosity", "quiet");
  }
};

}  // namespace

struct node::parts {
  storage::store& store;
  read_pool reads;
  std::unique_ptr<system_config> config;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<node_services> services;
  std::unique_ptr<cluster_part> cluster;  // null: alone
  std::unique_ptr<rejoiner> again;        // null: alone, or it owns shards
  store_pulse pulse{store};
  std::atomic<bool> stopped = false;
};

storage::status prepare(storage::store& store) {
  auto state = store.migrations();
  if (!state) return state.why();
  if (state->schema == 0) {
    if (auto made = store.migrate(state->newest); !made) return made.why();
    return storage::done{};
  }
  if (state->schema < state->newest)
    return storage::error{storage::errc::incompatible,
                          "the store has schema " + std::to_string(state->schema) +
                              ", this binary needs " + std::to_string(state->newest) +
                              ": run `baraza migrate up`"};
  if (state->schema > state->newest && state->oldest_level > state->newest)
    return storage::error{storage::errc::incompatible, "the store needs a binary of level " +
                                                           std::to_string(state->oldest_level) +
                                                           " or newer; this one is of level " +
                                                           std::to_string(state->newest)};
  return storage::done{};
}

void stop_for_lost_store(node_services& node, const std::string& why) {
  node.log(severity::error, "store.rolled_back", {}, why);
  const auto now = node.clock.now();
  const storage::incident mark{uuid::v7(now),
                               now,
                               {entity_kind::house, uuid{}},
                               std::string{storage::incident_rolled_back},
                               why};
  if (const auto kept = node.store.record_incident(mark); !kept)
    node.log(severity::error, "store.not_marked", {}, kept.why().message);
  node.stop_node(why);
}

node::node(std::unique_ptr<parts> built) : parts_{std::move(built)} {}

namespace {

using writer_list = std::vector<std::unique_ptr<storage::writer>>;

storage::result<writer_list> open_writers(storage::store& store, const storage::node_grant& grant,
                                          std::uint16_t count) {
  writer_list writers;
  for (std::uint16_t i = 0; i < count; ++i) {
    auto opened = store.open_writer(grant, i);
    if (!opened) return opened.why();
    writers.push_back(std::move(*opened));
  }
  return writers;
}

watchdog make_watchdog(storage::store& store, const node_options& options) {
  return watchdog{
      [&store, stop = options.stop_node, log = options.log](const watchdog::alarm& what) {
        // Known by name to the next process: the third time it is voided instead of run (rule D3).
        const auto count = [&] {
          (void)store.count_attempt(std::span{&what.who, 1}, storage::strike::hold);
        };
        if (what.signal != 0) {
          if (!what.is_counted) count();
          return log(severity::error, "watchdog.crashed", what.who.to_string(),
                     "signal " + std::to_string(what.signal));
        }
        log(severity::error, "watchdog.thread_held", what.who.to_string(),
            std::to_string(what.held.count()) + " ms");
        count();
        stop("an actor held its thread for more than 5 s");
      }};
}

}  // namespace

storage::result<std::unique_ptr<node>> node::start(
    storage::store& store, const node_options& options,
    const std::function<entity_factory(const storage::node_grant&)>& make_factory) {
  init_types();
  std::unique_ptr<enrolment> member;
  storage::node_grant grant;
  if (options.cluster) {
    auto enrolled = enrol(store, options, join_limit);
    if (!enrolled) return enrolled.why();
    member = std::move(*enrolled);
    grant = member->who.grant;
  } else {
    auto alone = store.join({options.name, options.address, options.roles, options.writers,
                             options.shards, own_version().level});
    if (!alone) return alone.why();
    grant = *alone;
  }
  const auto give_up = [&](const storage::error& why) {
    (void)store.fence(grant.incarnation);  // a start that was refused is no death
    return why;
  };
  const bool owns_shards = !options.cluster || options.cluster->weight > 0;
  auto writers = open_writers(store, grant, owns_shards ? options.writers : 0);
  if (!writers) return give_up(writers.why());
  const std::size_t threads = options.scheduler_threads != 0
                                  ? options.scheduler_threads
                                  : std::max(1u, std::thread::hardware_concurrency() / 2);
  auto config = std::make_unique<system_config>(threads);
  auto system = std::make_unique<caf::actor_system>(*config);
  std::unique_ptr<parts> built{new parts{store, read_pool{store, options.readers, 100'000},
                                         std::move(config), std::move(system), nullptr, nullptr,
                                         nullptr}};
  built->services = std::shared_ptr<node_services>{
      new node_services{store, grant, options.shards, cluster_clock{grant.store_time}, built->reads,
                        make_factory(grant), options.passivate_after, options.restart_backoff,
                        options.gate_waiting_max, options.stop_node, options.log, options.trace,
                        make_watchdog(store, options)}};
  auto& services = *built->services;
  if (member) services.level = 1;  // what everybody can read, until the view is read
  if (member) services.others = std::make_shared<peers>(grant.node, grant.incarnation);
  services.gate.set(start_gate(*built->system, built->services, std::move(*writers)));
  services.region.set(start_region(*built->system, built->services));
  if (member) {
    auto part = cluster_part::start(*built->system, built->services, std::move(*member), options);
    if (!part) return give_up(part.why());
    built->cluster = std::move(*part);
  }
  if (!owns_shards) {
    built->again = std::make_unique<rejoiner>([&store, options, raw = built.get()] {
      return cluster_part::join_again(raw->cluster, *raw->system, raw->services, store, options);
    });
    services.join_again = [again = built->again.get()] { again->ask(); };
  }
  // Only now: what a stored wake-up starts must find gate and region.
  caf::anon_send(services.region.get(), wheel_tick_now{});
  return std::unique_ptr<node>{new node{std::move(built)}};
}

node::~node() { stop(5s); }

caf::actor_system& node::system() { return *parts_->system; }
read_pool& node::reads() { return parts_->reads; }
const std::shared_ptr<node_services>& node::services() const { return parts_->services; }

void node::attach_edge(std::uint32_t number, caf::actor gateway) {
  parts_->services->gateways[number].set(std::move(gateway));
}

bool node::is_serving() const {
  const auto& services = *parts_->services;
  const auto own = services.board.own();
  const bool is_draining = own && own->status == storage::member_status::draining;
  const bool is_in =
      !services.others || (services.is_member && !services.is_suspended && !is_draining);
  return !parts_->stopped && is_in && parts_->pulse.answered_within(store_silence_max);
}

bool node::stop(std::chrono::milliseconds limit) {
  if (parts_->stopped.exchange(true)) return true;
  auto& services = *parts_->services;
  if (parts_->again) parts_->again->stop();
  if (parts_->cluster) parts_->cluster->leave();
  // Entities end with the region's exit, so what the gate still holds is only what was already on
  // its way.
  const auto region = services.region.get(), gate = services.gate.get();
  caf::anon_send(region, stop_region{});
  caf::scoped_actor self{*parts_->system};
  bool clean = false;
  self->wait_for(region);
  parts_->reads.stop();  // a void that is being prepared commits, too
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!clean && std::chrono::steady_clock::now() < until) {
    // An entity in the middle of a call may still commit: an idle gate says something only without
    // any.
    if (services.counters.entities == 0)
      self->request(gate, std::chrono::milliseconds{200}, drain_asked{})
          .receive([&](bool idle) { clean = idle; }, [](caf::error&) {});
    if (!clean) std::this_thread::sleep_for(5ms);
  }
  if (clean) (void)parts_->store.fence(services.grant.incarnation);
  if (parts_->cluster) parts_->cluster->stop();
  // They hold the services that hold them.
  for (auto& gateway : services.gateways) gateway.set({});
  caf::anon_send_exit(gate, caf::exit_reason::user_shutdown);
  services.gate.set({});
  services.region.set({});
  return clean;
}

}  // namespace baraza::cluster
