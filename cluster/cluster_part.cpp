#include "cluster/cluster_part.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "cluster/limits.hpp"
#include "cluster/link_door.hpp"
#include "cluster/membership_actor.hpp"
#include "cluster/version.hpp"

namespace baraza::cluster {
namespace {

constexpr auto rejoin_limit = 5s;

/// A port that is free now: the address must be known to the store before the link listens.
std::uint16_t free_port(const std::string& host) {
  sockaddr_storage at{};
  socklen_t size = 0;
  if (auto* v4 = reinterpret_cast<sockaddr_in*>(&at);
      ::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    size = sizeof *v4;
  } else if (auto* v6 = reinterpret_cast<sockaddr_in6*>(&at);
             ::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    size = sizeof *v6;
  }
  const int socket = ::socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return 0;
  const bool bound = ::bind(socket, reinterpret_cast<sockaddr*>(&at), size) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size) == 0;
  ::close(socket);
  if (!bound) return 0;
  return ntohs(at.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&at)->sin_port
                                       : reinterpret_cast<sockaddr_in6*>(&at)->sin6_port);
}

std::string at_port(const std::string& host, std::uint16_t port) {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(port);
}

}  // namespace

storage::result<std::unique_ptr<enrolment>> enrol(storage::store& store,
                                                  const node_options& options,
                                                  std::chrono::milliseconds limit) {
  const auto& own = *options.cluster;
  auto out = std::make_unique<enrolment>();
  for (auto* lane : {&out->leases, &out->views, &out->changes}) {
    auto opened = store.open_membership();
    if (!opened) return opened.why();
    *lane = std::move(*opened);
  }
  auto system_id = out->views->identity();
  if (!system_id) return system_id.why();
  out->system_id = std::move(*system_id);
  out->port = own.listen_port != 0 ? own.listen_port : free_port(own.listen_host);
  if (out->port == 0)
    return storage::error{storage::errc::invalid,
                          "no port is free at " + own.listen_host + " for the other nodes"};
  storage::member_registration self;
  self.name = options.name;
  self.address = own.advertise.empty() ? at_port(own.listen_host, out->port) : own.advertise;
  self.roles = options.roles;
  self.zone = own.zone;
  self.weight = own.weight;
  self.level = own_version().level;
  self.writers = options.writers;
  self.shards = options.shards;
  self.lease = own.lease.length.count();
  auto who = join_cluster(*out->changes, self, limit, [&](const std::string& what) {
    options.log(severity::warning, "membership.joining", {}, what);
  });
  if (!who) return who.why();
  out->who = *who;
  return out;
}

storage::result<std::unique_ptr<cluster_part>> cluster_part::start(
    caf::actor_system& system, const std::shared_ptr<node_services>& node, enrolment who,
    const node_options& options) {
  const auto& own = *options.cluster;
  std::unique_ptr<cluster_part> out{new cluster_part{system, node}};
  link_options links;
  links.self.cluster = own.name;
  links.self.name = options.name;
  links.self.incarnation = who.who.grant.incarnation;
  links.self.shards = options.shards;
  links.self.system_id = who.system_id;
  const auto version = own_version();
  links.self.protocol_oldest = version.protocol_oldest;
  links.self.protocol_newest = version.protocol_newest;
  links.listen_host = own.listen_host;
  links.listen_port = who.port;
  links.tls = own.certificates;
  auto started = link::start(links, door_of(node));
  if (const auto* why = std::get_if<std::string>(&started))
    return storage::error{storage::errc::invalid, *why};
  out->links_ = std::move(std::get<0>(started));
  node->others->attach(out->links_.get());
  auto parts = std::make_shared<membership_parts>();
  parts->self = who.who.grant.incarnation;
  parts->owns_shards = own.weight > 0;
  parts->has_certificates = own.certificates.has_value();
  parts->lease = own.lease;
  parts->lease.owns_shards = parts->owns_shards;
  parts->asked_at = who.who.asked_at;
  parts->links = out->links_.get();
  parts->leases = std::move(who.leases);
  parts->views = std::move(who.views);
  parts->changes = std::move(who.changes);
  node->membership.set(system.spawn<membership_actor, caf::detached>(node, std::move(parts)));
  return out;
}

cluster_part::~cluster_part() { stop(); }

bool cluster_part::join_again(std::unique_ptr<cluster_part>& part, caf::actor_system& system,
                              const std::shared_ptr<node_services>& node, storage::store& store,
                              const node_options& options) {
  if (part) part->stop();
  part = nullptr;
  node->is_member = false;
  auto who = enrol(store, options, rejoin_limit);
  if (!who) {
    if (who.why().code == storage::errc::rolled_back) stop_for_lost_store(*node, who.why().message);
    node->log(severity::warning, "membership.rejoin_failed", {}, who.why().message);
    return false;
  }
  node->is_suspended = false;
  node->reach.ended(reachability::writers_max - 1);
  node->others->rename((*who)->who.grant.node, (*who)->who.grant.incarnation);
  auto fresh = start(system, node, std::move(**who), options);
  if (!fresh) {
    node->log(severity::error, "membership.rejoin_failed", {}, fresh.why().message);
    return false;
  }
  part = std::move(*fresh);
  return true;
}

void cluster_part::leave() {
  const auto membership = node_->membership.get();
  if (!membership) return;
  caf::anon_send(membership, leave_asked{});
  // It ends when the store knows it as left. Should it not come to that, its lease ends instead.
  caf::scoped_actor self{system_};
  self->monitor(membership);
  self->receive([](const caf::down_msg&) {}, caf::after(leave_limit + 5s) >> [] {});
}

void cluster_part::stop() {
  if (const auto membership = node_->membership.get()) {
    caf::anon_send_exit(membership, caf::exit_reason::user_shutdown);
    caf::scoped_actor self{system_};
    self->wait_for(membership);
  }
  node_->membership.set({});
  if (!links_) return;
  links_->stop();
  node_->others->attach(nullptr);
}

}  // namespace baraza::cluster
