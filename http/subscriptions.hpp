// Which session watches which table, and how far each table has been pushed here (rule E1). Plain
// class, no actors, no sockets.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "storage/ids.hpp"

namespace baraza::http {

class subscriptions {
 public:
  struct watcher {
    std::uint64_t session = 0;
    std::uint8_t seat = 0xFF;
    std::uint64_t seq = 0;  // last seq delivered to this session; pushes at or below it are repeats
    bool caught_up = false;  // false until the view or the missing events have been delivered
  };
  struct table {
    std::uint64_t epoch = 0, seq = 0;
    millis renew_at = 0;
    bool is_paused = false;  // its watchers were told so
    bool has_ended = false;  // nothing more will come: not renewed, not asked for again
    std::vector<watcher> watchers;
  };
  void watch(const uuid& table, std::uint64_t session) {
    auto& t = tables_[table];
    for (auto& w : t.watchers)
      if (w.session == session) return void(w.caught_up = false);
    t.watchers.push_back({session, 0xFF, 0, false});
  }
  /// True if that was the last watcher.
  bool unwatch(const uuid& table, std::uint64_t session) {
    const auto known = tables_.find(table);
    if (known == tables_.end()) return false;
    std::erase_if(known->second.watchers, [&](const watcher& w) { return w.session == session; });
    if (!known->second.watchers.empty()) return false;
    tables_.erase(known);
    return true;
  }
  table* find(const uuid& id) {
    const auto known = tables_.find(id);
    return known == tables_.end() ? nullptr : &known->second;
  }
  watcher* find(const uuid& id, std::uint64_t session) {
    if (auto* t = find(id))
      for (auto& w : t->watchers)
        if (w.session == session) return &w;
    return nullptr;
  }
  template <class F>
  void each(F&& f) {
    for (auto& [id, t] : tables_) f(id, t);
  }
  [[nodiscard]] std::size_t size() const { return tables_.size(); }

 private:
  std::unordered_map<uuid, table> tables_;
};

}  // namespace baraza::http
