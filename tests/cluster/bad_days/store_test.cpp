// The one arbiter is away: nobody may conclude anything from its silence.
#include <stdexcept>

#include <libpq-fe.h>

#include "tests/cluster/bad_days/bad_day.hpp"

using namespace baraza::tests;

namespace {

/// Takes every connection the server has left.
class connection_hog {
 public:
  explicit connection_hog(const std::string& url) {
    constexpr std::size_t most = 2000;
    while (taken_.size() < most) {
      taken_.push_back(PQconnectdb(url.c_str()));
      if (PQstatus(taken_.back()) != CONNECTION_OK) return;
    }
    throw std::runtime_error{"the store has no limit"};
  }
  ~connection_hog() {
    for (auto* each : taken_) PQfinish(each);
  }
  connection_hog(const connection_hog&) = delete;
  connection_hog& operator=(const connection_hog&) = delete;
  [[nodiscard]] std::size_t size() const { return taken_.size() - 1; }

 private:
  std::vector<PGconn*> taken_;
};

}  // namespace

TEST_CASE("the store is killed and comes back at once: no node dies of it", "[bad_days]") {
  bad_day day;
  day.cluster.kill_store();
  day.cluster.start_store();
  day.play(8s);  // longer than a lease
  day.require_all_running();
  day.require_survived();
}

TEST_CASE("the store is away for 30 s: nodes suspend and resume", "[bad_days]") {
  bad_day day;
  day.cluster.stop_store();
  day.play(30s);
  day.require_all_running();
  day.cluster.start_store();
  day.play(8s);
  day.require_all_running();
  day.cluster.wait_until_ready();
  day.require_survived();
}

TEST_CASE("the store is silent for everybody, and then it is not", "[bad_days]") {
  bad_day day;
  for (const auto& each : day.everybody()) day.cluster.partition({.node = each, .from = "store"});
  day.play(12s);
  day.require_all_running();
  day.cluster.heal();
  day.play(8s);
  day.require_all_running();
  day.cluster.wait_until_ready();
  day.require_survived();
}

TEST_CASE("the store has no connection left: who has one goes on, who joins waits", "[bad_days]") {
  LocalCluster::options options;
  options.store = {{"max_connections", "120"}};
  bad_day day{options};
  std::string newcomer;
  {
    const connection_hog all{day.cluster.store_url()};
    CHECK(all.size() > 10);
    CHECK(day.plays("edge-1", 30s));
    newcomer = day.cluster.add_stranger({});
    day.play(3s);
    CHECK_FALSE(day.cluster.is_ready(newcomer));
  }
  // One that gave up is started again by whoever started it.
  if (!day.cluster.is_running(newcomer)) day.cluster.restart(newcomer);
  CHECK(becomes_true(30s, [&] { return day.cluster.is_ready(newcomer); }));
  day.require_survived();
}
