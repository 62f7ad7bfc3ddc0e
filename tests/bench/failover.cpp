// How long players wait when the owner of their tables is killed, stands still, hands all of them
// over, or one. A real cluster of processes; bots that act as soon as they may, and measure.
//
//   bench_failover BARAZA [--how kill|stop|drain|move] [--rounds N] [--nodes N] [--tables N]
//     [--rate N]
//
// A round: note which shards the victim owns, do it to it, and for each table of those shards take
// the time from that moment to the first acknowledgement that cannot be the victim's (drain: the
// longest time that one action took). Then the victim is started again, and the round ends when it
// owns its share. Victims take turns, so every n-th is the coordinator. A move's round is one shard
// with a table at play, ordered to the next node; it ends when that node owns it.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <ranges>
#include <thread>
#include <unordered_set>
#include <utility>

#include "cluster/local/local_cluster.hpp"
#include "http/client/admin_door.hpp"
#include "http/client/load.hpp"
#include "tests/integration/postgres_server.hpp"

namespace {

using namespace baraza;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using cluster::local::local_cluster;

constexpr std::uint32_t shards = 1024;
// An answer of the victim may still be on its way through the sockets when it is dead.
constexpr auto victims_last_word = 15ms;
// A table counts if it was being played right before: later matches did not wait for anything.
constexpr auto played_lately = 300ms;
constexpr auto round_limit = 30s, answer_limit = 12s;

struct plan {
  std::string binary, how = "kill";
  unsigned rounds = 20, nodes = 3, tables = 24;
  double rate = 0;  // actions a second of all bots; 0: as fast as they can
};

/// What the bots report: each table's first answer after the deed, and its slowest action.
class watch {
 public:
  void deed(std::unordered_set<shard_id> of) {
    const std::lock_guard lock{mutex_};
    of_ = std::move(of);
    at_ = clock::now();
    std::erase_if(last_, [&](const auto& one) { return at_ - one.second > played_lately; });
    playing_ = std::exchange(last_, {});
    first_.clear();
    slowest_.clear();
    stayed_.clear();
  }
  void heard(const uuid& match, clock::time_point sent) {
    const auto now = clock::now();
    const std::lock_guard lock{mutex_};
    last_[match] = now;
    if (at_ == clock::time_point{} || !playing_.contains(match)) return;
    const bool is_meant = of_.contains(shard_of({entity_kind::table, match}, shards));
    auto& slowest = (is_meant ? slowest_ : stayed_)[match];
    slowest = std::max(slowest, now - sent);
    if (!is_meant) return;
    if (now - at_ > victims_last_word) first_.emplace(match, now - at_);
  }
  [[nodiscard]] std::size_t answered() const {
    const std::lock_guard lock{mutex_};
    return first_.size();
  }
  /// The shard of the youngest table that answered a moment ago: it will be played for longest.
  [[nodiscard]] std::optional<shard_id> at_play() const {
    const auto now = clock::now();
    const std::lock_guard lock{mutex_};
    for (const auto& [match, heard] : std::views::reverse(last_))
      if (now - heard < played_lately) return shard_of({entity_kind::table, match}, shards);
    return std::nullopt;
  }
  /// Milliseconds, ascending.
  [[nodiscard]] std::vector<double> waits(bool slowest) const {
    const std::lock_guard lock{mutex_};
    return sorted(slowest ? slowest_ : first_);
  }
  /// The slowest action of each table that nothing was done to, in the same time: what of the
  /// others' waits is the machine's.
  [[nodiscard]] std::vector<double> stayed() const {
    const std::lock_guard lock{mutex_};
    return sorted(stayed_);
  }

 private:
  static std::vector<double> sorted(const std::map<uuid, clock::duration>& all) {
    std::vector<double> out;
    for (const auto& [match, wait] : all)
      out.push_back(std::chrono::duration<double, std::milli>(wait).count());
    std::ranges::sort(out);
    return out;
  }

