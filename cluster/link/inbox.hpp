// A link's events as messages to one actor, in the order in which they happened. The actor system
// must know the block baraza_link: caf::init_global_meta_objects<caf::id_block::baraza_link>().
#pragma once

#include <caf/fwd.hpp>
#include <string>

#include "cluster/link/link.hpp"
#include "cluster/link/type_ids.hpp"

namespace baraza::cluster {

struct link_up {
  link_direction direction;
  std::string name;
  std::uint64_t incarnation;
};
struct link_down {
  link_direction direction;
  std::string name;
  std::uint64_t incarnation;
  std::string why;
};
struct frame_in {
  std::string name;  // proved by its certificate
  std::uint64_t incarnation;
  std::string bytes;  // wire::decode reads them
};
struct frame_lost {
  std::uint64_t owner;
  link_loss why;
};

/// Sends events to `inbox`, which must outlive the link; `log` is called on the link's thread.
link_events events_to(caf::actor inbox,
                      std::function<void(link_log, std::string_view, std::string_view)> log);

}  // namespace baraza::cluster
