#include "cluster/wake_scan.hpp"

#include <caf/send.hpp>

#include "cluster/limits.hpp"

namespace baraza::cluster {

void scan_wakes(const std::shared_ptr<node_services>& node, const caf::actor& region) {
  const auto until = node->clock.now() + 2 * std::chrono::milliseconds{wake_scan_every}.count();
  node->reads.submit([node, region, until](storage::reader& from) {
    const auto asked = cluster_clock::steady();
    if (auto store_now = from.now()) node->clock.adjust(*store_now, asked, cluster_clock::steady());
    std::optional<storage::wake_row> last;
    for (std::size_t seen = 0; seen < entities_max;) {
      auto rows =
          from.wakes(0, node->shards - 1, until, wake_scan_rows_max, last ? &*last : nullptr);
      if (!rows || rows->empty()) return;  // the next scan tries again
      last = rows->back();
      seen += rows->size();
      const bool is_short = rows->size() < wake_scan_rows_max;
      caf::anon_send(region, wakes_found{std::move(*rows)});
      if (is_short) return;
    }
  });
}

}  // namespace baraza::cluster