  mutable std::mutex mutex_;
  std::unordered_set<shard_id> of_;
  clock::time_point at_{};
  std::map<uuid, clock::time_point> last_, playing_;  // newest answers; those before the deed
  std::map<uuid, clock::duration> first_, slowest_, stayed_;
};

template <class Holds>
bool becomes_true(std::chrono::milliseconds limit, Holds holds,
                  std::chrono::milliseconds pause = 20ms) {
  const auto until = clock::now() + limit;
  while (!holds()) {
    if (clock::now() > until) return false;
    std::this_thread::sleep_for(pause);  // polls: with the caller's limit
  }
  return true;
}

/// Over one connection: opening another is work on the cores that the cluster needs.
std::string sql(const local_cluster& at, const std::string& text) {
  static tests::sql_session session{at.store_url()};
  return session(text);
}

std::unordered_set<shard_id> shards_of(const local_cluster& at, const std::string& name) {
  const auto list = sql(at,
                        "select coalesce(string_agg(s.id::text, ','), '') from shard s join node n "
                        "on n.incarnation = s.owner where n.name = '" +
                            name + "' and n.status in ('up', 'draining')");
  std::unordered_set<shard_id> out;
  for (std::size_t i = 0; i < list.size();) {
    const auto end = std::min(list.find(',', i), list.size());
    out.insert(static_cast<shard_id>(std::stoul(list.substr(i, end - i))));
    i = end + 1;
  }
  return out;
}

void do_it(local_cluster& at, const std::string& how, const std::string& victim) {
  if (how == "kill") return at.kill({victim});
  if (how == "stop") return at.pause(victim);
  at.drain(victim);
}

std::string owner_of(const local_cluster& at, shard_id shard) {
  return sql(at, "select n.name from shard s join node n on n.incarnation = s.owner where s.id = " +
                     std::to_string(shard));
}

/// One table's shard goes to the node after its owner. False if it does not get there.
bool move_one(local_cluster& at, watch& seen, const std::vector<std::string>& names) {
  std::optional<shard_id> shard;
  if (!becomes_true(round_limit, [&] { return (shard = seen.at_play()).has_value(); }))
    return false;
  auto from = names.end();  // nobody's while the balance moves it
  if (!becomes_true(round_limit, [&] {
        return (from = std::ranges::find(names, owner_of(at, *shard))) != names.end();
      }))
    return false;
  const auto& to = names[static_cast<std::size_t>(from - names.begin() + 1) % names.size()];
  seen.deed({*shard});
  // In this process: one more beside the cluster would be on the cores that move it.
  client::admin_flags flags;
  flags.admin = at.admin_url(names.front());
  flags.as = "bench";
  std::string answer;
  const auto target = "/admin/v1/shards/" + std::to_string(*shard) + "/move?to=" + to;
  if (client::admin_door{"bench_failover", flags}.order(target, answer) != 0) return false;
  // polls: nothing; the move, and the requests that waited for it, are over long before
  std::this_thread::sleep_for(300ms);
  return becomes_true(round_limit, [&] { return owner_of(at, *shard) == to; });
}

/// The victim is back and owns its share.
bool restore(local_cluster& at, const plan& what, const std::string& victim) {
  if (what.how == "stop") at.resume(victim);
  if (what.how != "kill" && !at.wait_for_end(victim, round_limit)) return false;
  at.restart(victim);
  const auto share = shards / what.nodes - 1;
  return becomes_true(
      round_limit, [&] { return shards_of(at, victim).size() >= share; }, 200ms);
}

/// The cluster's folder goes with it; what made a round fail should not.
void keep_logs(const local_cluster& at) {
  const auto kept = at.folder().string() + "-logs";
  std::filesystem::create_directory(kept);
  for (const auto kind : {cluster::local::member_kind::node, cluster::local::member_kind::edge})
    for (const auto& name : at.names(kind))
      std::filesystem::copy_file(at.log_of(name), kept + "/" + name,
                                 std::filesystem::copy_options::overwrite_existing);
  for (const auto* table : {"node", "lease", "coordinator", "cluster_view", "vote"})
    std::fprintf(
        stderr, "%s\n%s\n", table,
        sql(at, std::string{"select coalesce(string_agg(t::text, E'\n'), '') from "} + table + " t")
            .c_str());
  std::fprintf(stderr, "%s\n",
               sql(at,
                   "select string_agg(t::text, E'\n') from (select owner, next_owner, count(*) "
                   "from shard group by 1, 2) t")
                   .c_str());
  std::fprintf(stderr, "a round did not end: its logs are in %s\n", kept.c_str());
}

double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(q * static_cast<double>(sorted.size())))];
}

void print(const char* name, std::vector<double> all) {
  std::ranges::sort(all);
  std::printf("%-34s n %5zu  p50 %8.1f  p90 %8.1f  p99 %8.1f  max %8.1f ms\n", name, all.size(),
              quantile(all, 0.5), quantile(all, 0.9), quantile(all, 0.99),
              all.empty() ? 0 : all.back());
}

