#include "cluster/link/inbox.hpp"

#include <caf/actor.hpp>
#include <caf/send.hpp>

namespace baraza::cluster {

link_events events_to(caf::actor inbox,
                      std::function<void(link_log, std::string_view, std::string_view)> log) {
  link_events out;
  out.up = [inbox](link_direction direction, const std::string& name, std::uint64_t incarnation) {
    caf::anon_send(inbox, link_up{direction, name, incarnation});
  };
  out.down = [inbox](link_direction direction, const std::string& name, std::uint64_t incarnation,
                     const std::string& why) {
    caf::anon_send(inbox, link_down{direction, name, incarnation, why});
  };
  out.received = [inbox](const std::string& name, std::uint64_t incarnation, std::string bytes) {
    caf::anon_send(inbox, frame_in{name, incarnation, std::move(bytes)});
  };
  out.lost = [inbox](std::uint64_t owner, link_loss why) {
    caf::anon_send(inbox, frame_lost{owner, why});
  };
  out.log = std::move(log);
  return out;
}

}  // namespace baraza::cluster
