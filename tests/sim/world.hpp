// A whole cluster on one thread: nodes, edges, players and the store, on virtual time, with a
// seeded scheduler and seeded faults. The same seed gives the same run.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "actors/table.hpp"
#include "actors/wallet.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/store.hpp"

namespace baraza::sim {

class node;
class player;

class world {
 public:
  explicit world(const run_options& options);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// The whole run: start, matches, faults, healing, the end of every match.
  /// @returns empty, or the first thing that must never come
  std::string run();

  // ---- for a test that has its own plan
  void start_node(bool is_edge, const std::string& name);
  /// Its links break at once.
  void kill(node& n);
  /// From now on nothing is lost or late by chance.
  void calm() { faulty_ = false; }

  // ---- time. Process 0 is the world itself; what belongs to another one is dropped with it, and
  // waits while it is paused.
  void later(millis in, std::uint64_t process, std::function<void()> what);
  [[nodiscard]] millis now() const { return now_; }
  void run_for(millis time);

  // ---- chance
  [[nodiscard]] std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }
  /// Of a fault: never once the world is healed.
  [[nodiscard]] bool chance(int percent) { return faulty_ && pick(1, 100) <= percent; }
  [[nodiscard]] uuid key(millis at = 0);  // at != 0: a UUIDv7 of that time

  // ---- the network
  /// Lost, late, doubled or overtaken as luck has it.
  void send(std::uint64_t from, std::uint64_t to, std::function<void(node&)> what);
  /// Likewise; options.lost_pushes of a hundred are lost even in a healed world.
  void send_push(std::uint64_t from, std::uint64_t to, std::function<void(node&)> what);
  /// As a probe sees it: refused (its process is gone), or silence.
  [[nodiscard]] bool is_refused(std::uint64_t from, std::uint64_t to) const;

  // ---- the store, as a node reaches it
  /// `op` runs at the store some time; then `ok`, or `failed`, at the node. An operation whose
  /// answer is lost may still land, later than its node knows.
  void ask_store(std::uint64_t who, std::function<void()> op, std::function<void()> ok,
                 std::function<void()> failed);
  [[nodiscard]] millis store_now() const { return now_; }
  [[nodiscard]] std::uint64_t store_connection(std::uint64_t who) const;
  /// Somebody is about to ask for it: the first time, an old binary is started once more, about
  /// when it rises. Should the store still take that one, it is rolled like the others.
  void level_rises();

  // ---- looking
  [[nodiscard]] node* find(std::uint64_t id);
  [[nodiscard]] const std::map<std::uint64_t, std::unique_ptr<node>>& nodes() const {
    return nodes_;
  }
  std::vector<std::uint64_t> edges();
  /// A player was told that this is durable, under this seq at the latest.
  void promise(const entity_id& table, int seat, std::uint64_t command, std::uint64_t seq);
  /// For how long each process has not renewed though the store was there.
  [[nodiscard]] std::map<std::uint64_t, millis> store_silences() const;
  /// No living node may die for a silence of the store's own.
  /// @param counted,silences what the one who condemns had read, and how things were then
  void check_sentence(const std::vector<std::uint64_t>& dead, const storage::cluster_state& counted,
                      const std::map<std::uint64_t, millis>& silences);
  void fail(const std::string& why) { store.fail(why); }
  [[nodiscard]] std::uint64_t trace() const { return trace_; }
  void note(std::uint64_t what) { trace_ = (trace_ ^ what) * 0x100000001B3ull + what; }
  /// One line of what happened, for picture(); costs nothing unless the run keeps a log.
  template <class... Parts>
  void log(const Parts&... parts) {
    if (options.keeps_log) write_log((std::ostringstream{} << ... << parts).str());
  }
  /// The log and how everything stands, for people.
  [[nodiscard]] std::string picture() const;

  const run_options options;
  sim_store store;
  actors::table_options table_options;
  actors::wallet_options wallet_options;
  std::vector<entity_id> matches;
  millis longest_behind = 0;  // an edge, with options.told_within_ms
  struct tally {
    std::size_t messages = 0, store_calls = 0, lost = 0, acknowledged = 0, faults = 0, unknown = 0,
                crashes = 0, joins = 0;
  } count;

 private:
  struct promised {
    entity_id table;
    int seat = 0;
    std::uint64_t command = 0, seq = 0;
  };
  void check_promise(const promised& what);
  void start_match();
  void watch_while_played(const entity_id& table);
  void void_match(const entity_id& table);
  void fault();
  void fault_of_store();
  void silence_store_soon();
  void fault_of(node& n);
  void heal();
  void replace_old();
  void watch_store();
  void check_edges_are_told();
  [[nodiscard]] std::string why_not_over();
  void write_log(const std::string& what);

  struct event {
    std::uint64_t process = 0;
    std::function<void()> what;
  };
  std::mt19937_64 random_;
  static constexpr millis began = 1'700'000'000'000;
  millis now_ = began;
  std::uint64_t order_ = 0, trace_ = 0;
  std::map<std::pair<millis, std::uint64_t>, event> agenda_;
  bool faulty_ = true, voids_ = false, has_late_ = false;
  std::set<std::pair<std::uint64_t, std::uint64_t>> cut_;  // (from, to), one way
  std::set<std::uint64_t> storeless_;
  millis store_away_until_ = 0, store_still_until_ = 0, store_slow_until_ = 0;
  std::uint64_t store_outages_ = 1;
  std::map<std::uint64_t, std::unique_ptr<node>> nodes_;
  std::vector<std::unique_ptr<player>> players_;
  std::vector<promised> promises_;
  // By edge and table: the lengths of its journal that the edge has not heard of, and since when.
  std::map<std::pair<std::uint64_t, entity_id>, std::map<std::uint64_t, millis>> untold_;
  std::vector<std::string> log_;
};

}  // namespace baraza::sim
