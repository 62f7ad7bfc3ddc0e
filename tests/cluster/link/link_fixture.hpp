// Links in this process with their events written down, for tests that wait for them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/link/link.hpp"

namespace baraza::cluster::tests {

using namespace std::chrono_literals;

/// Short times, so that tests see the end of them.
link_options quick_options(const std::string& name, std::uint64_t incarnation = 1);
std::chrono::steady_clock::time_point in(std::chrono::milliseconds from_now);

class test_node {
 public:
  explicit test_node(link_options options);
  ~test_node() { link_->stop(); }

  link& operator*() { return *link_; }
  link* operator->() { return link_.get(); }
  [[nodiscard]] link_peer as_peer() const;
  /// Waits until an event line contains `text`: "up out b 1", "down in b 1 why", "got b hello",
  /// "lost 7 expired", "log link.refused …". False after `limit`.
  bool saw(const std::string& text, std::chrono::milliseconds limit = 10s, std::size_t times = 1);
  /// How many lines contain `text` until now.
  std::size_t count(const std::string& text);
  std::string all();  // for failures
  void forget();

 private:
  void note(std::string line);
  link_options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::unique_ptr<link> link_;
};

/// Both dial each other and both directions are up.
void join(test_node& a, test_node& b);

}  // namespace baraza::cluster::tests
