#include "cluster/wake_scan.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "cluster/limits.hpp"

namespace baraza::cluster {
namespace {

/// Reads page after page and hands each to `found`. @returns false: the store did not answer
template <class Found>
bool read_pages(storage::reader& from, std::uint32_t first, std::uint32_t last, millis until,
                Found found) {
  std::optional<storage::wake_row> end;
  for (std::size_t seen = 0; seen < entities_max;) {
    auto rows = from.wakes(first, last, until, wake_scan_rows_max, end ? &*end : nullptr);
    if (!rows) return false;
    if (rows->empty()) return true;
    end = rows->back();
    seen += rows->size();
    const bool is_short = rows->size() < wake_scan_rows_max;
    found(std::move(*rows));
    if (is_short) return true;
  }
  return true;
}

millis scan_until(const node_services& node) {
  return node.clock.now() + 2 * std::chrono::milliseconds{wake_scan_every}.count();
}

}  // namespace

void scan_wakes(const std::shared_ptr<node_services>& node, const caf::actor& region) {
  const auto until = scan_until(*node);
  node->reads.submit([node, region, until](storage::reader& from) {
    const auto asked = cluster_clock::steady();
    if (auto store_now = from.now()) node->clock.adjust(*store_now, asked, cluster_clock::steady());
    // The next scan tries again.
    (void)read_pages(from, 0, node->shards - 1, until, [&](std::vector<storage::wake_row> rows) {
      caf::anon_send(region, wakes_found{std::move(rows)});
    });
  });
}

void read_opened(const std::shared_ptr<node_services>& node, const caf::actor& region,
                 std::vector<std::pair<shard_id, std::uint64_t>> shards) {
  std::ranges::sort(shards);
  const auto until = scan_until(*node);
  const auto job = [node, region, until, shards](storage::reader& from) {
    const bool done = read_pages(from, shards.front().first, shards.back().first, until,
                                 [&](std::vector<storage::wake_row> rows) {
                                   // Those of others in between are sorted out by the region.
                                   caf::anon_send(region, wakes_found{std::move(rows)});
                                 });
    caf::anon_send(region, shards_loaded{shards, done});
  };
  if (!node->reads.submit(job)) caf::anon_send(region, shards_loaded{std::move(shards), false});
}

}  // namespace baraza::cluster
