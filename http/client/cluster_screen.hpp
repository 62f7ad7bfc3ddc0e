// What `GET /admin/v1/cluster` and `GET /admin/v1/shards` say, as text for a terminal. Pure: bytes
// in, text out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace baraza::client {

inline constexpr std::size_t screen_columns = 80;

/// Both read MessagePack. Every line has at most screen_columns columns and ends with a line break.
/// Members, totals, links that are down, the last events.
std::string cluster_screen(std::string_view cluster, std::size_t events_max = 8);
/// One line a member.
std::string node_table(std::string_view cluster);
/// One line a node: how many shards, and which; long lists go on in the next line.
std::string shard_table(std::string_view shards);

}  // namespace baraza::client
