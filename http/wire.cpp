// Decoding what clients send and writing frames, on MessagePack. JSON is turned into MessagePack
// first (wire_json.cpp), so that there is one set of rules.
#include "http/wire.hpp"

#include "http/msgpack.hpp"
#include "http/wire_json.hpp"

namespace baraza::http::wire {
namespace {

constexpr std::uint64_t id_max =
    (std::uint64_t{1} << 53) - 1;  // what a JavaScript number holds exactly
constexpr std::size_t game_bytes_max = 32;
constexpr std::size_t token_bytes_max = 128;
constexpr std::size_t seed_bytes_max = 64;

enum field : std::uint8_t {
  f_t,
  f_id,
  f_token,
  f_game,
  f_options,
  f_stake,
  f_money,
  f_table,
  f_seq,
  f_hash,
  f_seed,
  f_salt,
  f_command,
  f_action,
  f_count
};
constexpr std::array<std::string_view, f_count> field_names{
    "t",     "id",  "token", "game", "options", "stake",   "money",
    "table", "seq", "hash",  "seed", "salt",    "command", "action"};

/// The known fields as they stood in the frame; unknown ones were skipped.
struct fields {
  std::array<pack::item, f_count> head;
  std::array<std::string_view, f_count> raw;  // the whole value
  std::uint32_t seen = 0;
  [[nodiscard]] bool has(field f) const { return (seen >> f & 1) != 0; }
};

std::uint8_t field_of(std::string_view name) {
  for (std::uint8_t i = 0; i < f_count; ++i) {
    if (field_names[i] == name) return i;
  }
  return f_count;
}

wire_error malformed(std::string sentence) { return {"bad_message", std::move(sentence), 0, 1007}; }

/// Collects the known fields; the bytes are one map and nothing else.
std::optional<wire_error> collect(std::string_view bytes, fields& out) {
  pack::cursor at{bytes};
  pack::item map;
  if (!at.next(map)) return malformed("The frame is not a complete MessagePack value.");
  if (map.what != pack::kind::map)
    return wire_error{"bad_message", "A message is a map with the fields t and id.", 0, 0};
  std::optional<wire_error> wrong;
  for (std::uint64_t i = 0; i < map.number; ++i) {
    pack::item key;
    if (!at.next(key)) return malformed("The frame ends in the middle of a map.");
    if (key.what != pack::kind::text)
      return wire_error{"bad_message", "The names of fields are strings.", 0, 0};
    const auto f = field_of(key.bytes);
    const char* begin = at.position();
    auto peek = at;
    pack::item head;
    if (!peek.next(head)) return malformed("The frame ends in the middle of a value.");
    switch (at.skip(pack::depth_max - 1)) {
      case pack::fault::none:
        break;
      case pack::fault::malformed:
        return malformed("The frame is not a complete MessagePack value.");
      case pack::fault::bad_text:
        return malformed("A string of the frame is not UTF-8.");
      case pack::fault::too_deep:
        return wire_error{"too_deep", "A message nests at most 16 containers.",
                          out.has(f_id) ? out.head[f_id].number : 0, 0};
    }
    if (f == f_count) continue;
    if (out.has(static_cast<field>(f))) {
      wrong = wire_error{"bad_field", "The field " + std::string{field_names[f]} + " occurs twice.",
                         0, 0};
      continue;
    }
    out.seen |= 1u << f;
    out.head[f] = head;
    out.raw[f] = {begin, static_cast<std::size_t>(at.position() - begin)};
  }
  if (!at.at_end()) return malformed("Bytes follow the message; a frame holds exactly one.");
  return wrong;
}

/// Reads typed fields; the first complaint is kept and everything after it is moot.
class form {
 public:
  explicit form(const fields& in) : in_{in} {}
  std::string complaint;

