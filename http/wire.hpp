// The player protocol baraza.v1 as values: what a client may send, how frames are written. No
// sockets, no actors. The same messages exist as MessagePack (one binary frame each) and JSON (one
// text frame each); docs/protocol.md lists them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "storage/ids.hpp"
#include "storage/store.hpp"

namespace baraza::http::wire {

enum class encoding : std::uint8_t { msgpack, json };

// ---- client → server: a map with "t" (type), "id" (1 … 2^53-1, answered once) and the fields
// below under the same names -------------

struct hello {
  std::string token;
};                         // "hello": access token or ws ticket, when the handshake carried none
struct ping {};            // "ping"
struct lobby_join {        // "lobby.join"
  std::string game;        // ≤ 32 bytes
  std::string options;     // MessagePack map; JSON clients send an object
  std::int64_t stake = 0;  // minor units, > 0
  storage::currency money = storage::currency::demo;  // "DEMO"
};
struct lobby_leave {};  // "lobby.leave"
struct table_watch {
  uuid table;
  std::uint64_t seq = 0;
};  // "table.watch": seq of the last event seen; 0: a fresh view
struct table_unwatch {
  uuid table;
};  // "table.unwatch"
struct table_ready {
  uuid table;
  std::array<std::uint8_t, 32> hash{};
};  // "table.ready": hash (hex) of client seed and salt
struct table_open {
  uuid table;
  std::string seed;
  std::array<std::uint8_t, 16> salt{};
};  // "table.open": seed (hex, 1–64 bytes), salt (hex)
struct table_act {
  uuid table;
  std::uint64_t command = 0;
  std::string action;
};  // "table.act": command counter ≥ 1; action: a map
struct table_concede {
  uuid table;
  std::uint64_t command = 0;
};  // "table.concede"
struct wallet_get {
  storage::currency money = storage::currency::demo;
};  // "wallet.get"

using client_message =
    std::variant<hello, ping, lobby_join, lobby_leave, table_watch, table_unwatch, table_ready,
                 table_open, table_act, table_concede, wallet_get>;
struct client_frame {
  std::uint64_t id = 0;
  client_message body;
};
/// Why bytes are no client_frame. `close` 0: answered with an error frame, the connection stays;
/// else the WebSocket close code.
struct wire_error {
  std::string_view code;  // "bad_message", "unknown_type", "bad_field", "too_deep"
  std::string sentence;
  std::uint64_t id = 0;  // of the request, if it could be read
  std::uint16_t close = 0;
};

/// Never throws; bounded in depth (16) and memory (the frame's own size, whatever lengths the bytes
/// claim).
std::variant<client_frame, wire_error> decode(encoding how, std::string_view bytes);

/// For clients (`baraza play`, `baraza load`, tests): the frame's bytes.
std::string encode(encoding how, const client_frame& frame);

// ---- server → client: written once as MessagePack, transcoded for JSON sessions

/// {"t":"ok","re":id, …fields}: `fields` is the body of a MessagePack map of `count` pairs, without
/// its header.
std::string ok_frame(std::uint64_t re, std::uint32_t count = 0, std::string_view fields = {});
/// {"t":"error","re":id,"code":…,"message":…[,"retry_ms":…]}
std::string error_frame(std::uint64_t re, std::string_view code, std::string_view message,
                        std::uint32_t retry_ms = 0);
/// {"t":type, …fields}
std::string push_frame(std::string_view type, std::uint32_t count, std::string_view fields);
/// The same push with "re":id as its second pair: the push that is also the answer of the one who
/// caused it.
std::string push_frame_re(std::string_view type, std::uint64_t re, std::uint32_t count,
                          std::string_view fields);
/// MessagePack → JSON text. Byte strings become lower-case hex. Empty if the bytes are not one
/// complete value.
std::string to_json(std::string_view msgpack);
/// JSON text → MessagePack; nothing if it is not JSON or deeper than 16.
std::optional<std::string> from_json(std::string_view json);

}  // namespace baraza::http::wire
