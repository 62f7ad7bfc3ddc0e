#include "cluster/link/handshake.hpp"

#include <algorithm>

#include "cluster/wire/archive.hpp"

namespace baraza::cluster {
namespace {

using wire::as_text;

// Changes only if hellos themselves become another thing; versions are in the hello.
const std::string application = "baraza-link/1";

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= link_name_bytes_max;
}

verdict refuse(refusal why, std::string sentence, const link_identity& self) {
  return {why, std::move(sentence), 0, self.name, self.incarnation};
}

std::string life(const std::string& name, std::uint64_t incarnation) {
  return "node " + name + " (incarnation " + std::to_string(incarnation) + ")";
}

std::string range(const link_identity& of) {
  return std::to_string(of.protocol_oldest) + " to " + std::to_string(of.protocol_newest);
}

}  // namespace

std::string encode(const hello& h) {
  std::string out;
  const auto& f = h.from;
  wire::writer<>{out}(as_text(application), f.protocol_oldest, f.protocol_newest,
                      as_text(f.cluster), as_text(f.name), f.incarnation, f.shards,
                      as_text(f.system_id), as_text(h.to_name), h.to_incarnation);
  return out;
}

std::string encode(const verdict& v) {
  std::string out;
  wire::writer<>{out}(v.why, as_text(v.sentence), v.protocol, as_text(v.name), v.incarnation);
  return out;
}

std::optional<hello> decode_hello(std::string_view bytes) {
  hello h;
  std::string app;
  auto& f = h.from;
  wire::reader<> in{bytes};
  in(as_text(app), f.protocol_oldest, f.protocol_newest, as_text(f.cluster), as_text(f.name),
     f.incarnation, f.shards, as_text(f.system_id), as_text(h.to_name), h.to_incarnation);
  if (!in.ok() || !in.at_end() || app != application || !is_name(f.name) || !is_name(f.cluster) ||
      f.system_id.size() > link_name_bytes_max)
    return std::nullopt;
  return h;
}

std::optional<verdict> decode_verdict(std::string_view bytes) {
  verdict v;
  wire::reader<> in{bytes};
  in(v.why, as_text(v.sentence), v.protocol, as_text(v.name), v.incarnation);
  if (!in.ok() || !in.at_end() || v.sentence.size() > 1024) return std::nullopt;
  return v;
}

verdict judge(const hello& h, const link_identity& self, std::optional<std::uint64_t> known) {
  const auto& from = h.from;
  const auto who = life(from.name, from.incarnation), me = life(self.name, self.incarnation);
  if (from.protocol_oldest > self.protocol_newest || from.protocol_newest < self.protocol_oldest)
    return refuse(refusal::protocol,
                  who + " speaks link protocols " + range(from) + ", " + me + " " + range(self),
                  self);
  if (from.cluster != self.cluster)
    return refuse(refusal::cluster,
                  who + " belongs to cluster " + from.cluster + ", " + me + " to " + self.cluster,
                  self);
  if (from.system_id != self.system_id)
    return refuse(refusal::store,
                  who + " uses store " + from.system_id + ", " + me + " uses " + self.system_id,
                  self);
  if (from.shards != self.shards)
    return refuse(refusal::shards,
                  who + " counts " + std::to_string(from.shards) + " shards, " + me + " counts " +
                      std::to_string(self.shards),
                  self);
  if (from.name == self.name)
    return refuse(refusal::same_name, who + " has the name of " + me, self);
  if (h.to_name != self.name)
    return refuse(refusal::wrong_node, who + " looks for node " + h.to_name + ", this is " + me,
                  self);
  if (h.to_incarnation != self.incarnation)
    return refuse(refusal::wrong_incarnation,
                  who + " looks for " + life(h.to_name, h.to_incarnation) + ", this is " + me,
                  self);
  if (known && from.incarnation < *known)
    return refuse(refusal::stale,
                  who + " is over: " + me + " knows incarnation " + std::to_string(*known), self);
  return {refusal::none,
          {},
          std::min(from.protocol_newest, self.protocol_newest),
          self.name,
          self.incarnation};
}

}  // namespace baraza::cluster
