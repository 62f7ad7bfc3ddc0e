// The other members as this node reaches them: who is who on the links, and what is said to them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/link/link.hpp"
#include "cluster/wire/envelope.hpp"

namespace baraza::cluster {

struct peer {
  std::uint64_t incarnation = 0;
  std::string name;
  bool is_edge = false;
  /// Stands for this peer in reply_to::edge on this node; 0: it is no edge, or there are too many.
  std::uint32_t edge = 0;
};

/// Any thread; no call blocks for longer than a map's lock.
class peers {
 public:
  peers(uuid self, std::uint64_t incarnation) : self_{self}, incarnation_{incarnation} {}

  /// Before the first message; null: the link is about to end.
  void attach(link* to) { link_.store(to); }
  /// The process has joined again, under a new incarnation. While no link is attached.
  void rename(const uuid& self, std::uint64_t incarnation) {
    const std::lock_guard lock{mutex_};
    self_ = self;
    incarnation_ = incarnation;
    all_.clear();
  }
  void set(std::vector<peer> all);
  void set_view(std::uint64_t version) { view_.store(version, std::memory_order_relaxed); }

  [[nodiscard]] std::optional<peer> find(std::uint64_t incarnation) const;
  [[nodiscard]] std::uint32_t edge_of(std::uint64_t incarnation) const;
  [[nodiscard]] std::vector<std::uint64_t> all() const;

  enum class sent : std::uint8_t { queued, not_up, full, too_large };
  /// Adds this node's address and view version to the head. Queued is not yet sent, and sent not
  /// yet read: whoever needs an answer waits for it with a limit of its own.
  sent send(std::uint64_t to, wire::message what, std::chrono::milliseconds within);
  sent send(std::uint64_t to, wire::control what);
  void broadcast(const wire::control& what);

  struct counters {
    std::atomic<std::uint64_t> sent{0}, received{0}, refused{0}, unreadable{0};
  } count;

 private:
  std::atomic<link*> link_{nullptr};
  std::atomic<std::uint64_t> view_{0};
  mutable std::mutex mutex_;
  uuid self_;
  std::uint64_t incarnation_;
  std::map<std::uint64_t, peer> all_;
};

}  // namespace baraza::cluster
