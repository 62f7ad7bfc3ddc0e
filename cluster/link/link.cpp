#include "cluster/link/link.hpp"

#include <algorithm>

#include "cluster/link/mesh.hpp"

namespace baraza::cluster {

link::link(std::unique_ptr<mesh> inside) : mesh_{std::move(inside)} {}
link::~link() { stop(); }

std::variant<std::unique_ptr<link>, std::string> link::start(link_options options,
                                                             link_events events) {
  auto inside = std::make_unique<mesh>(std::move(options), std::move(events));
  if (auto why = inside->start(); !why.empty()) return why;
  return std::unique_ptr<link>{new link{std::move(inside)}};
}

std::uint16_t link::port() const { return mesh_->port(); }
void link::set_peers(std::vector<link_peer> peers) { mesh_->set_peers(std::move(peers)); }

send_result link::send(const std::string& name, std::string bytes,
                       std::chrono::steady_clock::time_point deadline, std::uint64_t owner) {
  const auto latest = std::chrono::steady_clock::now() + link_send_wait_max;
  return mesh_->send(name, {std::move(bytes), std::min(deadline, latest), owner});
}

std::string link::reload_certificates() { return mesh_->reload_certificates(); }
std::vector<link_status> link::status() const { return mesh_->status(); }
void link::stop() { mesh_->stop(); }

}  // namespace baraza::cluster
