#include "cluster/local/local_cluster.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

#include "cluster/certs/certs.hpp"
#include "cluster/local/failure.hpp"
#include "cluster/local/settings_file.hpp"

namespace baraza::cluster::local {
namespace {

constexpr party store_party = 0;
constexpr unsigned first_number = 2;  // .1 is the proxy's address

cluster_options checked(cluster_options options) {
  if (options.nodes < 1) throw wrong_usage("a cluster has at least one node");
  if (options.nodes + options.edges > members_max)
    throw wrong_usage("at most " + std::to_string(members_max) + " nodes and edges");
  if (!find_program("postgres") || !find_program("initdb"))
    throw failure{"PostgreSQL's server is not installed (Debian: apt-get install postgresql)"};
  return options;
}

postgres_server::settings store_settings(const cluster_options& options) {
  // Writers, readers, leases: about ten connections a node, and room for those that join.
  constexpr unsigned per_member = 12, spare = 150;
  auto all = options.postgres;
  all.try_emplace("max_connections",
                  std::to_string(spare + per_member * (options.nodes + options.edges)));
  all.try_emplace("shared_buffers", "128MB");
  if (options.standby != standby_kind::none) all.try_emplace("wal_keep_size", "256MB");
  if (options.standby == standby_kind::synchronous)
    all.try_emplace("synchronous_standby_names",
                    "ANY 1 (" + std::string{postgres_server::standby_name} + ")");
  return all;
}

std::string at(const std::string& address, std::uint16_t port) {
  return address + ":" + std::to_string(port);
}

}  // namespace

local_cluster::local_cluster(cluster_options options)
    : options_{checked(std::move(options))},
      folder_{options_.folder},
      postgres_{options_.store_folder.empty() ? folder_.path() / "postgres" : options_.store_folder,
                store_settings(options_), folder_.path() / "store.pass"} {
  if (options_.standby != standby_kind::none)
    standby_ = std::make_unique<postgres_server>(postgres_, folder_.path() / "standby");
  // It may not be seen before every node has started: they would refuse the store.
  if (options_.standby == standby_kind::asynchronous) standby_->stop();
  note();
  make_key(folder_.path() / "cluster.key");
  if (options_.tls)
    if (const auto why = certs::init(folder_.path() / "certs", "local"); !why.empty())
      throw failure{why};
  for (unsigned i = 0; i < options_.nodes; ++i) make(member_kind::node);
  for (unsigned i = 0; i < options_.edges; ++i) make(member_kind::edge);
  for (auto& each : members_) start(each);
}

local_cluster::~local_cluster() {
  for (auto& each : members_)
    each.running.signal(SIGKILL);  // at once, so that none sees another go
  for (auto& each : members_) each.running.kill();
  postgres_.kill9();
  if (standby_) standby_->kill9();
}

// ---- members ------------------------------------------------------------------------------------

local_cluster::member& local_cluster::find(const std::string& name) {
  return const_cast<member&>(std::as_const(*this).find(name));
}

const local_cluster::member& local_cluster::find(const std::string& name) const {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const member& m) { return m.name == name; });
  if (found != members_.end()) return *found;
  std::string known;
  for (const auto& each : members_) known += " " + each.name;
  throw wrong_usage("there is no node " + name + "; there are:" + known);
}

std::vector<std::string> local_cluster::names(member_kind kind) const {
  std::vector<std::string> out;
  for (const auto& each : members_)
    if (each.kind == kind) out.push_back(each.name);
  return out;
}

bool local_cluster::takes_players(const member& m) const {
  return m.kind == member_kind::edge || options_.edges == 0;
}

std::vector<std::string> local_cluster::doors() const {
  std::vector<std::string> out;
  for (const auto& each : members_)
    if (takes_players(each)) out.push_back(each.name);
  return out;
}

std::string local_cluster::play_url(const std::string& name) const {
  const auto& m = find(name);
  if (!takes_players(m)) throw wrong_usage(name + " takes no players");
  return "ws://" + at(m.address, m.http_port) + "/v1/play";
}

std::string local_cluster::admin_url(const std::string& name) const {
  const auto& m = find(name);
  return "http://" + at(m.address, m.admin_port);
}

std::filesystem::path local_cluster::log_of(const std::string& name) const {
  return folder_.path() / find(name).name / "log";
}