  void need(field f, std::string_view what) {
    if (complaint.empty())
      complaint =
          "The field " + std::string{field_names[f]} + " must be " + std::string{what} + ".";
  }
  std::string text(field f, std::size_t bytes_max, std::string_view what) {
    const auto& head = in_.head[f];
    if (!in_.has(f) || head.what != pack::kind::text || head.bytes.empty() ||
        head.bytes.size() > bytes_max) {
      need(f, what);
      return {};
    }
    return std::string{head.bytes};
  }
  std::uint64_t number(field f, std::uint64_t least, std::uint64_t most, std::string_view what) {
    const auto& head = in_.head[f];
    if (!in_.has(f) || head.what != pack::kind::unsigned_ || head.number < least ||
        head.number > most) {
      need(f, what);
      return 0;
    }
    return head.number;
  }
  uuid key(field f) {
    const auto& head = in_.head[f];
    if (in_.has(f) && head.what == pack::kind::binary && head.bytes.size() == 16) {
      uuid id;
      std::memcpy(id.bytes.data(), head.bytes.data(), 16);
      return id;
    }
    if (in_.has(f) && head.what == pack::kind::text) {
      if (const auto id = uuid::parse(head.bytes)) return *id;
    }
    need(f, "a UUID");
    return {};
  }
  /// Fixed bytes, as hexadecimal text or as a byte string.
  void bytes(field f, void* out, std::size_t size, std::string_view what) {
    const auto& head = in_.head[f];
    if (in_.has(f) && head.what == pack::kind::binary && head.bytes.size() == size) {
      std::memcpy(out, head.bytes.data(), size);
    } else if (!in_.has(f) || head.what != pack::kind::text ||
               !pack::from_hex(head.bytes, out, size)) {
      need(f, what);
    }
  }
  std::string seed() {
    const auto& head = in_.head[f_seed];
    if (in_.has(f_seed) && head.what == pack::kind::binary && !head.bytes.empty() &&
        head.bytes.size() <= seed_bytes_max) {
      return std::string{head.bytes};
    }
    if (in_.has(f_seed) && head.what == pack::kind::text && !head.bytes.empty() &&
        head.bytes.size() <= 2 * seed_bytes_max) {
      std::string seed(head.bytes.size() / 2, '\0');
      if (pack::from_hex(head.bytes, seed.data(), seed.size())) return seed;
    }
    need(f_seed, "1 to 64 bytes in hexadecimal");
    return {};
  }
  std::string map(field f, bool required) {
    if (!in_.has(f) && !required) return "\x80";
    if (!in_.has(f) || in_.head[f].what != pack::kind::map) {
      need(f, "a map");
      return {};
    }
    return std::string{in_.raw[f]};
  }
  storage::currency money() {
    if (!in_.has(f_money)) return storage::currency::demo;
    if (in_.head[f_money].what == pack::kind::text) {
      if (const auto money = storage::parse_currency(in_.head[f_money].bytes)) return *money;
    }
    need(f_money, "\"DEMO\" or \"KES\"");
    return {};
  }
  std::uint64_t command() {
    return number(f_command, 1, id_max, "a whole number from 1 to 2^53-1");
  }

