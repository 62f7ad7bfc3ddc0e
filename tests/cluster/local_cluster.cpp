#include "tests/cluster/local_cluster.hpp"

#include <stdlib.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "cluster/local/failure.hpp"
#include "cluster/local/status_text.hpp"
#include "http/client/fields.hpp"
#include "http/wire.hpp"

namespace baraza::tests {
namespace {

namespace fs = std::filesystem;
namespace fields = client::fields;
using namespace std::chrono_literals;
using cluster::local::failure;

constexpr auto folder_start = "baraza-test-cluster-";
constexpr auto load_limit = 240s;  // a match ends by its clocks at the latest
constexpr auto command_limit = 120s;

std::atomic<unsigned> failures = 0;

/// Counts, as a CHECK that failed leaves no other trace for a destructor to see.
class failure_counter : public Catch::EventListenerBase {
 public:
  using EventListenerBase::EventListenerBase;
  void assertionEnded(const Catch::AssertionStats& what) override {
    if (!what.assertionResult.isOk()) ++failures;
  }
};
CATCH_REGISTER_LISTENER(failure_counter)

fs::path new_folder() {
  // A test that was killed could not clean up; its processes are gone, its files are not.
  const auto base = fs::temp_directory_path();
  cluster::local::cluster_folder::clean_all(base, folder_start);
  auto name = (base / (std::string{folder_start} + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) FAIL("cannot make a folder like " << name);
  return name;
}

std::string all_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

void look_again_soon() {
  std::this_thread::sleep_for(20ms);  // polls: the caller has the deadline
}

// ---- load_run -----------------------------------------------------------------------------------

load_run::load_run(const std::string& binary, const std::vector<std::string>& urls, unsigned tables,
                   fs::path log)
    : log_{std::move(log)} {
  std::vector<std::string> command{binary,      "load",  "--tables",  std::to_string(tables),
                                   "--seconds", "86400", "--best-of", "7",
                                   "--verify",  "--json"};
  for (const auto& url : urls) command.insert(command.end(), {"--url", url});
  bots_.start(command, {.log = log_, .unset = {}});
}

load_result load_run::stop() {
  bots_.signal(SIGINT);
  const auto code = bots_.wait(load_limit);
  load_result out;
  out.text = all_of(log_);
  INFO(out.text);
  REQUIRE(code);
  out.exit_code = *code;
  const auto report = http::wire::from_json(last_line(out.text));
  REQUIRE(report);
  const auto count = [&](std::string_view name) {
    return fields::number(fields::find(*report, name));
  };
  out.actions = count("actions");
  out.acknowledged = count("acknowledged");
  out.verified = count("verified");
  out.lost = count("lost");
  out.matches = count("matches");
  out.reconnects = count("reconnects");
  fields::pairs(fields::find(*report, "errors"), [&](std::string_view which, std::string_view n) {
    out.errors[std::string{which}] = fields::number(n);
  });
  return out;
}

// ---- LocalCluster -------------------------------------------------------------------------------

LocalCluster::LocalCluster(options wanted) : failures_before_{failures} {
  cluster::local::cluster_options how;
  how.binary = BARAZA_BINARY;
  how.folder = new_folder();
  how.nodes = wanted.nodes;
  how.edges = wanted.edges;
  how.house_bot = wanted.house_bot;
  how.tls = wanted.tls;
  how.settings = std::move(wanted.settings);
  how.postgres = std::move(wanted.store);
  how.standby = wanted.standby;
  how.store_folder = std::move(wanted.store_folder);
  try {
    cluster_ = std::make_unique<cluster::local::local_cluster>(std::move(how));
    if (wanted.is_awaited) cluster_->wait_until_ready();
  } catch (const failure& why) {
    FAIL(why.what());
  }
}

void LocalCluster::keep_logs() {
  const char* where = std::getenv("BARAZA_TEST_LOGS");
  if (where == nullptr) return;
  const auto to = fs::path{where} / cluster_->folder().filename();
  fs::create_directories(to);
  for (const auto& each : cluster_->status().members)
    fs::copy_file(cluster_->log_of(each.name), to / (each.name + ".log"));
  std::ofstream{to / "status"} << cluster::local::to_table(cluster_->status());
  std::cerr << "whole logs are in " << to.string() << '\n';
}

LocalCluster::~LocalCluster() {
  if (!cluster_ || failures == failures_before_) return;
  try {
    keep_logs();
    for (const auto& each : cluster_->status().members)
      std::cerr << "---- " << each.name << " (" << each.state << ") ----\n"
                << cluster::local::tail(cluster_->log_of(each.name),
                                        cluster::local::log_tail_lines);
    std::cerr << "---- store ----\n" << cluster_->store().log_end() << std::flush;
  } catch (const std::exception& why) {
    std::cerr << "no logs: " << why.what() << std::endl;
  }
}

std::vector<std::string> LocalCluster::nodes() const {
  return cluster_->names(cluster::local::member_kind::node);
}
std::vector<std::string> LocalCluster::edges() const {
  return cluster_->names(cluster::local::member_kind::edge);
}

int LocalCluster::drain(const std::string& node) {
  cluster_->drain(node);
  const auto code = cluster_->wait_for_end(node, cluster::local::drain_limit);
  INFO(node << " does not drain");
  REQUIRE(code);
  return *code;
}

std::string LocalCluster::add_one(cluster::local::member_kind kind) {
  const auto name = cluster_->add(kind);
  try {
    cluster_->wait_until_ready(name);
  } catch (const failure& why) {
    FAIL(why.what());
  }
  return name;
}

void LocalCluster::restart(const std::string& node, const std::filesystem::path& binary) {
  try {
    cluster_->restart(node, binary);
    cluster_->wait_until_ready(node);
  } catch (const failure& why) {
    FAIL(why.what());
  }
}

void LocalCluster::wait_until_ready(std::chrono::milliseconds limit) {
  try {
    cluster_->wait_until_ready(limit);
  } catch (const failure& why) {
    FAIL(why.what());
  }
}

bool LocalCluster::is_ready(const std::string& node) {
  for (const auto& each : cluster_->status().members)
    if (each.name == node) return each.state == "ready";
  return false;
}

fs::path LocalCluster::next_log(const std::string& of) {
  return cluster_->folder() / (of + "-" + std::to_string(++runs_) + ".log");
}

std::pair<int, std::string> LocalCluster::run(std::vector<std::string> command) {
  command.insert(command.begin(), BARAZA_BINARY);
  const auto log = next_log("run");
  cluster::local::process one;
  one.start(command, {.log = log, .unset = {}});
  const auto code = one.wait(command_limit);
  INFO(all_of(log));
  REQUIRE(code);
  return {*code, all_of(log)};
}

void LocalCluster::ledger_verify() {
  const auto [code, said] = run({"ledger", "verify", "--store", store_url()});
  INFO(said);
  REQUIRE(code == 0);
}

std::unique_ptr<load_run> LocalCluster::load(const std::string& door, unsigned tables,
                                             const std::vector<std::string>& others) {
  std::vector<std::string> urls{url(door)};
  for (const auto& other : others) urls.push_back(url(other));
  return std::make_unique<load_run>(BARAZA_BINARY, urls, tables, next_log("load"));
}

std::string LocalCluster::log(const std::string& node) const {
  return all_of(cluster_->log_of(node));
}

}  // namespace baraza::tests