bool local_cluster::is_running(const std::string& name) { return find(name).running.is_running(); }

std::optional<int> local_cluster::exit_code(const std::string& name) {
  return wait_for_end(name, 0ms);
}

local_cluster::member& local_cluster::make(member_kind kind) {
  if (members_.size() >= members_max)
    throw failure{"a cluster has at most " + std::to_string(members_max) + " nodes in its life"};
  const auto number = first_number + static_cast<unsigned>(members_.size());
  const auto address = addresses_.at(number);
  const auto name = (kind == member_kind::edge ? "edge-" : "node-") + std::to_string(++made_[kind]);
  auto& m = members_.emplace_back();
  m.name = name;
  m.kind = kind;
  m.number = number;
  m.address = address;
  m.http_port = free_port(address);
  m.admin_port = free_port(address);
  m.link_port = free_port(address);
  m.link_proxy_port = proxy_.add_route({.listen_address = proxy_address(),
                                        .target_address = address,
                                        .target_port = m.link_port,
                                        .to = number,
                                        .from = {}});
  m.store_proxy_port = add_store_route(postgres_, number);
  if (standby_) m.standby_proxy_port = add_store_route(*standby_, number);
  proxy_.name_source(address, number);
  std::filesystem::create_directories(folder_.path() / name);
  std::filesystem::permissions(folder_.path() / name, std::filesystem::perms::owner_all);
  write_settings(m);
  for (const auto& each : cuts_)
    set_roads(each, each.is_reset ? road::cut : road::stalled);  // it is one of the others, too
  return m;
}

// Nothing binds the driver's source address, so each node has ways of its own to the store.
std::uint16_t local_cluster::add_store_route(const postgres_server& to, unsigned from) {
  return proxy_.add_route({.listen_address = proxy_address(),
                           .target_address = "127.0.0.1",
                           .target_port = to.port(),
                           .to = store_party,
                           .from = from});
}

void local_cluster::write_settings(const member& m) const {
  const auto folder = folder_.path() / m.name;
  node_settings s;
  s.name = m.name;
  s.zone = "zone-" + std::to_string(m.number % 2 + 1);  // two, so that spreading can be seen
  s.data_dir = folder / "data";
  auto store = at(proxy_address(), m.store_proxy_port);
  if (standby_) store += "," + at(proxy_address(), m.standby_proxy_port);
  s.store_url = postgres_.url_at(store);
  if (standby_) s.store_url += "&target_session_attrs=read-write";
  s.http_listen = at(m.address, m.http_port);
  s.hosts = {m.address, "localhost", "127.0.0.1"};
  s.admin_listen = at(m.address, m.admin_port);
  s.link_listen = at(m.address, m.link_port);
  s.link_advertise = at(proxy_address(), m.link_proxy_port);
  s.key_file = folder_.path() / "cluster.key";
  if (options_.tls) {
    certs::node_request request;
    request.name = m.name;
    request.addresses = {m.address, proxy_address()};
    request.out = folder;
    if (const auto why = certs::issue(folder_.path() / "certs", request); !why.empty())
      throw failure{why};
    s.ca_file = folder_.path() / "certs" / "ca.pem";
    s.certificate_file = folder / (m.name + ".pem");
    s.private_key_file = folder / (m.name + ".key");
  }
  if (m.kind == member_kind::node) s.roles.emplace_back("game");
  if (takes_players(m)) s.roles.emplace_back("edge");
  s.house_bot = options_.house_bot && doors().front() == m.name;
  std::ofstream{folder / "baraza.toml"} << settings_text(s);
}

void local_cluster::start(member& m) {
  const auto folder = folder_.path() / m.name;
  const auto& binary = m.binary.empty() ? options_.binary : m.binary;
  std::vector<std::string> command{binary, "serve", "--config", folder / "baraza.toml"};
  auto settings = options_.settings;
  settings.insert(settings.end(), m.settings.begin(), m.settings.end());  // the last one wins
  for (const auto& each : settings) {
    command.emplace_back("--set");
    command.push_back(each);
  }
  m.is_paused = m.is_draining = false;
  m.is_wanted = true;
  ++m.starts;
  // What the developer set for other servers would beat the file.
  m.running.start(command, {.log = folder / "log", .unset = {"BARAZA_"}});
  note();
}

