// A tiny entity that does on command what the runtime must survive, and a node around it on an
// embedded store.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include "cluster/limits.hpp"
#include "cluster/node.hpp"
#include "tests/cluster/faulty_store.hpp"

namespace baraza::testing {

/// Commands come as table_act.action:
///   add → one event; get → table_view{seq, body: count}; throw → an exception; poison → an event
///   that cannot be folded; wake N → a wake-up in N ms, which adds; crash_after_commit → commits,
///   then throws in committed(); twice → a commit that names one transfer twice; fuse → a wake-up
///   at once, at which it throws, in every life; life → commits what is no progress; snap → leaves
///   a snapshot that cannot be read; venom → throws `poisoned`; known → table_view{body: how many
///   poisons it was told of}; join → adds, and goes with a join that has not left yet; die late →
///   SIGSEGV after 300 ms
std::unique_ptr<actors::entity> make_probe(const entity_id& id);
/// Called whenever a probe folds an event, on its thread; empty: not. Set while no node runs.
inline std::function<void(const entity_id&)> probe_folds;
/// How many requests went with another's commit.
inline std::atomic<int> probe_joins{0};
/// How many probes are in the middle of "slow".
inline std::atomic<int> probes_busy{0};

/// A folder that goes away with the test.
struct temporary_folder {
  std::filesystem::path path;
  temporary_folder();
  ~temporary_folder();
  /// Of an embedded store in it.
  [[nodiscard]] std::string url() const { return "sqlite:" + (path / "store.db").string(); }
};

/// Collects what the node tells edge 1.
class probe_edge {
 public:
  /// Sends a command and waits for its answer; a refusal "no_answer" after 10 s.
  actors::answer ask(cluster::node& node, const entity_id& to, const std::string& command);
  std::uint64_t send(cluster::node& node, const entity_id& to, const std::string& command);
  actors::answer wait(std::uint64_t request,
                      std::chrono::milliseconds limit = std::chrono::seconds{10});
  void got(std::uint64_t request, actors::answer what);
  std::atomic<int> restarts{0};  // table_restarted pushes

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::uint64_t, actors::answer> answers_;
  std::uint64_t last_ = 0;
};

struct probe_node {
  explicit probe_node(const std::string& url, millis passivate_after = 120'000,
                      std::chrono::milliseconds restart_backoff = cluster::restart_backoff_first,
                      std::size_t gate_waiting_max = cluster::gate_queue_max);
  ~probe_node();
  std::shared_ptr<read_faults> faults = std::make_shared<read_faults>();
  std::unique_ptr<storage::store> store;
  std::shared_ptr<probe_edge> edge = std::make_shared<probe_edge>();
  std::atomic<int> stops{0};
  std::unique_ptr<cluster::node> node;

  /// Asks until it is `expected` or 10 s have passed.
  bool eventually(const std::function<bool()>& expected);
  std::uint64_t count(const entity_id& who);  // how many adds are folded; max on refusal
};

inline bool is_refused(const actors::answer& what, std::string_view code) {
  const auto* no = std::get_if<actors::refused>(&what);
  return no != nullptr && no->code == code;
}
inline bool is_accepted(const actors::answer& what) {
  return std::holds_alternative<actors::accepted>(what);
}

}  // namespace baraza::testing
