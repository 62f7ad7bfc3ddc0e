// What operators see of the cluster and ask of it, on whichever node they reach. Answers come once,
// on any thread; a node that stops meanwhile answers nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/link/link.hpp"
#include "cluster/membership/operator_rules.hpp"
#include "cluster/recent_events.hpp"
#include "cluster/wire/control.hpp"

namespace baraza::cluster {

struct node_services;

using operator_answer = std::function<void(const operator_verdict&)>;

/// Checks the wish against the store's newest state, records it (storage::incident), carries it
/// out. Refused: nothing is recorded but a line of the log.
void operate(const std::shared_ptr<node_services>& node, operator_wish what,
             operator_answer answered);

struct cluster_report {
  std::shared_ptr<const storage::cluster_state> state;  // null: alone, or nothing was read yet
  std::uint64_t self = 0;                               // incarnation of the node that answers
  millis now = 0;                                       // cluster time
  bool is_suspended = false;
  /// By incarnation; those that did not answer in time are not in it.
  std::map<std::uint64_t, wire::load_told> loads;
  std::vector<link_status> links;  // of this node
  std::vector<recent_event> events;
};
using report_answer = std::function<void(const cluster_report&)>;

/// Asks every member how busy it is; takes report_wait at most.
void report(const std::shared_ptr<node_services>& node, report_answer answered);

/// Reads the certificates of the links again; the log tells what became of it.
void reload_certificates(const std::shared_ptr<node_services>& node);

}  // namespace baraza::cluster