void local_cluster::note() {
  std::vector<noted_process> all{{postgres_.id(), "store"}};
  if (standby_) all.push_back({standby_->id(), "standby"});
  for (const auto& each : members_)
    if (each.starts > 0) all.push_back({each.running.id(), each.name});
  folder_.note(all);
}

std::string local_cluster::add(member_kind kind) {
  auto& m = make(kind);
  start(m);
  return m.name;
}

std::string local_cluster::add_stranger(std::vector<std::string> settings,
                                        const std::filesystem::path& binary) {
  auto& m = make(member_kind::node);
  m.settings = std::move(settings);
  m.binary = binary;
  start(m);
  m.is_wanted = false;
  return m.name;
}

void local_cluster::kill(const std::vector<std::string>& names) {
  std::vector<member*> whom;
  for (const auto& each : names) whom.push_back(&find(each));  // all or none
  for (auto* m : whom) {
    m->is_wanted = false;
    m->running.signal(SIGKILL);
  }
  for (auto* m : whom) m->running.kill();
}

void local_cluster::pause(const std::string& name) {
  auto& m = find(name);
  if (!m.running.is_running()) throw failure{name + " is not running"};
  m.running.signal(SIGSTOP);
  m.is_paused = true;
}

void local_cluster::resume(const std::string& name) {
  auto& m = find(name);
  if (!m.running.is_running()) throw failure{name + " is not running"};
  m.running.signal(SIGCONT);
  m.is_paused = false;
}

void local_cluster::drain(const std::string& name) {
  auto& m = find(name);
  if (!m.running.is_running()) throw failure{name + " is not running"};
  m.running.signal(SIGTERM);
  m.is_draining = true;
  m.is_wanted = false;
}

std::optional<int> local_cluster::wait_for_end(const std::string& name,
                                               std::chrono::milliseconds limit) {
  return find(name).running.wait(limit);
}

void local_cluster::restart(const std::string& name, const std::filesystem::path& binary) {
  auto& m = find(name);
  m.running.kill();
  if (!binary.empty()) m.binary = binary;
  start(m);
}

// ---- the store ----------------------------------------------------------------------------------

void local_cluster::stop_store() { postgres_.stop(); }
void local_cluster::kill_store() { postgres_.kill9(); }
void local_cluster::start_store() {
  postgres_.start();
  note();
}

postgres_server& local_cluster::standby() {
  if (!standby_) throw wrong_usage("this cluster's store has no standby");
  return *standby_;
}
void local_cluster::stop_standby() { standby().stop(); }
void local_cluster::start_standby() {
  standby().start();
  note();
}
void local_cluster::promote_standby() {
  if (postgres_.is_running()) throw failure{"the primary lives: two would take commits"};
  standby().promote();
  is_promoted_ = true;
}

// ---- partitions ---------------------------------------------------------------------------------

void local_cluster::partition(const cut& what) {
  set_roads(what, what.is_reset ? road::cut : road::stalled);
  cuts_.push_back(what);
}

void local_cluster::heal() {
  proxy_.open_all_roads();
  cuts_.clear();
}

void local_cluster::set_roads(const cut& what, road how) {
  const auto self = find(what.node).number;
  std::vector<party> others;
  const bool all = what.from == "all";
  if (all || what.from == "store") others.push_back(store_party);
  if (all || what.from == "others")
    for (const auto& each : members_)
      if (each.number != self) others.push_back(each.number);
  if (others.empty() && what.from != "others") others.push_back(find(what.from).number);
  if (others.size() == 1 && others.front() == self)
    throw wrong_usage(what.node + " cannot be parted from itself");
  for (const auto other : others) {
    if (what.which != cut::way::in) proxy_.set_road(self, other, how);
    if (what.which != cut::way::out) proxy_.set_road(other, self, how);
  }
}

std::string to_string(const cut& what) {
  auto out = what.node + " from " +
             (what.from == "all"      ? "the others and the store"
              : what.from == "others" ? "the others"
              : what.from == "store"  ? "the store"
                                      : what.from);
  if (what.which == cut::way::out) out += ", what it sends";
  if (what.which == cut::way::in) out += ", what is sent to it";
  return out + (what.is_reset ? ", connections reset" : ", connections stalled");
}

}  // namespace baraza::cluster::local
