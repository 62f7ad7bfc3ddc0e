#include "tests/cluster/bad_days/bad_day.hpp"

#include <thread>

#include "storage/store.hpp"
#include "tests/integration/postgres_server.hpp"

namespace baraza::tests {
namespace {

constexpr unsigned tables = 4;  // at each door

}  // namespace

bad_day::bad_day(LocalCluster::options wanted) : cluster{std::move(wanted)} {
  for (const auto& door : cluster.doors()) REQUIRE(plays(door));
  for (const auto& door : cluster.doors()) bots_.push_back(cluster.load(door, tables));
  play(2s);
}

void bad_day::play(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);  // polls: nothing; there is a load, and time passes
}

bool bad_day::plays(const std::string& door, std::chrono::milliseconds limit) {
  return becomes_true(limit, [&] {
    return cluster.run({"load", "--url", cluster.url(door), "--tables", "2", "--seconds", "1"})
               .first == 0;
  });
}

std::vector<std::string> bad_day::everybody() const {
  auto all = cluster.nodes();
  for (const auto& each : cluster.edges()) all.push_back(each);
  return all;
}

void bad_day::require_all_running() {
  for (const auto& each : everybody()) {
    CAPTURE(each);
    CHECK(cluster.is_running(each));
  }
}

std::string bad_day::coordinator() const {
  return sql_at(cluster.store_url(),
                "select n.name from coordinator c join node n on n.incarnation = c.incarnation");
}

void bad_day::require_survived() {
  for (const auto& door : cluster.doors()) {
    CAPTURE(door);
    CHECK(plays(door));
  }
  for (const auto& each : bots_) {
    CHECK(each->is_playing());
    const auto played = each->stop();
    INFO(played.text);
    CHECK(played.lost == 0);
    CHECK(played.verified == played.acknowledged);
    CHECK(played.acknowledged > 100);
    CHECK(played.exit_code == 0);
    // Every bot acts as soon as it may: none of these could be its own fault.
    std::string ended_badly;
    for (const char* code : {"ended_forfeit", "ended_both_absent"})
      if (const auto found = played.errors.find(code); found != played.errors.end())
        ended_badly += found->first + " " + std::to_string(found->second) + " ";
    CHECK(ended_badly == "");
  }
  // A match may be called off before any stake has moved, when its players cannot be reached; one
  // that has begun must go on.
  if (!stakes_may_go_back) CHECK(refunds() == "0");
  cluster.ledger_verify();
}

std::string bad_day::refunds() const {
  static_assert(static_cast<int>(storage::transfer_kind::refund) == 4);
  return sql_at(cluster.store_url(), "select count(*) from transfer where kind = 4");
}

}  // namespace baraza::tests
