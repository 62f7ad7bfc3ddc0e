// The cluster for operators: what it is, who owns what, and orders. Every node answers for all.
#include <boost/json.hpp>
#include <charconv>
#include <map>

#include "http/admin.hpp"

namespace baraza::http {
namespace {

namespace json = boost::json;
using cluster::cluster_report;
using cluster::operator_verdict;
using wish = cluster::operator_wish;
using state = storage::cluster_state;

std::string name_of(const state& of, std::uint64_t who) {
  for (const auto& each : of.members)
    if (each.incarnation == who) return each.name;
  return {};
}

json::object load_of(const cluster::wire::load_told& load) {
  return {{"sessions", load.sessions},
          {"tables", load.tables},
          {"entities", load.entities},
          {"sent_per_s", load.sent_per_s},
          {"received_per_s", load.received_per_s},
          {"commits_per_s", load.commits_per_s},
          {"commit_us_p50", load.commit_us_p50},
          {"commit_us_p99", load.commit_us_p99},
          {"suspended", load.is_suspended}};
}

json::array members_of(const cluster_report& what) {
  std::map<std::uint64_t, std::uint64_t> owned;
  for (const auto& row : what.state->shards) ++owned[row.owner];
  json::array out;
  for (const auto& m : what.state->members) {
    json::object one{{"name", m.name},
                     {"incarnation", m.incarnation},
                     {"status", std::string{to_string(m.status)}},
                     {"roles", m.roles},
                     {"zone", m.zone},
                     {"version", m.version},
                     {"level", m.level},
                     {"weight", m.weight},
                     {"address", m.address},
                     {"lease_age_ms", what.now - m.renewed_at},
                     {"lease_left_ms", m.lease_until - what.now},
                     {"shards", owned[m.incarnation]}};
    const auto load = what.loads.find(m.incarnation);
    one["load"] = load == what.loads.end() ? json::value{} : load_of(load->second);
    out.push_back(std::move(one));
  }
  return out;
}

std::string to_json(const cluster_report& what) {
  json::object out;
  if (what.state) {
    const auto& s = *what.state;
    const auto free = std::ranges::count(s.shards, std::uint64_t{0}, &storage::shard_row::owner);
    out = {{"view", s.version},
           {"level", s.level},
           {"shards", s.shards.size()},
           {"free", free},
           {"coordinator", name_of(s, s.coordinator)},
           {"self", name_of(s, what.self)},
           {"members", members_of(what)}};
  } else {
    const auto load = what.loads.find(what.self);
    out["alone"] = true;
    out["load"] = load == what.loads.end() ? json::value{} : load_of(load->second);
  }
  out["suspended"] = what.is_suspended;
  json::array links, events;
  for (const auto& link : what.links)
    links.push_back(json::object{{"name", link.name},
                                 {"out", link.outgoing},
                                 {"in", link.incoming},
                                 {"round_trip_us", link.round_trip_us},
                                 {"queued_bytes", link.queued_bytes},
                                 {"error", link.last_error}});
  for (const auto& event : what.events)
    events.push_back(
        json::object{{"at", event.at}, {"event", event.what}, {"detail", event.detail}});
  out["links"] = std::move(links);
  out["events"] = std::move(events);
  return json::serialize(out);
}

/// "0-5,7,9-20": what a thousand shards of one node look like in a line.
class ranges {
 public:
  void add(shard_id shard) {
    if (!text_.empty() && shard == last_ + 1) {
      last_ = shard;
      return;
    }
    close();
    first_ = last_ = shard;
    text_ += (text_.empty() ? "" : ",") + std::to_string(shard);
  }
  std::string text() {
    close();
    return text_;
  }

 private:
  void close() {
    if (last_ != first_) text_ += '-' + std::to_string(last_);
    first_ = last_;
  }
  shard_id first_ = 0, last_ = 0;
  std::string text_;
};

std::string shards_json(const state& of) {
  std::map<std::string, std::pair<ranges, int>> owned;
  for (const auto& m : of.members)
    if (m.weight > 0) owned[m.name];
  json::array free;
  for (const auto& row : of.shards) {
    if (row.owner == 0) {
      free.push_back(json::object{{"shard", row.id}, {"next", name_of(of, row.next_owner)}});
      continue;
    }
    auto& at = owned[name_of(of, row.owner)];
    at.first.add(row.id);
    ++at.second;
  }
  json::array owners;
  for (auto& [name, what] : owned)
    owners.push_back(
        json::object{{"name", name}, {"count", what.second}, {"shards", what.first.text()}});
  return json::serialize(json::object{{"view", of.version},
                                      {"shards", of.shards.size()},
                                      {"owners", std::move(owners)},
                                      {"free", std::move(free)}});
}

void order(const cluster_door& to, wish what, const exchange& x) {
  auto by = who_asks(x);
  if (!by) return;
  what.by = std::move(*by);
  to.operate(what, [x, what](const operator_verdict& said) {
    using kind = operator_verdict::kind;
    // A drain and a move have only begun: the shards go one after the other.
    const bool goes_on = what.what == wish::action::drain || what.what == wish::action::move;
    if (said.how == kind::done)
      return x.ok(
          json::serialize(json::object{{"order", to_string(what)}, {"changed", said.is_news}}),
          said.is_news && goes_on ? 202 : 200);
    const bool is_unsure = said.code == "unknown";
    const int status = said.how == kind::unknown ? 404 : said.how == kind::refused ? 409 : 503;
    x.fail(is_unsure ? 504 : status, said.code, said.message, status == 503 ? 1000 : 0);
  });
}

void move(const cluster_door& to, const exchange& x) {
  wish what{wish::action::move, x.query("to"), 0, {}};
  const auto& text = x.parts.at(0);
  const auto end = std::from_chars(text.data(), text.data() + text.size(), what.shard);
  if (end.ec != std::errc{} || end.ptr != text.data() + text.size())
    return x.fail(404, "unknown_shard", "A shard is a number.");
  if (what.node.empty()) return x.fail(422, "bad_field", "to names the node that shall own it.");
  order(to, std::move(what), x);
}

}  // namespace

void add_cluster(std::vector<route>& routes, const cluster_door& to) {
  routes.push_back({"GET", "/admin/v1/cluster", 0, false, [to](const exchange& x) {
                      to.report([x](const cluster_report& what) { x.ok(to_json(what)); });
                    }});
  routes.push_back({"GET", "/admin/v1/shards", 0, false, [to](const exchange& x) {
                      to.report([x](const cluster_report& what) {
                        if (what.state) return x.ok(shards_json(*what.state));
                        x.fail(409, "alone", "This node is no member of a cluster right now.");
                      });
                    }});
  const auto add = [&](std::string_view pattern, wish::action what) {
    routes.push_back({"POST", pattern, 0, false, [to, what](const exchange& x) {
                        order(to, {what, x.parts.at(0), 0, {}}, x);
                      }});
  };
  add("/admin/v1/nodes/{name}/drain", wish::action::drain);
  add("/admin/v1/nodes/{name}/undrain", wish::action::undrain);
  add("/admin/v1/nodes/{name}/remove", wish::action::remove);
  routes.push_back(
      {"POST", "/admin/v1/shards/{id}/move", 0, false, [to](const exchange& x) { move(to, x); }});
}

}  // namespace baraza::http
