#include <caf/send.hpp>

#include "cluster/region_actor.hpp"

namespace baraza::cluster {
namespace {

using order = actors::operator_order;

const actors::refused not_quarantined{
    "not_quarantined", "It is not quarantined on this cluster: there is nothing to do.", 0};

/// Who, when, what: on record before anything happens.
bool record(node_services& node, const entity_id& who, const order& said) {
  const auto now = node.clock.now();
  const storage::incident what{uuid::v7(now), now, who,
                               said.what == order::action::retry ? "retry_ordered" : "void_ordered",
                               "by " + said.by};
  if (!node.store.record_incident(what)) return false;
  node.log(severity::warning, "operator." + what.kind, who.to_string(), what.detail);
  // Else its load would find it condemned again.
  return said.what != order::action::retry ||
         node.store.forget_attempts(std::span{&who, 1}, storage::strike::hold);
}

}  // namespace

void region_actor::record_order(const envelope_ptr& what) {
  const auto known = slots_.find(what->to);
  if (known == slots_.end() || known->second.now != phase::quarantined)
    return refuse(*what, not_quarantined);
  auto node = node_;
  auto self = caf::actor_cast<caf::actor>(this);
  const bool queued = node_->reads.submit([node, self, what](storage::reader&) {
    const bool done = record(*node, what->to, std::get<order>(what->what));
    caf::anon_send(self, order_recorded{what, done});
  });
  if (!queued) refuse(*what, {"overloaded", "Too many reads are waiting.", 1000});
}

void region_actor::obey(const order_recorded& m) {
  const auto known = slots_.find(m.what->to);
  if (known == slots_.end() || known->second.now != phase::quarantined)
    return refuse(*m.what, not_quarantined);  // somebody else was faster
  if (!m.done)
    return refuse(*m.what, {"unavailable", "The store does not answer: nothing was done.", 1000});
  auto& at = known->second;
  if (std::get<order>(m.what->what).what == order::action::retry) {
    at.budget.reset();
    at.now = phase::restarting;
    restart(m.what->to);
  } else {
    at.void_attempts = 0;
    start_void({m.what->to, "an operator's decision"});
  }
  reply(*m.what, actors::accepted{});
}

}  // namespace baraza::cluster
