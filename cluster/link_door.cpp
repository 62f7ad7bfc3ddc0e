#include "cluster/link_door.hpp"

#include <caf/send.hpp>

#include "cluster/peers.hpp"
#include "cluster/remote_edge.hpp"

namespace baraza::cluster {
namespace {

void take_request(node_services& node, std::uint64_t from, wire::message& m) {
  auto what = std::make_shared<envelope>();
  what->to = m.about.to;
  what->what = std::move(std::get<actors::request>(m.what));
  what->deadline = m.about.deadline;
  auto& cause = m.about.cause;
  what->origin = {cause.edge, cause.session, cause.request, nullptr};
  if (!cause.http.empty())
    what->origin.http = std::make_shared<const std::string>(std::move(cause.http));
  what->sender = from;
  what->from = std::move(m.about.from.to);
  if (what->from.edge != 0) {
    // The sender's own edge; here it goes by another number.
    what->from.edge = node.others->edge_of(from);
    if (what->from.edge == 0) return;  // not known yet: the view that names it is on its way
  }
  caf::anon_send(node.region.get(), remote_in{std::move(what), m.about.epoch, m.about.view});
}

void take_answer(node_services& node, wire::message& m) {
  const auto& to = m.about.from.to;
  auto& what = std::get<actors::answer>(m.what);
  if (to.edge != 0)
    caf::anon_send(node.gateway(own_edge), edge_answer{to.session, to.request, std::move(what)});
  else if (to.entity)
    caf::anon_send(node.region.get(), answer_in{*to.entity, to.request, std::move(what)});
}

void take_control(node_services& node, std::uint64_t from, wire::message& m) {
  auto& what = std::get<wire::control>(m.what);
  if (auto* heads = std::get_if<wire::digest>(&what))
    caf::anon_send(node.gateway(own_edge), edge_heads{std::move(*heads)});
  else if (const auto* ended = std::get_if<wire::logins_ended>(&what))
    caf::anon_send(node.gateway(own_edge), edge_logout{*ended});
  else
    caf::anon_send(node.membership.get(), control_in{from, m.about.view, std::move(what)});
}

/// Whoever waits learns that a newer node asked what this version does not know.
void refuse_unknown(node_services& node, std::uint64_t from, const wire::wire_error& why) {
  if (!why.about || (why.about->from.to.edge == 0 && !why.about->from.to.entity)) return;
  wire::message out;
  out.about.to = why.about->to;
  out.about.from.to = why.about->from.to;
  out.what = actors::refused{"unavailable", "this node does not understand the request yet", 1000};
  (void)node.others->send(from, std::move(out), std::chrono::seconds{2});
}

void receive(node_services& node, const std::string& name, std::uint64_t from,
             const std::string& bytes) {
  auto read = wire::decode(bytes);
  ++node.others->count.received;
  if (const auto* why = std::get_if<wire::wire_error>(&read)) {
    ++node.others->count.unreadable;
    node.log(severity::warning, "link.unreadable", {},
             name + ": " + std::string{to_string(why->what)} + ", " + why->sentence);
    return refuse_unknown(node, from, *why);
  }
  auto& m = std::get<wire::message>(read);
  if (std::holds_alternative<actors::request>(m.what)) return take_request(node, from, m);
  if (std::holds_alternative<actors::answer>(m.what)) return take_answer(node, m);
  if (auto* push = std::get_if<actors::push>(&m.what))
    return caf::anon_send(node.gateway(own_edge),
                          edge_push{std::make_shared<const actors::push>(std::move(*push))});
  if (auto* moved = std::get_if<wire::moved>(&m.what))
    return caf::anon_send(node.membership.get(), moved_in{*moved});
  take_control(node, from, m);
}

severity severity_of(link_log how) {
  return how == link_log::info      ? severity::info
         : how == link_log::warning ? severity::warning
                                    : severity::error;
}

}  // namespace

link_events door_of(const std::shared_ptr<node_services>& node) {
  link_events out;
  const auto changed = [node](link_direction direction, std::uint64_t peer, bool is_up) {
    caf::anon_send(node->membership.get(),
                   link_changed{peer, direction == link_direction::outgoing, is_up});
  };
  out.up = [changed](link_direction direction, const std::string&, std::uint64_t peer) {
    changed(direction, peer, true);
  };
  out.down = [changed](link_direction direction, const std::string&, std::uint64_t peer,
                       const std::string&) { changed(direction, peer, false); };
  out.received = [node](const std::string& name, std::uint64_t from, const std::string& bytes) {
    receive(*node, name, from, bytes);
  };
  out.lost = [](std::uint64_t, link_loss) {};  // whoever waits has a limit of his own
  out.log = [node](link_log how, std::string_view event, std::string_view detail) {
    node->log(severity_of(how), event, {}, detail);
    node->events.add({node->clock.now(), std::string{event}, std::string{detail}});
  };
  return out;
}

}  // namespace baraza::cluster
