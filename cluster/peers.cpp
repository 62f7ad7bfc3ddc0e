#include "cluster/peers.hpp"

namespace baraza::cluster {

using namespace std::chrono_literals;

namespace {
constexpr auto control_within = 1000ms;  // an older word about the cluster is worth nothing
}

void peers::set(std::vector<peer> all) {
  std::map<std::uint64_t, peer> fresh;
  for (auto& one : all) fresh.emplace(one.incarnation, std::move(one));
  const std::lock_guard lock{mutex_};
  all_.swap(fresh);
}

std::optional<peer> peers::find(std::uint64_t incarnation) const {
  const std::lock_guard lock{mutex_};
  const auto found = all_.find(incarnation);
  return found == all_.end() ? std::nullopt : std::optional{found->second};
}

std::uint32_t peers::edge_of(std::uint64_t incarnation) const {
  const std::lock_guard lock{mutex_};
  const auto found = all_.find(incarnation);
  return found == all_.end() ? 0 : found->second.edge;
}

std::vector<std::uint64_t> peers::all() const {
  std::vector<std::uint64_t> out;
  const std::lock_guard lock{mutex_};
  out.reserve(all_.size());
  for (const auto& [incarnation, one] : all_) out.push_back(incarnation);
  return out;
}

peers::sent peers::send(std::uint64_t to, wire::message what, std::chrono::milliseconds within) {
  auto* const by = link_.load();
  if (by == nullptr) return sent::not_up;
  auto& about = what.about;
  about.view = view_.load(std::memory_order_relaxed);
  std::string name;
  {
    const std::lock_guard lock{mutex_};
    const auto whom = all_.find(to);
    if (whom == all_.end()) return sent::not_up;
    name = whom->second.name;
    about.from.node = self_;
    about.from.incarnation = incarnation_;
  }
  auto bytes = wire::encode(what);
  if (std::holds_alternative<wire::wire_error>(bytes)) {
    ++count.refused;
    return sent::too_large;
  }
  switch (by->send(name, std::move(std::get<std::string>(bytes)),
                   std::chrono::steady_clock::now() + within, 0)) {
    case send_result::queued:
      ++count.sent;
      return sent::queued;
    case send_result::full:
      ++count.refused;
      return sent::full;
    case send_result::too_large:
      ++count.refused;
      return sent::too_large;
    case send_result::not_up:
      break;
  }
  return sent::not_up;
}

peers::sent peers::send(std::uint64_t to, wire::control what) {
  wire::message m;
  m.about.to.kind = entity_kind::house;  // nobody's: heads have a place for an entity
  m.what = std::move(what);
  return send(to, std::move(m), control_within);
}

void peers::broadcast(const wire::control& what) {
  for (const auto incarnation : all()) (void)send(incarnation, what);
}

}  // namespace baraza::cluster
