#include "http/serve.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <thread>

#include "actors/games/game.hpp"
#include "actors/log.hpp"
#include "actors/table_void.hpp"
#include "cluster/operators.hpp"
#include "cluster/upkeep.hpp"
#include "http/admin.hpp"
#include "http/client/house_bot.hpp"
#include "http/cluster_key.hpp"
#include "http/gateway_bridge.hpp"
#include "http/match_documents.hpp"
#include "http/node_metrics.hpp"
#include "storage/identity.hpp"

namespace baraza::http {
namespace {

int complain(const std::string& what) {
  std::cerr << "baraza serve: " << what << '\n';
  return 1;
}

log::level level_of(cluster::severity s) {
  switch (s) {
    case cluster::severity::debug:
      return log::level::debug;
    case cluster::severity::info:
      return log::level::info;
    case cluster::severity::warning:
      return log::level::warn;
    case cluster::severity::error:
      return log::level::error;
  }
  return log::level::error;
}

/// Fenced, a broken gate, a held thread: the process ends at once, without a word to the store. Its
/// successor has the truth.
[[noreturn]] void end_process(std::string_view why) {
  log::event(log::level::error, "node.stopped", {{"why", why}});
  log::flush();
  std::fprintf(stderr, "baraza serve: stopped: %.*s\n", static_cast<int>(why.size()), why.data());
  std::this_thread::sleep_for(std::chrono::milliseconds{50});  // the log's thread writes what waits
  ::_exit(70);
}

cluster::entity_factory entities(const serve_options& options) {
  cluster::entity_factory factory;
  factory.make = [&options](const entity_id& who) -> std::unique_ptr<actors::entity> {
    switch (who.kind) {
      case entity_kind::wallet:
        return actors::make_wallet(who, options.wallet);
      case entity_kind::table:
        return actors::make_table(who, options.table);
      case entity_kind::lobby:
        return actors::make_lobby(who, options.lobby);
      default:
        return nullptr;
    }
  };
  factory.escrows_of =
      [](const entity_id& who,
         const std::vector<storage::journal_event>& journal) -> std::vector<storage::account_id> {
    if (who.kind != entity_kind::table) return {};
    return actors::escrows_of(who.key, journal);
  };
  factory.plan_void = [&options](const entity_id& who,
                                 const std::vector<storage::journal_event>& events,
                                 const std::vector<storage::transfer>& escrow, std::string_view why,
                                 millis now) -> std::optional<actors::void_plan> {
    if (who.kind != entity_kind::table || events.empty()) return std::nullopt;
    return actors::plan_void(who, events.back().seq, events, escrow, why,
                             &options.table.cluster_key, now);
  };
  return factory;
}

bridge_options from_edge(const edge_options& edge) {
  bridge_options out;
  out.inflight = edge.session_inflight_max;
  return out;
}

/// @param of outlives the edge
edge_callbacks callbacks(cluster::node& of) {
  edge_callbacks call;
  const auto& node = of.services();
  call.is_ready = [&of] { return of.is_serving(); };
  call.now = [node] { return node->clock.now(); };
  call.append_metrics = [node](std::string& out) { append_node_metrics(*node, out); };
  call.report = [node](cluster::report_answer answered) {
    cluster::report(node, std::move(answered));
  };
  call.operate = [node](cluster::operator_wish what, cluster::operator_answer answered) {
    cluster::operate(node, std::move(what), std::move(answered));
  };
  call.record = [node](const storage::incident& what) { return node->store.record_incident(what); };
  call.games = games_document;
  call.match_record = match_record_document;
  call.match_proof = match_proof_document;
  call.log = [](std::string_view event, const std::string& detail) {
    // Of these an operator must know: accounts that nobody can get into.
    const bool is_ours = event == "password_key_missing" || event == "identity_store_error";
    log::event(is_ours ? log::level::error : log::level::info, event, {{"detail", detail}});
  };
  return call;
}

/// Whether there are certificates that SIGHUP makes it read again.
bool has_certificates(const serve_options& options) {
  return !options.edge.certificate_file.empty() ||
         (options.node.cluster && options.node.cluster->certificates);
}

/// SIGTERM and SIGINT, and with TLS also SIGHUP, taken by wait_for_stop instead of a handler.
/// Without TLS a terminal that closes still ends its server. Before the first thread.
sigset_t block_signals(bool with_tls) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (with_tls) sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return set;
}

/// Until SIGTERM or SIGINT; each SIGHUP before reads the certificates again, the players' and the
/// links'.
int wait_for_stop(const sigset_t& signals, edge& at, const cluster::node& node) {
  for (;;) {
    int received = 0;
    sigwait(&signals, &received);
    if (received != SIGHUP) return received;
    cluster::reload_certificates(node.services());
    if (!at.speaks_tls()) continue;
    if (const auto why = at.reload_certificate())
      log::event(log::level::error, "edge.certificate_kept", {{"why", *why}});
    else
      log::event(log::level::info, "edge.certificate_loaded");
  }
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void say_ready(const serve_options& options, const edge& at) {
  if (!options.edge.players) {
    std::cout << "Baraza is ready, without players of its own\n  admin   http://"
              << options.edge.admin_address << ":" << at.admin_port() << "/metrics" << std::endl;
    return;
  }
  const auto scheme = options.edge.certificate_file.empty() ? "ws" : "wss";
  const auto host = options.edge.address == "0.0.0.0" || options.edge.address == "::"
                        ? std::string{"127.0.0.1"}
                        : options.edge.address;
  const auto url = std::string{scheme} + "://" +
                   (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
                   std::to_string(at.port()) + "/v1/play";
  std::error_code none;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", none);
  std::cout << "Baraza is ready at " << url << "\n  admin   http://" << options.edge.admin_address
            << ":" << at.admin_port() << "/metrics\n  store   "
            << options.store_url.substr(0, options.store_url.find("://")) << "\n  play    "
            << (none ? std::string{"baraza"} : std::filesystem::relative(self, none).string())
            << " play draw --url " << url << (options.house_bot ? "   (the house bot is in)" : "")
            << std::endl;
}

/// Reads what the settings name; empty: all is well.
std::string read_password_files(const serve_options& from, auth_options& to) {
  if (!from.breached_file.empty()) {
    auto list = breached_list::read(from.breached_file);
    if (auto* wrong = std::get_if<std::string>(&list)) return std::move(*wrong);
    to.breached = std::make_shared<const breached_list>(std::get<breached_list>(std::move(list)));
    log::event(log::level::info, "node.breached_passwords", {{"entries", to.breached->size()}});
  }
  if (!from.pepper_file.empty()) {
    auto keys = peppers::read(from.pepper_file);
    if (auto* wrong = std::get_if<std::string>(&keys)) return std::move(*wrong);
    to.pepper = std::make_shared<const peppers>(std::get<peppers>(std::move(keys)));
  }
  return {};
}

}  // namespace

int serve(serve_options options) {
  ::umask(0077);  // the store holds password hashes: nobody else reads what we create
  if (options.house_bot && !options.edge.certificate_file.empty())
    return complain("the house bot does not speak TLS: leave it off, or TLS to a proxy in front");
  const auto signals = block_signals(has_certificates(options));
  raise_descriptor_limit();
  cluster::watchdog::hear_crashes();
  if (const auto why = read_password_files(options, options.edge.auth); !why.empty()) {
    (void)complain(why);
    return 2;
  }
  bool key_made = false;
  if (const auto why = load_cluster_key(options.key_file, options.table.cluster_key, key_made);
      !why.empty())
    return complain(why);
  if (const auto why = read_admin_token(options.admin_token_file, options.edge.admin_token);
      !why.empty())
    return complain(why);
  auto store = storage::open(options.store_url, {false, options.allow_loss});
  if (!store) return complain(store.why().message);
  if (const auto ready = cluster::prepare(**store); !ready) return complain(ready.why().message);
  if (const auto why =
          claim_cluster_key(**store, options.table.cluster_key, options.key_file, key_made);
      !why.empty())
    return complain(why);
  options.node.stop_node = [](std::string_view why) { end_process(why); };
  options.node.log = [](cluster::severity s, std::string_view event, std::string_view who,
                        std::string_view detail) {
    log::event(level_of(s), event, {{"entity", who}, {"detail", detail}});
  };
  if (log::enabled(log::level::debug))
    options.node.trace = [](const cluster::cause& from, std::string_view event,
                            const entity_id& who, std::string_view detail) {
      log::event(log::level::debug, event, from.to_string(), {{"entity", who}, {"detail", detail}});
    };
#ifdef BARAZA_TEST_COMMANDS
  options.node.restart_backoff = std::chrono::milliseconds{20};  // tests wait through all of them
#endif
  auto node = cluster::node::start(**store, options.node, [&](const storage::node_grant& grant) {
    options.table.slots = options.wallet.slots = {grant.incarnation, options.node.writers};
    return entities(options);
  });
  if (!node) {
    // A name that lives elsewhere is a mistake in the settings; whatever starts us need not try
    // again.
    (void)complain(node.why().message);
    return node.why().code == storage::errc::exists ? 2 : 1;
  }
  const cluster::upkeep upkeep{
      [&] { return (*store)->maintain((*node)->services()->clock.now()); },
      [](const storage::error& why) {
        log::event(log::level::error, "store.upkeep_failed", {{"detail", why.message}});
      }};

  const auto identities = (*store)->open_identity();
  const auto gateway =
      make_gateway_bridge((*node)->system(), (*node)->services(), from_edge(options.edge));
  edge front{options.edge, *gateway, *identities, (*node)->reads(), callbacks(**node)};
  if (const auto why = front.start()) return complain(*why);
  client::house_bot bot;
  if (options.house_bot && options.edge.players) {
    const auto host =
        options.edge.address == "0.0.0.0" ? std::string{"127.0.0.1"} : options.edge.address;
    if (!bot.start("ws://" + host + ":" + std::to_string(front.port()) + "/v1/play",
                   {.folder = options.house_bot_folder}))
      return complain("the house bot cannot read the address");
  }
  say_ready(options, front);
  log::event(log::level::info, "node.ready",
             {{"incarnation", (*node)->services()->grant.incarnation}});

  const int received = wait_for_stop(signals, front, **node);
  log::event(log::level::info, "node.stopping", {{"signal", received}});
  std::thread{[signals] {  // a second signal ends at once
    int again = SIGHUP;
    while (again == SIGHUP) sigwait(&signals, &again);
    ::_exit(1);
  }}
      .detach();
  bot.stop();
  front.stop(1000);
  const bool clean = (*node)->stop(options.stop_limit);
  return clean ? 0 : complain("stopped with commits in flight: their outcome is in the journal");
}

}  // namespace baraza::http
