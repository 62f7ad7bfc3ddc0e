// What stands in for the network of a local cluster: a TCP proxy that knows who talks to whom and
// can stall or cut each direction of each pair, as a partition does. One thread.
//
// ```
//             roads open          target answers
// accepted ──────────────▶ dialling ──────────▶ carrying ──either side ends──▶ gone
//    │ a road is stalled                           │ a road is stalled: nothing of that direction
//    ▼                                             ▼ passes, not even its end
//  waiting ──roads open again──▶ dialling        carrying ──roads open again──▶ what was held flows
// any ──a road is cut──▶ reset, both sides
// ```
//
// A route refuses connections while its target does, so that nobody takes a dead process for a slow
// one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace baraza::cluster::local {

/// Who talks: a number its user gives.
using party = std::uint32_t;
/// Dialled from an address without a name: all its roads are open.
inline constexpr party party_unknown = 0xFFFF'FFFF;

enum class road : std::uint8_t {
  open,
  stalled,  // nothing arrives and nothing is told: the sender waits. Held bytes flow once it opens.
  cut,      // connections of the pair are reset, new ones too
};

struct proxy_route {
  std::string listen_address = "127.0.0.1";
  std::string target_address = "127.0.0.1";
  std::uint16_t target_port = 0;
  party to = 0;               // who listens behind it
  std::optional<party> from;  // who dials; nothing: told by the source address
};

class proxy {
 public:
  proxy();
  ~proxy();  // resets every connection
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;

  // Any thread. What is asked for is in force when the call returns.

  /// Throws `failure` if it cannot listen. @returns the port it listens on
  std::uint16_t add_route(const proxy_route& route);
  /// Connections from `address` are dialled by `who`.
  void name_source(const std::string& address, party who);
  /// One direction: what `from` sends to `to`.
  void set_road(party from, party to, road how);
  void open_all_roads();
  /// Connections being carried or held.
  [[nodiscard]] std::size_t connections() const;

 private:
  class loop;
  std::unique_ptr<loop> loop_;
};

}  // namespace baraza::cluster::local