 private:
  const fields& in_;
};

/// The message of type `type`; nothing if there is no such type. Complaints about fields stay in
/// `in`.
std::optional<client_message> read_body(std::string_view type, const fields& all, form& in) {
  if (type == "table.act") {
    table_act out;
    out.table = in.key(f_table);
    out.command = in.command();
    out.action = in.map(f_action, true);
    return out;
  }
  if (type == "ping") return ping{};
  if (type == "hello")
    return hello{in.text(f_token, token_bytes_max, "a token of at most 128 bytes")};
  if (type == "lobby.join") {
    lobby_join out;
    out.game = in.text(f_game, game_bytes_max, "a game's name of at most 32 bytes");
    out.options = in.map(f_options, false);
    out.stake = static_cast<std::int64_t>(
        in.number(f_stake, 1, id_max, "a whole number of minor units, 1 or more"));
    out.money = in.money();
    return out;
  }
  if (type == "lobby.leave") return lobby_leave{};
  if (type == "table.watch") {
    table_watch out{in.key(f_table), 0};
    if (all.has(f_seq)) out.seq = in.number(f_seq, 0, id_max, "a whole number, 0 or more");
    return out;
  }
  if (type == "table.unwatch") return table_unwatch{in.key(f_table)};
  if (type == "table.ready") {
    table_ready out;
    out.table = in.key(f_table);
    in.bytes(f_hash, out.hash.data(), out.hash.size(), "32 bytes in hexadecimal");
    return out;
  }
  if (type == "table.open") {
    table_open out;
    out.table = in.key(f_table);
    out.seed = in.seed();
    in.bytes(f_salt, out.salt.data(), out.salt.size(), "16 bytes in hexadecimal");
    return out;
  }
  if (type == "table.concede") return table_concede{in.key(f_table), in.command()};
  if (type == "wallet.get") return wallet_get{in.money()};
  return std::nullopt;
}

std::variant<client_frame, wire_error> decode_msgpack(std::string_view bytes) {
  fields all;
  auto wrong = collect(bytes, all);
  form in{all};
  std::uint64_t id = 0;
  if (all.has(f_id)) id = in.number(f_id, 1, id_max, "a whole number from 1 to 2^53-1");
  if (wrong) {
    if (wrong->close == 0) wrong->id = id;
    return std::move(*wrong);
  }
  if (!all.has(f_id)) in.need(f_id, "a whole number from 1 to 2^53-1");
  if (!in.complaint.empty()) return wire_error{"bad_message", std::move(in.complaint), 0, 0};
  if (!all.has(f_t) || all.head[f_t].what != pack::kind::text) {
    return wire_error{"bad_message", "The field t must be the message's type.", id, 0};
  }
  auto body = read_body(all.head[f_t].bytes, all, in);
  if (!body) return wire_error{"unknown_type", "There is no message of this type.", id, 0};
  if (!in.complaint.empty()) return wire_error{"bad_field", std::move(in.complaint), id, 0};
  return client_frame{id, std::move(*body)};
}

// ---- writing

/// Appends the pairs of one message after its type and id.
struct body_writer {
  std::string& out;
  void text(field f, std::string_view value) const {
    pack::put_text(out, field_names[f]);
    pack::put_text(out, value);
  }
  void number(field f, std::uint64_t value) const {
    pack::put_text(out, field_names[f]);
    pack::put_unsigned(out, value);
  }
  void raw(field f, std::string_view value) const {
    pack::put_text(out, field_names[f]);
    out.append(value.empty() ? std::string_view{"\x80"} : value);
  }
  static std::string_view view(const auto& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  void begin(std::uint32_t pairs, std::string_view type, std::uint64_t id) const {
    pack::put_map(out, pairs + 2);
    text(f_t, type);
    number(f_id, id);
  }
};

struct encoder {
  body_writer w;
  std::uint64_t id;
  void operator()(const hello& m) const {
    w.begin(1, "hello", id);
    w.text(f_token, m.token);
  }
  void operator()(const ping&) const { w.begin(0, "ping", id); }
  void operator()(const lobby_join& m) const {
    w.begin(4, "lobby.join", id);
    w.text(f_game, m.game);
    w.raw(f_options, m.options);
    w.number(f_stake, static_cast<std::uint64_t>(m.stake));
    w.text(f_money, storage::to_string(m.money));
  }
  void operator()(const lobby_leave&) const { w.begin(0, "lobby.leave", id); }
  void operator()(const table_watch& m) const {
    w.begin(2, "table.watch", id);
    w.text(f_table, m.table.to_string());
    w.number(f_seq, m.seq);
  }
  void operator()(const table_unwatch& m) const {
    w.begin(1, "table.unwatch", id);
    w.text(f_table, m.table.to_string());
  }
  void operator()(const table_ready& m) const {
    w.begin(2, "table.ready", id);
    w.text(f_table, m.table.to_string());
    w.text(f_hash, pack::to_hex(body_writer::view(m.hash)));
  }
  void operator()(const table_open& m) const {
    w.begin(3, "table.open", id);
    w.text(f_table, m.table.to_string());
    w.text(f_seed, pack::to_hex(m.seed));
    w.text(f_salt, pack::to_hex(body_writer::view(m.salt)));
  }
  void operator()(const table_act& m) const {
    w.begin(3, "table.act", id);
    w.text(f_table, m.table.to_string());
    w.number(f_command, m.command);
    w.raw(f_action, m.action);
  }
  void operator()(const table_concede& m) const {
    w.begin(2, "table.concede", id);
    w.text(f_table, m.table.to_string());
    w.number(f_command, m.command);
  }
  void operator()(const wallet_get& m) const {
    w.begin(1, "wallet.get", id);
    w.text(f_money, storage::to_string(m.money));
  }
};

void put_type(std::string& out, std::string_view type) {
  out.append("\xA1t", 2);
  pack::put_text(out, type);
}
void put_re(std::string& out, std::uint64_t re) {
  out.append("\xA2re", 3);
  pack::put_unsigned(out, re);
}

}  // namespace

std::variant<client_frame, wire_error> decode(encoding how, std::string_view bytes) {
  if (how == encoding::msgpack) return decode_msgpack(bytes);
  std::string packed;
  switch (json_to_msgpack(bytes, packed)) {
    case pack::fault::none:
      return decode_msgpack(packed);
    case pack::fault::too_deep:
      return wire_error{"too_deep", "A message nests at most 16 containers.", 0, 0};
    default:
      return malformed("The frame is not one JSON value.");
  }
}

std::string encode(encoding how, const client_frame& frame) {
  std::string out;
  out.reserve(128);
  std::visit(encoder{{out}, frame.id}, frame.body);
  return how == encoding::msgpack ? out : to_json(out);
}

std::string ok_frame(std::uint64_t re, std::uint32_t count, std::string_view fields) {
  return push_frame_re("ok", re, count, fields);
}

std::string error_frame(std::uint64_t re, std::string_view code, std::string_view message,
                        std::uint32_t retry_ms) {
  std::string fields;
  fields.reserve(code.size() + message.size() + 40);
  pack::put_text(fields, "code");
  pack::put_text(fields, code);
  pack::put_text(fields, "message");
  pack::put_text(fields, message);
  if (retry_ms > 0) {
    pack::put_text(fields, "retry_ms");
    pack::put_unsigned(fields, retry_ms);
  }
  return push_frame_re("error", re, retry_ms > 0 ? 3 : 2, fields);
}

std::string push_frame(std::string_view type, std::uint32_t count, std::string_view fields) {
  std::string out;
  out.reserve(fields.size() + type.size() + 16);
  pack::put_map(out, count + 1);
  put_type(out, type);
  out.append(fields);
  return out;
}

std::string push_frame_re(std::string_view type, std::uint64_t re, std::uint32_t count,
                          std::string_view fields) {
  std::string out;
  out.reserve(fields.size() + type.size() + 28);
  pack::put_map(out, count + 2);
  put_type(out, type);
  put_re(out, re);
  out.append(fields);
  return out;
}

std::optional<std::string> from_json(std::string_view json) {
  std::string out;
  if (json_to_msgpack(json, out) != pack::fault::none) return std::nullopt;
  return out;
}

std::uint64_t answered(std::string_view frame) {
  pack::cursor at{frame};
  pack::item head;
  if (!at.next(head) || head.what != pack::kind::map || head.number < 2) return 0;
  if (!at.next(head) || !at.next(head)) return 0;
  if (!at.next(head) || head.what != pack::kind::text || head.bytes != "re") return 0;
  return at.next(head) && head.what == pack::kind::unsigned_ ? head.number : 0;
}

}  // namespace baraza::http::wire
