#include "http/client/draw_table.hpp"

namespace baraza::client {

namespace draw = games::draw;

std::string draw_options(std::uint8_t best_of) {
  return games::codec::encode(draw::options{best_of});
}

std::string_view draw_command() {
  static const std::string bytes =
      games::codec::encode_case(games::detail::command_tag, draw::command{draw::draw_card{}});
  return bytes;
}

void draw_table::begin(std::uint8_t best_of, std::uint8_t seat) {
  state_ = {};
  state_.best_of = best_of;
  seat_ = seat;
}

bool draw_table::happened(std::string_view event) {
  const auto what = games::codec::decode_case<draw::event>(games::detail::event_tag, event);
  if (!what) return false;
  try {
    std::visit([&](const auto& e) { draw::evolve(state_, e); }, *what);
  } catch (const games::cannot_fold&) {
    return false;
  }
  return true;
}

bool draw_table::viewed(std::string_view view, std::uint8_t seat) {
  auto state = games::codec::decode<draw::screen>(view);
  if (!state || !draw::valid(*state)) return false;
  state_ = *state;
  seat_ = seat;
  return true;
}

}  // namespace baraza::client
