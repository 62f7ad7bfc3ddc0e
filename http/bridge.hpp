// The only door from sockets to actors. Sessions call it on their own thread; frames come back on
// the session's own executor. One gateway actor stands behind it: one message per edge and event,
// whoever watches.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "actors/messages.hpp"
#include "http/wire.hpp"

namespace baraza::http {

using session_number = std::uint64_t;

/// What the bridge needs of a session. Called from any thread; frames are shared between the
/// sessions that get the same bytes.
class session_sink {
 public:
  virtual ~session_sink() = default;
  /// Queues a frame. It leaves with the next wake() at the latest.
  virtual void deliver(std::shared_ptr<const std::string> frame) = 0;
  /// After one or many deliveries, to whichever sessions: tells the session's thread. Waking it for
  /// each frame would have it meet the caller at every lock on the way.
  virtual void wake() = 0;
  /// Ends the connection with this WebSocket close code (1008 after logout, 1001 going away …).
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
};

class bridge {
 public:
  virtual ~bridge() = default;
  /// A player's authenticated connection begins. The sink may be dropped any time; the bridge holds
  /// it weakly.
  virtual session_number attach(const uuid& player, const uuid& login, std::string display,
                                std::weak_ptr<session_sink> sink) = 0;
  virtual void detach(session_number session) = 0;
  /// Handles every client message but hello and ping. Answers exactly once, through the sink, with
  /// the frame's id.
  virtual void handle(session_number session, wire::client_frame frame) = 0;

  /// For HTTP routes: asks an entity; `answered` is called once, from any thread, also when the
  /// deadline passes (then: unknown). `request_id`: of the HTTP request; the log knows what it
  /// causes by it.
  virtual void ask(const entity_id& to, actors::request what, std::string_view request_id,
                   std::chrono::milliseconds deadline,
                   std::function<void(const actors::answer&)> answered) = 0;
  /// Ends every live session of the player (or only those of one login) on every edge within 1 s,
  /// and, if all end, his waiting in lobbies; used by logout and disable.
  virtual void end_sessions(const uuid& player, const uuid* login) = 0;
  /// Who shall hear when another edge ends them, before their sessions here are closed; none:
  /// nobody. When this returns, whoever heard before is not called any more.
  using ended_elsewhere = std::function<void(const uuid& player, const uuid* login)>;
  virtual void hear_ended(ended_elsewhere hears) = 0;
  /// Tells everyone to come back later ("going_away" with retry_ms), then no new work is taken.
  virtual void go_away(std::uint32_t retry_ms) = 0;
  [[nodiscard]] virtual std::size_t sessions() const = 0;
};

}  // namespace baraza::http
