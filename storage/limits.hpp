// The maxima of the storage layer, the same for both stores. Beyond them a commit or call is
// answered `invalid`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baraza::storage {

inline constexpr std::size_t batch_members_max = 4096;  // commits in one transaction
inline constexpr std::size_t commit_events_max = 256;   // events of one commit
inline constexpr std::size_t commit_transfers_max =
    4096;  // a large tournament pays all prizes at once
inline constexpr std::size_t commit_accounts_max = 256;         // opens, and closes, of one commit
inline constexpr std::size_t event_bytes_max = 256 * 1024;      // one event
inline constexpr std::size_t snapshot_bytes_max = 1024 * 1024;  // one snapshot
inline constexpr std::uint32_t events_page_max = 10'000;        // reader::events
inline constexpr std::uint32_t wakes_page_max = 10'000;         // reader::wakes
inline constexpr std::uint32_t history_page_max = 200;          // reader::history
inline constexpr std::size_t read_keys_max = 10'000;            // keys in one read call

}  // namespace baraza::storage
