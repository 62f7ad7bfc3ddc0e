#include "tests/sim/player.hpp"

#include "actors/games/fair.hpp"
#include "actors/games/game.hpp"
#include "actors/table_events.hpp"
#include "tests/actors/msgpack_look.hpp"
#include "tests/sim/node.hpp"

namespace baraza::sim {

using namespace actors;

player::player(world& w, int seat)
    : key{w.key()}, world_{w}, seat_{seat}, seed_{"seed " + std::to_string(w.pick(1, 1'000'000))} {
  for (auto& byte : salt_) byte = static_cast<std::uint8_t>(w.pick(0, 255));
}

void player::sit_down(const entity_id& table) {
  table_ = table;
  world_.later(world_.pick(1, 300), 0, [this] { tick(); });
}

node* player::edge() {
  auto* own = world_.find(edge_);
  if (own != nullptr && own->running) return own;
  const auto all = world_.edges();
  if (all.empty()) return nullptr;
  edge_ = all[static_cast<std::size_t>(world_.pick(0, std::ssize(all) - 1))];
  return world_.find(edge_);
}

void player::tick() {
  if (gone_) return;
  world_.later(world_.pick(400, 1'200), 0, [this] { tick(); });
  auto* at = edge();
  if (at == nullptr) return;
  at->watch(table_);
  at->ask(
      table_, table_watch{key, 0, 0},
      [this](const answer& got) {
        const auto* view = std::get_if<table_view>(&got);
        if (view != nullptr && !view->events_only && !gone_) look_around(view->body);
      },
      node::session::look);
}

void player::look_around(const std::string& body) {
  const test::look view{body};
  const auto phase = view["phase"].text();
  if (phase == "ready") {
    const std::string_view salt{reinterpret_cast<const char*>(salt_.data()), salt_.size()};
    send(table_ready{key, fair::client_commitment(seed_, salt)});
  } else if (phase == "opening") {
    send(table_open{key, seed_, salt_});
  } else if (phase == "playing") {
    const auto last = static_cast<std::uint64_t>(view["last_command"].number());
    const auto command = games::find("draw")->bot_command(view["state"].bytes(),
                                                          static_cast<games::seat_index>(seat_));
    if (command) send(table_act{key, last + 1, *command});
  } else if (phase == "ended" || phase == "voided" || phase == "aborted") {
    gone_ = true;
  }
}

void player::send(const request& what) {
  auto* at = edge();
  if (at == nullptr) return;
  const auto* act = std::get_if<table_act>(&what);
  const auto command = act != nullptr ? act->command : 0;
  at->ask(table_, what, [this, command](const answer& got) {
    if (const auto* yes = std::get_if<accepted>(&got)) acknowledged(command, yes->seq);
  });
  // An impatient client: the same command once more, some time later.
  if (world_.pick(1, 4) == 1)
    world_.later(world_.pick(100, 6'000), 0, [this, what] {
      if (auto* again = edge()) again->ask(table_, what, [](const answer&) {});
    });
}

// What a player has seen is in the journal: then, and by check_promises() at the end.
void player::acknowledged(std::uint64_t command, std::uint64_t seq) {
  ++world_.count.acknowledged;
  world_.promise(table_, seat_, command, seq);
}

}  // namespace baraza::sim
