// Type ids of what a link tells its inbox actor: a block of its own, far behind the runtime's. They
// never travel: bytes do.
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>

namespace baraza::cluster {
struct link_up;
struct link_down;
struct frame_in;
struct frame_lost;
}  // namespace baraza::cluster

CAF_BEGIN_TYPE_ID_BLOCK(baraza_link, first_custom_type_id + 200)
CAF_ADD_TYPE_ID(baraza_link, (baraza::cluster::link_up))
CAF_ADD_TYPE_ID(baraza_link, (baraza::cluster::link_down))
CAF_ADD_TYPE_ID(baraza_link, (baraza::cluster::frame_in))
CAF_ADD_TYPE_ID(baraza_link, (baraza::cluster::frame_lost))
CAF_END_TYPE_ID_BLOCK(baraza_link)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(baraza::cluster::link_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(baraza::cluster::link_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(baraza::cluster::frame_in)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(baraza::cluster::frame_lost)
