// What operators may ask of a cluster, and when it is refused: decided from one view of it, without
// store or peers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/membership.hpp"

namespace baraza::cluster {

struct operator_wish {
  enum class action : std::uint8_t { drain, undrain, remove, move } what = action::drain;
  std::string node;    // whom; of a move: to whom
  shard_id shard = 0;  // of a move
  std::string by;      // who asks and from where, for the record
};
/// "drain", "undrain", "remove", "move"
std::string_view to_string(operator_wish::action what);
/// "drain node-2", "move shard 17 to node-2"
std::string to_string(const operator_wish& what);

struct operator_verdict {
  enum class kind : std::uint8_t {
    done,
    unknown,     // nothing of this name
    refused,     // as things are
    unavailable  // store or coordinator do not answer: nothing was done unless the sentence says so
  } how = kind::done;
  std::string code, message;  // of all but `done`: one word, one sentence
  bool is_news = true;        // false: it was so before
};

/// Nothing: it may go ahead.
/// @param self the node that was asked
/// @param hears whether a link to the named node stands
std::optional<operator_verdict> judge(const operator_wish& what,
                                      const storage::cluster_state& state, std::uint64_t self,
                                      bool hears);

}  // namespace baraza::cluster
