#include "http/node_metrics.hpp"

#include "cluster/peers.hpp"
#include "http/metric_text.hpp"

namespace baraza::http {

namespace {

void append_cluster_metrics(const cluster::node_services& node, std::string& out) {
  using storage::member_status;
  const auto& c = node.counters;
  const auto total = [&](std::string_view name, std::string_view help,
                         const std::atomic<std::uint64_t>& value) {
    put_metric(out, name, "counter", help, static_cast<long long>(value.load()));
  };
  const auto own = node.board.own();
  out.append(
      "# HELP baraza_cluster_member Status of this node in its cluster: 1 for the one it has.\n"
      "# TYPE baraza_cluster_member gauge\n");
  for (const auto s : {member_status::joining, member_status::up, member_status::draining})
    out.append("baraza_cluster_member{status=\"")
        .append(to_string(s))
        .append(own && own->status == s ? "\"} 1\n" : "\"} 0\n");
  put_metric(out, "baraza_cluster_suspended", "gauge",
             "1 while this node is past its lease: it commits nothing.",
             node.is_suspended.load() ? 1 : 0);
  put_metric(out, "baraza_cluster_links_up", "gauge", "Links to other nodes that stand.",
             c.links_up.load());
  const auto& count = node.others->count;
  total("baraza_cluster_sent_total", "Messages handed to the links.", count.sent);
  total("baraza_cluster_received_total", "Messages that came over the links.", count.received);
  total("baraza_cluster_refused_total",
        "Messages not sent: too large, or the peer takes too little.", count.refused);
  total("baraza_cluster_unreadable_total", "Messages from others that could not be read.",
        count.unreadable);
  long long owned = 0;
  if (own)
    if (const auto state = node.board.get())
      for (const auto& row : state->shards) owned += row.owner == own->incarnation ? 1 : 0;
  put_metric(out, "baraza_cluster_shards_owned", "gauge", "Shards that this node owns.", owned);
  put_metric(out, "baraza_cluster_requests_held", "gauge",
             "Requests that wait for a shard on its way.", c.held.load());
  total("baraza_cluster_handoffs_total", "Shards handed to others.", c.handoffs);
  total("baraza_cluster_shards_taken_total", "Shards taken over.", c.shards_taken);
  total("baraza_cluster_deaths_declared_total", "Nodes this one has declared dead.", c.deaths);
}

}  // namespace

void append_node_metrics(const cluster::node_services& node, std::string& out) {
  const auto& c = node.counters;
  const auto total = [&](std::string_view name, std::string_view help,
                         const std::atomic<std::uint64_t>& value) {
    put_metric(out, name, "counter", help, static_cast<long long>(value.load()));
  };
  total("baraza_commits_total", "Commits made durable.", c.commits);
  total("baraza_commits_refused_total", "Commits refused by the store or the gate.",
        c.commits_refused);
  total("baraza_batches_total", "Batches flushed by the journal gate.", c.batches);
  total("baraza_requests_total", "Requests routed by the region.", c.requests);
  total("baraza_overloaded_total", "Requests refused because a queue was full.", c.overloaded);
  total("baraza_activations_total", "Entities activated from their journals.", c.activations);
  total("baraza_passivations_total", "Idle entities put to sleep.", c.passivations);
  total("baraza_entity_crashes_total", "Entities that failed and were restarted.", c.crashes);
  total("baraza_voids_total", "Matches voided because their journal could not be folded.", c.voids);
  total("baraza_quarantines_total", "Entities that failed too often and wait for an operator.",
        c.quarantines);
  total("baraza_wakes_total", "Entities activated by their clock.", c.wakes);
  total("baraza_unknown_outcomes_total", "Batches whose outcome had to be looked up.",
        c.unknown_outcomes);
  total("baraza_store_holds_total", "Times a batch waited for the store.", c.store_holds);
  put_metric(out, "baraza_entities", "gauge", "Entities awake.", c.entities.load());
  put_metric(out, "baraza_tables", "gauge", "Tables awake.", c.tables.load());
  put_metric(out, "baraza_gate_queue", "gauge", "Commits waiting for a writer.",
             c.gate_queue.load());
  put_metric(out, "baraza_region_stash", "gauge", "Requests waiting for an activation.",
             c.stash.load());
  out.append(
      "# HELP baraza_flush_us Time of one batch, microseconds.\n# TYPE baraza_flush_us "
      "histogram\n");
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < c.commit_us_log2.size(); ++i) {
    below += c.commit_us_log2[i].load();
    const auto bound =
        i + 1 == c.commit_us_log2.size() ? std::string{"+Inf"} : std::to_string(1ull << (i + 8));
    out.append("baraza_flush_us_bucket{le=\"")
        .append(bound)
        .append("\"} ")
        .append(std::to_string(below))
        .append("\n");
  }
  out.append("baraza_flush_us_count ").append(std::to_string(below)).append("\n");
  if (node.others) append_cluster_metrics(node, out);
}

}  // namespace baraza::http