int run(const plan& what) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("baraza-failover-" + std::to_string(::getpid()));
  local_cluster at{{.binary = what.binary, .folder = folder, .nodes = what.nodes, .edges = 1}};
  at.wait_until_ready();
  watch seen;
  client::load_options load;
  load.server = *client::parse_url(at.play_url(at.doors().front()));
  load.tables = what.tables;
  load.seconds = 100'000;
  load.best_of = 7;
  load.rate = what.rate;
  load.progress = false;
  load.verify_all = true;
  load.acknowledged = [&](const uuid& match, clock::time_point sent) { seen.heard(match, sent); };
  volatile int stop = 0;
  client::load_report report;
  std::thread bots{[&] { report = client::run_load(load, stop); }};
  const bool is_move = what.how == "move", is_drain = what.how == "drain" || is_move;
  std::vector<double> firsts, tables, stayed;
  const auto names = at.names(cluster::local::member_kind::node);
  unsigned round = 0, silent = 0;
  becomes_true(round_limit,
               [&] { return shards_of(at, names.back()).size() >= shards / what.nodes - 1; });
  std::this_thread::sleep_for(2s);  // polls: nothing; the bots warm up
  for (; round < what.rounds; ++round) {
    const auto& victim = names[round % names.size()];
    if (is_move) {
      if (!move_one(at, seen, names)) break;
    } else {
      seen.deed(shards_of(at, victim));
      do_it(at, what.how, victim);
    }
    if (is_drain && !is_move) {
      if (!at.wait_for_end(victim, round_limit)) break;
    } else if (!is_move && !becomes_true(answer_limit, [&] { return seen.answered() != 0; }) &&
               ++silent > what.rounds / 4) {
      break;  // now and then none of its tables is being played; more often is no chance
    }
    // polls: nothing; the other tables' first answers come in
    std::this_thread::sleep_for(is_drain ? 0ms : 1500ms);
    const auto waits = seen.waits(is_drain);
    if (!waits.empty()) firsts.push_back(is_drain ? waits.back() : waits.front());
    tables.insert(tables.end(), waits.begin(), waits.end());
    const auto others = seen.stayed();
    stayed.insert(stayed.end(), others.begin(), others.end());
    std::fprintf(stderr, "round %3u %s %s: %zu tables, %.0f to %.0f ms\n", round + 1,
                 what.how.c_str(), victim.c_str(), waits.size(), waits.empty() ? 0 : waits.front(),
                 waits.empty() ? 0 : waits.back());
    if (!is_move && !restore(at, what, victim)) break;
  }
  if (round != what.rounds) keep_logs(at);
  stop = 1;
  bots.join();
  std::printf("%s: %u rounds (%u without an answer), %u nodes, %u tables\n", what.how.c_str(),
              round, silent, what.nodes, what.tables);
  print(is_drain ? "slowest action of each" : "first answer of the new owner", firsts);
  print(is_drain ? "slowest action of a moved table" : "first answer of each table", tables);
  if (is_drain) print("slowest action of another table", stayed);
  std::printf("acknowledged %llu, looked up %llu, lost %llu; client errors:",
              static_cast<unsigned long long>(report.acknowledged),
              static_cast<unsigned long long>(report.verified),
              static_cast<unsigned long long>(report.lost));
  for (const auto& [code, count] : report.errors)
    std::printf(" %s %llu", code.c_str(), static_cast<unsigned long long>(count));
  std::printf("\n");
  return round == what.rounds && report.lost == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  plan what;
  if (argc > 1) what.binary = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view key = argv[i];
    if (key == "--how") what.how = argv[i + 1];
    if (key == "--rounds") what.rounds = static_cast<unsigned>(std::atoi(argv[i + 1]));
    if (key == "--nodes") what.nodes = static_cast<unsigned>(std::atoi(argv[i + 1]));
    if (key == "--tables") what.tables = static_cast<unsigned>(std::atoi(argv[i + 1]));
    if (key == "--rate") what.rate = std::atof(argv[i + 1]);
  }
  if (what.binary.empty() || what.rounds == 0 || what.nodes == 0) {
    std::fprintf(stderr,
                 "usage: bench_failover BARAZA [--how kill|stop|drain|move] [--rounds N] "
                 "[--nodes N] [--tables N] [--rate N]\n");
    return 2;
  }
  try {
    return run(what);
  } catch (const std::exception& why) {
    std::fprintf(stderr, "bench_failover: %s\n", why.what());
    return 1;
  }
}
