// A real store whose reads fail on command: all of them, those of a void, or those that touch one
// entity.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>

#include "storage/identity.hpp"
#include "storage/membership.hpp"
#include "storage/store.hpp"

namespace baraza::testing {

/// What fails, and what was asked. Shared by store, readers and the test; any thread.
struct read_faults {
  std::atomic<bool> activations_away{false};  // errc::unavailable
  std::atomic<bool> events_away{false};       // errc::unavailable
  std::atomic<std::uint32_t> events_page_max{10'000};
  std::atomic<int> refused{0};                 // reads that failed
  std::atomic<int> event_pages{0};             // pages of journals that were read
  void make_unreadable(const entity_id& who);  // each read that asks for it fails: errc::corrupt
  [[nodiscard]] bool touches_unreadable(std::span<const entity_id> who) const;

 private:
  mutable std::mutex mutex_;
  std::set<entity_id> unreadable_;
};

std::unique_ptr<storage::store> make_faulty(std::unique_ptr<storage::store> inner,
                                            std::shared_ptr<read_faults> faults);

}  // namespace baraza::testing
