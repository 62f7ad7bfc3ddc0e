#include "cluster/membership/shard_view.hpp"

#include <tuple>
#include <utility>

namespace baraza::cluster {

bool shard_view::accept(shard_id shard, const shard_place& place, bool is_given) {
  auto& known = places_[shard];
  // An epoch outranks a version: it is the store's own count of this very shard.
  if (std::tie(place.epoch, place.version) < std::tie(known.epoch, known.version)) return false;
  const bool news = place.owner != known.owner || place.epoch != known.epoch ||
                    place.next_owner != known.next_owner;
  if (known != place && !is_changed_[shard]) {
    is_changed_[shard] = true;
    changed_.push_back(shard);
  }
  // Given by the owner known here, and by nobody after it: one of those could have died of it.
  const bool is_next = is_given && place.epoch == known.epoch + 1;
  if (place.owner == self_ && known.owner != self_ && known.owner != 0 && !is_next)
    has_adopted_ = true;
  known = place;
  return news;
}

std::vector<shard_id> shard_view::take_changed() {
  for (const auto shard : changed_) is_changed_[shard] = false;
  return std::exchange(changed_, {});
}

bool shard_view::take_adopted() { return std::exchange(has_adopted_, false); }

std::vector<shard_id> shard_view::apply(const storage::cluster_state& state) {
  std::vector<shard_id> changed;
  if (state.version < version_) return changed;
  const auto lives = [&](std::uint64_t who) {
    return std::ranges::find(state.members, who, &storage::member::incarnation) !=
           state.members.end();
  };
  for (const auto& row : state.shards)
    if (row.id < places_.size() &&
        accept(row.id, {row.owner, row.epoch, row.next_owner, state.version},
               row.owner == self_ && lives(places_[row.id].owner)))
      changed.push_back(row.id);
  // A snapshot without shards confirms those we have, but only if they are of that version.
  if (!state.shards.empty() || state.version == version_) version_ = state.version;
  hear_of(state.version);
  return changed;
}

bool shard_view::learn(shard_id shard, const shard_place& place, std::uint64_t from) {
  hear_of(place.version);
  return shard < places_.size() && accept(shard, place, from != 0 && places_[shard].owner == from);
}

arrival shard_view::judge(shard_id shard, std::uint64_t sender_epoch,
                          std::uint64_t sender_version) const {
  if (shard >= places_.size()) return arrival::refresh;
  const auto& place = places_[shard];
  if (place.owner == self_ && sender_epoch <= place.epoch) return arrival::ours;
  if (sender_epoch > place.epoch) return arrival::refresh;
  if (place.owner != self_ && place.next_owner == self_ && place.owner == 0)
    return arrival::ours;  // about to be: its machine holds the request until the take is done
  return sender_epoch == place.epoch && sender_version > place.version ? arrival::refresh
                                                                       : arrival::moved;
}

std::vector<shard_id> shard_view::owned_by(std::uint64_t node) const {
  std::vector<shard_id> owned;
  for (shard_id s = 0; s < places_.size(); ++s)
    if (places_[s].owner == node) owned.push_back(s);
  return owned;
}

std::vector<std::uint64_t> shard_view::owners() const {
  std::vector<std::uint64_t> all;
  all.reserve(places_.size());
  for (const auto& place : places_) all.push_back(place.owner);
  return all;
}

}  // namespace baraza::cluster
