// `baraza doctor`: what is missing or misconfigured on this machine, each with its remedy. Facts
// are measured first and judged by a pure function, so that the judgement can be tested for
// machines we do not have.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"

namespace CLI {
class App;
}

namespace baraza::config {

/// What the store said when it was asked without changing it.
struct store_answer {
  std::string error;       // why it does not answer; empty if it does
  bool is_absent = false;  // there is none yet: `serve` makes it
  int schema = 0;          // the store's level; 0: empty, `serve` prepares it
  int oldest_level = 0;    // the oldest binary that may use it
  int newest = 0;          // this binary's level
};

struct machine_facts {
  std::uint64_t descriptors_soft = 0, descriptors_hard = 0;  // RLIMIT_NOFILE
  std::optional<std::uint64_t> memory_available_bytes;       // of the machine or its control group
  std::optional<int> listen_backlog_max;                     // net.core.somaxconn
  std::int64_t now_s = 0;                                    // Unix time
  bool clock_synchronised = true;

  struct {
    std::string folder;       // the data folder, or the nearest one above it that exists
    bool is_data_dir = true;  // false: it will be created
    std::string error;        // why nothing can be written there; empty if it can
    std::uint64_t free_bytes = 0;
    std::string filesystem;  // "tmpfs", "nfs" or empty: only what matters
    int syncs = 0;           // measured; 0 if there was an error
    std::int64_t sync_p50_us = 0, sync_p99_us = 0;
  } disk;

  struct port {
    std::string key, listen;
    int error = 0;  // errno of bind; 0: free
  };
  std::vector<port> ports;

  struct file {
    std::string key, path;
    std::string error;         // why it cannot be read; empty if it can
    bool secret = false;       // nobody but the owner should read it
    bool others_read = false;  // group or others may
  };
  std::vector<file> files;  // only those that are set

  std::optional<store_answer> store;  // nothing: not asked
};

/// Asks the store at a URL, without changing it.
using store_probe = std::function<store_answer(const std::string& url)>;

/// Measures for at most about 10 s: syncs a small file of its own in the data folder, binds the
/// ports for a moment.
machine_facts measure(const settings& s, const store_probe& probe);

struct finding {
  enum class grade : std::uint8_t { ok, warn, fail } how = grade::ok;
  std::string check;   // stable word: "disk", "descriptors", …
  std::string what;    // one sentence
  std::string remedy;  // empty if it is ok
};
std::vector<finding> judge(const machine_facts& m, const settings& s);

std::string report_text(const std::vector<finding>& findings);
std::string report_json(const std::vector<finding>& findings);
/// 1 if anything failed, else 0.
int report_exit(const std::vector<finding>& findings);

/// `baraza doctor`: exit 0 if the node can run, 1 if not, 2 if the settings are wrong.
void add_doctor_command(CLI::App& app, int& exit_code, store_probe probe);

}  // namespace baraza::config
