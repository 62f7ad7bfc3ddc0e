#include "storage/postgres/server_memory.hpp"

namespace baraza::storage::postgres {

error server_memory::meet(bool is_read_only, const std::string& system,
                          const std::string& timeline) {
  if (is_read_only) return {errc::unavailable, "the server is read-only: it is not the primary"};
  const auto number = std::stoull(timeline, nullptr, 16);
  const std::lock_guard lock{mutex_};
  if (!system_.empty() && system_ != system)
    return {errc::rolled_back, "another server answers at the store's address: its system id is " +
                                   system + ", it was " + system_};
  // A standby that is promoted begins a new timeline; who is still on the old one has lost what was
  // committed since. Nothing of ours is lost by waiting for the other one.
  if (number < timeline_)
    return {errc::unavailable,
            "a primary that was replaced answers at the store's address: its "
            "timeline is " +
                std::to_string(number) + ", it was " + std::to_string(timeline_)};
  system_ = system;
  timeline_ = number;
  return {};
}

}  // namespace baraza::storage::postgres
