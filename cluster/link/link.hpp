// One node's connections to its peers: one outgoing connection to each, which carries what this
// node says, and the incoming ones, which carry what they say. So each direction is proved by
// itself, and no two dials ever race. Frames are bytes (cluster/wire); order holds per connection,
// nothing is sent twice, and what was not written is reported, never kept for a later connection.
//
// Not BASP: docs/decisions/010-links-are-our-own.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cluster/link/handshake.hpp"

namespace baraza::cluster {

struct link_peer {
  std::string name;
  std::uint64_t incarnation = 0;
  std::string host;  // address or name
  std::uint16_t port = 0;
  bool operator==(const link_peer&) const = default;
};

/// PEM files. `ca` may hold several certificates: during a rotation the old and the new one.
struct link_certificates {
  std::string ca, certificate, key;
};

struct link_options {
  link_identity self;
  std::string listen_host = "127.0.0.1";  // an address
  std::uint16_t listen_port = 0;          // 0: any free one
  std::optional<link_certificates> tls;   // without: loopback only
  std::chrono::milliseconds heartbeat_every{250};
  std::chrono::milliseconds silence_max{1500};  // then the connection is over
  std::chrono::milliseconds dial_max{2000};     // connect, TLS and hello together
  std::chrono::milliseconds backoff_first{50}, backoff_max{2000};
};

enum class link_direction : std::uint8_t { outgoing, incoming };
enum class link_log : std::uint8_t { info, warning, error };

/// Why a queued message was not sent. The peer has not seen it.
enum class link_loss : std::uint8_t { expired, disconnected };

/// Called on the link's own thread: must not block, and must not call stop().
struct link_events {
  std::function<void(link_direction, const std::string& name, std::uint64_t incarnation)> up;
  std::function<void(link_direction, const std::string& name, std::uint64_t incarnation,
                     const std::string& why)>
      down;
  /// A whole message from the peer that TLS has proved to be `name`.
  std::function<void(const std::string& name, std::uint64_t incarnation, std::string bytes)>
      received;
  std::function<void(std::uint64_t owner, link_loss why)> lost;
  std::function<void(link_log, std::string_view event, std::string_view detail)> log;
};

enum class send_result : std::uint8_t {
  queued,     // will be written before its deadline, or `lost` tells
  not_up,     // no outgoing connection now
  full,       // the peer takes too little: shed
  too_large,  // beyond wire::message_bytes_max
};

struct link_status {
  std::string name;
  std::uint64_t incarnation = 0;
  bool outgoing = false, incoming = false;
  std::size_t queued_bytes = 0;
  std::int64_t round_trip_us = 0;  // of the last heartbeat
  std::string last_error;
};

class link {
 public:
  /// Listens and starts the thread. A string says in one sentence why not: the address is taken,
  /// the certificates do not fit, or there are none and the address is not loopback.
  static std::variant<std::unique_ptr<link>, std::string> start(link_options options,
                                                                link_events events);
  ~link();  // stops
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// Everybody to be connected to, without this node itself. Others' outgoing connections end; an
  /// incoming one of an earlier incarnation ends too. Any thread.
  void set_peers(std::vector<link_peer> peers);
  /// Any thread; never blocks. `deadline`: the message must be in the socket's hands by then, at
  /// most link_send_wait_max from now. The answer is the owner's to wait for, with its own
  /// deadline; when the link goes down, what was sent before has an unknown outcome.
  send_result send(const std::string& name, std::string bytes,
                   std::chrono::steady_clock::time_point deadline, std::uint64_t owner);
  /// Reads the files again; connections that exist keep what they have. Empty, or what is wrong.
  std::string reload_certificates();
  [[nodiscard]] std::vector<link_status> status() const;
  /// Says goodbye, closes all, ends the thread. No event comes after it has returned.
  void stop();

 private:
  class mesh;
  explicit link(std::unique_ptr<mesh> inside);
  std::unique_ptr<mesh> mesh_;
};

}  // namespace baraza::cluster
