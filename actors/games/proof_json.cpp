#include "actors/games/proof_json.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <vector>

#include "actors/games/codec.hpp"
#include "actors/games/fair.hpp"

namespace baraza::games::proof_json {
namespace {

namespace json = boost::json;

bool read_value(codec::reader& in, json::value& out, int depth);

bool read_map(codec::reader& in, json::value& out, int depth) {
  std::uint32_t size = 0;
  if (!in.map(size)) return false;
  auto& object = out.emplace_object();
  for (std::uint32_t i = 0; i < size; ++i) {
    std::string_view key;
    json::value value;
    if (!in.text(key) || !read_value(in, value, depth - 1)) return false;
    object.emplace(key, std::move(value));
  }
  return true;
}

bool read_array(codec::reader& in, json::value& out, int depth) {
  std::uint32_t size = 0;
  if (!in.array(size)) return false;
  auto& array = out.emplace_array();
  for (std::uint32_t i = 0; i < size; ++i) {
    if (!read_value(in, array.emplace_back(nullptr), depth - 1)) return false;
  }
  return true;
}

bool read_value(codec::reader& in, json::value& out, int depth) {
  if (depth < 0) return false;
  std::string_view bytes;
  std::uint64_t bits = 0;
  bool flag = false;
  double real = 0;
  switch (in.next()) {
    case codec::kind::nil:
      out = nullptr;
      return in.nil();
    case codec::kind::boolean:
      if (!in.boolean(flag)) return false;
      out = flag;
      return true;
    case codec::kind::integer:
      if (!in.integer(bits, flag)) return false;
      flag ? out = static_cast<std::int64_t>(bits) : out = bits;
      return true;
    case codec::kind::real:
      if (!in.real(real)) return false;
      out = real;
      return true;
    case codec::kind::text:
      if (!in.text(bytes)) return false;
      out = bytes;
      return true;
    case codec::kind::binary:
      if (!in.binary(bytes)) return false;
      out = fair::to_hex(bytes);
      return true;
    case codec::kind::map:
      return read_map(in, out, depth);
    case codec::kind::array:
      return read_array(in, out, depth);
    default:
      return false;
  }
}

void write_sorted(std::string& out, const json::value& value, std::string_view left_out) {
  if (const auto* object = value.if_object()) {
    std::vector<const json::key_value_pair*> members;
    for (const auto& member : *object) {
      if (left_out.empty() || std::string_view{member.key()} != left_out)
        members.push_back(&member);
    }
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return a->key() < b->key(); });
    out.push_back('{');
    for (const auto* member : members) {
      out += json::serialize(json::string_view{member->key()});
      out.push_back(':');
      write_sorted(out, member->value(), {});
      out.push_back(',');
    }
    out.push_back('}');
  } else if (const auto* array = value.if_array()) {
    out.push_back('[');
    for (const auto& element : *array) {
      write_sorted(out, element, {});
      out.push_back(',');
    }
    out.push_back(']');
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

json::value readable(std::string_view bytes) {
  codec::reader in{bytes};
  json::value out;
  if (!read_value(in, out, depth_max) || !in.at_end()) return nullptr;
  return out;
}

std::string digest_of(const json::object& object) {
  std::string text;
  write_sorted(text, json::value(object), "digest");
  return fair::to_hex(fair::sha256(text));
}

}  // namespace baraza::games::proof_json
