// What a local cluster looks like from outside: its processes, and what they answer.
#include <algorithm>
#include <thread>

#include "cluster/local/failure.hpp"
#include "cluster/local/http_get.hpp"
#include "cluster/local/local_cluster.hpp"

namespace baraza::cluster::local {
namespace {

using clock = std::chrono::steady_clock;

}  // namespace

std::vector<std::string> local_cluster::unready(const std::vector<member*>& among) {
  std::vector<http_question> questions;
  for (const auto* m : among) questions.push_back({m->address, m->admin_port, "/readyz"});
  const auto answers = http_get(questions, probe_limit);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < among.size(); ++i)
    if (answers[i].status != 200) out.push_back(among[i]->name);
  return out;
}

std::vector<std::string> local_cluster::still_missing(const std::vector<member*>& whom) {
  for (auto* m : whom)
    if (!m->running.is_running())
      throw failure{m->name + " ended with " + std::to_string(m->running.exit_code().value_or(-1)) +
                    ":\n" + tail(log_of(m->name), log_tail_lines)};
  return unready(whom);
}

void local_cluster::wait_for(const std::vector<member*>& whom, std::chrono::milliseconds limit) {
  const auto until = clock::now() + limit;
  for (;;) {
    const auto missing = still_missing(whom);
    if (missing.empty()) return;
    if (clock::now() > until) {
      std::string names;
      for (const auto& each : missing) names += " " + each;
      throw failure{"not ready after " + std::to_string(limit.count() / 1000) + " s:" + names +
                    "\n" + tail(log_of(missing.front()), log_tail_lines)};
    }
    std::this_thread::sleep_for(poll_every);
  }
}

std::vector<local_cluster::member*> local_cluster::wanted() {
  std::vector<member*> whom;
  for (auto& each : members_) {
    const bool is_parted = std::any_of(cuts_.begin(), cuts_.end(), [&](const cut& c) {
      return c.node == each.name || c.from == each.name;
    });
    if (each.is_wanted && !each.is_paused && !is_parted) whom.push_back(&each);
  }
  return whom;
}

std::vector<std::string> local_cluster::not_ready() { return still_missing(wanted()); }

void local_cluster::wait_until_ready(std::chrono::milliseconds limit) { wait_for(wanted(), limit); }

void local_cluster::wait_until_ready(const std::string& name, std::chrono::milliseconds limit) {
  wait_for({&find(name)}, limit);
}

cluster_status local_cluster::status() {
  cluster_status out;
  out.folder = folder_.path();
  out.store_url = store_url();
  out.store_state = postgres_.is_running() ? "running" : "stopped";
  out.parted_by = "TCP proxy";
  for (const auto& each : cuts_) out.cuts.push_back(to_string(each));

  std::vector<member*> asked;
  for (auto& each : members_)
    if (each.running.is_running() && !each.is_paused) asked.push_back(&each);
  const auto missing = unready(asked);
  const member* speaker = nullptr;
  for (auto& m : members_) {
    member_status s;
    s.name = m.name;
    s.roles = m.kind == member_kind::edge ? "edge" : takes_players(m) ? "game, edge" : "game";
    s.pid = m.running.id().pid;
    s.starts = m.starts;
    const bool is_ready = std::find(asked.begin(), asked.end(), &m) != asked.end() &&
                          std::find(missing.begin(), missing.end(), m.name) == missing.end();
    if (!m.running.is_running())
      s.state = "ended(" + std::to_string(m.running.exit_code().value_or(-1)) + ")";
    else if (m.is_paused)
      s.state = "paused";
    else if (m.is_draining)
      s.state = "draining";
    else
      s.state = is_ready ? "ready" : "unready";
    if (is_ready) speaker = &m;
    s.admin_url = admin_url(m.name);
    s.link = m.address + ":" + std::to_string(m.link_port);
    if (takes_players(m)) {
      s.play_url = play_url(m.name);
      s.http_url = "http://" + m.address + ":" + std::to_string(m.http_port);
    }
    out.members.push_back(std::move(s));
  }
  if (speaker != nullptr) {
    const auto view =
        http_get({{speaker->address, speaker->admin_port, "/admin/v1/cluster"}}, probe_limit);
    if (view.front().status == 200) out.view = view.front().body;
  }
  return out;
}

}  // namespace baraza::cluster::local
